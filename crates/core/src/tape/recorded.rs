//! Values that a tape keeps to be looked at, beside those that pullbacks need.

use std::any::Any;
use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use super::recycle::NodeRef;
use super::{Cotangents, Float};
use crate::base::mode::{Mode, with_mode};
use crate::tensor::Tensor;

/// Runs a function whose operations keep the values of their inputs and outputs, so that [`Tape::of`] its
/// results shows them, and that of each value its gradient once a backward has passed. Such a tape can be
/// [replayed](crate::Tape::replay).
///
/// Without it a tape keeps what its pullbacks need, and shows operations and shapes. The values are shared
/// with the operations and not copied, but stay alive with the graph.
///
/// [`Tape::of`]: crate::Tape::of
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable, record};
/// let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
/// let loss = record(|| (x.square() * 3.0).sum());
/// loss.backward()?;
/// let tape = Tape::of(&loss);
/// let square = &tape.entries()[1].outputs[0];
/// assert_eq!(square.value.as_ref().unwrap().cast::<f64>().to_vec(), [1.0, 4.0]);
/// assert_eq!(square.grad.as_ref().unwrap().cast::<f64>().to_vec(), [3.0, 3.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn record<R>(f: impl FnOnce() -> R) -> R {
    with_mode(Mode::now().keeping(), f)
}

/// What a node keeps to be looked at.
pub(crate) struct Recorded<T: Float> {
    pub(crate) inputs: Vec<Tensor<T>>,
    pub(crate) outputs: Vec<Tensor<T>>,
    /// What the last backward brought to each output.
    cotangents: Mutex<Vec<Option<Tensor<T>>>>,
}

impl<T: Float> Recorded<T> {
    pub(crate) fn cotangents(&self) -> Vec<Option<Tensor<T>>> {
        self.cotangents.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The finished cotangents of a visit, which are kept instead of those of the backward before.
    pub(crate) fn arrived(&self, cotangents: &Cotangents<T>) {
        let of = |output| cotangents.get(output).map(|cotangent| cotangent.value());
        let arrived = (0..self.outputs.len()).map(of).collect();
        *self.cotangents.lock().unwrap_or_else(PoisonError::into_inner) = arrived;
    }
}

/// Puts the values beside a node that was just made.
#[cold]
pub(crate) fn keep<T: Float>(node: &NodeRef<T>, inputs: &[&Tensor<T>], outputs: &[Tensor<T>]) {
    let inputs = inputs.iter().map(|&input| input.clone()).collect();
    node.keep_recorded(Recorded { inputs, outputs: outputs.to_vec(), cotangents: Mutex::default() });
    MADE.with_borrow_mut(|made| {
        if let Some(made) = made.as_mut().and_then(|made| made.downcast_mut::<Vec<NodeRef<T>>>()) {
            made.push(node.clone());
        }
    });
}

thread_local! {
    /// The nodes that are made, where somebody wants them: a `Vec<NodeRef<T>>`.
    static MADE: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// [`record`], and the nodes that were made; `f` must not unwind.
pub(crate) fn record_into<T: Float, R>(f: impl FnOnce() -> R) -> (R, Vec<NodeRef<T>>) {
    let outer = MADE.replace(Some(Box::new(Vec::<NodeRef<T>>::new())));
    let result = record(f);
    let made = MADE.replace(outer).and_then(|made| made.downcast::<Vec<NodeRef<T>>>().ok());
    (result, made.map(|made| *made).unwrap_or_default())
}
