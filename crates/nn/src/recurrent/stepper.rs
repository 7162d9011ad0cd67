//! One step at a time.

use wengert_core::__private::or_refused;
use wengert_core::{Error, Result, Tensor, Variable, no_grad};

use super::layers::{Layers, check_one_direction, check_width, reset};
use crate::cell::check_state;
use crate::context;
use crate::state::State;

/// Recurrent layers that take their input step by step and keep their state, as in generation and on live
/// series. Nothing is recorded, and dropout is off, whatever the mode; a step costs its arithmetic. The
/// parameters are the layers': what an optimizer changes is seen by the next step.
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
#[doc(alias = "stateful")]
#[derive(Clone, Debug)]
pub struct Stepper<L: Layers> {
    layers: L,
    batch: usize,
    cells: L::Cells,
}

impl<L: Layers> Stepper<L> {
    /// A stepper of `layers`, for `batch` samples, from their initial state.
    ///
    /// # Errors
    /// If a layer is bidirectional: the other direction begins at the end; or there is no memory for so
    /// many samples.
    #[track_caller]
    pub fn new(layers: L, batch: usize) -> Result<Self> {
        check_one_direction("Stepper", &layers)?;
        let cells = or_refused("Stepper", || Ok(no_grad(|| layers.unstack(&layers.zero_state(batch)))))?;
        Ok(Stepper { layers, batch, cells })
    }

    /// The output (N, out) for the next input (N, in).
    ///
    /// # Errors
    /// If the input has another shape.
    #[track_caller]
    pub fn step(&mut self, input: &Variable<L::Element>) -> Result<Variable<L::Element>>
    where
        L: Layers<Context = ()>,
    {
        self.step_with(input, &())
    }

    /// The output (N, out) for the next input (N, in) and this step's context, (N, ..) each
    /// ([`CellWith`](crate::CellWith)).
    ///
    /// # Errors
    /// If the input or the context has another shape.
    #[track_caller]
    pub fn step_with(
        &mut self,
        input: &Variable<L::Element>,
        context: &L::Context,
    ) -> Result<Variable<L::Element>> {
        check_width(&self.layers, input.shape())?;
        if input.rank() != 2 || input.shape()[0] != self.batch {
            let expected = format!("an input of shape ({}, width)", self.batch);
            return Err(Error::shape("Stepper", expected, format!("{:?}", input.shape())));
        }
        context::check("Stepper", context, &[self.batch], &[self.batch])?;
        Ok(no_grad(|| self.layers.step(input, context, &mut self.cells)))
    }

    /// The state: each variable (layers, N, ..), as [`Layers::forward`] gives it.
    #[track_caller]
    pub fn state(&self) -> L::State {
        no_grad(|| self.layers.restack(&self.cells))
    }

    /// Goes on from a state, or, without one, from the layers' initial state.
    ///
    /// # Errors
    /// If a variable of the state has another shape.
    #[track_caller]
    pub fn set_state(&mut self, state: Option<&L::State>) -> Result<()> {
        let state = no_grad(|| match state {
            None => Ok(self.layers.zero_state(self.batch)),
            Some(state) => {
                check_state("Stepper", state, &self.layers.zero_state(self.batch))?;
                Ok(state.detach())
            }
        })?;
        self.cells = no_grad(|| self.layers.unstack(&state));
        Ok(())
    }

    /// Brings those samples for which `ends` (N) says so to the layers' initial state: their series has
    /// ended.
    ///
    /// # Errors
    /// If there is not one truth value for each sample.
    #[track_caller]
    pub fn reset(&mut self, ends: &Tensor<bool>) -> Result<()> {
        if ends.shape() != [self.batch] {
            let expected = format!("one truth value for each of {} samples", self.batch);
            return Err(Error::shape("Stepper", expected, format!("shape {:?}", ends.shape())));
        }
        let state = self.state();
        self.cells = no_grad(|| self.layers.unstack(&reset(&self.layers, &state, &ends.to_vec())));
        Ok(())
    }
}
