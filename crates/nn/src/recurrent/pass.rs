//! A sequence's way through the layers and directions of a runner.

use wengert_core::__private::{enter, vec_of};
use wengert_core::{Parameter, Result, Variable, cat};

use super::again::with_parameters;
use super::layers::{KeepStates, Layers, Swept};
use super::options::{Merge, Options};
use super::runner::{Recurrent, suffix};
use super::sweep::{Rules, Sweep, hidden_masks, mask};
use crate::cell::{check_projected, check_step, check_zero_state};
use crate::cell_with::CellWith;
use crate::repr::layer_name;
use crate::state::State;

impl<C: CellWith> Layers for Recurrent<C> {
    type State = C::State;
    type Cells = Vec<C::State>;
    type Context = C::Context;

    fn name(&self) -> &'static str {
        layer_name::<C>()
    }

    fn input_size(&self) -> usize {
        self.cells[0].input_size()
    }

    fn output_size(&self) -> usize {
        // A factory's layers may differ; the last one's is what comes out.
        self.options.width(self.cells.last().map_or(0, CellWith::output_size))
    }

    fn is_batch_first(&self) -> bool {
        self.options.batch_first
    }

    fn is_bidirectional(&self) -> bool {
        self.options.bidirectional
    }

    #[track_caller]
    fn zero_state(&self, batch: usize) -> C::State {
        self.restack(&self.start(batch))
    }

    #[track_caller]
    fn sweep(
        &self,
        rows: &Variable<C::Element>,
        context: &C::Context,
        sizes: &[usize],
        state: Option<&C::State>,
        keep: KeepStates,
    ) -> Result<Swept<C::State>> {
        let first = match state {
            Some(state) => self.unstack(state),
            None => {
                let batch = sizes.first().copied().unwrap_or(0);
                let start = self.start(batch);
                start.iter().try_for_each(|state| check_zero_state::<C>(state, batch))?;
                start
            }
        };
        let mut input = rows.clone();
        let (mut last, mut all) = (Vec::with_capacity(self.cells.len()), Vec::new());
        for (layer, cells) in self.cells.chunks(self.options.directions()).enumerate() {
            if layer > 0 && self.training {
                input = input.dropout(self.options.dropout)?;
            }
            let seen = self.with_one_mask(&input, sizes);
            let mut outputs = Vec::with_capacity(cells.len());
            for (direction, cell) in cells.iter().enumerate() {
                let (state, reverse) = (&first[last.len()], direction == 1);
                let _scope = enter(&suffix(layer, direction)[1..]);
                let how = Sweeping { sizes, reverse, keep_states: keep == KeepStates::Every };
                let swept = self.sweep_cell(cell, &seen, context, state, how)?;
                outputs.push(swept.output);
                last.push(swept.state);
                all.extend(swept.states);
            }
            let output = match (outputs.as_slice(), self.options.merge) {
                ([only], _) => only.clone(),
                ([forth, back], Merge::Concat) => cat(&[forth, back], -1),
                (outputs, _) => outputs[1..].iter().fold(outputs[0].clone(), |sum, output| sum + output),
            };
            input = self.with_residual(output, &input);
        }
        let states = (keep == KeepStates::Every).then(|| self.restack(&all));
        Ok(Swept { output: input, state: self.restack(&last), states })
    }

    #[track_caller]
    fn unstack(&self, state: &C::State) -> Vec<C::State> {
        (0..self.cells.len()).map(|index| state.select(0, index)).collect()
    }

    #[track_caller]
    fn restack(&self, cells: &Vec<C::State>) -> C::State {
        C::State::stack(&cells.iter().collect::<Vec<_>>(), 0)
    }

    #[track_caller]
    fn step(
        &self,
        input: &Variable<C::Element>,
        context: &C::Context,
        cells: &mut Vec<C::State>,
    ) -> Variable<C::Element> {
        let mut input = input.clone();
        for (cell, state) in self.cells.iter().zip(cells) {
            let (output, next) = self.of_single_steps().step(cell, &cell.project(&input), context, state);
            *state = next;
            input = self.with_residual(output, &input);
        }
        input
    }

    #[track_caller]
    fn first_step(
        &self,
        input: &Variable<C::Element>,
        context: &C::Context,
        cells: &mut Vec<C::State>,
    ) -> Result<Variable<C::Element>> {
        let (rows, mut input) = (input.shape()[0], input.clone());
        for (cell, state) in self.cells.iter().zip(cells) {
            check_zero_state::<C>(state, rows)?;
            let projected = cell.project(&input);
            check_projected::<C>(&projected, rows)?;
            let (output, next) = self.of_single_steps().step(cell, &projected, context, state);
            check_step(cell, rows, state, &output, &next)?;
            *state = next;
            input = self.with_residual(output, &input);
        }
        Ok(input)
    }
}

/// How a cell goes over steps.
#[derive(Clone, Copy)]
struct Sweeping<'s> {
    sizes: &'s [usize],
    reverse: bool,
    keep_states: bool,
}

impl<C: CellWith> Recurrent<C> {
    /// The rules of single steps.
    fn of_single_steps(&self) -> Rules<C::Element> {
        Rules { training: false, zoneout: self.options.zoneout, masks: Vec::new() }
    }

    /// Each cell's state before the first step.
    #[track_caller]
    pub(super) fn start(&self, batch: usize) -> Vec<C::State> {
        let mut states = Vec::with_capacity(self.cells.len());
        for cell in &self.cells {
            states.push(cell.zero_state(batch));
        }
        states
    }

    /// One cell over all steps.
    #[track_caller]
    fn sweep_cell(
        &self,
        cell: &C,
        rows: &Variable<C::Element>,
        context: &C::Context,
        state: &C::State,
        Sweeping { sizes, reverse, keep_states }: Sweeping<'_>,
    ) -> Result<Swept<C::State>> {
        // Of nothing but padding there is one step, of no rows: so what comes out depends on all that it
        // would depend on.
        let sizes = if sizes.is_empty() { &[0] } else { sizes };
        let Options { state_dropout, zoneout, .. } = self.options;
        let masked = self.training && state_dropout > 0.0;
        let masks = if masked { hidden_masks(cell, state, state_dropout) } else { Vec::new() };
        let rules = Rules { training: self.training, zoneout, masks };
        let dropped;
        let cell = if self.training && self.options.weight_dropout > 0.0 {
            dropped = self.with_dropped_weights(cell);
            &dropped
        } else {
            cell
        };
        let sweep = Sweep { cell, rules: &rules, sizes, reverse, keep_states };
        match self.options.checkpointing.filter(|_| wengert_core::is_recording()) {
            None => sweep.run(rows, context, state),
            Some(how) => sweep.run_again(rows, context, state, how),
        }
    }

    #[track_caller]
    fn with_residual(
        &self,
        output: Variable<C::Element>,
        input: &Variable<C::Element>,
    ) -> Variable<C::Element> {
        let adds = self.options.residual && output.shape() == input.shape();
        if adds { output + input } else { output }
    }

    /// Variational dropout on a layer's input.
    #[track_caller]
    fn with_one_mask(&self, input: &Variable<C::Element>, sizes: &[usize]) -> Variable<C::Element> {
        let p = self.options.input_dropout;
        let Some(&samples) = sizes.first().filter(|_| self.training && p > 0.0) else { return input.clone() };
        let mut of_row = vec_of(sizes.iter().sum());
        of_row.extend(sizes.iter().flat_map(|&rows| 0..rows as i64));
        let mask = mask(&[samples, input.shape()[1]], p);
        input * mask.index_select(0, &of_row.into())
    }

    #[track_caller]
    fn with_dropped_weights(&self, cell: &C) -> C {
        let drop = |(name, parameter): (String, Parameter<C::Element>)| {
            let dropped = self.options.dropped_weights.contains(&name);
            let p = if dropped { self.options.weight_dropout } else { 0.0 };
            parameter.dropout(p).expect("a probability")
        };
        let values: Vec<_> = cell.named_parameters().into_iter().map(drop).collect();
        with_parameters(cell, &values)
    }
}
