//! A sum and what it is divided by.

use wengert_core::{Result, StateReader, TensorMap};

use crate::state::{numbers, weight};

/// A sum of weighted values with what rounding took from it (Neumaier, 1974), and the sum of the weights.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    sum: f64,
    lost: f64,
    weight: f64,
}

impl Tally {
    /// One more value, which counts by `weight`.
    pub(super) fn add(&mut self, value: f64, weight: f64) {
        self.add_part(value * weight, weight);
    }

    /// So much more of what is counted, out of so much more.
    pub(super) fn add_part(&mut self, part: f64, of: f64) {
        let sum = self.sum + part;
        let (large, small) = if self.sum.abs() >= part.abs() { (self.sum, part) } else { (part, self.sum) };
        self.lost += (large - sum) + small;
        self.sum = sum;
        self.weight += of;
    }

    pub(super) fn sum(&self) -> f64 {
        // Beyond the largest number nothing is known of what was lost.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }

    pub(super) fn weight(&self) -> f64 {
        self.weight
    }

    pub(super) fn mean(&self) -> f64 {
        if self.weight > 0.0 { self.sum() / self.weight } else { f64::NAN }
    }

    pub(super) fn saved(&self) -> TensorMap {
        numbers([("sum", self.sum), ("lost", self.lost), ("weight", self.weight)])
    }

    pub(super) fn read(reader: &mut StateReader<'_>) -> Self {
        Tally { sum: reader.number("sum"), lost: reader.number("lost"), weight: weight(reader, "weight") }
    }

    pub(super) fn loaded(what: &'static str, map: &TensorMap) -> Result<Self> {
        let mut reader = StateReader::new(what, map);
        let tally = Tally::read(&mut reader);
        reader.finish().map(|()| tally)
    }
}
