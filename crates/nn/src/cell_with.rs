//! Cells with inputs beside the sequence.

use wengert_core::{AsVariable, Result, Variable};

use crate::cell::{Cell, forward};
use crate::context::Context;
use crate::module::Module;
use crate::repr::Repr;
use crate::state::{MapPart, State};

/// One step of a recurrence that sees more than the sequence: `(x_t, c_t, state) -> (output_t, state')`,
/// where the context `c` reaches every layer as it is: time gaps, masks, a condition.
///
/// Every [`Cell`] is one, with the context `()`; a type implements one of the two. The runner,
/// [`Recurrent`](crate::Recurrent), takes the context by `forward_with`, `forward_packed_with`,
/// `forward_masked_with`, a [`Stepper`](crate::Stepper) by `step_with`.
///
/// ```
/// use wengert_core::{Parameter, Tensor, Variable};
/// use wengert_nn::{CellWith, Linear, Recurrent, cell};
///
/// /// `h' = tanh(W x + U (h exp(-gap)))`: the longer ago, the less is left.
/// #[derive(Clone)]
/// struct Decay { w: Linear, u: Linear }
/// cell!(Decay { w, u });
///
/// impl CellWith for Decay {
///     type State = Variable;
///     type Context = Variable; // a second sequence: (L, N, 1), of which a step sees (N, 1)
///     fn input_size(&self) -> usize { self.w.weight.shape()[1] }
///     fn output_size(&self) -> usize { self.u.weight.shape()[0] }
///     fn zero_state(&self, batch: usize) -> Variable { Tensor::zeros([batch, self.output_size()]).into() }
///     fn project(&self, x: &Variable) -> Variable { x.linear(&self.w.weight, self.w.bias.as_deref()) }
///     fn step_with(&self, x: &Variable, gap: &Variable, h: &Variable) -> (Variable, Variable) {
///         let h = (h * (-gap).exp()).linear(&self.u.weight, Some(x)).tanh();
///         (h.clone(), h)
///     }
/// }
///
/// let cell = |input| Ok(Decay { w: Linear::new(input, 8)?, u: Linear::without_bias(8, 8)? });
/// let rnn = Recurrent::of(4, cell).num_layers(2).bidirectional(true).build()?;
/// let x = Variable::new(Tensor::randn([5, 3, 4]));
/// let gaps = Variable::new(Tensor::rand([5, 3, 1]));
/// let (out, _) = rnn.forward_with(&x, &gaps, None)?;
/// assert_eq!(out.shape(), &[5, 3, 16]);
/// let error = rnn.forward_with(&x, &gaps.narrow(0, 0, 4), None).unwrap_err();
/// let text = "Decay: expected context 0 to begin with [5, 3], the input's steps, got shape [4, 3, 1]";
/// assert_eq!(error.to_string(), text);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "constants")]
#[doc(alias = "conditioning")]
#[doc(alias = "covariates")]
pub trait CellWith: Module + Clone + Send + Sync + 'static {
    /// The name of the layer over the cell, as [`Cell::NAME`].
    const NAME: &'static str = "";

    /// The variables that are carried from step to step.
    type State: State<Element = Self::Element>;

    /// The inputs beside the sequence.
    type Context: Context<Self::Element>;

    /// The width of an input.
    fn input_size(&self) -> usize;

    /// The width of an output.
    fn output_size(&self) -> usize;

    /// The state before the first step of `batch` samples; its variables are (batch, ..).
    fn zero_state(&self, batch: usize) -> Self::State;

    /// The part of a step that depends on the input alone, for inputs (.., input_size) of any leading axes.
    fn project(&self, input: &Variable<Self::Element>) -> Variable<Self::Element> {
        input.clone()
    }

    /// A step of a batch: output (N, output_size) and next state from a projected input (N, ..), this step's
    /// part of the context, (N, ..) each, and the state. It gives no `Result`: [`Cell::step`] says what is
    /// written in place of a `?`.
    fn step_with(
        &self,
        projected: &Variable<Self::Element>,
        context: &Self::Context,
        state: &Self::State,
    ) -> (Variable<Self::Element>, Self::State);

    /// The state with `f` applied to those variables that enter products with weights, as
    /// [`Cell::map_hidden`].
    fn map_hidden(&self, state: &Self::State, f: &mut MapPart<'_, Self::Element>) -> Self::State {
        state.map(f)
    }

    /// The names of the gates, in the order in which their rows lie in the parameters; none unless a cell
    /// says so.
    fn gates(&self) -> &'static [&'static str] {
        &[]
    }

    /// The arguments of the cell for printing: widths, then what is not the default.
    fn repr(&self) -> Repr {
        Repr::of(&[self.input_size(), self.output_size()])
    }

    /// One step for an input (N, input_size) and a context (N, ..), or both unbatched; without a state, from
    /// zeros.
    ///
    /// # Errors
    /// If input, context or state have another shape, or the cell breaks what its methods promise.
    #[track_caller]
    fn forward_with(
        &self,
        input: &impl AsVariable<Self::Element>,
        context: &Self::Context,
        state: Option<&Self::State>,
    ) -> Result<(Variable<Self::Element>, Self::State)> {
        forward(self, &input.as_variable(), context, state)
    }
}

impl<C: Cell> CellWith for C {
    const NAME: &'static str = C::NAME;
    type State = <C as Cell>::State;
    type Context = ();

    fn input_size(&self) -> usize {
        Cell::input_size(self)
    }

    fn output_size(&self) -> usize {
        Cell::output_size(self)
    }

    #[track_caller]
    fn zero_state(&self, batch: usize) -> Self::State {
        Cell::zero_state(self, batch)
    }

    #[track_caller]
    fn project(&self, input: &Variable<Self::Element>) -> Variable<Self::Element> {
        Cell::project(self, input)
    }

    #[track_caller]
    fn step_with(
        &self,
        projected: &Variable<Self::Element>,
        (): &(),
        state: &Self::State,
    ) -> (Variable<Self::Element>, Self::State) {
        Cell::step(self, projected, state)
    }

    fn map_hidden(&self, state: &Self::State, f: &mut MapPart<'_, Self::Element>) -> Self::State {
        Cell::map_hidden(self, state, f)
    }

    fn gates(&self) -> &'static [&'static str] {
        Cell::gates(self)
    }

    fn repr(&self) -> Repr {
        Cell::repr(self)
    }
}
