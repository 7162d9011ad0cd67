//! Elements as bytes, and back.

use safetensors::tensor::Dtype;

use super::AnyTensor;
use crate::tensor::{Element, Tensor};

impl AnyTensor {
    pub(super) fn dtype(&self) -> Dtype {
        match self {
            AnyTensor::F32(_) => Dtype::F32,
            AnyTensor::F64(_) => Dtype::F64,
            AnyTensor::I64(_) => Dtype::I64,
            AnyTensor::Bool(_) => Dtype::BOOL,
            AnyTensor::Bytes(_) => Dtype::U8,
        }
    }

    /// How many bytes [`AnyTensor::write_to`] writes.
    pub(super) fn bytes_there(&self) -> usize {
        match self {
            AnyTensor::F32(tensor) => tensor.numel().saturating_mul(size_of::<f32>()),
            AnyTensor::F64(tensor) => tensor.numel().saturating_mul(size_of::<f64>()),
            AnyTensor::I64(tensor) => tensor.numel().saturating_mul(size_of::<i64>()),
            AnyTensor::Bool(tensor) => tensor.numel(),
            AnyTensor::Bytes(bytes) => bytes.len(),
        }
    }

    /// Writes the elements' bytes in row-major order, little-endian, where there is room for them.
    pub(super) fn write_to(&self, file: &mut Vec<u8>) {
        match self {
            AnyTensor::F32(tensor) => written(tensor, f32::to_le_bytes, file),
            AnyTensor::F64(tensor) => written(tensor, f64::to_le_bytes, file),
            AnyTensor::I64(tensor) => written(tensor, i64::to_le_bytes, file),
            AnyTensor::Bool(tensor) => written(tensor, |truth| [u8::from(truth)], file),
            AnyTensor::Bytes(bytes) => file.extend_from_slice(bytes),
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

fn written<T: Element, const B: usize>(
    tensor: &Tensor<T>,
    to_bytes: impl Fn(T) -> [u8; B],
    file: &mut Vec<u8>,
) {
    tensor.contiguous().in_order().iter().for_each(|&element| file.extend_from_slice(&to_bytes(element)));
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
