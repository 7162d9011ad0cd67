//! Sweeps that keep the state now and then and compute the rest again on the way back.

use wengert_core::{Parameter, Tape, Variable, cat, checkpoint, with_recording};

use super::options::Checkpointing;
use super::sweep::{Rules, Swept, sweep};
use crate::cell::Cell;
use crate::module::VisitorMut;
use crate::state::State;

/// [`sweep`], with a checkpoint of each part of it.
#[track_caller]
pub(super) fn sweep_again<C: Cell>(
    cell: &C,
    rules: &Rules<C::Element>,
    data: &Variable<C::Element>,
    sizes: &[usize],
    state: &C::State,
    reverse: bool,
    keep_states: bool,
    how: Checkpointing,
) -> Swept<C::State> {
    let steps = match how {
        Checkpointing::Every(steps) => steps,
        Checkpointing::Bytes(bytes) => {
            (bytes / bytes_of_a_step(cell, rules, data, sizes, state).max(1)).max(1)
        }
    };
    let mut segments: Vec<(usize, &[usize])> = Vec::new();
    let mut start = 0;
    for segment in sizes.chunks(steps) {
        segments.push((start, segment));
        start += segment.iter().sum::<usize>();
    }
    if reverse {
        segments.reverse();
    }
    let (mut state, mut outputs, mut states) = (state.clone(), Vec::new(), Vec::new());
    for (start, sizes) in segments {
        let rows = data.narrow(0, start as isize as usize, sizes.iter().sum());
        let swept = segment(cell, rules, &rows, sizes, &state, reverse, keep_states);
        state = swept.state;
        outputs.push(swept.output);
        states.extend(swept.states);
    }
    if reverse {
        outputs.reverse();
        states.reverse();
    }
    let states =
        (keep_states && !states.is_empty()).then(|| C::State::cat(&states.iter().collect::<Vec<_>>(), 0));
    let outputs: Vec<_> = outputs.iter().collect();
    let output = if outputs.is_empty() { data.narrow(0, 0, 0) } else { cat(&outputs, 0) };
    Swept { output, state, states }
}

/// A sweep as one operation on data, state and parameters.
#[track_caller]
fn segment<C: Cell>(
    cell: &C,
    rules: &Rules<C::Element>,
    data: &Variable<C::Element>,
    sizes: &[usize],
    state: &C::State,
    reverse: bool,
    keep_states: bool,
) -> Swept<C::State> {
    let parameters: Vec<Parameter<C::Element>> =
        cell.named_parameters().into_iter().map(|(_, parameter)| parameter).collect();
    let parts = state.parts();
    let inputs = std::iter::once(data).chain(&parts).chain(parameters.iter().map(|parameter| &**parameter));
    let inputs: Vec<&Variable<C::Element>> = inputs.collect();
    // What the operation holds must not hold the parameters: their recorded gradients may hold the operation.
    let values: Vec<_> = parameters.iter().map(|parameter| parameter.detach()).collect();
    let (pattern, like) = (with_parameters(cell, &values), state.detach());
    let (rules, sizes, count) = (rules.clone(), sizes.to_vec(), parts.len());
    let run = move |x: &[Variable<C::Element>]| {
        let cell = with_parameters(&pattern, &x[1 + count..]);
        let state = filled(&like, &x[1..1 + count]);
        let swept = sweep(&cell, &rules, &x[0], &sizes, &state, reverse, keep_states);
        let states = swept.states.iter().flat_map(State::parts);
        std::iter::once(swept.output).chain(swept.state.parts()).chain(states).collect()
    };
    let found = checkpoint(run, &inputs);
    Swept {
        output: found[0].clone(),
        state: filled(state, &found[1..1 + count]),
        states: keep_states.then(|| filled(state, &found[1 + count..])),
    }
}

/// The cell with other values in the place of its parameters, in the order of its walk.
pub(super) fn with_parameters<C: Cell>(cell: &C, values: &[Variable<C::Element>]) -> C {
    let (mut cell, mut values) = (cell.clone(), values.iter());
    let mut replace = |parameter: &mut Parameter<C::Element>| {
        *parameter = Parameter::computed(values.next().expect("one for each parameter").clone());
    };
    cell.visit_mut(&mut VisitorMut::new(&mut replace, None));
    cell
}

/// A state of these variables.
fn filled<S: State>(like: &S, parts: &[Variable<S::Element>]) -> S {
    let mut parts = parts.iter();
    like.map(|_| parts.next().expect("one for each part").clone())
}

/// What the first step records, in bytes.
fn bytes_of_a_step<C: Cell>(
    cell: &C,
    rules: &Rules<C::Element>,
    data: &Variable<C::Element>,
    sizes: &[usize],
    state: &C::State,
) -> usize {
    let Some(&rows) = sizes.first() else { return 0 };
    let generator = wengert_core::generator_state();
    let one = data.narrow(0, 0, rows).detach().requires_grad_(true);
    let swept = with_recording(true, || sweep(cell, rules, &one, &[rows], &state.detach(), false, false));
    wengert_core::set_generator_state(&generator);
    let tape = Tape::of(&swept.output);
    let recorded = tape.entries().iter().filter(|entry| entry.location.is_some());
    let elements: usize =
        recorded.flat_map(|entry| &entry.shapes).map(|shape| shape.iter().product::<usize>()).sum();
    elements * size_of::<C::Element>()
}
