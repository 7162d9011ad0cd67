//! Recurrent networks on a dynamic graph: tensors, a tape, derivatives of every order, RNN, LSTM, GRU and
//! cells of one's own, optimizers. This crate re-exports the others; most programs need only its
//! [`prelude`].
//!
//! ```
//! use wengert::prelude::*;
//! let lstm = Lstm::new(4, 8)?;
//! let (out, _) = lstm.forward(&Tensor::randn([3, 2, 4]), None)?;
//! out.square().mean().backward()?;
//! assert!(lstm.parameters().iter().all(|parameter| parameter.grad().is_some()));
//! # Ok::<(), wengert::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub use wengert_core::{
    AnyTensor, Arithmetic, AsVariable, Attribute, Attributes, AxisIndex, Cause, Choose, Cotangents,
    DEFAULT_SEED, Deviation, Divisible, Domain, Dual, Element, Error, Exponent, FailedRecording, FirstOrder,
    Fitted, Float, Fused, Generator, GeneratorState, GradOptions, Gradients, HookId, KeptStorage, KeptValue,
    Kernel, Lane, Line, Nested, Number, Numeric, Operand, Operation, OperationEntry, Outputs,
    OutputsAndProduct, Parameter, Pointwise, PrintOptions, Program, Real, Recompute, Replay, Result, Saved,
    SavedTensors, Saves, Scalar, StateReader, Stateful, Tape, TapeEntry, TapeInput, TapeValue, Tensor,
    TensorIndex, TensorMap, Variable, Wants, WarningHook, backward, cat, checkpoint, clear_pool,
    detect_anomaly, dispatch_shared, enable_grad, generator_state, grad, hessian, hvp, is_plain,
    is_recording, jacobian, jvp, live_nodes, manual_seed, no_grad, num_threads, operations, pointwise,
    pool_bytes, print_options, record, recorded_nodes, scope, set_generator_state, set_num_threads,
    set_pool_limit, set_print_options, set_warning_hook, stack, try_record, vjp, with_generator, with_plain,
};
pub use wengert_data as data;
pub use wengert_nn as nn;
pub use wengert_nn::{cell, constructors, module, state};
pub use wengert_optim as optim;
#[cfg(feature = "page")]
pub use wengert_page as page;
pub use wengert_train as train;
#[cfg(feature = "view")]
pub use wengert_view as view;

/// Names that a program that trains a recurrent network uses, to be imported at once.
///
/// ```
/// use wengert::prelude::*;
/// let rnn = Rnn::new(100, 200)?;
/// let (out, h) = rnn.forward(&Tensor::randn([6, 5, 100]), None)?;
/// assert_eq!((out.shape(), h.shape()), (&[6, 5, 200][..], &[1, 5, 200][..]));
/// # Ok::<(), wengert::Error>(())
/// ```
pub mod prelude {
    pub use wengert_core::{
        Error, Float, GradOptions, Parameter, Pointwise, Real, Result, Tape, Tensor, TensorMap, Variable,
        cat, grad, manual_seed, no_grad, pointwise, stack,
    };
    pub use wengert_nn::{
        AdditiveAttention, AttentionOptions, BatchNorm1d, Buffer, Cast, Cell, Celu, Checkpointing, Constant,
        Conv1d, ConvPadding, Dropout, Elu, Embedding, Evaluating, Flat, Forward, Gelu, Glu, Gru, GruCell,
        Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LayerNorm, Layers, LeakyRelu, Linear, LogSigmoid,
        LogSoftmax, Lstm, LstmCell, MapPart, Merge, Mish, Module, Nonlinearity, PackOptions, PackedSequence,
        PadOptions, Persist, Prelu, Recurrent, Relu, Relu6, RmsNorm, Rnn, RnnCell, Rrelu, Selu, Sequential,
        Sigmoid, Silu, Softmax, Softmin, Softplus, Softshrink, Softsign, Stack, State, StepFn, StepFnWith,
        Tanh, Tanhshrink, Threshold, Truncated, WeightNorm, binary_cross_entropy,
        binary_cross_entropy_with_logits, cell, cosine_embedding_loss, cross_entropy, crps_normal_loss,
        ctc_loss, gaussian_nll_loss, huber_loss, init, kl_div, l1_loss, mixture_nll_loss, module, mse_loss,
        nll_loss, pack_padded_sequence, pack_sequence, pad_packed_sequence, pad_sequence, poisson_nll_loss,
        quantile_loss, scaled_dot_product_attention, smooth_l1_loss, state, summary, summary_of,
        unpack_sequence, unpad_sequence, watched,
    };
    pub use wengert_optim::{
        Adadelta, Adagrad, Adam, AdamW, Adamax, Asgd, Averaged, Groups, Lbfgs, Lion, Muon, NAdam, Optimizer,
        RAdam, RmsProp, Rprop, Sgd, clip_grad_norm, clip_grad_value,
    };
}

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The book's blocks that are no part of an example, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/book/src/pytorch.md")]
struct Book;
