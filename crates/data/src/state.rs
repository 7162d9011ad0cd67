//! Reading saved states.

use wengert_core::{Error, Result, Tensor, TensorMap};

/// Puts a whole number under a name, all of its bits.
pub(crate) fn insert_whole(map: &mut TensorMap, name: &str, value: u64) {
    map.insert(name, Tensor::scalar(value as i64));
}

/// The whole number of that name.
pub(crate) fn whole(map: &TensorMap, name: &str) -> Result<u64> {
    Ok(map.tensor::<i64>(name)?.item()? as u64)
}

/// Refuses a state that has other names than these.
pub(crate) fn check_names(map: &TensorMap, names: &[&str]) -> Result<()> {
    let missing: Vec<String> =
        names.iter().filter(|name| map.get(name).is_none()).map(ToString::to_string).collect();
    let unexpected: Vec<String> =
        map.names().filter(|name| !names.contains(name)).map(String::from).collect();
    if missing.is_empty() && unexpected.is_empty() {
        return Ok(());
    }
    Err(Error::Mismatch { missing, unexpected, misshapen: Vec::new() })
}
