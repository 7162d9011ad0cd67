//! Sequences of different lengths as a batch without padding.

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Element, Error, Float, Result, Tensor, Variable};
use wengert_nn::{PackOptions, PackedSequence, pack_sequence};

use crate::collate::Collate;
use crate::fingerprint::in_order;

/// Batches of sequences (L_i, ..) without padding, in any order of lengths ([`pack_sequence`]): of numbers as
/// a [`PackedSequence`], of tokens, which are `i64`, as [`PackedTokens`].
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Collate, Packed};
/// let batch = Packed.collate(vec![Tensor::from([6.0f32]), Tensor::from([4.0f32, 5.0])])?;
/// assert_eq!((batch.lengths(), batch.batch_sizes()), (vec![1, 2], &[2, 1][..]));
/// let tokens = Packed.collate(vec![Tensor::from([6i64]), Tensor::from([4i64, 5])])?;
/// assert_eq!(tokens.data(), &Tensor::from([4i64, 6, 5]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed;

impl<T: Packable> Collate<Tensor<T>> for Packed {
    type Batch = T::Batch;

    fn collate(&self, samples: Vec<Tensor<T>>) -> Result<T::Batch> {
        T::packed(samples)
    }
}

/// An element whose sequences can be [`Packed`].
pub trait Packable: Element {
    /// The batch that sequences of it become.
    type Batch;

    /// Sequences (L_i, ..) as a batch.
    ///
    /// # Errors
    /// If there is none, one has no step, or their widths differ.
    fn packed(sequences: Vec<Tensor<Self>>) -> Result<Self::Batch>;
}

macro_rules! floats {
    ($($float:ty),*) => {$(
        impl Packable for $float {
            type Batch = PackedSequence<$float>;

            // Compiled by whoever packs: most programs do not.
            #[inline]
            fn packed(sequences: Vec<Tensor<$float>>) -> Result<PackedSequence<$float>> {
                pack(sequences.into_iter().map(Variable::new).collect())
            }
        }
    )*};
}

floats!(f32, f64);

fn pack<T: Float>(sequences: Vec<Variable<T>>) -> Result<PackedSequence<T>> {
    pack_sequence(&sequences, PackOptions::default().enforce_sorted(false))
}

/// Token sequences of different lengths without their padding, from [`Packed`]: the first tokens of all
/// sequences, the longest sequence first, then the second ones of those that have one, and so on. What an
/// embedding makes of [`data`](Self::data) is a [`PackedSequence`] by [`with_data`](Self::with_data).
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Collate, Packed};
/// use wengert_nn::{Embedding, Gru};
/// let tokens = Packed.collate(vec![Tensor::from([6i64]), Tensor::from([4i64, 5, 1])])?;
/// assert_eq!((tokens.data(), tokens.lengths()), (&Tensor::from([4i64, 6, 5, 1]), vec![1, 3]));
/// let vectors = Embedding::new(7, 3)?.forward(tokens.data())?;
/// let (out, state) = Gru::new(3, 5)?.forward_packed(&tokens.with_data(vectors)?, None)?;
/// assert_eq!((out.data().shape(), state.shape()), (&[4, 5][..], &[1, 2, 5][..]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PackedTokens {
    data: Tensor<i64>,
    /// For each packed row, which one it is of those that were given, one sequence behind the other.
    rows: PackedSequence<f64>,
}

impl PackedTokens {
    /// The tokens, (B, ..), for B steps of all sequences together.
    pub fn data(&self) -> &Tensor<i64> {
        &self.data
    }

    /// How many sequences have a first, a second, .. token.
    pub fn batch_sizes(&self) -> &[usize] {
        self.rows.batch_sizes()
    }

    /// The length of each sequence, as they were given.
    pub fn lengths(&self) -> Vec<usize> {
        self.rows.lengths()
    }

    /// The sequences with a row (B, ..) of numbers in the place of each token.
    ///
    /// # Errors
    /// If there is not one row for each token.
    pub fn with_data<T: Float>(&self, data: Variable<T>) -> Result<PackedSequence<T>> {
        self.rows.with_data(data)
    }
}

impl Packable for i64 {
    type Batch = PackedTokens;

    #[inline]
    fn packed(sequences: Vec<Tensor<i64>>) -> Result<PackedTokens> {
        or_refused("Packed", || packed_tokens(&sequences))
    }
}

// As those of floats.
#[inline]
fn packed_tokens(sequences: &[Tensor<i64>]) -> Result<PackedTokens> {
    let width = sequences.first().and_then(|first| first.shape().get(1..)).unwrap_or_default().to_vec();
    let mut count = 0;
    let mut numbers = Vec::with_capacity(sequences.len());
    for (place, sequence) in sequences.iter().enumerate() {
        let Some((&steps, _)) = sequence.shape().split_first().filter(|(_, rest)| *rest == width) else {
            let expected = format!("token sequences (L_i, ..) of one width, the first of {width:?}");
            let got = format!("{:?} for sample {place} of the batch", sequence.shape());
            return Err(Error::shape("Packed", expected, got));
        };
        numbers.push(Variable::new(Tensor::from_fn([steps], |t| (count + t) as f64)));
        count += steps;
    }
    // Rows are whole numbers, which packing moves as it does any others.
    let rows = pack(numbers)?;
    let row: usize = width.iter().product();
    let mut flat = vec_of(count.saturating_mul(row));
    sequences.iter().for_each(|sequence| flat.extend_from_slice(in_order(&sequence.contiguous())));
    let mut data = vec_of(flat.len());
    for number in rows.data().to_vec() {
        data.extend_from_slice(&flat[number as usize * row..][..row]);
    }
    Ok(PackedTokens { data: Tensor::from_vec(data, [&[count][..], &width].concat())?, rows })
}
