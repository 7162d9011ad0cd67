//! The runner: a cell over time, in layers and directions.

use std::fmt;

use wengert_core::{Error, Float, Parameter, Result, Variable, cat, scope};

use super::again::with_parameters;
use super::builder::{CellFactory, RecurrentBuilder, static_name};
use super::options::{Checkpointing, Merge, Options};
use super::sweep::{Rules, Sweep, Swept, hidden_masks, mask};
use crate::cell::{Cell, check_state};
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::state::State;

/// A recurrent layer over any [`Cell`]: layers, directions, dropout of every kind, packed and masked sequences.
///
/// With L steps, N samples, D directions and output width H:
/// - input (L, N, in), or (N, L, in) if `batch_first`, or (L, in) unbatched;
/// - state: each variable (layers D, N, ..), the state of layer l and direction d at l D + d, or (layers D, ..) unbatched;
/// - output (L, N, D H), in the input's layout; (L, N, H) where the directions are added.
#[derive(Clone)]
pub struct Recurrent<C> {
    /// The cell of layer l and direction d at l D + d.
    pub(super) cells: Vec<C>,
    pub(super) options: Options,
    training: bool,
}

/// Outputs, last state, and each layer's and direction's states after every step.
pub type AllStates<C> = (Variable<<C as Module>::Element>, <C as Cell>::State, Vec<<C as Cell>::State>);

/// What a run over all layers gives.
pub(super) struct Run<S: State> {
    /// The last layer's outputs, row by row.
    pub output: Variable<S::Element>,
    /// Each cell's last state.
    pub last: Vec<S>,
    /// Each cell's state after every step, row by row, where it was asked for.
    pub states: Vec<S>,
}

impl<C: Cell> Recurrent<C> {
    /// A layer over cells that `factory` makes, given each one's input width.
    ///
    /// See [`Cell`] for an example.
    pub fn of<F: CellFactory<Cell = C>>(input_size: usize, factory: F) -> RecurrentBuilder<F> {
        RecurrentBuilder::new(input_size, factory)
    }

    pub(super) fn from_cells(cells: Vec<C>, options: Options) -> Result<Self> {
        let layer = Recurrent { cells, options, training: true };
        layer.check_weights()?;
        Ok(layer)
    }

    /// Dropped weights must exist.
    fn check_weights(&self) -> Result<()> {
        let cell = &self.cells[0];
        let names: Vec<String> = cell.named_parameters().into_iter().map(|(name, _)| name).collect();
        match self.options.dropped_weights.iter().find(|name| !names.contains(name)) {
            None => Ok(()),
            Some(unknown) => {
                let expected = format!("among {}", names.join(", "));
                Err(Error::argument(static_name(cell), "weight_dropout", expected, unknown))
            }
        }
    }

    /// How many layers stand on each other.
    pub fn num_layers(&self) -> usize {
        self.options.num_layers
    }

    /// Whether a second cell per layer runs backward in time.
    pub fn is_bidirectional(&self) -> bool {
        self.options.bidirectional
    }

    /// Whether inputs and outputs are (N, L, ..) instead of (L, N, ..).
    pub fn is_batch_first(&self) -> bool {
        self.options.batch_first
    }

    /// The width of an output: that of a cell, times the directions if they are not added.
    pub fn output_size(&self) -> usize {
        self.options.width(self.cells[0].output_size())
    }

    /// The cell of a layer and direction (0 forward, 1 reverse).
    pub fn cell(&self, layer: usize, direction: usize) -> &C {
        &self.cells[layer * self.options.directions() + direction]
    }

    /// Changes the probability of dropout between layers.
    ///
    /// # Errors
    /// If it is not in [0, 1].
    pub fn set_dropout(&mut self, p: f64) -> Result<()> {
        self.change(|options| options.dropout = p)
    }

    /// What is kept for the way back: everything (none), the state after every so many steps, or as much as keeps within so many bytes
    /// while it is computed again. Gradients are the same, to every order, dropout included; it costs one more
    /// forward.
    ///
    /// # Errors
    /// If every 0 steps are asked for.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::{Checkpointing, Gru};
    /// let mut gru = Gru::new(4, 8)?;
    /// gru.set_checkpointing(Some(Checkpointing::Every(10)))?;
    /// let (out, _) = gru.forward(&Variable::new(Tensor::randn([100, 2, 4])), None)?;
    /// out.square().mean().backward()?;
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn set_checkpointing(&mut self, how: Option<Checkpointing>) -> Result<()> {
        self.change(|options| options.checkpointing = how)
    }

    fn change(&mut self, change: impl FnOnce(&mut Options)) -> Result<()> {
        let mut options = self.options.clone();
        change(&mut options);
        options.check(self.name())?;
        self.options = options;
        Ok(())
    }

    pub(super) fn name(&self) -> &'static str {
        static_name(&self.cells[0])
    }

    /// The state before the first step of `batch` samples: (layers D, batch, ..).
    #[track_caller]
    pub fn zero_state(&self, batch: usize) -> C::State {
        let states = self.start(batch);
        C::State::stack(&states.iter().collect::<Vec<_>>(), 0)
    }

    /// Each cell's state before the first step.
    #[track_caller]
    fn start(&self, batch: usize) -> Vec<C::State> {
        self.cells.iter().map(|cell| cell.zero_state(batch)).collect()
    }

    /// Runs a sequence from a state, from zeros if none is given; gives all outputs and the last state. The reverse
    /// direction's last state is the one after the first element.
    ///
    /// # Errors
    /// If the input's or the state's shape does not fit, or the sequence is empty.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::Gru;
    /// let gru = Gru::new(10, 20)?;
    /// let (out, h) = gru.forward(&Variable::new(Tensor::randn([3, 32, 10])), None)?;
    /// assert_eq!((out.shape(), h.shape()), (&[3, 32, 20][..], &[1, 32, 20][..]));
    /// let error = gru.forward(&Variable::new(Tensor::randn([3, 32, 7])), None).unwrap_err();
    /// assert_eq!(error.to_string(), "GRU: expected an input of width 10, got 7 in shape [3, 32, 7]");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn forward(
        &self,
        input: &Variable<C::Element>,
        state: Option<&C::State>,
    ) -> Result<(Variable<C::Element>, C::State)> {
        let (output, state, _) = self.forward_padded(input, state, false)?;
        Ok((output, state))
    }

    /// [`Recurrent::forward`], and the state after every step: for layer l and direction d at l D + d, each variable as the
    /// output is, (L, N, ..), (N, L, ..) or (L, ..).
    ///
    /// # Errors
    /// As there.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::Lstm;
    /// let lstm = Lstm::builder(10, 20).num_layers(2).build()?;
    /// let (_, _, states) = lstm.forward_states(&Variable::new(Tensor::randn([7, 3, 10])), None)?;
    /// let (h, c) = &states[1];
    /// assert_eq!((h.shape(), c.shape()), (&[7, 3, 20][..], &[7, 3, 20][..]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn forward_states(
        &self,
        input: &Variable<C::Element>,
        state: Option<&C::State>,
    ) -> Result<AllStates<C>> {
        self.forward_padded(input, state, true)
    }

    #[track_caller]
    fn forward_padded(
        &self,
        input: &Variable<C::Element>,
        state: Option<&C::State>,
        keep_states: bool,
    ) -> Result<AllStates<C>> {
        self.check_input(input)?;
        let (input, batched) = self.time_first(input);
        let (steps, batch) = (input.shape()[0], if batched { input.shape()[1] } else { 1 });
        let state = self.initial_states(state, batch, batched)?;
        let rows = input.reshape([steps * batch, input.shape()[input.rank() - 1]]);
        let run = self.run(&rows, &vec![batch; steps], &state, keep_states)?;
        let unrowed = |rows: &Variable<C::Element>| self.unrowed(rows, steps, batched);
        let states = run.states.iter().map(|states| states.map(unrowed)).collect();
        Ok((unrowed(&run.output), self.stacked(&run.last, batched), states))
    }

    /// An input as (L, N, in) or (L, in), and whether it is a batch.
    #[track_caller]
    pub(super) fn time_first(&self, input: &Variable<C::Element>) -> (Variable<C::Element>, bool) {
        match input.rank() == 3 {
            true if self.options.batch_first => (input.transpose(0, 1), true),
            batched => (input.clone(), batched),
        }
    }

    /// Rows in the layout of the input.
    #[track_caller]
    pub(super) fn unrowed(
        &self,
        rows: &Variable<C::Element>,
        steps: usize,
        batched: bool,
    ) -> Variable<C::Element> {
        if !batched {
            return rows.clone();
        }
        let batch = rows.shape()[0] / steps;
        let whole = rows.reshape([&[steps, batch], &rows.shape()[1..]].concat());
        if self.options.batch_first { whole.transpose(0, 1) } else { whole }
    }

    /// All cells' states as one.
    #[track_caller]
    pub(super) fn stacked(&self, states: &[C::State], batched: bool) -> C::State {
        let state = C::State::stack(&states.iter().collect::<Vec<_>>(), 0);
        if batched { state } else { state.map(|part| part.squeeze(1)) }
    }

    pub(super) fn check_input(&self, input: &Variable<C::Element>) -> Result<()> {
        let (name, shape) = (self.name(), input.shape());
        if !matches!(shape.len(), 2 | 3) {
            let got = format!("{} in shape {shape:?}", shape.len());
            return Err(Error::shape(name, "an input of 2 or 3 axes", got));
        }
        self.check_width(shape)?;
        let time = if shape.len() == 3 && self.options.batch_first { 1 } else { 0 };
        if shape[time] == 0 {
            return Err(Error::shape(name, "a sequence of at least one step", format!("shape {shape:?}")));
        }
        Ok(())
    }

    pub(super) fn check_width(&self, shape: &[usize]) -> Result<()> {
        let (width, got) = (self.cells[0].input_size(), shape.last().copied().unwrap_or(0));
        if got != width {
            let got = format!("{got} in shape {shape:?}");
            return Err(Error::shape(self.name(), format!("an input of width {width}"), got));
        }
        Ok(())
    }

    /// A state for each layer and direction, taken from the given one.
    #[track_caller]
    pub(super) fn initial_states(
        &self,
        state: Option<&C::State>,
        batch: usize,
        batched: bool,
    ) -> Result<Vec<C::State>> {
        let Some(state) = state else { return Ok(self.start(batch)) };
        let zero = self.zero_state(batch);
        let expected = if batched { zero } else { zero.map(|part| part.squeeze(1)) };
        check_state(self.name(), state, &expected)?;
        let at = |index: usize| {
            let state = state.select(0, index);
            if batched { state } else { state.map(|part| part.unsqueeze(0)) }
        };
        Ok((0..self.cells.len()).map(at).collect())
    }

    /// All layers over rows of which step t has `sizes[t]`.
    #[track_caller]
    pub(super) fn run(
        &self,
        rows: &Variable<C::Element>,
        sizes: &[usize],
        states: &[C::State],
        keep_states: bool,
    ) -> Result<Run<C::State>> {
        let mut input = rows.clone();
        let (mut last, mut all) = (Vec::with_capacity(self.cells.len()), Vec::new());
        for (layer, cells) in self.cells.chunks(self.options.directions()).enumerate() {
            if layer > 0 && self.training {
                input = input.dropout(self.options.dropout)?;
            }
            let seen = self.with_one_mask(&input, sizes);
            let mut outputs = Vec::with_capacity(cells.len());
            for (direction, cell) in cells.iter().enumerate() {
                let state = &states[last.len()];
                let name = suffix(layer, direction);
                let swept =
                    scope(&name[1..], || self.sweep(cell, &seen, sizes, state, direction == 1, keep_states));
                outputs.push(swept.output);
                last.push(swept.state);
                all.extend(swept.states);
            }
            let output = match (outputs.as_slice(), self.options.merge) {
                ([only], _) => only.clone(),
                ([forth, back], Merge::Concat) => cat(&[forth, back], -1),
                (outputs, _) => outputs[1..].iter().fold(outputs[0].clone(), |sum, output| sum + output),
            };
            let adds = self.options.residual && output.shape() == input.shape();
            input = if adds { output + input } else { output };
        }
        Ok(Run { output: input, last, states: all })
    }

    #[track_caller]
    fn sweep(
        &self,
        cell: &C,
        rows: &Variable<C::Element>,
        sizes: &[usize],
        state: &C::State,
        reverse: bool,
        keep_states: bool,
    ) -> Swept<C::State> {
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
            None => sweep.run(rows, state),
            Some(how) => sweep.run_again(rows, state, how),
        }
    }

    /// Variational dropout on a layer's input.
    #[track_caller]
    fn with_one_mask(&self, input: &Variable<C::Element>, sizes: &[usize]) -> Variable<C::Element> {
        let p = self.options.input_dropout;
        let Some(&samples) = sizes.first().filter(|_| self.training && p > 0.0) else { return input.clone() };
        let of_row: Vec<i64> = sizes.iter().flat_map(|&rows| 0..rows as i64).collect();
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

    /// Changes the rows of one gate of the parameter of this name, in all layers and directions: a forget gate's bias of
    /// 1 is `set_gate("bias_ih", "forget", |rows| rows.fill(1.0))`.
    ///
    /// # Errors
    /// If the cell has no such gate or parameter, or a recorded operation still needs the value.
    ///
    /// ```
    /// use wengert_nn::{Lstm, Module};
    /// let lstm = Lstm::new(3, 2)?;
    /// lstm.set_gate("bias_ih", "forget", |rows| rows.fill(1.0))?;
    /// assert_eq!(lstm.parameter("bias_ih_l0")?.to_vec()[2..4], [1.0, 1.0]);
    /// let error = lstm.set_gate("bias_ih", "reset", |_| {}).unwrap_err();
    /// assert_eq!(error.to_string(), "LSTM: gate must be one of input, forget, cell, output, got reset");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn set_gate(
        &self,
        parameter: &str,
        gate: &str,
        mut change: impl FnMut(&mut [C::Element]),
    ) -> Result<()> {
        let gates = self.cells[0].gates();
        let Some(place) = gates.iter().position(|known| *known == gate) else {
            return Err(Error::argument(self.name(), "gate", format!("one of {}", gates.join(", ")), gate));
        };
        for cell in &self.cells {
            let parameter = cell.parameter(parameter)?;
            let rows = parameter.numel() / gates.len();
            parameter.update("set_gate", |values| change(&mut values[place * rows..(place + 1) * rows]))?;
        }
        Ok(())
    }
}

/// PyTorch's name for a layer and direction: `_l0`, `_l0_reverse`.
fn suffix(layer: usize, direction: usize) -> String {
    format!("_l{layer}{}", if direction == 1 { "_reverse" } else { "" })
}

impl<C: Cell> Module for Recurrent<C> {
    type Element = C::Element;

    fn visit(&self, visitor: &mut Visitor<'_, C::Element>) {
        let directions = self.options.directions();
        for (index, cell) in self.cells.iter().enumerate() {
            visitor.suffixed(&suffix(index / directions, index % directions), cell);
        }
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, C::Element>) {
        visitor.mode(&mut self.training);
        self.cells.iter_mut().for_each(|cell| cell.visit_mut(visitor));
    }
}

impl<C: Cast> Cast for Recurrent<C> {
    type To<U: Float> = Recurrent<C::To<U>>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Self::To<U> {
        Recurrent {
            cells: self.cells.cast_with(memo),
            options: self.options.clone(),
            training: self.training,
        }
    }
}

impl<C: Cell> fmt::Display for Recurrent<C> {
    /// As PyTorch prints it: `LSTM(50, 100, num_layers=2)`; what is the default is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = &self.cells[0];
        // The cell's own arguments: widths and projection stand before the runner's, its bias between them.
        let repr = cell.extra_repr();
        let (own, bias) = match repr.split_once(", bias=") {
            Some((own, bias)) => (own.to_string(), format!(", bias={bias}")),
            None => (repr, String::new()),
        };
        write!(f, "{}({own}{})", cell.layer_name(), self.options.repr(&bias))
    }
}
