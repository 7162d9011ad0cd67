//! Recurrent layers, the layers beside them, modules, losses and initialisers.
//!
//! A [`Cell`] is one step with explicit state, written with operations on variables; [`Recurrent`] turns
//! any cell into layers and directions. [`Rnn`], [`Lstm`] and [`Gru`] are that runner over our cells:
//! nothing in them is out of a user's reach, and no backward is written by hand. A [`Module`] is anything
//! that owns parameters; one walk over them serves saving, loading, counting, freezing and copying. What
//! stands beside the recurrence has PyTorch's names: [`Linear`], [`Conv1d`], normalisations, activations,
//! attention. [`summary()`] says what a model is made of, computes and keeps.
//!
//! ```
//! use wengert_core::{Tensor, Variable};
//! use wengert_nn::{Lstm, Module};
//!
//! let lstm = Lstm::builder(50, 100).num_layers(2).build()?;
//! let x = Variable::new(Tensor::randn([10, 3, 50]));
//! let (out, (h, c)) = lstm.forward(&x, None)?;
//! assert_eq!((out.shape(), h.shape(), c.shape()), (&[10, 3, 100][..], &[2, 3, 100][..], &[2, 3, 100][..]));
//! assert_eq!(lstm.parameter("weight_hh_l0")?.shape(), &[400, 100]);
//! # Ok::<(), wengert_core::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod module;
mod state_dict;

mod activation;
mod attention;
mod batch_norm;
mod buffer;
mod conv;
mod dropout;
mod embedding;
mod gumbel;
mod layer_norm;
mod line;
mod linear;
mod rms_norm;
mod sequential;
mod watch;
mod weight_norm;

mod cell;
mod cell_with;
mod context;
mod recurrent;
mod repr;
mod sequence;
mod state;
mod summary;

pub mod init;
pub mod loss;

pub use activation::{
    Celu, Elu, Gelu, Glu, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LeakyRelu, LogSigmoid, LogSoftmax,
    Mish, Prelu, Relu, Relu6, Rrelu, Selu, Sigmoid, Silu, Softmax, Softmin, Softplus, Softshrink, Softsign,
    Tanh, Tanhshrink, Threshold, rrelu,
};
pub use attention::{AdditiveAttention, AttentionOptions, scaled_dot_product_attention};
pub use batch_norm::BatchNorm1d;
pub use buffer::Buffer;
pub use cell::Cell;
pub use cell_with::CellWith;
pub use context::{Along, Constant, Context, MapContext};
pub use conv::{Conv1d, Conv1dBuilder, ConvPadding};
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use gumbel::{gumbel_softmax, gumbel_softmax_hard};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use loss::{
    binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, cross_entropy,
    crps_normal_loss, ctc_loss, gaussian_nll_loss, huber_loss, kl_div, l1_loss, mixture_nll_loss, mse_loss,
    nll_loss, poisson_nll_loss, quantile_loss, smooth_l1_loss,
};
pub use module::{Cast, Evaluating, Flat, Memo, Module, Visitor, VisitorMut};
pub use recurrent::{
    Bias, ByPlace, CellFactory, Checkpointing, FromSizes, GateWeights, Gru, GruCell, HasBias, KeepStates,
    Layers, LearnedFactory, LearnedState, Lstm, LstmArguments, LstmCell, Merge, Nonlinearity, OfSizes,
    OutputAndStates, Place, Recurrent, RecurrentBuilder, Rnn, RnnArguments, RnnCell, Stack, StepFn,
    StepFnWith, Stepper, Swept, Truncated, Valid,
};
pub use repr::Repr;
pub use rms_norm::RmsNorm;
pub use sequence::{
    PackOptions, PackedSequence, PadOptions, PaddingSide, invert_permutation, pack_padded_sequence,
    pack_sequence, pad_packed_sequence, pad_sequence, unpack_sequence, unpad_sequence,
};
pub use sequential::{Forward, Sequential};
pub use state::{Combine, MapPart, State};
pub use state_dict::Persist;
pub use summary::{Summary, SummaryRow, summary, summary_of};
pub use watch::watched;
pub use weight_norm::WeightNorm;

/// Items for the code that [`module!`] and [`state!`] write; nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use crate::recurrent::cell_of_sizes;
    pub use crate::repr::print_cell;
    pub use crate::state::Few;
    pub use crate::summary::{settings_of, types_of};
    pub use wengert_core::{Float, Result};

    /// A value of any type, in code that is compiled and never called.
    pub fn any<T>() -> T {
        unreachable!("only compiled")
    }
}

/// The README's example, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
