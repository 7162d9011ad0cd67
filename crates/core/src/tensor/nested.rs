//! Tensors from nested arrays: `Tensor::from([[1.0, 2.0], [3.0, 4.0]])`.

use super::Tensor;
use crate::base::dims::{Dims, OfTensor};
use crate::base::error::expect;
use crate::tensor::Element;

/// An array, or an array of arrays, to any depth.
///
/// ```
/// use wengert_core::Tensor;
/// assert_eq!(Tensor::from([[[1.0f32], [2.0]]]).shape(), &[1, 2, 1]);
/// ```
pub trait Nested {
    /// The type of the innermost elements.
    type Item: Element;
    /// Calls `next` with each extent, the outermost first.
    fn extents(next: &mut impl FnMut(usize));
    /// Calls `next` with each element, in row-major order.
    fn elements(self, next: &mut impl FnMut(Self::Item));
}

macro_rules! leaf {
    ($($type:ty),*) => {$(
        impl Nested for $type {
            type Item = $type;
            fn extents(_: &mut impl FnMut(usize)) {}
            #[inline]
            fn elements(self, next: &mut impl FnMut($type)) {
                next(self);
            }
        }
    )*};
}

leaf!(f32, f64, i64, bool);

impl<N: Nested, const LEN: usize> Nested for [N; LEN] {
    type Item = N::Item;
    fn extents(next: &mut impl FnMut(usize)) {
        next(LEN);
        N::extents(next);
    }
    #[inline]
    fn elements(self, next: &mut impl FnMut(N::Item)) {
        self.into_iter().for_each(|inner| inner.elements(next));
    }
}

impl<N: Nested, const LEN: usize> From<[N; LEN]> for Tensor<N::Item> {
    /// The elements in a storage from this thread's pool: in steady state nothing is allocated.
    #[track_caller]
    fn from(array: [N; LEN]) -> Self {
        let mut shape = Dims::default();
        <[N; LEN]>::extents(&mut |extent| shape.push(extent));
        // Arrays of nothing may say extents of more than a tensor.
        let shape = expect(shape.sized("from"));
        Tensor::build(shape, |out| {
            let mut places = out.iter_mut();
            array.elements(&mut |element| *places.next().expect("as many as the extents say") = element);
        })
    }
}
