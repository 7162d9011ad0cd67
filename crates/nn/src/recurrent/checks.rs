//! What recurrent layers refuse before they begin.

use wengert_core::{Error, Result, Variable};

use super::layers::Layers;
use crate::context;

/// The axis of time in an input.
pub(super) fn time_axis<L: Layers>(layers: &L, input: &Variable<L::Element>) -> usize {
    usize::from(input.rank() == 3 && layers.is_batch_first())
}

pub(super) fn check_input<L: Layers>(layers: &L, input: &Variable<L::Element>) -> Result<()> {
    let (name, shape) = (layers.name(), input.shape());
    if !matches!(shape.len(), 2 | 3) {
        let got = format!("{} in shape {shape:?}", shape.len());
        return Err(Error::shape(name, "an input of 2 or 3 axes", got));
    }
    check_width(layers, shape)?;
    if shape[time_axis(layers, input)] == 0 {
        return Err(Error::shape(name, "a sequence of at least one step", format!("shape {shape:?}")));
    }
    Ok(())
}

/// The context has the time and the samples of the input.
pub(super) fn check_context<L: Layers>(
    layers: &L,
    context: &L::Context,
    input: &Variable<L::Element>,
) -> Result<()> {
    let steps = &input.shape()[..input.rank() - 1];
    let samples = if input.rank() == 3 { &[steps[1 - time_axis(layers, input)]][..] } else { &[] };
    context::check(layers.name(), context, steps, samples)
}

pub(super) fn check_width<L: Layers>(layers: &L, shape: &[usize]) -> Result<()> {
    let (width, got) = (layers.input_size(), shape.last().copied().unwrap_or(0));
    if got != width {
        let got = format!("{got} in shape {shape:?}");
        return Err(Error::shape(layers.name(), format!("an input of width {width}"), got));
    }
    Ok(())
}

/// Only one direction can be taken step by step.
pub(super) fn check_one_direction<L: Layers>(operation: &'static str, layers: &L) -> Result<()> {
    if !layers.is_bidirectional() {
        return Ok(());
    }
    let expected = "of one direction, since the other begins at the end of the sequence";
    Err(Error::argument(operation, "the layer", expected, "a bidirectional one"))
}
