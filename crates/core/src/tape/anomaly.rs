//! Finding where the first NaN or infinity came from.

use std::cell::{Cell, RefCell};
use std::panic::Location;

use super::Float;
use super::node::Node;
use crate::base::error::{Error, Result};
use crate::base::scope;
use crate::tensor::Tensor;

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static FOUND: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Puts back what was there before, also when unwinding.
struct Restore {
    watching: bool,
    found: Option<Error>,
}

impl Drop for Restore {
    fn drop(&mut self) {
        WATCHING.set(self.watching);
        FOUND.replace(self.found.take());
    }
}

/// Runs `f` and looks at everything that is recorded in it and at every cotangent on its way back: the
/// first NaN or infinity is the error that comes out, with the operation, the line where it was recorded,
/// the module's path and the shapes (`torch.autograd.detect_anomaly`, which looks at backward alone). A
/// backward stops there.
///
/// It reads every value, so it is for finding a fault and not for every day.
///
/// # Errors
/// [`Error::Anomaly`], or what `f` gives.
///
/// ```
/// use wengert_core::{detect_anomaly, Tensor, Variable};
/// let x = Variable::new(Tensor::from([0.0f32, 4.0])).requires_grad_(true);
/// let error = detect_anomaly(|| x.sqrt().sum().backward()).unwrap_err();
/// assert!(error.to_string().starts_with("inf in the backward of Sqrt recorded at"));
/// ```
pub fn detect_anomaly<R>(f: impl FnOnce() -> Result<R>) -> Result<R> {
    let _restore = Restore { watching: WATCHING.replace(true), found: FOUND.take() };
    let result = f();
    first().map_or(result, Err)
}

#[inline]
pub(crate) fn is_watching() -> bool {
    WATCHING.get()
}

/// The first anomaly so far.
pub(crate) fn first() -> Option<Error> {
    FOUND.with_borrow(Clone::clone)
}

/// [`first`], if anything is looked at.
#[inline]
pub(crate) fn found() -> Option<Error> {
    if is_watching() { first() } else { None }
}

/// Looks at the outputs of an operation that is being recorded.
#[cold]
pub(crate) fn look_forward<T: Float>(
    operation: &'static str,
    location: &'static Location<'static>,
    inputs: &[&Tensor<T>],
    outputs: &[Tensor<T>],
) {
    for output in outputs {
        look("forward", operation, location, scope::current(), output, || {
            let inputs: Vec<&[usize]> = inputs.iter().map(|input| input.shape()).collect();
            format!("inputs {inputs:?}, output {:?}", output.shape())
        });
    }
}

/// Looks at what the pullback of `node` gives for input `i`.
#[cold]
pub(crate) fn look_backward<T: Float>(node: &Node<T>, i: usize, cotangent: &Tensor<T>) {
    look("backward", node.name(), node.location, node.scope, cotangent, || {
        format!("cotangent {:?} of input {i}", cotangent.shape())
    });
}

fn look<T: Float>(
    pass: &'static str,
    operation: &'static str,
    location: &'static Location<'static>,
    path: u32,
    value: &Tensor<T>,
    shapes: impl FnOnce() -> String,
) {
    let odd = value.to_vec().into_iter().map(T::to_f64).find(|value| !value.is_finite());
    if let (Some(value), None) = (odd, first()) {
        let path = scope::place(path);
        let found = Error::Anomaly { pass, value, operation, location, path, shapes: shapes() };
        FOUND.replace(Some(found));
    }
}
