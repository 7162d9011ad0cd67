//! Sequences of different lengths as a batch as long as the longest.

use wengert_core::__private::{filled, or_refused};
use wengert_core::{Element, Error, Result, Tensor};
use wengert_nn::PaddingSide;

use crate::collate::Collate;
use crate::fingerprint::in_order;

/// Batches of sequences (L_i, ..) as tensors (L, N, ..) that are filled up to the longest, of whatever
/// element type ([`wengert_nn::pad_sequence`] is the same for variables).
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Collate, Padded};
/// let padded = Padded::default().batch_first(true).padding_value(-1.0);
/// let batch = padded.collate(vec![Tensor::from([6i64]), Tensor::from([4i64, 5])])?;
/// assert_eq!(batch.data, Tensor::from([[6i64, -1], [4, 5]]));
/// assert_eq!(batch.mask, Tensor::from([[true, false], [true, true]]));
/// assert_eq!(batch.lengths, [1, 2]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "pad_sequences")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Padded {
    batch_first: bool,
    padding_value: f64,
    padding_side: PaddingSide,
}

impl Padded {
    /// Whether a batch is (N, L, ..) instead of (L, N, ..); default no.
    pub fn batch_first(mut self, on: bool) -> Self {
        self.batch_first = on;
        self
    }

    /// The number that stands where a sequence has ended; default 0.
    pub fn padding_value(mut self, value: f64) -> Self {
        self.padding_value = value;
        self
    }

    /// The side on which a sequence is filled up; default [`PaddingSide::Right`].
    pub fn padding_side(mut self, side: PaddingSide) -> Self {
        self.padding_side = side;
        self
    }
}

/// Sequences of different lengths in a batch, from [`Padded`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PaddedBatch<T: Element> {
    /// The sequences: (L, N, ..), or (N, L, ..) if `batch_first`.
    pub data: Tensor<T>,
    /// The length of each sequence.
    pub lengths: Vec<usize>,
    /// Whether there is an element or padding: (L, N), or (N, L) if `batch_first`.
    pub mask: Tensor<bool>,
}

impl<T: Element> Collate<Tensor<T>> for Padded {
    type Batch = PaddedBatch<T>;

    fn collate(&self, samples: Vec<Tensor<T>>) -> Result<PaddedBatch<T>> {
        let width = width(&samples)?;
        or_refused("Padded", || self.batch_of(&samples, width))
    }
}

impl Padded {
    /// The batch of samples whose steps have this shape.
    fn batch_of<T: Element>(&self, samples: &[Tensor<T>], width: &[usize]) -> Result<PaddedBatch<T>> {
        let lengths: Vec<usize> = samples.iter().map(|sample| sample.shape()[0]).collect();
        let steps = lengths.iter().copied().max().unwrap_or(0);
        let row = width.iter().product::<usize>();
        let extents = if self.batch_first { [samples.len(), steps] } else { [steps, samples.len()] };
        let mut mask = filled(false, steps.saturating_mul(samples.len()));
        let mut data = filled(T::from_f64(self.padding_value), mask.len().saturating_mul(row));
        for (n, sample) in samples.iter().enumerate() {
            let first = if self.padding_side == PaddingSide::Left { steps - lengths[n] } else { 0 };
            let source = sample.contiguous();
            let source = in_order(&source);
            for t in 0..lengths[n] {
                let time = first + t;
                let place = if self.batch_first { n * steps + time } else { time * samples.len() + n };
                data[place * row..][..row].copy_from_slice(&source[t * row..][..row]);
                mask[place] = true;
            }
        }
        Ok(PaddedBatch {
            data: Tensor::from_vec(data, [&extents, width].concat())?,
            lengths,
            mask: Tensor::from_vec(mask, extents)?,
        })
    }
}

/// What follows the first axis, the same for all.
fn width<T: Element>(samples: &[Tensor<T>]) -> Result<&[usize]> {
    let Some(first) = samples.first() else {
        return Err(Error::shape("Padded", "at least one sequence", 0));
    };
    let fits = |sample: &Tensor<T>| sample.rank() > 0 && sample.shape()[1..] == first.shape()[1..];
    match samples.iter().position(|sample| first.rank() == 0 || !fits(sample)) {
        None => Ok(&first.shape()[1..]),
        Some(place) => {
            let expected = format!("sequences of one width, the first of shape {:?}", first.shape());
            let got = format!("{:?} for sample {place} of the batch", samples[place].shape());
            Err(Error::shape("Padded", expected, got))
        }
    }
}
