//! States that are a few numbers.

use wengert_core::{AnyTensor, Result, StateReader, TensorMap};

/// A single finite number of at least 0.
pub(crate) fn weight(reader: &mut StateReader<'_>, name: &str) -> f64 {
    let number = reader.number(name);
    if !(number >= 0.0 && number.is_finite()) {
        reader.refuse(name, "a finite number of at least 0", number);
    }
    number
}

/// The pairs of an entry of shape (n, 2).
pub(crate) fn pairs(reader: &mut StateReader<'_>, map: &TensorMap, name: &str) -> Vec<(f64, f64)> {
    let rows = match map.get(name).map(AnyTensor::shape).as_deref() {
        Some(&[rows, 2]) => rows,
        _ => 0,
    };
    let numbers = reader.numbers(name, &[rows, 2]).unwrap_or_default();
    numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// A map of single numbers.
pub(crate) fn numbers<'n>(entries: impl IntoIterator<Item = (&'n str, f64)>) -> TensorMap {
    let mut map = TensorMap::new();
    entries.into_iter().for_each(|(name, value)| map.insert_number(name, value));
    map
}

/// The state of what writes a row or a record a step: the last one, NaN before the first.
pub(crate) fn last_step(last: Option<u64>) -> TensorMap {
    numbers([("last", last.map_or(f64::NAN, |last| last as f64))])
}

/// The last step that [`last_step`] saved.
pub(crate) fn read_last_step(what: &'static str, map: &TensorMap) -> Result<Option<u64>> {
    let mut reader = StateReader::new(what, map);
    let last = match reader.number("last") {
        last if last.is_nan() => None,
        _ => Some(reader.whole("last")),
    };
    reader.finish().map(|()| last)
}
