//! Cells: one step of a recurrence.

use wengert_core::{AsVariable, Error, Float, Result, Variable};

use crate::cell_with::CellWith;
use crate::context::{self, Context};
use crate::line::answered;
use crate::module::Module;
use crate::repr::{Repr, layer_name};
use crate::state::{MapPart, State};

/// One step of a recurrence, pure: `(x_t, state) -> (output_t, state')`.
///
/// [`Recurrent`](crate::Recurrent) turns any cell into layers and directions. Implement `step` as the
/// formula reads; if a part of it does not depend on the state, put that part into `project`, which the
/// runner applies to a whole sequence at once. A clone is the same cell: its parameters are handles.
///
/// ```
/// use wengert_core::{pointwise, Parameter, Pointwise, Tensor, Variable};
/// use wengert_nn::{init, module, Cell, Module, Recurrent};
///
/// pointwise! {
///     /// `h' = f h + (1 - f) n` with `f = sigmoid(a)`, `n = tanh(b)`.
///     struct Unit;
///     fn eval(a, b, h) -> 1 { let f = a.sigmoid(); [f * h + (1.0 - f) * b.tanh()] }
/// }
///
/// /// A light recurrent unit: the gate sees the state, the candidate only the input.
/// #[derive(Clone)]
/// struct Light { gate: Parameter, candidate: Parameter, recurrent: Parameter }
/// module!(Light { gate, candidate, recurrent });
///
/// impl Cell for Light {
///     type State = Variable;
///     fn input_size(&self) -> usize { self.gate.shape()[1] }
///     fn output_size(&self) -> usize { self.gate.shape()[0] }
///     fn zero_state(&self, batch: usize) -> Variable {
///         Tensor::zeros([batch, self.output_size()]).into()
///     }
///     fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
///         let a = h.linear(&self.recurrent, Some(&x.linear(&self.gate, None)));
///         let h = Unit.apply1([&a, &x.linear(&self.candidate, None), h]);
///         (h.clone(), h)
///     }
/// }
///
/// let weight = |out, input| Parameter::new(Tensor::uniform([out, input], -0.1, 0.1));
/// let light = |input| {
///     Ok(Light { gate: weight(8, input), candidate: weight(8, input), recurrent: weight(8, 8) })
/// };
/// let rnn = Recurrent::of(4, light).num_layers(2).bidirectional(true).build()?;
/// let (out, h) = rnn.forward(&Tensor::randn([5, 3, 4]), None)?;
/// assert_eq!((out.shape(), h.shape()), (&[5, 3, 16][..], &[4, 3, 8][..]));
/// out.square().mean().backward()?;
/// assert!(rnn.parameters().iter().all(|parameter| parameter.grad().is_some()));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "RNNCellBase")]
#[doc(alias = "AbstractRNNCell")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no cell",
    label = "expected a `Cell`",
    note = "a struct becomes one with `cell!(Name {{ every, field }})` and `impl Cell for Name`, which says \
            `input_size`, `output_size`, `zero_state` and `step`",
    note = "a closure becomes one with `StepFn::new([input_size, output_size], parameters, |p, x, h| ..)`"
)]
pub trait Cell: Module + Clone + Send + Sync + 'static {
    /// The name of the layer over the cell, as `"LSTM"`, whose cell is then an `LSTMCell`; the type's name,
    /// unless a cell says another.
    const NAME: &'static str = "";

    /// The state that is carried from step to step.
    type State: State<Element = Self::Element>;

    /// The width of an input.
    fn input_size(&self) -> usize;

    /// The width of an output.
    fn output_size(&self) -> usize;

    /// The state before the first step of `batch` samples; its variables are (batch, ..).
    fn zero_state(&self, batch: usize) -> Self::State;

    /// The part of a step that does not depend on the state, for inputs (.., input_size) of any leading
    /// axes.
    fn project(&self, input: &Variable<Self::Element>) -> Variable<Self::Element> {
        input.clone()
    }

    /// A step of a batch: output (N, output_size) and next state from a projected input (N, ..) and the
    /// state.
    ///
    /// A step gives no `Result`, so there is no `?` in it. A linear map is written as an operation,
    /// `x.linear(&self.w.weight, self.w.bias.as_deref())`, an inner cell as its own `project` and `step`; to
    /// the `forward` of another layer belongs an `expect`.
    fn step(
        &self,
        projected: &Variable<Self::Element>,
        state: &Self::State,
    ) -> (Variable<Self::Element>, Self::State);

    /// `f` on those variables of a state that enter products with weights, which dropout on states acts on;
    /// all of them unless a cell says otherwise (an LSTM's `h` and not its `c`).
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

    /// One step for an input (N, input_size), or (input_size) unbatched; without a state, from zeros. Gives
    /// the output and the next state, where `torch.nn.LSTMCell` and the like give the state alone.
    ///
    /// # Errors
    /// If the input or the state has another shape, or the cell breaks what its methods promise.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_nn::{Cell, LstmCell};
    /// let cell = LstmCell::new(10, 20)?;
    /// let (output, (h, c)) = cell.forward(&Tensor::randn([3, 10]), None)?;
    /// assert!(output.is_same(&h));
    /// assert_eq!((h.shape(), c.shape()), (&[3, 20][..], &[3, 20][..]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    fn forward(
        &self,
        input: &impl AsVariable<Self::Element>,
        state: Option<&Self::State>,
    ) -> Result<(Variable<Self::Element>, Self::State)> {
        forward(self, &input.as_variable(), &(), state)
    }
}

/// [`CellWith::forward_with`].
#[track_caller]
pub(crate) fn forward<C: CellWith>(
    cell: &C,
    input: &Variable<C::Element>,
    context: &C::Context,
    state: Option<&C::State>,
) -> Result<(Variable<C::Element>, C::State)> {
    let name = layer_name::<C>();
    answered(name, || {
        let batched = input.rank() == 2;
        if !batched && input.rank() != 1 {
            let expected = format!("an input of shape (N, {0}) or ({0})", cell.input_size());
            return Err(Error::shape(name, expected, format!("{:?}", input.shape())));
        }
        let samples = &input.shape()[..input.rank() - 1];
        context::check(name, context, samples, samples)?;
        let row = |part: &Variable<C::Element>| if batched { part.clone() } else { part.unsqueeze(0) };
        let (input, context) = (row(input), context.map(&mut |_, part| row(part)));
        if input.shape()[1] != cell.input_size() {
            let expected = format!("an input of width {}", cell.input_size());
            return Err(Error::shape(name, expected, input.shape()[1]));
        }
        let zeros = cell.zero_state(input.shape()[0]);
        check_zero_state::<C>(&zeros, input.shape()[0])?;
        let state = match state {
            None => zeros,
            Some(state) if batched => {
                check_state(name, state, &zeros)?;
                state.clone()
            }
            Some(state) => {
                check_state(name, state, &zeros.map(|part| part.squeeze(0)))?;
                state.map(|part| part.unsqueeze(0))
            }
        };
        let (rows, projected) = (input.shape()[0], cell.project(&input));
        check_projected::<C>(&projected, rows)?;
        let (output, next) = cell.step_with(&projected, &context, &state);
        check_step(cell, rows, &state, &output, &next)?;
        let unbatched = || (output.squeeze(0), next.map(|part| part.squeeze(0)));
        Ok(if batched { (output, next) } else { unbatched() })
    })
}

/// The rows of each variable of the state before the first step are the samples.
pub(crate) fn check_zero_state<C: CellWith>(state: &C::State, batch: usize) -> Result<()> {
    match state.variables().iter().find(|part| part.shape().first() != Some(&batch)) {
        None => Ok(()),
        Some(part) => {
            let expected = format!("zero_state to give variables of {batch} rows, one for each sample");
            Err(Error::shape(layer_name::<C>(), expected, format!("{:?}", part.shape())))
        }
    }
}

/// What `project` gives has a row for each of the input's.
pub(crate) fn check_projected<C: CellWith>(projected: &Variable<C::Element>, rows: usize) -> Result<()> {
    if projected.shape().first() == Some(&rows) {
        return Ok(());
    }
    let expected = format!("project to give {rows} rows, one for each of the input's");
    Err(Error::shape(layer_name::<C>(), expected, format!("{:?}", projected.shape())))
}

/// A step gives an output of the promised shape. Asked at every step, so the layer's name is not, unless it
/// does not.
#[inline]
pub(crate) fn check_output<T: Float>(
    name: impl FnOnce() -> &'static str,
    output: &Variable<T>,
    promised: [usize; 2],
) -> Result<()> {
    if output.shape() == promised {
        return Ok(());
    }
    let expected = format!("step to give an output of shape {promised:?}, as output_size says");
    Err(Error::shape(name(), expected, format!("{:?}", output.shape())))
}

/// A step gives an output of the promised width and a state like the one before, a row for each sample.
pub(crate) fn check_step<C: CellWith>(
    cell: &C,
    rows: usize,
    before: &C::State,
    output: &Variable<C::Element>,
    next: &C::State,
) -> Result<()> {
    check_output(layer_name::<C>, output, [rows, cell.output_size()])?;
    let (before, next) = (before.variables(), next.variables());
    let same = |(a, b): (&Variable<C::Element>, &Variable<C::Element>)| a.shape() == b.shape();
    match before.iter().zip(&next).enumerate().find(|(_, parts)| !same(*parts)) {
        None if before.len() == next.len() => Ok(()),
        None => {
            let expected = format!("step to give a state of {} variables, as the one before", before.len());
            Err(Error::shape(layer_name::<C>(), expected, next.len()))
        }
        Some((i, (before, next))) => {
            let expected = format!("step to give state {i} of shape {:?}, as before it", before.shape());
            Err(Error::shape(layer_name::<C>(), expected, format!("{:?}", next.shape())))
        }
    }
}

/// Each variable of a given state must have the shape of the expected one's; nothing broadcasts.
pub(crate) fn check_state<S: State>(operation: &'static str, given: &S, expected: &S) -> Result<()> {
    let (given, expected) = (given.variables(), expected.variables());
    if given.len() != expected.len() {
        let what = format!("a state of {} variables", expected.len());
        return Err(Error::shape(operation, what, given.len()));
    }
    for (i, (given, expected)) in given.iter().zip(expected).enumerate() {
        if given.shape() != expected.shape() {
            let what = format!("state {i} of shape {:?}", expected.shape());
            return Err(Error::shape(operation, what, format!("{:?}", given.shape())));
        }
    }
    Ok(())
}
