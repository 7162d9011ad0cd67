//! What an operation is: a forward in tensors and, beside it, a pullback in variables.

use smallvec::SmallVec;

use super::record::{peeks, record_all, tensors};
use super::rule::OfOperation;
use super::{Attributes, Cotangents, Float, Gradients, Saved, Variable};
use crate::tensor::Tensor;

/// The outputs of an operation; nearly always one.
pub type Outputs<V> = SmallVec<[V; 1]>;

/// The values that an operation's pullback needs, so that no others stay in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saves {
    inputs: u32,
    pub(super) outputs: bool,
}

impl Saves {
    /// The pullback needs no values.
    pub const NOTHING: Saves = Saves { inputs: 0, outputs: false };
    /// The pullback needs every input.
    pub const INPUTS: Saves = Saves { inputs: u32::MAX, outputs: false };
    /// The pullback needs the outputs.
    pub const OUTPUTS: Saves = Saves { inputs: 0, outputs: true };

    /// The pullback needs input `i` (of the first 32), too.
    #[must_use]
    pub const fn and_input(self, i: u32) -> Saves {
        Saves { inputs: self.inputs | 1 << i, outputs: self.outputs }
    }

    /// The inputs whose bits are set.
    #[inline]
    pub(crate) const fn inputs(bits: u32) -> Saves {
        Saves { inputs: bits, outputs: false }
    }

    #[inline]
    pub(super) fn input(self, i: usize) -> bool {
        self.inputs == u32::MAX || (i < 32 && self.inputs & 1 << i != 0)
    }
}

/// The inputs (of the first 32) of an operation being recorded that want a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants(u32);

impl Wants {
    /// No input.
    pub(crate) const NONE: Wants = Wants(0);

    /// With input `i` if it is `wanted`, and of the first 32.
    #[inline(always)]
    pub(crate) fn with(self, i: usize, wanted: bool) -> Self {
        if i < 32 { Wants(self.0 | u32::from(wanted) << i) } else { self }
    }

    /// Those of the first 32 inputs for which `wanted` is true.
    #[inline(always)]
    pub(crate) fn of<V>(inputs: &[V], mut wanted: impl FnMut(&V) -> bool) -> Self {
        let mut wants = Wants::NONE;
        for (i, input) in inputs.iter().enumerate() {
            wants = wants.with(i, wanted(input));
        }
        wants
    }

    /// Whether none of `inputs` inputs does.
    #[inline]
    pub(crate) fn nothing(self, inputs: usize) -> bool {
        self.0 == 0 && inputs <= 32
    }

    /// Whether input `i` wants a gradient; beyond the first 32, true.
    #[inline]
    pub fn input(self, i: usize) -> bool {
        i >= 32 || self.0 & 1 << i != 0
    }
}

/// A differentiable operation on variables, built in or a user's own.
///
/// `forward` computes tensors; `pullback` maps cotangents of the outputs to cotangents of the inputs and is
/// written with operations on variables. An ordinary backward runs it unrecorded; under
/// `create_graph` the same rule is recorded, and that is where derivatives of every order come from.
///
/// ```
/// use wengert_core::{Cotangents, Gradients, Operation, Outputs, Saved, Saves, Tensor, Variable, Wants};
///
/// /// `x^3`, with its derivative `3 x^2`.
/// struct Cube;
///
/// impl Operation<f64> for Cube {
///     const NAME: &'static str = "Cube";
///     fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
///         [inputs[0].map(|x| x * x * x)].into()
///     }
///     fn saves(&self, _: Wants) -> Saves {
///         Saves::INPUTS
///     }
///     fn pullback(
///         &self,
///         saved: &Saved<'_, f64>,
///         cotangents: &Cotangents<f64>,
///         gradients: &mut Gradients<'_, f64>,
///     ) {
///         let x = saved.input(0);
///         gradients.add(0, &x * &x * 3.0 * cotangents.only());
///     }
/// }
///
/// let x = Variable::new(Tensor::from([2.0f64])).requires_grad_(true);
/// Cube.apply(&[&x])[0].sum().backward()?;
/// assert_eq!(x.grad().unwrap().item()?, 12.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Operation<T: Float>: Send + Sync + Sized + 'static {
    /// The name on the tape and in `grad_fn`.
    const NAME: &'static str;

    /// The outputs; the inputs' shapes have been checked or are checked here, by panicking.
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>>;

    /// The values that the pullback will ask for, given which inputs want a gradient; none by default.
    fn saves(&self, _: Wants) -> Saves {
        Saves::NOTHING
    }

    /// Adds to `gradients` what the `cotangents` of the outputs make of those of the inputs.
    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>);

    /// The arguments that the operation was called with beside its inputs, for the [tape's
    /// listing](crate::Tape) and whatever builds the operation again; none by default.
    fn attributes(&self) -> Attributes {
        Attributes::none()
    }

    /// Runs the operation and, if an input requires a gradient, records it.
    #[track_caller]
    fn apply(self, inputs: &[&Variable<T>]) -> Outputs<Variable<T>> {
        let peeks = peeks(inputs);
        let tensors = tensors(&peeks);
        let outputs = self.forward(&tensors);
        record_all(OfOperation(self), inputs, &tensors, outputs)
    }

    /// [`Operation::apply`] for an operation with one output.
    #[track_caller]
    fn apply1(self, inputs: &[&Variable<T>]) -> Variable<T> {
        self.apply(inputs).pop().expect("an operation with one output")
    }
}
