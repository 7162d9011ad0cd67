//! Shared memory of tensors, with what is needed to know whether it may change in place.

use std::num::NonZeroU16;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::dims::Dims;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::buffer::Buffer;
use crate::kernel::shared::{Retire, Shared, Unique};
use crate::kernel::static_ref::StaticRef;
use crate::packs::Packs;
use crate::pool;
use crate::tape::scope;

/// The elements that one or several tensors view.
pub struct Storage<T: Element> {
    buffer: Buffer<T>,
    /// How the tensor that the storage was made for sees it: row-major from the first element on. Views have a layout of their own.
    layout: Layout,
    /// The pool's class that the storage came from and goes back to, if it may be used again.
    class: Option<NonZeroU16>,
    /// Drawn at the first question, so that short-lived storages don't pay for it; 0 is none yet.
    id: AtomicU64,
    packs: Packs<T>,
    /// The last recorded operation that kept a value that lives here.
    holder: StaticRef<&'static str>,
    holder_location: StaticRef<Location<'static>>,
    /// The module that recorded the holder.
    holder_scope: AtomicU32,
}

/// A recorded operation that keeps values.
pub(crate) struct Holder {
    pub(crate) operation: &'static &'static str,
    pub(crate) location: &'static Location<'static>,
    /// The module that recorded it.
    pub(crate) scope: u32,
}

/// Where a tensor's elements lie in its storage.
#[derive(Default)]
pub(crate) struct Layout {
    pub(crate) offset: usize,
    pub(crate) shape: Dims,
    pub(crate) strides: Dims,
}

impl Layout {
    /// Becomes another one; in place, since moving what was just written is slow.
    #[inline]
    pub(crate) fn clone_from(&mut self, from: &Layout) {
        self.offset = from.offset;
        self.shape.clone_from(&from.shape);
        self.strides.clone_from(&from.strides);
    }
}

impl<T: Element> Retire for Storage<T> {
    // Out of line, here and for views: so that the end of a handle that is not the last stays short where it is compiled in place.
    #[inline(never)]
    fn retire(last: Unique<Self>) {
        pool::release(last);
    }
}

impl Retire for Layout {
    #[inline(never)]
    fn retire(last: Unique<Self>) {
        pool::release_view(last);
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl<T: Element> Storage<T> {
    pub(crate) fn new(buffer: Buffer<T>) -> Self {
        Storage {
            buffer,
            layout: Layout::default(),
            class: None,
            id: AtomicU64::new(0),
            packs: Packs::none(),
            holder: StaticRef::none(),
            holder_location: StaticRef::none(),
            holder_scope: AtomicU32::new(0),
        }
    }

    /// A storage that a pool takes back.
    pub(crate) fn recyclable(buffer: Buffer<T>, class: usize) -> Self {
        let class = u16::try_from(class).ok().and_then(NonZeroU16::new);
        Storage { class, ..Storage::new(buffer) }
    }

    /// The pool's class, if a pool takes it back.
    #[inline]
    pub(crate) fn class(&self) -> Option<usize> {
        self.class.map(|class| class.get().into())
    }

    /// Makes a recycled storage a new one: another identity, another length.
    #[inline]
    pub(crate) fn renew(&mut self, len: usize) {
        *self.id.get_mut() = 0;
        self.buffer.forget_version();
        self.packs.forget();
        self.buffer.set_len(len);
    }

    /// Shapes a storage that nobody shares yet, row-major. What comes from a pool often has the shape already.
    #[inline]
    pub(crate) fn shaped(&mut self, shape: &Dims) {
        if self.layout.shape != *shape {
            self.layout.shape.clone_from(shape);
            self.layout.strides.set_row_major(shape);
        }
    }

    /// [`Storage::shaped`] like another storage.
    #[inline]
    pub(crate) fn shaped_like(&mut self, other: &Storage<T>) {
        if self.layout.shape != other.layout.shape {
            self.layout.clone_from(&other.layout);
        }
    }

    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn buffer(&self) -> &Buffer<T> {
        &self.buffer
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        self.buffer.as_slice()
    }

    /// The elements, to change.
    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        self.buffer.as_mut_slice()
    }

    /// The elements and what initialised memory there is behind them.
    #[inline]
    pub(crate) fn as_room(&self) -> &[T] {
        self.buffer.as_room()
    }

    /// [`Storage::as_room`], to change.
    #[inline]
    pub(crate) fn as_mut_room(&mut self) -> &mut [T] {
        self.buffer.as_mut_room()
    }

    /// A number that no other storage has or had in this process.
    pub(crate) fn id(&self) -> u64 {
        match self.id.load(Ordering::Relaxed) {
            0 => {
                let fresh = NEXT_ID.fetch_add(1, Ordering::Relaxed);
                match self.id.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => fresh,
                    Err(drawn) => drawn,
                }
            }
            id => id,
        }
    }

    /// What products keep of matrices that lie here.
    #[inline]
    pub(crate) fn packs(&self) -> &Packs<T> {
        &self.packs
    }

    /// Frees the packs.
    pub(crate) fn clear_packs(&mut self) {
        self.packs.clear();
    }

    /// How often the elements were given out to be written.
    pub(crate) fn version(&self) -> u64 {
        self.buffer.version()
    }

    /// Says which operation keeps a value that lives here.
    #[inline]
    pub(crate) fn held_by(&self, holder: &Holder) {
        self.holder.set(holder.operation);
        self.holder_location.set(holder.location);
        self.holder_scope.store(holder.scope, Ordering::Relaxed);
    }
}

impl<T: Element> Shared<Storage<T>> {
    /// Refuses, naming the holder, while a recorded operation still needs what lies here: then it has a marked handle.
    pub(crate) fn refuse_if_saved(&self, operation: &'static str, shape: &[usize]) -> Result<()> {
        if !self.is_marked() {
            return Ok(());
        }
        Err(Error::InPlace {
            operation,
            shape: format!("{shape:?}"),
            holder: self.holder.get().copied().unwrap_or("an operation"),
            location: self.holder_location.get().unwrap_or(Location::caller()),
            path: scope::place(self.holder_scope.load(Ordering::Relaxed)),
        })
    }
}

/// The elements of a storage that nobody else holds, or who holds it.
pub(crate) fn exclusive<'a, T: Element>(
    storage: &'a mut Shared<Storage<T>>,
    operation: &'static str,
    shape: &[usize],
) -> Result<&'a mut [T]> {
    if storage.get_mut().is_none() {
        storage.refuse_if_saved(operation, shape)?;
        let holders = storage.handles() - 1;
        return Err(Error::Shared { operation, shape: format!("{shape:?}"), holders });
    }
    let storage = storage.get_mut().expect("nobody else can have got a handle in between");
    Ok(storage.as_mut_slice())
}
