//! Tensors: a shape and strides over shared storage.
//!
//! Views share their storage and cost nothing; `create.rs` makes tensors, `sample.rs` draws indices,
//! `view.rs`, `parts.rs` and `indexed.rs` look at them differently, `rearrange.rs` puts elements elsewhere,
//! `convert.rs` lets them in and out, `print/` shows them.

#[cfg(feature = "ndarray")]
mod arrays;
mod convert;
mod create;
mod display;
mod element;
mod indexed;
mod matrix;
pub(crate) mod memory;
mod nested;
pub(crate) mod packs;
pub(crate) mod parts;
pub(crate) mod pool;
mod print;
mod rearrange;
mod region;
mod sample;
#[cfg(feature = "serde")]
pub(crate) mod serial;
pub(crate) mod storage;
mod view;

pub(crate) use create::{Indices, checked_indices};
pub use element::Element;
pub use indexed::{AxisIndex, TensorIndex};
pub(crate) use indexed::{Step, steps};
pub(crate) use matrix::Matrix;
pub use nested::Nested;
pub use print::{PrintOptions, Printed, print_options, set_print_options};
pub(crate) use rearrange::{Border, IndexSelect, Shifts, repeated, shifts};
pub(crate) use region::Region;
pub(crate) use view::{narrow, select, slice};

use wengert_kernel::memory::layout::{Axes, Layout};
use wengert_kernel::memory::region::Region as Elements;
use wengert_kernel::memory::shared::{Shared, Unique};
use wengert_kernel::memory::view::{InOut, View};
use wengert_kernel::rows::copy;

use self::storage::{Storage, Upkeep, refuse_if_saved};
use crate::base::dims::Dims;
use crate::base::error::{Error, Result, expect};

/// An n-dimensional array: extents and strides over storage that views share.
///
/// A clone is a handle to the same elements. They change in place only while nobody else holds the
/// storage ([`Tensor::data_mut`]), so a tensor once given away keeps its values.
///
/// A tensor holds data from outside, whose sizes come from outside too: its views ([`Tensor::reshape`],
/// [`Tensor::narrow`], [`Tensor::split`], ..) return a `Result`, where those of a
/// [`Variable`](crate::Variable) are steps of a formula and panic. Arithmetic and functions of elements panic
/// for both where shapes do not fit.
///
/// ```
/// use wengert_core::Tensor;
/// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
/// assert_eq!(x.shape(), &[2, 2]);
/// assert_eq!(x.t().to_vec(), vec![1.0, 3.0, 2.0, 4.0]);
/// ```
pub struct Tensor<T: Element = f32> {
    elements: Elements<T, Upkeep<T>>,
}

impl<T: Element> Clone for Tensor<T> {
    #[inline]
    fn clone(&self) -> Self {
        Tensor { elements: self.elements.clone() }
    }
}

impl<T: Element> From<Elements<T, Upkeep<T>>> for Tensor<T> {
    #[inline]
    fn from(elements: Elements<T, Upkeep<T>>) -> Self {
        Tensor { elements }
    }
}

impl<T: Element> From<Unique<Storage<T>>> for Tensor<T> {
    /// The whole of a storage just filled.
    #[inline]
    fn from(fresh: Unique<Storage<T>>) -> Self {
        Tensor { elements: fresh.into() }
    }
}

impl<T: Element> Tensor<T> {
    /// A row-major tensor whose elements `write` fills in; what they hold before is of no particular value.
    ///
    /// Where there is no memory for it, it gives up: [`Tensor::create`] gives an error.
    #[inline]
    #[track_caller]
    pub(crate) fn build(shape: impl Into<Dims>, write: impl FnOnce(&mut [T])) -> Self {
        let mut fresh = pool::acquire(&shape.into());
        write(fresh.as_mut_slice());
        fresh.into()
    }

    /// [`Tensor::build`] for `operation`.
    ///
    /// # Errors
    /// If the shape has more elements than a tensor, or there is no memory for them.
    #[inline]
    pub(crate) fn create(
        operation: &'static str,
        shape: impl Into<Dims>,
        write: impl FnOnce(&mut [T]),
    ) -> Result<Self> {
        let shape = shape.into();
        let fresh = pool::try_acquire(&shape);
        let mut fresh = fresh.ok_or_else(|| memory::refusal::<T>(operation, &shape))?;
        write(fresh.as_mut_slice());
        Ok(fresh.into())
    }

    /// A row-major tensor of elements of no particular value.
    #[track_caller]
    pub(crate) fn unspecified(shape: impl Into<Dims>) -> Self {
        pool::acquire(&shape.into()).into()
    }

    /// A storage with the extents of this tensor, whose layout is taken over if it is row-major.
    #[inline]
    #[track_caller]
    pub(crate) fn storage_alike(&self) -> Unique<Storage<T>> {
        if self.elements.is_whole() { pool::acquire_like(self.storage()) } else { pool::acquire(self.dims()) }
    }

    /// The elements of a tensor just made.
    pub(crate) fn fresh_mut(&mut self) -> &mut [T] {
        self.elements.exclusive_mut().expect("a new tensor has no other holder")
    }

    pub(crate) fn from_parts(mut storage: Storage<T>, shape: &Dims) -> Self {
        storage.renew(shape);
        Unique::new(storage).into()
    }

    /// A view of the storage with other extents and strides.
    ///
    /// # Panics
    /// If they leave it, or parts of it are being written.
    #[inline]
    #[track_caller]
    pub(crate) fn with_layout(&self, offset: usize, shape: Dims, strides: Dims) -> Self {
        match self.elements.with_layout(offset, shape, strides) {
            Some(elements) => Tensor { elements },
            None => panic!("extents and strides that leave the storage of shape {:?}", self.shape()),
        }
    }

    /// One tensor of this and the others below it, if each lies behind the one before.
    pub(crate) fn followed_by(&self, others: &[Self]) -> Option<Self> {
        self.elements.followed_by(others.iter().map(|other| &other.elements)).map(Tensor::from)
    }

    /// Some of the elements, or all, seen otherwise.
    #[inline]
    pub(crate) fn seen(&self, change: impl FnOnce(&mut Axes<'_>)) -> Self {
        Tensor { elements: self.elements.seen(change) }
    }

    /// [`Tensor::seen`] by what may refuse.
    #[inline]
    fn try_seen(&self, change: impl FnOnce(&mut Axes<'_>) -> Result<()>) -> Result<Self> {
        Ok(Tensor { elements: self.elements.try_seen(change)? })
    }

    #[inline]
    pub(crate) fn elements(&self) -> &Elements<T, Upkeep<T>> {
        &self.elements
    }

    /// The elements as a kernel reads them.
    #[inline]
    pub(crate) fn as_view(&self) -> View<'_, T> {
        self.elements.view()
    }

    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        self.elements.layout()
    }

    /// The extents of the axes; empty for a scalar.
    #[doc(alias = "size")]
    #[inline]
    pub fn shape(&self) -> &[usize] {
        self.layout().shape()
    }

    #[inline]
    pub(crate) fn dims(&self) -> &Dims {
        self.layout().shape()
    }

    /// How many elements of storage lie between neighbours along each axis; 0 where an axis is broadcast.
    #[inline]
    pub fn strides(&self) -> &[usize] {
        self.layout().strides()
    }

    /// The place of the first element in the storage.
    #[inline]
    pub fn storage_offset(&self) -> usize {
        self.layout().offset()
    }

    /// An identity of the storage that no other storage has or had in this process; views share it.
    pub fn storage_id(&self) -> u64 {
        self.storage().id()
    }

    /// How often the storage has changed in place.
    pub fn version(&self) -> u64 {
        self.storage().version()
    }

    /// A clone whose storage must not change in place until [`Tensor::drop_marked`] drops it; see
    /// [`Keep`](crate::tape::keep::Keep).
    #[inline]
    pub(crate) fn marked(&self) -> Self {
        Tensor { elements: self.elements.marked() }
    }

    /// Drops what [`Tensor::marked`] made.
    #[inline]
    pub(crate) fn drop_marked(self) {
        self.elements.drop_marked();
    }

    #[inline]
    pub(crate) fn storage(&self) -> &Shared<Storage<T>> {
        self.elements.block()
    }

    /// The number of axes.
    #[doc(alias = "ndim")]
    #[doc(alias = "dim")]
    pub fn rank(&self) -> usize {
        self.dims().len()
    }

    /// The number of elements.
    #[doc(alias = "size")]
    #[doc(alias = "nelement")]
    #[inline]
    pub fn numel(&self) -> usize {
        self.dims().count()
    }

    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.elements.is_contiguous()
    }

    /// Whether both lie in row-major order and have the same extents.
    #[inline(always)]
    pub(crate) fn lies_like(&self, other: &Self) -> bool {
        self.elements.lies_like(&other.elements)
    }

    /// The elements in row-major order, if that is how they lie.
    pub fn as_slice(&self) -> Option<&[T]> {
        self.elements.as_slice()
    }

    /// The elements of a tensor that lies in row-major order.
    #[inline]
    #[track_caller]
    pub(crate) fn in_order(&self) -> &[T] {
        self.as_slice().expect("elements in row-major order")
    }

    /// A tensor of the same elements in row-major order: itself if they lie so, else a copy.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([[1i64, 2], [3, 4]]).t();
    /// assert!(!x.is_contiguous());
    /// assert_eq!(x.contiguous().as_slice().unwrap(), &[1, 3, 2, 4]);
    /// ```
    #[track_caller]
    pub fn contiguous(&self) -> Self {
        if self.is_contiguous() { self.clone() } else { self.copy() }
    }

    /// A row-major copy with storage of its own.
    #[track_caller]
    pub fn copy(&self) -> Self {
        expect(self.copied("copy"))
    }

    /// [`Tensor::copy`] for `operation`.
    pub(crate) fn copied(&self, operation: &'static str) -> Result<Self> {
        Tensor::create(operation, self.dims().clone(), |out| copy::gather(self.as_view(), out))
    }

    /// The elements of a row-major tensor, to change in place.
    ///
    /// # Errors
    /// [`Error::InPlace`] names the recorded operation that still needs the values;
    /// [`Error::Shared`] says that other handles would see the change.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let mut x = Tensor::<f32>::zeros([3]);
    /// x.data_mut()?[1] = 5.0;
    /// assert_eq!(x.to_vec(), vec![0.0, 5.0, 0.0]);
    /// let view = x.clone();
    /// assert!(x.data_mut().is_err());
    /// # drop(view);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn data_mut(&mut self) -> Result<&mut [T]> {
        if !self.is_contiguous() {
            return Err(Error::argument(
                "data_mut",
                "the tensor",
                "contiguous",
                format!("strides {:?}", self.strides()),
            ));
        }
        if !self.storage().is_only() {
            refuse_if_saved(self.storage(), "data_mut", self.shape())?;
            let holders = self.storage().handles() - 1;
            return Err(Error::Shared {
                operation: "data_mut",
                shape: format!("{:?}", self.shape()),
                holders,
            });
        }
        Ok(self.exclusive_mut().expect("nobody else can have got a handle in between"))
    }

    /// Like `data_mut`, for whoever shares the storage: other handles, and what a graph has saved, keep the
    /// old values.
    pub(crate) fn detach_mut(&mut self, operation: &'static str) -> Result<&mut [T]> {
        if self.exclusive_mut().is_none() {
            *self = self.copied(operation)?;
        }
        self.data_mut()
    }

    /// The elements, if this handle is the only one to its storage and they lie in row-major order.
    #[inline]
    pub(crate) fn exclusive_mut(&mut self) -> Option<&mut [T]> {
        self.elements.exclusive_mut()
    }

    /// Whether this is the only handle to the storage, all of it in row-major order.
    #[inline]
    pub(crate) fn is_sole(&self) -> bool {
        self.elements.is_sole()
    }

    /// All of such a storage, for a kernel that writes over what it reads.
    #[inline]
    pub(crate) fn in_out(&mut self) -> Option<InOut<'_, T>> {
        self.elements.in_out()
    }

    /// The number of elements of a row-major tensor.
    #[inline]
    pub(crate) fn raw_len(&self) -> usize {
        if self.elements.is_whole() { self.storage().len() } else { self.numel() }
    }

    /// Whether two tensors view the same storage.
    pub fn shares_storage(&self, other: &Tensor<T>) -> bool {
        self.elements.shares_memory(&other.elements)
    }
}

impl<T: Element> PartialEq for Tensor<T> {
    /// Whether shape and elements are equal (so a NaN makes it false).
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape() && self.to_vec() == other.to_vec()
    }
}
