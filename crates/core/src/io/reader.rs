//! Saved states, read entry by entry, each of them checked.

use std::collections::HashSet;

use super::{AnyTensor, TensorMap};
use crate::base::error::{Error, Result};

/// Above it a whole number is not exact as an `f64`.
const MOST_EXACT: f64 = (1u64 << 53) as f64;

/// Reads the entries of a saved state, and collects whatever does not fit, for one error at the end: names
/// that are missing, unexpected or of another shape, and the first value out of its range.
///
/// An entry that does not fit reads as 0, or as nothing; what was read counts only once
/// [`StateReader::finish`] has passed.
///
/// ```
/// use wengert_core::{Result, StateReader, Stateful, TensorMap};
/// #[derive(Debug, PartialEq)]
/// struct Count { steps: u64, share: f64 }
/// impl Stateful for Count {
///     fn state_dict(&self) -> TensorMap {
///         let mut map = TensorMap::new();
///         map.insert_number("steps", self.steps as f64);
///         map.insert_number("share", self.share);
///         map
///     }
///     fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
///         let mut reader = StateReader::new("Count", map);
///         let loaded = Count { steps: reader.whole("steps"), share: reader.number("share") };
///         if !(0.0..=1.0).contains(&loaded.share) {
///             reader.refuse("share", "in 0..=1", loaded.share);
///         }
///         reader.finish()?;
///         *self = loaded;
///         Ok(())
///     }
/// }
/// let mut map = Count { steps: 7, share: 0.5 }.state_dict();
/// let mut later = Count { steps: 0, share: 0.0 };
/// later.load_state_dict(&map)?;
/// assert_eq!(later, Count { steps: 7, share: 0.5 });
/// map.insert_number("share", 2.0);
/// let error = later.load_state_dict(&map).unwrap_err();
/// assert_eq!(error.to_string(), "Count: what was saved must be in 0..=1, got 2 for share");
/// assert_eq!(later.share, 0.5);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Debug)]
pub struct StateReader<'m> {
    what: &'static str,
    map: &'m TensorMap,
    known: HashSet<String>,
    missing: Vec<String>,
    misshapen: Vec<String>,
    /// The first value out of its range.
    refused: Option<Error>,
}

impl<'m> StateReader<'m> {
    /// Begins to read the state of `what`, as messages call it.
    pub fn new(what: &'static str, map: &'m TensorMap) -> Self {
        let (missing, misshapen) = (Vec::new(), Vec::new());
        StateReader { what, map, known: HashSet::new(), missing, misshapen, refused: None }
    }

    /// The entry of that name, which is missing if there is none.
    pub fn entry(&mut self, name: &str) -> Option<&'m AnyTensor> {
        self.known.insert(name.to_string());
        let entry = self.map.get(name);
        if entry.is_none() {
            self.missing.push(name.to_string());
        }
        entry
    }

    /// Whether there is an entry of that name.
    pub fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some()
    }

    /// A single number, of whatever type.
    pub fn number(&mut self, name: &str) -> f64 {
        self.numbers(name, &[]).and_then(|numbers| numbers.first().copied()).unwrap_or_default()
    }

    /// A whole number from 0 to 2^53, of whatever type.
    pub fn whole(&mut self, name: &str) -> u64 {
        let number = self.number(name);
        if number.fract() != 0.0 || !(0.0..=MOST_EXACT).contains(&number) {
            self.refuse(name, "a whole number from 0 to 2^53", number);
            return 0;
        }
        number as u64
    }

    /// The elements of an entry of that shape, of whatever type but bytes.
    pub fn numbers(&mut self, name: &str, shape: &[usize]) -> Option<Vec<f64>> {
        let entry = self.entry(name)?;
        if entry.shape() == shape && !matches!(entry, AnyTensor::Bytes(_)) {
            return Some(entry.cast::<f64>().to_vec());
        }
        self.misshapen(name, shape, entry);
        None
    }

    /// Notes that an entry has another shape, or is no tensor of real numbers.
    pub fn misshapen(&mut self, name: &str, expected: &[usize], got: &AnyTensor) {
        let (kind, shape) = (got.kind(), got.shape());
        self.misshapen.push(match got {
            AnyTensor::F32(_) | AnyTensor::F64(_) => format!("{name} expected {expected:?}, got {shape:?}"),
            _ => format!("{name} expected {expected:?} of f32 or f64, got {shape:?} of {kind}"),
        });
    }

    /// Notes that an entry has a value out of its range; only the first is told.
    pub fn refuse(&mut self, name: &str, expected: &str, got: impl ToString) {
        let got = format!("{} for {name}", got.to_string());
        self.refuse_with(Error::argument(self.what, "what was saved", expected, got));
    }

    /// Notes an error that an entry's value led to; only the first is told.
    pub fn refuse_with(&mut self, error: Error) {
        self.refused.get_or_insert(error);
    }

    /// Whether all fitted that was read, and nothing was left unread.
    ///
    /// # Errors
    /// [`Error::Mismatch`] lists the names that are missing, unexpected or of another shape; if there are
    /// none, the first value out of its range is the error.
    pub fn finish(self) -> Result<()> {
        let unexpected = self.map.names().filter(|name| !self.known.contains(*name));
        let unexpected: Vec<String> = unexpected.map(str::to_string).collect();
        let StateReader { missing, misshapen, refused, .. } = self;
        if !(missing.is_empty() && unexpected.is_empty() && misshapen.is_empty()) {
            return Err(Error::Mismatch { missing, unexpected, misshapen });
        }
        refused.map_or(Ok(()), Err)
    }
}
