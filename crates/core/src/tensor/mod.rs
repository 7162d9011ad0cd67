//! Tensors: a shape and strides over shared storage.
//!
//! Views share their storage and cost nothing; `create.rs` makes tensors, `view.rs` looks at them
//! differently, `convert.rs` lets them in and out, `print/` shows them.

mod convert;

mod create;
mod display;
mod matrix;
mod nested;
mod print;
mod view;

pub(crate) use create::{Indices, checked_indices};
pub(crate) use matrix::Matrix;
pub use nested::Nested;
pub use print::{PrintOptions, Printed, print_options, set_print_options};
pub(crate) use view::Region;

use crate::dims::Dims;
use crate::element::Element;
use crate::error::{Error, Result, expect};
use crate::kernel::copy;
use crate::kernel::shared::{Shared, Unique};
use crate::memory;
use crate::pool;
use crate::storage::{self, Layout, Storage};

/// An n-dimensional array: extents and strides over storage that views share.
///
/// A clone is a handle to the same elements. They change in place only while nobody else holds the
/// storage ([`Tensor::data_mut`]), so a tensor once given away keeps its values.
///
/// ```
/// use wengert_core::Tensor;
/// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
/// assert_eq!(x.shape(), &[2, 2]);
/// assert_eq!(x.t().to_vec(), vec![1.0, 3.0, 2.0, 4.0]);
/// ```
pub struct Tensor<T: Element = f32> {
    storage: Shared<Storage<T>>,
    /// None for the row-major whole, which the storage itself describes: so a handle is two words.
    view: Option<Shared<Layout>>,
}

impl<T: Element> Clone for Tensor<T> {
    #[inline]
    fn clone(&self) -> Self {
        Tensor { storage: self.storage.clone(), view: self.view.clone() }
    }
}

impl<T: Element> From<Unique<Storage<T>>> for Tensor<T> {
    /// The whole of a storage just filled.
    #[inline]
    fn from(fresh: Unique<Storage<T>>) -> Self {
        Tensor { storage: fresh.share(), view: None }
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
        match &self.view {
            None => pool::acquire_like(&self.storage),
            Some(view) => pool::acquire(&view.shape),
        }
    }

    /// The elements of a tensor just made.
    pub(crate) fn fresh_mut(&mut self) -> &mut [T] {
        self.storage.get_mut().expect("a new tensor has no other holder").as_mut_slice()
    }

    pub(crate) fn from_parts(storage: Storage<T>, shape: Dims) -> Self {
        let mut storage = Unique::new(storage);
        storage.shaped(&shape);
        storage.into()
    }

    /// The same storage seen with other extents and strides, which must stay inside it.
    #[inline]
    pub(crate) fn with_layout(&self, offset: usize, shape: Dims, strides: Dims) -> Self {
        self.seen(|layout| *layout = Layout { offset, shape, strides })
    }

    /// [`Tensor::with_layout`] for a layout that is like this one, but for what `change` does to it.
    #[inline]
    fn with_change(&self, change: impl FnOnce(&mut Layout)) -> Self {
        self.seen(|layout| {
            layout.clone_from(self.layout());
            change(layout);
        })
    }

    #[inline]
    fn seen(&self, write: impl FnOnce(&mut Layout)) -> Self {
        let mut view = pool::acquire_view();
        write(&mut view);
        // Where there are no elements the offset may lead outside.
        if view.shape.contains(&0) {
            view.offset = 0;
        }
        Tensor { storage: self.storage.clone(), view: Some(view.share()) }
    }

    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        match &self.view {
            Some(view) => view,
            None => self.storage.layout(),
        }
    }

    /// The extents of the axes; empty for a scalar.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        &self.layout().shape
    }

    #[inline]
    pub(crate) fn dims(&self) -> &Dims {
        &self.layout().shape
    }

    /// How many elements of storage lie between neighbours along each axis; 0 where an axis is broadcast.
    #[inline]
    pub fn strides(&self) -> &[usize] {
        &self.layout().strides
    }

    #[inline]
    pub(crate) fn stride_dims(&self) -> &Dims {
        &self.layout().strides
    }

    /// Where in the storage the first element lies.
    #[inline]
    pub fn storage_offset(&self) -> usize {
        self.layout().offset
    }

    /// An identity of the storage that no other storage has or had in this process; views share it.
    pub fn storage_id(&self) -> u64 {
        self.storage.id()
    }

    /// How often the storage has changed in place.
    pub fn version(&self) -> u64 {
        self.storage.version()
    }

    /// A clone whose storage must not change in place until [`Tensor::drop_marked`] drops it; see [`Keep`](crate::tape::keep::Keep).
    #[inline]
    pub(crate) fn marked(&self) -> Self {
        Tensor { storage: self.storage.marked(), view: self.view.clone() }
    }

    /// Drops what [`Tensor::marked`] made.
    #[inline]
    pub(crate) fn drop_marked(self) {
        self.storage.drop_marked();
    }

    #[inline]
    pub(crate) fn storage(&self) -> &Shared<Storage<T>> {
        &self.storage
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.dims().len()
    }

    /// The number of elements.
    #[inline]
    pub fn numel(&self) -> usize {
        self.dims().count()
    }

    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        let Some(view) = &self.view else { return true };
        let mut step = 1;
        for (&extent, &stride) in view.shape.iter().zip(view.strides.iter()).rev() {
            if extent != 1 {
                if stride != step {
                    return self.numel() == 0;
                }
                step = step.wrapping_mul(extent);
            }
        }
        true
    }

    /// Whether both lie in row-major order and have the same extents.
    #[inline(always)]
    pub(crate) fn lies_like(&self, other: &Self) -> bool {
        match (&self.view, &other.view) {
            // The same handle often stands for several operands.
            (None, None) if std::ptr::eq(self, other) => true,
            (None, None) => self.storage.layout().shape == other.storage.layout().shape,
            _ => self.is_contiguous() && other.is_contiguous() && self.dims() == other.dims(),
        }
    }

    /// The elements in row-major order, if that is how they lie.
    pub fn as_slice(&self) -> Option<&[T]> {
        self.is_contiguous()
            .then(|| &self.storage.as_slice()[self.storage_offset()..self.storage_offset() + self.numel()])
    }

    /// All elements of the storage from the first one of this tensor on.
    #[inline]
    pub(crate) fn raw(&self) -> &[T] {
        &self.storage.as_slice()[self.storage_offset()..]
    }

    /// How many elements of the storage lie from the first to the last one of this tensor.
    #[inline]
    pub(crate) fn reach(&self) -> usize {
        if self.numel() == 0 {
            return 0;
        }
        let strides = self.shape().iter().zip(self.strides());
        strides.map(|(n, stride)| (n - 1) * stride).sum::<usize>() + 1
    }

    /// These elements.
    pub(crate) fn reached(&self) -> &[T] {
        &self.raw()[..self.reach()]
    }

    /// [`Tensor::raw`] and the initialised memory behind, which may be read.
    #[inline]
    pub(crate) fn room(&self) -> &[T] {
        &self.storage.as_room()[self.storage_offset()..]
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
        Tensor::create(operation, self.dims().clone(), |out| {
            copy::gather(self.raw(), self.dims(), self.stride_dims(), out)
        })
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
        let range = self.storage_offset()..self.storage_offset() + self.numel();
        let shape = self.dims().clone();
        Ok(&mut storage::exclusive(&mut self.storage, "data_mut", &shape)?[range])
    }

    /// Like `data_mut`, for whoever shares the storage with plain handles: those keep the old values.
    pub(crate) fn detach_mut(&mut self, operation: &'static str) -> Result<&mut [T]> {
        if self.exclusive_mut().is_none() {
            self.storage.refuse_if_saved(operation, self.shape())?;
            *self = self.copied(operation)?;
        }
        self.data_mut()
    }

    /// The elements, if this handle is the only one to its storage and they lie in row-major order.
    #[inline]
    pub(crate) fn exclusive_mut(&mut self) -> Option<&mut [T]> {
        if !self.is_contiguous() {
            return None;
        }
        let range = self.storage_offset()..self.storage_offset() + self.numel();
        self.storage.get_mut().map(|storage| &mut storage.as_mut_slice()[range])
    }

    /// Whether this is the only handle to the storage, all of it in row-major order.
    #[inline]
    pub(crate) fn is_sole(&self) -> bool {
        self.view.is_none() && self.storage.is_only()
    }

    /// The number of elements of a row-major tensor.
    #[inline]
    pub(crate) fn raw_len(&self) -> usize {
        if self.view.is_none() { self.storage.as_slice().len() } else { self.numel() }
    }

    /// Whether two tensors view the same storage.
    pub fn shares_storage(&self, other: &Tensor<T>) -> bool {
        self.storage.address() == other.storage.address()
    }
}

impl<T: Element> PartialEq for Tensor<T> {
    /// Same shape and equal elements (so a NaN makes it false).
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape() && self.to_vec() == other.to_vec()
    }
}
