//! Tensors and a dynamic-graph tape.
//!
//! The modules stand in the order of a value's life, which is the order to read them in: a [`Tensor`] is a
//! shape over shared storage; a [`Variable`] is a tensor that remembers how it was computed; an
//! [`Operation`] records a node on the [`Tape`]; [`Variable::backward`] reads the tape from its end and
//! leaves a gradient at every leaf; an optimizer changes the [`Parameter`]s.
//!
//! ```
//! use wengert_core::{Tensor, Variable};
//! let w = Variable::new(Tensor::from([2.0f32, -1.0])).requires_grad_(true);
//! let x = Variable::new(Tensor::from([3.0f32, 4.0]));
//! let y = (&w * &x).sum().tanh();
//! y.backward()?;
//! assert_eq!(w.grad().unwrap().shape(), &[2]);
//! # Ok::<(), wengert_core::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod backward;
mod base;
mod io;
mod listing;
mod ops;
mod random;
mod tape;
mod tensor;

/// Items for the crates beside this one and the code that [`pointwise!`] writes; nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use crate::base::line::{Called, Sources, called};
    pub use crate::base::message::{tell, warn};
    pub use crate::base::mode::unrecorded;
    pub use crate::base::refusal::or_refused;
    pub use crate::base::scope::{Restore, enter};
    pub use crate::io::{remove_left_in, replace as replace_file};
    pub use crate::ops::formula::{Dependence, Of, Trace, dependence, trace};
    pub use crate::tensor::memory::{append, filled, reserve, reserve_in, room_for, text_of, vec_of};
    pub use crate::tensor::packs::fix_packs;
    #[cfg(debug_assertions)]
    pub use crate::tensor::storage::handle_updates;
    pub use wengert_kernel::formula::{BackwardJob, ForwardJob};
    pub use wengert_kernel::run::team::share_all;
}

pub use backward::{
    GradOptions, OutputsAndProduct, backward, checkpoint, grad, hessian, hvp, jacobian, jvp, vjp,
};
pub use base::error::{Cause, Error, Result};
pub use base::message::{WarningHook, set_warning_hook};
pub use base::mode::{enable_grad, is_plain, is_recording, no_grad, with_plain};
pub use base::scope::scope;
pub use io::{AnyTensor, StateReader, Stateful, TensorMap};
pub use listing::{
    Deviation, FailedRecording, KeptStorage, KeptValue, LateProducts, Line, Pulled, Recompute, Replay, Tape,
    TapeEntry, TapeInput, TapeValue, try_record,
};
pub use ops::formula::Pointwise;
pub use ops::registry::{Choose, Domain, Fitted, OperationEntry};
pub use ops::{Exponent, Numeric, Operand, Scalar, cat, operations, stack};
pub use random::{
    DEFAULT_SEED, Generator, GeneratorState, generator_state, manual_seed, set_generator_state,
    with_generator,
};
pub use tape::{
    AsVariable, Attribute, Attributes, Cotangents, FirstOrder, Float, Gradients, HookId, Operation, Outputs,
    Parameter, Program, Saved, SavedTensors, Saves, Variable, Wants, detect_anomaly, live_nodes, record,
    recorded_nodes,
};
pub use tensor::pool::{clear_pool, pool_bytes, set_pool_limit};
pub use tensor::{
    AxisIndex, Element, Nested, PrintOptions, Tensor, TensorIndex, print_options, set_print_options,
};
pub use wengert_kernel::number::{Arithmetic, Number};
pub use wengert_kernel::real::{Dual, Fused, Lane, Real};
pub use wengert_kernel::run::divide::{Divisible, dispatch_shared};
pub use wengert_kernel::run::level::Kernel;
pub use wengert_kernel::run::team::{num_threads, set_num_threads};

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Tensor<f32>>();
    is_send_and_sync::<Variable<f64>>();
    is_send_and_sync::<Parameter<f32>>();
};

/// The README's example, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
