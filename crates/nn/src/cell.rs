//! Cells: one step of a recurrence.

use wengert_core::{Error, Result, Variable};

use crate::module::Module;
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
/// let (out, h) = rnn.forward(&Variable::new(Tensor::randn([5, 3, 4])), None)?;
/// assert_eq!((out.shape(), h.shape()), (&[5, 3, 16][..], &[4, 3, 8][..]));
/// out.square().mean().backward()?;
/// assert!(rnn.parameters().iter().all(|parameter| parameter.grad().is_some()));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Cell: Module + Clone + Send + Sync + 'static {
    /// What is carried from step to step.
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

    /// The name of the runner over this cell, for printing.
    fn layer_name(&self) -> String {
        let name = std::any::type_name::<Self>();
        let name = name.split('<').next().unwrap_or(name);
        format!("Recurrent<{}>", name.rsplit("::").next().unwrap_or(name))
    }

    /// The cell's own arguments for printing: widths, then what is not the default.
    fn extra_repr(&self) -> String {
        format!("{}, {}", self.input_size(), self.output_size())
    }

    /// One step for an input (N, input_size), or (input_size) unbatched; without a state, from zeros
    /// (`torch.nn.LSTMCell.forward` and the like). Gives the next state.
    ///
    /// # Errors
    /// If the input or the state has another shape.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::{Cell, LstmCell};
    /// let cell = LstmCell::new(10, 20)?;
    /// let (h, c) = cell.forward(&Variable::new(Tensor::randn([3, 10])), None)?;
    /// assert_eq!((h.shape(), c.shape()), (&[3, 20][..], &[3, 20][..]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    fn forward(&self, input: &Variable<Self::Element>, state: Option<&Self::State>) -> Result<Self::State> {
        let batched = input.rank() == 2;
        if !batched && input.rank() != 1 {
            let expected = format!("an input of shape (N, {0}) or ({0})", self.input_size());
            return Err(Error::shape("cell", expected, format!("{:?}", input.shape())));
        }
        let input = if batched { input.clone() } else { input.unsqueeze(0) };
        if input.shape()[1] != self.input_size() {
            let expected = format!("an input of width {}", self.input_size());
            return Err(Error::shape("cell", expected, input.shape()[1]));
        }
        let zeros = self.zero_state(input.shape()[0]);
        let state = match state {
            None => zeros,
            Some(state) if batched => {
                check_state("cell", state, &zeros)?;
                state.clone()
            }
            Some(state) => {
                check_state("cell", state, &zeros.map(|part| part.squeeze(0)))?;
                state.map(|part| part.unsqueeze(0))
            }
        };
        let (_, state) = self.step(&self.project(&input), &state);
        Ok(if batched { state } else { state.map(|part| part.squeeze(0)) })
    }
}

/// Each variable of a given state must have the shape of the expected one's; nothing broadcasts.
pub(crate) fn check_state<S: State>(operation: &'static str, given: &S, expected: &S) -> Result<()> {
    for (i, (given, expected)) in given.parts().iter().zip(expected.parts()).enumerate() {
        if given.shape() != expected.shape() {
            let what = format!("state {i} of shape {:?}", expected.shape());
            return Err(Error::shape(operation, what, format!("{:?}", given.shape())));
        }
    }
    Ok(())
}
