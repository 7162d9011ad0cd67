//! Packed sequences: the rows that count, step by step.

use std::fmt;

use wengert_core::__private::{filled, vec_of};
use wengert_core::{AsVariable, Error, Float, Result, Variable};

use super::options::{PackOptions, PadOptions};
use super::places::{BatchLayout, Packing, check_lengths, index, listed, starts};
use crate::line::answered;

/// Sequences of different lengths without their padding (`torch.nn.utils.rnn.PackedSequence`): the first
/// elements of all sequences, the longest sequence first, then the second elements of those that have one,
/// and so on.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{PackOptions, pack_sequence};
/// let of = |values: &[f32]| Variable::new(Tensor::from(values.to_vec()));
/// let packed = pack_sequence(&[of(&[1.0, 2.0, 3.0]), of(&[4.0, 5.0]), of(&[6.0])], PackOptions::default())?;
/// assert_eq!(packed.data().to_vec(), [1.0, 4.0, 6.0, 2.0, 5.0, 3.0]);
/// assert_eq!(packed.batch_sizes(), [3, 2, 1]);
/// assert_eq!(packed.to_string(), "PackedSequence(data [6], lengths [3, 2, 1], batch_sizes [3, 2, 1])");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PackedSequence<T: Float = f32> {
    data: Variable<T>,
    batch_sizes: Vec<usize>,
    sorted_indices: Option<Vec<usize>>,
    unsorted_indices: Option<Vec<usize>>,
}

impl<T: Float> PackedSequence<T> {
    /// A packed sequence from its parts: elements (B, ..), how many sequences have a first, a second, ..
    /// element, and, if the sequences are not in the order in which they were given, the place in that order
    /// of each.
    ///
    /// # Errors
    /// If the sizes are empty, zero, growing or not B together; if the indices are not a permutation of the
    /// sequences.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::PackedSequence;
    /// let data = Variable::new(Tensor::<f32>::ones([3, 2]));
    /// let packed = PackedSequence::new(data.clone(), vec![2, 1], Some(vec![1, 0]))?;
    /// assert_eq!(packed.lengths(), [1, 2]);
    /// let error = PackedSequence::new(data, vec![1, 2], None).unwrap_err().to_string();
    /// assert_eq!(error, "PackedSequence: batch_sizes must be at least 1 and not growing, got [1, 2]");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn new(
        data: Variable<T>,
        batch_sizes: Vec<usize>,
        sorted_indices: Option<Vec<usize>>,
    ) -> Result<Self> {
        let fit = batch_sizes.windows(2).all(|pair| pair[0] >= pair[1]);
        if batch_sizes.is_empty() || batch_sizes.contains(&0) || !fit {
            let expected = "at least 1 and not growing";
            return Err(Error::argument(NAME, "batch_sizes", expected, format!("{batch_sizes:?}")));
        }
        if let Some(indices) = &sorted_indices {
            let mut sorted = indices.clone();
            sorted.sort_unstable();
            if !sorted.iter().copied().eq(0..batch_sizes[0]) {
                let expected = format!("a permutation of {} sequences", batch_sizes[0]);
                return Err(Error::argument(NAME, "sorted_indices", expected, format!("{indices:?}")));
            }
        }
        let unsorted_indices = sorted_indices.as_deref().map(invert_permutation);
        PackedSequence { data: data.clone(), batch_sizes, sorted_indices, unsorted_indices }.with_data(data)
    }

    /// The elements, (B, ..).
    pub fn data(&self) -> &Variable<T> {
        &self.data
    }

    /// How many sequences have a first, a second, .. element.
    pub fn batch_sizes(&self) -> &[usize] {
        &self.batch_sizes
    }

    /// The place of each packed sequence among those that were given; none if they were given in
    /// decreasing order.
    pub fn sorted_indices(&self) -> Option<&[usize]> {
        self.sorted_indices.as_deref()
    }

    /// The place of each given sequence among the packed ones; none if they were given in decreasing order.
    pub fn unsorted_indices(&self) -> Option<&[usize]> {
        self.unsorted_indices.as_deref()
    }

    /// The length of each sequence, as they were given.
    pub fn lengths(&self) -> Vec<usize> {
        let of = |place: usize| self.batch_sizes.iter().take_while(|&&size| size > place).count();
        listed((0..self.batch_sizes[0]).map(|n| of(self.packed_place(n))))
    }

    /// A copy of the sequences with other elements (B, ..), as after a layer that acts on each by itself.
    ///
    /// # Errors
    /// If there is not one element for each of the old ones.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::{Linear, PackOptions, pack_sequence};
    /// let sequences = [4, 2].map(|steps| Variable::new(Tensor::randn([steps, 3])));
    /// let packed = pack_sequence(&sequences, PackOptions::default())?;
    /// let packed = packed.with_data(Linear::new(3, 5)?.forward(packed.data())?)?;
    /// assert_eq!(packed.data().shape(), &[6, 5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn with_data<U: Float>(&self, data: Variable<U>) -> Result<PackedSequence<U>> {
        let rows = self.batch_sizes.iter().try_fold(0usize, |rows, &size| rows.checked_add(size));
        if rows.is_none() || data.shape().first() != rows.as_ref() {
            let expected =
                rows.map_or("more elements than there can be".into(), |rows| format!("{rows} elements"));
            return Err(Error::shape(NAME, expected, format!("shape {:?}", data.shape())));
        }
        Ok(PackedSequence {
            data,
            batch_sizes: self.batch_sizes.clone(),
            sorted_indices: self.sorted_indices.clone(),
            unsorted_indices: self.unsorted_indices.clone(),
        })
    }

    /// The rows (L N, ..) of a padded batch of these sequences that are packed, in their order.
    #[track_caller]
    pub(crate) fn pack(&self, rows: &Variable<T>) -> Variable<T> {
        let batch = self.batch_sizes[0];
        rows.index_select(0, &index(&self.places(|t, n| t * batch + n)))
    }

    /// For each packed row, by the step and the given sequence that it is of, where it lies.
    #[track_caller]
    fn places(&self, place: impl Fn(usize, usize) -> usize) -> Vec<usize> {
        let given = |packed: usize| self.sorted_indices.as_ref().map_or(packed, |indices| indices[packed]);
        let mut places = vec_of(self.batch_sizes.iter().sum());
        for (t, &size) in self.batch_sizes.iter().enumerate() {
            places.extend((0..size).map(|packed| place(t, given(packed))));
        }
        places
    }

    /// The place of the `n`th given sequence among the packed ones.
    fn packed_place(&self, n: usize) -> usize {
        self.unsorted_indices.as_ref().map_or(n, |indices| indices[n])
    }
}

impl<T: Float> fmt::Display for PackedSequence<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shape, lengths) = (self.data.shape(), self.lengths());
        write!(f, "{NAME}(data {shape:?}, lengths {lengths:?}, batch_sizes {:?})", self.batch_sizes)
    }
}

const NAME: &str = "PackedSequence";

/// The permutation that undoes one: `inverse[order[i]] = i` (`torch.nn.utils.rnn.invert_permutation`).
///
/// ```
/// assert_eq!(wengert_nn::invert_permutation(&[2, 0, 1]), [1, 2, 0]);
/// ```
///
/// # Panics
/// If the places are not those of a permutation.
pub fn invert_permutation(order: &[usize]) -> Vec<usize> {
    let mut inverse = filled(0, order.len());
    order.iter().enumerate().for_each(|(to, &from)| inverse[from] = to);
    inverse
}

/// Sequences that lie padded in a batch (L, N, ..), or (N, L, ..) if `batch_first`, without their padding
/// (`torch.nn.utils.rnn.pack_padded_sequence`). Unless `enforce_sorted`, they may stand in any order. The
/// padding gets no gradient.
///
/// # Errors
/// If the batch has fewer than two axes or is empty; unless there is a length for each sequence, of 1 to L,
/// and, if `enforce_sorted`, none grows. [`Recurrent::forward_masked`](crate::Recurrent::forward_masked)
/// takes sequences of no steps.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{PackOptions, pack_padded_sequence};
/// let batch = Tensor::from([[1.0f32, 4.0], [2.0, 5.0], [3.0, 0.0]]);
/// let packed = pack_padded_sequence(&batch, &[3, 2], PackOptions::default())?;
/// assert_eq!(packed.data().to_vec(), [1.0, 4.0, 2.0, 5.0, 3.0]);
/// let in_any_order = PackOptions::default().enforce_sorted(false);
/// let error = pack_padded_sequence(&batch, &[3, 4], in_any_order).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "pack_padded_sequence: lengths must be at most 3, the steps of the input, got 4 for sample 1",
/// );
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn pack_padded_sequence<T: Float>(
    input: &impl AsVariable<T>,
    lengths: &[usize],
    options: PackOptions,
) -> Result<PackedSequence<T>> {
    let input = input.as_variable();
    let PackOptions { batch_first, enforce_sorted } = options;
    const NAME: &str = "pack_padded_sequence";
    if input.rank() < 2 || input.shape()[..2].contains(&0) {
        let expected = "a batch with at least one sequence and one step";
        return Err(Error::shape(NAME, expected, format!("shape {:?}", input.shape())));
    }
    let layout = BatchLayout::of(input.shape(), batch_first);
    check_lengths(NAME, lengths, layout)?;
    check_packable(NAME, lengths, enforce_sorted)?;
    answered(NAME, || {
        let packing = Packing::of_lengths(lengths, |t, n| layout.place(t, n));
        packed(packing, &layout.rows(&input), enforce_sorted)
    })
}

#[track_caller]
fn packed<T: Float>(packing: Packing, rows: &Variable<T>, sorted: bool) -> Result<PackedSequence<T>> {
    let data = packing.pack(rows);
    PackedSequence::new(data, packing.sizes, (!sorted).then_some(packing.order))
}

fn check_packable(operation: &'static str, lengths: &[usize], enforce_sorted: bool) -> Result<()> {
    if let Some(n) = lengths.iter().position(|&length| length == 0) {
        return Err(Error::argument(operation, "lengths", "at least 1", format!("0 for sample {n}")));
    }
    match lengths.windows(2).position(|pair| pair[0] < pair[1]).filter(|_| enforce_sorted) {
        None => Ok(()),
        Some(n) => {
            let expected = "decreasing, or enforce_sorted false";
            let got = format!("{} for sample {n}, then {}", lengths[n], lengths[n + 1]);
            Err(Error::argument(operation, "lengths", expected, got))
        }
    }
}

/// Packed sequences as a batch (L, N, ..), or (N, L, ..) if `batch_first`, filled up with `padding_value`,
/// and their lengths, in the order in which they were given (`torch.nn.utils.rnn.pad_packed_sequence`). L
/// is the longest's length, or `total_length`.
///
/// # Errors
/// If `total_length` is smaller than the longest sequence.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{PackOptions, PadOptions, pack_sequence, pad_packed_sequence};
/// let of = |values: &[f32]| Variable::new(Tensor::from(values.to_vec()));
/// let packed = pack_sequence(&[of(&[6.0]), of(&[4.0, 5.0])], PackOptions::default().enforce_sorted(false))?;
/// let options = PadOptions::default().batch_first(true).padding_value(-1.0);
/// let (batch, lengths) = pad_packed_sequence(&packed, options)?;
/// assert_eq!((batch.to_vec(), lengths), (vec![6.0, -1.0, 4.0, 5.0], vec![1, 2]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn pad_packed_sequence<T: Float>(
    sequence: &PackedSequence<T>,
    options: PadOptions,
) -> Result<(Variable<T>, Vec<usize>)> {
    let PadOptions { batch_first, padding_value, total_length, .. } = options;
    let longest = sequence.batch_sizes.len();
    let steps = total_length.unwrap_or(longest);
    if steps < longest {
        let expected = format!("at least {longest}, the longest sequence");
        return Err(Error::argument("pad_packed_sequence", "total_length", expected, steps));
    }
    let layout = BatchLayout { steps, batch: sequence.batch_sizes[0], batch_first };
    answered("pad_packed_sequence", || {
        let lengths = sequence.lengths();
        let places = sequence.places(|t, n| layout.place(t, n));
        Ok((layout.spread(&sequence.data, &places, padding_value), lengths))
    })
}

/// Sequences (L_i, ..) packed (`torch.nn.utils.rnn.pack_sequence`). Unless `enforce_sorted`, they may stand
/// in any order.
///
/// # Errors
/// If there is none or one of no steps, if what follows the first axis differs, or if `enforce_sorted` and
/// one is longer than the one before.
///
/// See [`PackedSequence`] for an example.
#[track_caller]
pub fn pack_sequence<T: Float>(sequences: &[Variable<T>], options: PackOptions) -> Result<PackedSequence<T>> {
    let enforce_sorted = options.enforce_sorted;
    const NAME: &str = "pack_sequence";
    answered(NAME, || {
        let (rows, lengths) = super::padded::end_to_end(NAME, sequences)?;
        check_packable(NAME, &lengths, enforce_sorted)?;
        let starts = starts(&lengths);
        packed(Packing::of_lengths(&lengths, |t, n| starts[n] + t), &rows, enforce_sorted)
    })
}

/// Each packed sequence by itself, (L_i, ..), in the order in which they were given
/// (`torch.nn.utils.rnn.unpack_sequence`).
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{PackOptions, pack_sequence, unpack_sequence};
/// let of = |values: &[f32]| Variable::new(Tensor::from(values.to_vec()));
/// let packed = pack_sequence(&[of(&[6.0]), of(&[4.0, 5.0])], PackOptions::default().enforce_sorted(false))?;
/// assert_eq!(unpack_sequence(&packed)[1].to_vec(), [4.0, 5.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn unpack_sequence<T: Float>(sequence: &PackedSequence<T>) -> Vec<Variable<T>> {
    let (starts, lengths) = (starts(&sequence.batch_sizes), sequence.lengths());
    let rows = |(n, length): (usize, &usize)| {
        let place = sequence.packed_place(n);
        starts[..*length].iter().map(move |start| start + place)
    };
    // One copy, in parts: a gradient of each sequence by itself would be as long as all of them.
    let mut all = vec_of(lengths.iter().sum());
    all.extend(lengths.iter().enumerate().flat_map(rows));
    sequence.data.index_select(0, &index(&all)).split(&lengths, 0)
}
