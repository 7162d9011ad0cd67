//! A tensor of whatever element type a file holds, to and from bytes.

use std::any::Any;

use wengert_kernel::number::Number;

use crate::tensor::{Element, Tensor};

/// A tensor of one of the element types that files hold.
///
/// ```
/// use wengert_core::{AnyTensor, Tensor};
/// let any = AnyTensor::from(Tensor::from([[1i64, 2]]));
/// assert!(matches!(&any, AnyTensor::I64(tensor) if tensor.shape() == [1, 2]));
/// assert_eq!(any.shape(), [1, 2]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum AnyTensor {
    /// Single precision.
    F32(Tensor<f32>),
    /// Double precision.
    F64(Tensor<f64>),
    /// Indices.
    I64(Tensor<i64>),
    /// Masks.
    Bool(Tensor<bool>),
    /// Bytes without meaning to this crate, such as a generator's state; in one row, whatever shape a file
    /// gives them.
    Bytes(Vec<u8>),
}

impl<T: Element> From<Tensor<T>> for AnyTensor {
    fn from(tensor: Tensor<T>) -> Self {
        let tensor: Box<dyn Any> = Box::new(tensor);
        tensor
            .downcast()
            .map(|tensor| AnyTensor::F32(*tensor))
            .or_else(|tensor| tensor.downcast().map(|tensor| AnyTensor::F64(*tensor)))
            .or_else(|tensor| tensor.downcast().map(|tensor| AnyTensor::I64(*tensor)))
            .or_else(|tensor| tensor.downcast().map(|tensor| AnyTensor::Bool(*tensor)))
            .expect("there are no other elements")
    }
}

impl AnyTensor {
    /// The extents of the axes.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            AnyTensor::F32(tensor) => tensor.shape().to_vec(),
            AnyTensor::F64(tensor) => tensor.shape().to_vec(),
            AnyTensor::I64(tensor) => tensor.shape().to_vec(),
            AnyTensor::Bool(tensor) => tensor.shape().to_vec(),
            AnyTensor::Bytes(bytes) => vec![bytes.len()],
        }
    }

    /// The name of the element type.
    pub fn kind(&self) -> &'static str {
        match self {
            AnyTensor::F32(_) => f32::NAME,
            AnyTensor::F64(_) => f64::NAME,
            AnyTensor::I64(_) => i64::NAME,
            AnyTensor::Bool(_) => bool::NAME,
            AnyTensor::Bytes(_) => "u8",
        }
    }

    /// The tensor with elements of type `T`, cast if need be.
    pub fn cast<T: Element>(&self) -> Tensor<T> {
        match self {
            AnyTensor::F32(tensor) => converted(tensor),
            AnyTensor::F64(tensor) => converted(tensor),
            AnyTensor::I64(tensor) => converted(tensor),
            AnyTensor::Bool(tensor) => converted(tensor),
            AnyTensor::Bytes(bytes) => Tensor::from_fn([bytes.len()], |i| T::from_f64(f64::from(bytes[i]))),
        }
    }
}

/// A tensor of its own, cast only if the type differs: a cast goes by way of f64 and rounds an i64 beyond
/// 2^53.
fn converted<T: Element, U: Element>(tensor: &Tensor<T>) -> Tensor<U> {
    match (tensor as &dyn Any).downcast_ref::<Tensor<U>>() {
        Some(same) => same.copy(),
        None => tensor.cast(),
    }
}
