//! One step at a time.

use wengert_core::__private::unrecorded;
use wengert_core::{AsVariable, Error, Result, Tensor, Variable};

use super::checks::{check_one_direction, check_width};
use super::layers::{Layers, reset};
use crate::cell::{check_output, check_state};
use crate::context;
use crate::line::{answered, called};
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
    /// Whether no step has been looked at yet.
    fresh: bool,
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
        let cells = stepped(|| Ok(layers.unstack(&layers.zero_state(batch))))?;
        Ok(Stepper { layers, batch, cells, fresh: true })
    }

    /// The output (N, out) for the next input (N, in).
    ///
    /// # Errors
    /// If the input has another shape, or a cell breaks what its methods promise: of steps after the first
    /// one the output alone is looked at. Or if the allocator refuses memory; behind the first step some
    /// layers may then have gone on, and [`Stepper::set_state`] brings all to one state.
    #[track_caller]
    pub fn step(&mut self, input: &impl AsVariable<L::Element>) -> Result<Variable<L::Element>>
    where
        L: Layers<Context = ()>,
    {
        self.step_with(input, &())
    }

    /// The output (N, out) for the next input (N, in) and this step's context, (N, ..) each
    /// ([`CellWith`](crate::CellWith)).
    ///
    /// # Errors
    /// If the input or the context has another shape, or where [`Stepper::step`] has one.
    #[track_caller]
    pub fn step_with(
        &mut self,
        input: &impl AsVariable<L::Element>,
        context: &L::Context,
    ) -> Result<Variable<L::Element>> {
        let input = &input.as_variable();
        check_width(&self.layers, input.shape())?;
        if input.rank() != 2 || input.shape()[0] != self.batch {
            let expected = format!("an input of shape ({}, width)", self.batch);
            return Err(Error::shape("Stepper", expected, format!("{:?}", input.shape())));
        }
        context::check("Stepper", context, &[self.batch], &[self.batch])?;
        if !self.fresh {
            let output = stepped(|| Ok(self.layers.step(input, context, &mut self.cells)))?;
            check_output(|| self.layers.name(), &output, [self.batch, self.layers.output_size()])?;
            return Ok(output);
        }
        let mut cells = self.cells.clone();
        let output = stepped(|| self.layers.first_step(input, context, &mut cells))?;
        (self.cells, self.fresh) = (cells, false);
        Ok(output)
    }

    /// The state: each variable (layers, N, ..), as [`Layers::forward`] gives it.
    #[track_caller]
    pub fn state(&self) -> L::State {
        let (_call, _unrecorded) = (called(), unrecorded());
        self.layers.restack(&self.cells)
    }

    /// Goes on from a state, or, without one, from the layers' initial state.
    ///
    /// # Errors
    /// If a variable of the state has another shape, or the allocator refuses memory; then nothing has
    /// changed.
    #[track_caller]
    pub fn set_state(&mut self, state: Option<&L::State>) -> Result<()> {
        self.cells = stepped(|| {
            let initial = self.layers.zero_state(self.batch);
            let state = match state {
                None => initial,
                Some(state) => {
                    check_state("Stepper", state, &initial)?;
                    state.detach()
                }
            };
            Ok(self.layers.unstack(&state))
        })?;
        Ok(())
    }

    /// Brings those samples for which `ends` (N) says so to the layers' initial state: their series has
    /// ended.
    ///
    /// # Errors
    /// If there is not one truth value for each sample, or the allocator refuses memory; then nothing has
    /// changed.
    #[track_caller]
    pub fn reset(&mut self, ends: &Tensor<bool>) -> Result<()> {
        if ends.shape() != [self.batch] {
            let expected = format!("one truth value for each of {} samples", self.batch);
            return Err(Error::shape("Stepper", expected, format!("shape {:?}", ends.shape())));
        }
        self.cells = stepped(|| {
            let state = self.layers.restack(&self.cells);
            Ok(self.layers.unstack(&reset(&self.layers, &state, &ends.to_vec())))
        })?;
        Ok(())
    }
}

/// Runs what a stepper computes, which nothing is recorded of.
#[track_caller]
fn stepped<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    let _unrecorded = unrecorded();
    answered("Stepper", work)
}
