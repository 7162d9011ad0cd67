//! Reading saved states.

use wengert_core::{AnyTensor, Error, Result, Tensor, TensorMap};

/// Puts a whole number under a name, all of its bits.
pub(crate) fn insert_whole(map: &mut TensorMap, name: &str, value: u64) {
    map.insert(name, Tensor::scalar(value as i64));
}

/// The whole number of that name.
pub(crate) fn whole(map: &TensorMap, name: &'static str) -> Result<u64> {
    Ok(integers(map, name)?.item()? as u64)
}

/// The whole numbers of that name; not cast, so that none is rounded.
pub(crate) fn integers<'a>(map: &'a TensorMap, name: &'static str) -> Result<&'a Tensor<i64>> {
    match map.get(name) {
        Some(AnyTensor::I64(numbers)) => Ok(numbers),
        other => Err(refused(name, "of type i64", other)),
    }
}

/// The numbers in double precision of that name.
pub(crate) fn doubles<'a>(map: &'a TensorMap, name: &'static str) -> Result<&'a Tensor<f64>> {
    match map.get(name) {
        Some(AnyTensor::F64(numbers)) => Ok(numbers),
        other => Err(refused(name, "of type f64", other)),
    }
}

fn refused(name: &'static str, expected: &str, got: Option<&AnyTensor>) -> Error {
    Error::argument("load_state_dict", name, expected, got.map_or("nothing", AnyTensor::kind))
}
