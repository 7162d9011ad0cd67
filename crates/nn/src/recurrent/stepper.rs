//! One step at a time.

use wengert_core::{Error, Result, Tensor, Variable, no_grad};

use super::runner::Recurrent;
use super::sweep::Rules;
use crate::cell::Cell;
use crate::state::State;

/// A recurrent layer that takes its input step by step and keeps its state, as in generation and on live series. Nothing is
/// recorded, and dropout is off, whatever the layer's mode; a step costs its arithmetic. The parameters are the layer's: what
/// an optimizer changes is seen by the next step.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::Gru;
/// let gru = Gru::builder(3, 4).num_layers(2).build()?;
/// let x = Variable::new(Tensor::randn([10, 2, 3]));
/// let (all, _) = gru.forward(&x, None)?;
/// let mut stepper = gru.stepper(2)?;
/// for t in 0..10 {
///     let output = stepper.step(&x.select(0, t))?;
///     assert!((output - all.select(0, t)).abs().max().item()? < 1e-6);
/// }
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Stepper<C: Cell> {
    layer: Recurrent<C>,
    batch: usize,
    states: Vec<C::State>,
    rules: Rules<C::Element>,
}

impl<C: Cell> Recurrent<C> {
    /// This layer step by step, for `batch` samples, from its initial state; see [`Stepper`].
    ///
    /// # Errors
    /// If the layer is bidirectional: the other direction begins at the end.
    #[track_caller]
    pub fn stepper(&self, batch: usize) -> Result<Stepper<C>> {
        if self.is_bidirectional() {
            let expected = "of one direction, since the other begins at the end of the sequence";
            return Err(Error::argument("stepper", "the layer", expected, "a bidirectional one"));
        }
        let states = no_grad(|| self.initial_states(None, batch, true))?;
        let rules = Rules { training: false, zoneout: self.options.zoneout, masks: Vec::new() };
        Ok(Stepper { layer: self.clone(), batch, states, rules })
    }
}

impl<C: Cell> Stepper<C> {
    /// The output (N, out) for the next input (N, in).
    ///
    /// # Errors
    /// If the input has another shape.
    #[track_caller]
    pub fn step(&mut self, input: &Variable<C::Element>) -> Result<Variable<C::Element>> {
        self.layer.check_width(input.shape())?;
        if input.rank() != 2 || input.shape()[0] != self.batch {
            let expected = format!("an input of shape ({}, width)", self.batch);
            return Err(Error::shape("stepper", expected, format!("{:?}", input.shape())));
        }
        Ok(no_grad(|| self.through_layers(input)))
    }

    #[track_caller]
    fn through_layers(&mut self, input: &Variable<C::Element>) -> Variable<C::Element> {
        let mut input = input.clone();
        for (cell, state) in self.layer.cells.iter().zip(&mut self.states) {
            let (output, next) = self.rules.step(cell, &cell.project(&input), state);
            *state = next;
            let adds = self.layer.options.residual && output.shape() == input.shape();
            input = if adds { output + input } else { output };
        }
        input
    }

    /// The state: each variable (layers, N, ..), as [`Recurrent::forward`] gives it.
    #[track_caller]
    pub fn state(&self) -> C::State {
        self.layer.stacked(&self.states, true)
    }

    /// Goes on from a state, or, without one, from the layer's initial state.
    ///
    /// # Errors
    /// If a variable of the state has another shape.
    #[track_caller]
    pub fn set_state(&mut self, state: Option<&C::State>) -> Result<()> {
        let state = state.map(State::detach);
        self.states = no_grad(|| self.layer.initial_states(state.as_ref(), self.batch, true))?;
        Ok(())
    }

    /// Brings those samples for which `ends` (N) says so to the layer's initial state: their series has ended.
    ///
    /// # Errors
    /// If there is not one truth value for each sample.
    #[track_caller]
    pub fn reset(&mut self, ends: &Tensor<bool>) -> Result<()> {
        if ends.shape() != [self.batch] {
            let expected = format!("one truth value for each of {} samples", self.batch);
            return Err(Error::shape("stepper", expected, format!("shape {:?}", ends.shape())));
        }
        let initial = no_grad(|| self.layer.initial_states(None, self.batch, true))?;
        for (state, initial) in self.states.iter_mut().zip(initial) {
            *state = no_grad(|| initial.masked(ends, state));
        }
        Ok(())
    }
}
