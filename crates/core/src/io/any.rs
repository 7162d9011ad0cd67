//! A tensor of whatever element type a file holds, to and from bytes.

use std::any::Any;

use safetensors::tensor::Dtype;

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

    pub(super) fn dtype(&self) -> Dtype {
        match self {
            AnyTensor::F32(_) => Dtype::F32,
            AnyTensor::F64(_) => Dtype::F64,
            AnyTensor::I64(_) => Dtype::I64,
            AnyTensor::Bool(_) => Dtype::BOOL,
            AnyTensor::Bytes(_) => Dtype::U8,
        }
    }

    /// The elements' bytes in row-major order, little-endian.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            AnyTensor::F32(tensor) => tensor.to_vec().into_iter().flat_map(f32::to_le_bytes).collect(),
            AnyTensor::F64(tensor) => tensor.to_vec().into_iter().flat_map(f64::to_le_bytes).collect(),
            AnyTensor::I64(tensor) => tensor.to_vec().into_iter().flat_map(i64::to_le_bytes).collect(),
            AnyTensor::Bool(tensor) => tensor.to_vec().into_iter().map(u8::from).collect(),
            AnyTensor::Bytes(bytes) => bytes.clone(),
        }
    }

    /// Refuses an element type that this crate has not.
    pub(super) fn check(dtype: Dtype) -> Result<(), String> {
        match dtype {
            Dtype::F32 | Dtype::F64 | Dtype::I64 | Dtype::BOOL | Dtype::U8 => Ok(()),
            other => {
                Err(format!("elements of type {other:?} are not supported; F32, F64, I64, BOOL and U8 are"))
            }
        }
    }

    pub(super) fn parse(dtype: Dtype, shape: &[usize], data: Vec<u8>) -> Result<Self, String> {
        AnyTensor::check(dtype)?;
        Ok(match dtype {
            Dtype::F32 => AnyTensor::F32(parsed(&data, shape, f32::from_le_bytes)?),
            Dtype::F64 => AnyTensor::F64(parsed(&data, shape, f64::from_le_bytes)?),
            Dtype::I64 => AnyTensor::I64(parsed(&data, shape, i64::from_le_bytes)?),
            Dtype::BOOL => AnyTensor::Bool(parsed(&data, shape, |[byte]: [u8; 1]| byte != 0)?),
            _ => AnyTensor::Bytes(data),
        })
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

fn parsed<T: Element, const B: usize>(
    data: &[u8],
    shape: &[usize],
    from_bytes: impl Fn([u8; B]) -> T,
) -> Result<Tensor<T>, String> {
    let (elements, rest) = data.as_chunks::<B>();
    if !rest.is_empty() {
        return Err("its data is cut".to_string());
    }
    // An extent of 0 makes any others fit the data, but strides are products of them.
    if shape.iter().try_fold(1, |product: usize, &extent| product.checked_mul(extent.max(1))).is_none() {
        return Err(format!("the extents {shape:?} are too large"));
    }
    let mut values = room(elements.len())?;
    values.extend(elements.iter().map(|bytes| from_bytes(*bytes)));
    Tensor::from_vec(values, shape).map_err(|e| e.to_string())
}

/// An empty list with room for `len`, as far as there is memory for what a file promises.
pub(super) fn room<T>(len: usize) -> Result<Vec<T>, String> {
    let mut list = Vec::new();
    list.try_reserve_exact(len).map_err(|_| format!("there is no memory for {len} elements"))?;
    Ok(list)
}
