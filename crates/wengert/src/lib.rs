//! Recurrent networks on a dynamic graph: tensors, a tape, derivatives of every order, RNN, LSTM, GRU and
//! cells of one's own, optimizers. This crate re-exports the others; most programs need only its
//! [`prelude`].
//!
//! ```
//! use wengert::prelude::*;
//! let lstm = Lstm::new(4, 8)?;
//! let (out, _) = lstm.forward(&Variable::new(Tensor::randn([3, 2, 4])), None)?;
//! out.square().mean().backward()?;
//! assert!(lstm.parameters().iter().all(|parameter| parameter.grad().is_some()));
//! # Ok::<(), wengert::Error>(())
//! ```

#![forbid(unsafe_code)]

pub use wengert_core::{
    AnyTensor, Arithmetic, Attribute, Attributes, AxisIndex, Cause, Choose, Cotangents, DEFAULT_SEED,
    Deviation, Divisible, Domain, Dual, Element, Error, Exponent, FirstOrder, Fitted, Float, Fused,
    Generator, GeneratorState, GradOptions, Gradients, HookId, KeptValue, Kernel, Lane, Line, Nested, Number,
    Operand, Operation, OperationEntry, Outputs, OutputsAndProduct, Parameter, Pointwise, PrintOptions,
    Program, Real, Recompute, Replay, Result, Saved, SavedTensors, Saves, Stateful, Tape, TapeEntry,
    TapeInput, TapeValue, Tensor, TensorIndex, TensorMap, Variable, Wants, WarningHook, backward, cat,
    checkpoint, clear_pool, detect_anomaly, dispatch_shared, generator_state, grad, hessian, hvp, is_plain,
    is_recording, jacobian, jvp, live_nodes, manual_seed, no_grad, num_threads, operations, pointwise,
    pool_bytes, print_options, record, recorded_nodes, scope, set_generator_state, set_num_threads,
    set_pool_limit, set_print_options, set_warning_hook, stack, vjp, with_generator, with_plain,
    with_recording,
};
pub use wengert_nn as nn;
pub use wengert_nn::{cell, module, state};
pub use wengert_optim as optim;
#[cfg(feature = "view")]
pub use wengert_view as view;

/// Names that a program that trains a recurrent network uses, to be imported at once.
///
/// ```
/// use wengert::prelude::*;
/// let rnn = Rnn::new(100, 200)?;
/// let (out, h) = rnn.forward(&Variable::new(Tensor::randn([6, 5, 100])), None)?;
/// assert_eq!((out.shape(), h.shape()), (&[6, 5, 200][..], &[1, 5, 200][..]));
/// # Ok::<(), wengert::Error>(())
/// ```
pub mod prelude {
    pub use wengert_core::{
        Error, Float, GradOptions, Parameter, Pointwise, Real, Result, Tape, Tensor, TensorMap, Variable,
        cat, grad, manual_seed, no_grad, pointwise, stack,
    };
    pub use wengert_nn::{
        Cast, Cell, Checkpointing, Constant, Dropout, Embedding, Evaluating, Forward, Gru, GruCell,
        LayerNorm, Layers, Linear, Lstm, LstmCell, MapPart, Merge, Module, Nonlinearity, PackOptions,
        PackedSequence, PadOptions, Persist, Recurrent, Rnn, RnnCell, Sequential, Stack, State, StepFn,
        Truncated, binary_cross_entropy, binary_cross_entropy_with_logits, cell, cosine_embedding_loss,
        cross_entropy, crps_normal_loss, ctc_loss, gaussian_nll_loss, huber_loss, init, kl_div, l1_loss,
        mixture_nll_loss, module, mse_loss, nll_loss, pack_padded_sequence, pack_sequence,
        pad_packed_sequence, pad_sequence, poisson_nll_loss, quantile_loss, smooth_l1_loss, state,
        unpack_sequence, unpad_sequence,
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
