//! Saved states, read number by number, each of them checked.

use std::collections::HashSet;

use wengert_core::{AnyTensor, Error, Result, TensorMap};

/// Above it a whole number is not exact in a file.
const MOST: f64 = (1u64 << 53) as f64;

/// Reads entries, and collects what does not fit.
pub(crate) struct Reader<'m> {
    /// What is read, in messages.
    what: &'static str,
    map: &'m TensorMap,
    known: HashSet<String>,
    missing: Vec<String>,
    misshapen: Vec<String>,
    /// The first number outside its range.
    refused: Option<Error>,
}

impl<'m> Reader<'m> {
    pub(crate) fn new(what: &'static str, map: &'m TensorMap) -> Self {
        let (missing, misshapen) = (Vec::new(), Vec::new());
        Reader { what, map, known: HashSet::new(), missing, misshapen, refused: None }
    }

    /// A single number.
    pub(crate) fn number(&mut self, name: &str) -> f64 {
        self.numbers(name, &[]).first().copied().unwrap_or_default()
    }

    /// A single number of at least 0, finite or not; no NaN.
    pub(crate) fn weight(&mut self, name: &str) -> f64 {
        let number = self.number(name);
        if !(number >= 0.0 && number.is_finite()) {
            self.refuse(name, "a finite number of at least 0", number);
        }
        number
    }

    /// A whole number that a file holds exactly.
    pub(crate) fn whole(&mut self, name: &str) -> u64 {
        let number = self.number(name);
        if number.fract() != 0.0 || !(0.0..=MOST).contains(&number) {
            self.refuse(name, "a whole number from 0 to 2^53", number);
            return 0;
        }
        number as u64
    }

    /// All numbers of an entry of that shape.
    pub(crate) fn numbers(&mut self, name: &str, shape: &[usize]) -> Vec<f64> {
        let Some(entry) = self.entry(name) else { return Vec::new() };
        if entry.shape() == shape && !matches!(entry, AnyTensor::Bytes(_)) {
            return entry.cast::<f64>().to_vec();
        }
        self.misshapen.push(format!(
            "{name} expected {shape:?}, got {:?} of {}",
            entry.shape(),
            entry.kind()
        ));
        Vec::new()
    }

    /// The pairs of an entry of shape (n, 2).
    pub(crate) fn pairs(&mut self, name: &str) -> Vec<(f64, f64)> {
        let rows = match self.map.get(name).map(AnyTensor::shape).as_deref() {
            Some(&[rows, 2]) => rows,
            _ => 0,
        };
        self.numbers(name, &[rows, 2]).chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    }

    pub(crate) fn refuse(&mut self, name: &str, expected: &str, got: impl ToString) {
        let got = format!("{} for {name}", got.to_string());
        self.refused.get_or_insert(Error::argument(self.what, "what was saved", expected, got));
    }

    /// All that does not fit in one error; else what is out of range.
    pub(crate) fn finish(self) -> Result<()> {
        let unexpected = self.map.names().filter(|name| !self.known.contains(*name));
        let unexpected: Vec<String> = unexpected.map(str::to_string).collect();
        let Reader { missing, misshapen, refused, .. } = self;
        if !(missing.is_empty() && unexpected.is_empty() && misshapen.is_empty()) {
            return Err(Error::Mismatch { missing, unexpected, misshapen });
        }
        refused.map_or(Ok(()), Err)
    }

    fn entry(&mut self, name: &str) -> Option<&'m AnyTensor> {
        self.known.insert(name.to_string());
        let entry = self.map.get(name);
        if entry.is_none() {
            self.missing.push(name.to_string());
        }
        entry
    }
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
    let mut reader = Reader::new(what, map);
    let last = match reader.number("last") {
        last if last.is_nan() => None,
        _ => Some(reader.whole("last")),
    };
    reader.finish().map(|()| last)
}
