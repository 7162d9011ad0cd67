//! Batches of sequences of different lengths: packed, padded, and one from the other
//! (`torch.nn.utils.rnn`).
//!
//! `places.rs` says which row lies where; all conversions are one gather of rows along it.

mod options;
mod packed;
mod padded;
mod places;

pub use options::{PackOptions, PadOptions, PaddingSide};
pub use packed::{
    PackedSequence, invert_permutation, pack_padded_sequence, pack_sequence, pad_packed_sequence,
    unpack_sequence,
};
pub use padded::{pad_sequence, unpad_sequence};
pub(crate) use places::{BatchLayout, Packing, check_lengths, first_times, index, listed};
