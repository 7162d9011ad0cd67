//! Sweeps that keep the state now and then and compute the rest again on the way back.

use wengert_core::{Parameter, Result, Tape, Variable, checkpoint, enable_grad};

use super::layers::Swept;
use super::options::Checkpointing;
use super::sweep::Sweep;
use crate::cell_with::CellWith;
use crate::context::{self, Context};
use crate::module::VisitorMut;
use crate::state::{State, filled};

impl<C: CellWith> Sweep<'_, C> {
    /// [`Sweep::run`], with a checkpoint of each part of it.
    ///
    /// # Errors
    /// If the first step does not give what the cell promises.
    ///
    /// # Panics
    /// If a later one does not.
    #[track_caller]
    pub fn run_again(
        &self,
        data: &Variable<C::Element>,
        context: &C::Context,
        state: &C::State,
        how: Checkpointing,
    ) -> Result<Swept<C::State>> {
        // Asked for either way: the first step is held to what the cell promises before any is kept.
        let bytes_of_a_step = self.bytes_of_a_step(data, context, state)?;
        let steps = match how {
            Checkpointing::Every(steps) => steps,
            Checkpointing::Bytes(bytes) => (bytes / bytes_of_a_step.max(1)).max(1),
        };
        let mut start = 0;
        let mut segments: Vec<(_, C::Context, &[usize])> = Vec::new();
        for sizes in self.sizes.chunks(steps) {
            let rows = sizes.iter().sum();
            let segment = |part: &Variable<C::Element>| part.narrow(0, start, rows);
            segments.push((segment(data), context::in_time(context, segment), sizes));
            start += rows;
        }
        if self.reverse {
            segments.reverse();
        }
        let (mut state, mut outputs, mut states) = (state.clone(), Vec::new(), Vec::new());
        for (rows, context, sizes) in segments {
            let swept = Sweep { sizes, ..*self }.recomputed(&rows, &context, &state);
            state = swept.state;
            outputs.push(swept.output);
            states.extend(swept.states);
        }
        Ok(self.swept(outputs, state, states))
    }

    /// [`Sweep::run`] as one operation on data, state and parameters.
    #[track_caller]
    fn recomputed(
        &self,
        data: &Variable<C::Element>,
        context: &C::Context,
        state: &C::State,
    ) -> Swept<C::State> {
        let parameters: Vec<Parameter<C::Element>> =
            self.cell.named_parameters().into_iter().map(|(_, parameter)| parameter).collect();
        let (beside, parts) = (context::parts(context), state.variables());
        let given = std::iter::once(data).chain(&beside).chain(&parts);
        let inputs = given.chain(parameters.iter().map(|parameter| &**parameter));
        let inputs: Vec<&Variable<C::Element>> = inputs.collect();
        // What the operation holds must not hold the parameters: their recorded gradients may hold the
        // operation.
        let values: Vec<_> = parameters.iter().map(|parameter| parameter.detach()).collect();
        let pattern = with_parameters(self.cell, &values);
        let (like, context) = (state.detach(), context.map(&mut |_, part| part.detach()));
        let (rules, sizes) = (self.rules.clone(), self.sizes.to_vec());
        let (beside, count) = (beside.len(), parts.len());
        let (reverse, keep_states) = (self.reverse, self.keep_states);
        let run = move |x: &[Variable<C::Element>]| {
            let data = &x[0];
            let (beside, x) = x[1..].split_at(beside);
            let (parts, parameters) = x.split_at(count);
            let cell = with_parameters(&pattern, parameters);
            let sweep = Sweep { cell: &cell, rules: &rules, sizes: &sizes, reverse, keep_states };
            let swept = sweep.run(data, &context::filled(&context, beside), &filled(&like, parts));
            // The first step was looked at before; a later one has nobody to give an error to.
            let swept = swept.unwrap_or_else(|error| panic!("{error}"));
            let states = swept.states.iter().flat_map(State::variables);
            std::iter::once(swept.output).chain(swept.state.variables()).chain(states).collect()
        };
        let found = checkpoint(run, &inputs);
        Swept {
            output: found[0].clone(),
            state: filled(state, &found[1..1 + count]),
            states: keep_states.then(|| filled(state, &found[1 + count..])),
        }
    }

    /// What the first step records, in bytes.
    ///
    /// # Errors
    /// If it does not give what the cell promises.
    fn bytes_of_a_step(
        &self,
        data: &Variable<C::Element>,
        context: &C::Context,
        state: &C::State,
    ) -> Result<usize> {
        let Some(&rows) = self.sizes.first() else { return Ok(0) };
        let generator = wengert_core::generator_state();
        let one = data.narrow(0, 0, rows).detach().requires_grad_(true);
        let context = context::in_time(context, |part| part.narrow(0, 0, rows).detach());
        let first = Sweep { sizes: &[rows], reverse: false, keep_states: false, ..*self };
        let swept = enable_grad(|| first.run(&one, &context, &state.detach()));
        wengert_core::set_generator_state(&generator);
        let swept = swept?;
        let tape = Tape::of(&swept.output);
        let recorded = tape.entries().iter().filter(|entry| entry.location.is_some());
        let elements: usize = recorded
            .flat_map(|entry| &entry.outputs)
            .map(|output| output.shape.iter().product::<usize>())
            .sum();
        Ok(elements * size_of::<C::Element>())
    }
}

/// The cell with other values in the place of its parameters, in the order of its walk.
pub(super) fn with_parameters<C: CellWith>(cell: &C, values: &[Variable<C::Element>]) -> C {
    let (mut cell, mut values) = (cell.clone(), values.iter());
    let mut replace = |parameter: &mut Parameter<C::Element>| {
        *parameter = Parameter::computed(values.next().expect("one for each parameter").clone());
    };
    cell.visit_mut(&mut VisitorMut::new(&mut replace, None));
    cell
}
