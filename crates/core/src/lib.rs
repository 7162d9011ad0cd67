//! Tensors and a dynamic-graph tape.
//!
//! The modules stand in the order of a value's life, which is the order to read them in: a [`Tensor`] is a shape
//! over shared storage; a [`Variable`] is a tensor that remembers how it was computed; an
//! [`Operation`] records a node on the [`Tape`]; [`Variable::backward`] reads the tape from its end and leaves a gradient
//! at every leaf; an optimizer changes the [`Parameter`]s.
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

#![forbid(unsafe_code)]

mod error;
mod io;
mod random;

mod dims;
mod element;
#[doc(hidden)]
pub mod memory;
mod packs;
mod pool;
mod storage;
mod tensor;

mod checkpoint;
mod functional;
mod tape;
mod variable;

mod first_order;
mod operation;
mod ops;
mod pointwise;
mod registry;

/// What [`pointwise!`] names.
#[doc(hidden)]
pub mod job {
    pub use crate::pointwise::Of;
    pub use wengert_kernel::formula::{Backward, Forward};
}

pub use checkpoint::checkpoint;
pub use element::{Element, Float};
pub use error::{Error, Result};
pub use first_order::{FirstOrder, SavedTensors};
pub use functional::{OutputsAndProduct, hessian, hvp, jacobian, jvp, vjp};
pub use io::{AnyTensor, TensorMap};
pub use operation::{Attribute, Attributes, Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants};
pub use ops::{cat, stack};
pub use pointwise::Pointwise;
#[doc(hidden)]
pub use pointwise::{Dependence, dependence};
pub use pool::{clear_pool, pool_bytes, set_pool_limit};
pub use random::{
    DEFAULT_SEED, Generator, GeneratorState, generator_state, manual_seed, set_generator_state,
    with_generator,
};
pub use registry::{Choose, Domain, Fitted, OperationEntry, operations};
pub use tape::{
    GradOptions, HookId, Tape, TapeEntry, backward, detect_anomaly, grad, is_plain, is_recording, live_nodes,
    no_grad, recorded_nodes, scope, with_plain, with_recording,
};
pub use tensor::{Nested, PrintOptions, Tensor, print_options, set_print_options};
pub use variable::{Parameter, Variable};
pub use wengert_kernel::number::Number;
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
