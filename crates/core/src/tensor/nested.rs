//! Tensors from nested arrays: `Tensor::from([[1.0, 2.0], [3.0, 4.0]])`.

use super::Tensor;
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
    /// Appends the extents, outermost first.
    fn extents(shape: &mut Vec<usize>);
    /// Appends the elements in row-major order.
    fn flatten(self, elements: &mut Vec<Self::Item>);
}

macro_rules! leaf {
    ($($type:ty),*) => {$(
        impl Nested for $type {
            type Item = $type;
            fn extents(_: &mut Vec<usize>) {}
            fn flatten(self, elements: &mut Vec<$type>) {
                elements.push(self);
            }
        }
    )*};
}

leaf!(f32, f64, i64, bool);

impl<N: Nested, const LEN: usize> Nested for [N; LEN] {
    type Item = N::Item;
    fn extents(shape: &mut Vec<usize>) {
        shape.push(LEN);
        N::extents(shape);
    }
    fn flatten(self, elements: &mut Vec<N::Item>) {
        self.into_iter().for_each(|inner| inner.flatten(elements));
    }
}

impl<N: Nested, const LEN: usize> From<[N; LEN]> for Tensor<N::Item> {
    fn from(array: [N; LEN]) -> Self {
        let (mut shape, mut elements) = (Vec::new(), Vec::new());
        <[N; LEN]>::extents(&mut shape);
        array.flatten(&mut elements);
        Tensor::from_vec(elements, shape).expect("a nested array has as many elements as its extents say")
    }
}
