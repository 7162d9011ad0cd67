//! Padded sequences: a batch as long as its longest.

use wengert_core::__private::vec_of;
use wengert_core::{AsVariable, Error, Float, Result, Variable, cat};

use super::options::{PadOptions, PaddingSide};
use super::places::{BatchLayout, check_lengths, listed};
use crate::line::answered;

/// Sequences (L_i, ..) as a batch (L, N, ..), or (N, L, ..) if `batch_first`, filled up with
/// `padding_value` on the `padding_side` to the longest (`torch.nn.utils.rnn.pad_sequence`).
///
/// # Errors
/// If there is none, what follows the first axis differs, or there is no memory for the batch.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{PadOptions, PaddingSide, pad_sequence};
/// let of = |values: &[f32]| Variable::new(Tensor::from(values.to_vec()));
/// let options = PadOptions::default().batch_first(true).padding_side(PaddingSide::Left);
/// let batch = pad_sequence(&[of(&[6.0]), of(&[4.0, 5.0])], options)?;
/// assert_eq!((batch.shape(), batch.to_vec()), (&[2, 2][..], vec![0.0, 6.0, 4.0, 5.0]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn pad_sequence<T: Float>(sequences: &[Variable<T>], options: PadOptions) -> Result<Variable<T>> {
    let PadOptions { batch_first, padding_value, padding_side, .. } = options;
    answered("pad_sequence", || {
        let (rows, lengths) = end_to_end("pad_sequence", sequences)?;
        let steps = lengths.iter().copied().max().unwrap_or(0);
        let layout = BatchLayout { steps, batch: lengths.len(), batch_first };
        let first = |length| if padding_side == PaddingSide::Left { steps - length } else { 0 };
        let mut places = vec_of(lengths.iter().sum());
        for (n, &length) in lengths.iter().enumerate() {
            places.extend((first(length)..first(length) + length).map(|t| layout.place(t, n)));
        }
        Ok(layout.spread(&rows, &places, padding_value))
    })
}

/// The sequences of a batch (L, N, ..), or (N, L, ..) if `batch_first`, each by itself, without what was
/// filled up behind its end (`torch.nn.utils.rnn.unpad_sequence`). They are views of the batch.
///
/// # Errors
/// If the batch has fewer than two axes, or unless there is a length for each sequence, of at most L.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{PadOptions, unpad_sequence};
/// let batch = Tensor::from([[6.0f32, 0.0], [4.0, 5.0]]);
/// let sequences = unpad_sequence(&batch, &[1, 2], PadOptions::default().batch_first(true))?;
/// assert_eq!((sequences[0].to_vec(), sequences[1].to_vec()), (vec![6.0], vec![4.0, 5.0]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn unpad_sequence<T: Float>(
    padded: &impl AsVariable<T>,
    lengths: &[usize],
    options: PadOptions,
) -> Result<Vec<Variable<T>>> {
    let batch_first = options.batch_first;
    const NAME: &str = "unpad_sequence";
    let padded = padded.as_variable();
    if padded.rank() < 2 {
        return Err(Error::shape(NAME, "a batch of at least 2 axes", format!("shape {:?}", padded.shape())));
    }
    check_lengths(NAME, lengths, BatchLayout::of(padded.shape(), batch_first))?;
    let batch = if batch_first { 0 } else { 1 };
    let sequence = |(n, &length): (usize, &usize)| padded.select(batch, n).narrow(0, 0, length);
    answered(NAME, || Ok(listed(lengths.iter().enumerate().map(sequence))))
}

/// Sequences one behind the other, and their lengths.
#[track_caller]
pub(super) fn end_to_end<T: Float>(
    operation: &'static str,
    sequences: &[Variable<T>],
) -> Result<(Variable<T>, Vec<usize>)> {
    let Some(first) = sequences.first() else {
        return Err(Error::shape(operation, "at least one sequence", 0));
    };
    for (n, sequence) in sequences.iter().enumerate() {
        if sequence.rank() == 0 || first.rank() == 0 || sequence.shape()[1..] != first.shape()[1..] {
            let expected = format!("sequences of one width, the first of shape {:?}", first.shape());
            return Err(Error::shape(
                operation,
                expected,
                format!("{:?} for sequence {n}", sequence.shape()),
            ));
        }
    }
    let lengths = listed(sequences.iter().map(|sequence| sequence.shape()[0]));
    Ok((cat(sequences, 0), lengths))
}
