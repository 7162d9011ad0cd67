//! How sequences lie in a batch, and how they are packed.

/// The side on which a sequence is filled up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaddingSide {
    /// The side before its first element.
    Left,
    /// The side behind its last element.
    #[default]
    Right,
}

/// How a padded batch lies and what fills it up: the keyword arguments of
/// [`pad_sequence`](crate::pad_sequence), [`pad_packed_sequence`](crate::pad_packed_sequence) and
/// [`unpad_sequence`](crate::unpad_sequence), each of which goes by those that mean something to it.
///
/// ```
/// use wengert_nn::{PadOptions, PaddingSide};
/// let options = PadOptions::default().batch_first(true).padding_side(PaddingSide::Left);
/// assert_ne!(options, PadOptions::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct PadOptions {
    pub(super) batch_first: bool,
    pub(super) padding_value: f64,
    pub(super) padding_side: PaddingSide,
    pub(super) total_length: Option<usize>,
}

impl PadOptions {
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

    /// How many steps the batch of packed sequences has; default as many as the longest.
    pub fn total_length(mut self, steps: usize) -> Self {
        self.total_length = Some(steps);
        self
    }
}

/// How sequences come to be packed: the keyword arguments of
/// [`pack_padded_sequence`](crate::pack_padded_sequence) and [`pack_sequence`](crate::pack_sequence).
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{PackOptions, pack_sequence};
/// let sequences = [2, 4].map(|steps| Variable::new(Tensor::<f32>::ones([steps, 3])));
/// assert!(pack_sequence(&sequences, PackOptions::default()).is_err());
/// let packed = pack_sequence(&sequences, PackOptions::default().enforce_sorted(false))?;
/// assert_eq!(packed.lengths(), [2, 4]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PackOptions {
    pub(super) batch_first: bool,
    pub(super) enforce_sorted: bool,
}

impl Default for PackOptions {
    fn default() -> Self {
        PackOptions { batch_first: false, enforce_sorted: true }
    }
}

impl PackOptions {
    /// Whether the padded batch is (N, L, ..) instead of (L, N, ..); default no.
    pub fn batch_first(mut self, on: bool) -> Self {
        self.batch_first = on;
        self
    }

    /// Whether lengths that grow are refused; default yes, as in PyTorch.
    pub fn enforce_sorted(mut self, on: bool) -> Self {
        self.enforce_sorted = on;
        self
    }
}
