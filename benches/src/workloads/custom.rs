//! Cells of one's own: 64 steps of 32 samples, from a width of 128 to 256 units.

use wengert::prelude::*;

use super::{Workload, layers};
use crate::cells::{LayerNormLstm, MinimalGated};

const INPUT: [usize; 3] = [64, 32, 128];
const HIDDEN: usize = 256;

/// Minimal gated units in the runner, and the same in a bare loop.
pub fn minimal_gated(name: &'static str) -> Result<Vec<Workload>> {
    let runner = Recurrent::of(INPUT[2], |input| MinimalGated::new(input, HIDDEN)).build()?;
    let cell = runner.cell(0, 0).clone();
    let mut workloads = Vec::from(layers::passes(name, runner, INPUT));
    workloads.push(bare_loop(name, cell));
    Ok(workloads)
}

/// An LSTM with layer normalisation in the runner.
pub fn layer_norm_lstm(name: &'static str) -> Result<Vec<Workload>> {
    let runner = Recurrent::of(INPUT[2], |input| LayerNormLstm::new(input, HIDDEN)).build()?;
    Ok(layers::passes(name, runner, INPUT).into())
}

/// A cell step by step, as one writes it without a runner.
fn bare_loop(name: &'static str, cell: MinimalGated) -> Workload {
    let x = Variable::new(Tensor::randn(INPUT));
    let pass = move || {
        let mut h = cell.zero_state(INPUT[1]);
        let mut outputs = Vec::new();
        for x in cell.project(&x).unbind(0) {
            let (output, next) = cell.step(&x, &h);
            outputs.push(output);
            h = next;
        }
        let outputs: Vec<&Variable> = outputs.iter().collect();
        stack(&outputs, 0).square().mean().backward().expect("a scalar with history");
        cell.zero_grad();
    };
    Workload::new(name, "loop", pass)
}
