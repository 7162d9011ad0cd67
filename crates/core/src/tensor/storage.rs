//! Shared memory of tensors, with what is needed to know whether it may change in place.

use std::num::NonZeroU16;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use wengert_kernel::memory::block::{Beside, Block};
use wengert_kernel::memory::cut;
use wengert_kernel::memory::shared::{Shared, Unique};
use wengert_kernel::memory::static_ref::StaticRef;

use crate::base::error::{Error, Result};
use crate::base::scope;
use crate::tensor::packs::Packs;
use crate::tensor::{Element, pool};

/// The elements that one or several tensors view.
pub(crate) type Storage<T> = Block<T, Upkeep<T>>;

/// The right to write elements of a tensor to come.
pub(crate) type Claim<T> = cut::Claim<T, Upkeep<T>>;

/// A tensor to come that is written in parts.
pub(crate) type Cut<T> = cut::Cut<T, Upkeep<T>>;

/// The things that a storage keeps beside its elements.
pub struct Upkeep<T: Element> {
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

impl<T: Element> Beside<T> for Upkeep<T> {
    fn retire(last: Unique<Storage<T>>) {
        pool::release(last);
    }

    #[inline]
    fn changing(&mut self) {
        self.packs.loosen();
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl<T: Element> Upkeep<T> {
    /// Of a storage that ends when its last handle does.
    pub(crate) fn new() -> Self {
        Upkeep {
            class: None,
            id: AtomicU64::new(0),
            packs: Packs::none(),
            holder: StaticRef::none(),
            holder_location: StaticRef::none(),
            holder_scope: AtomicU32::new(0),
        }
    }

    /// Of a storage that a pool takes back.
    pub(crate) fn recyclable(class: usize) -> Self {
        let class = u16::try_from(class).ok().and_then(NonZeroU16::new);
        Upkeep { class, ..Upkeep::new() }
    }

    /// The pool's class, if a pool takes it back.
    #[inline]
    pub(crate) fn class(&self) -> Option<usize> {
        self.class.map(|class| class.get().into())
    }

    /// Begins anew with another identity; the packs have been cleared before.
    #[inline]
    pub(crate) fn renew_upkeep(&mut self) {
        *self.id.get_mut() = 0;
        self.packs.forget();
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

    /// Says which operation keeps a value that lives here.
    #[inline]
    pub(crate) fn held_by(&self, holder: &Holder) {
        self.holder.set(holder.operation);
        self.holder_location.set(holder.location);
        self.holder_scope.store(holder.scope, Ordering::Relaxed);
    }
}

/// How many times this thread counts handles to the memory of these tensors while it runs `f`.
#[cfg(debug_assertions)]
pub fn handle_updates<T: Element>(tensors: &[crate::tensor::Tensor<T>], f: impl FnOnce()) -> usize {
    let addresses: Vec<usize> = tensors.iter().map(|tensor| tensor.storage().address()).collect();
    wengert_kernel::memory::shared::counted::updates(&addresses, f)
}

/// Refuses, naming the holder, while a recorded operation still needs what lies in a storage: then it has a
/// marked handle.
pub(crate) fn refuse_if_saved<T: Element>(
    storage: &Shared<Storage<T>>,
    operation: &'static str,
    shape: &[usize],
) -> Result<()> {
    if !storage.is_marked() {
        return Ok(());
    }
    Err(Error::InPlace {
        operation,
        shape: format!("{shape:?}"),
        holder: storage.holder.get().copied().unwrap_or("an operation"),
        location: storage.holder_location.get().unwrap_or(Location::caller()),
        path: scope::place(storage.holder_scope.load(Ordering::Relaxed)),
    })
}
