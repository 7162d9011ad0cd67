//! The runner: a cell over time, in layers and directions.

use std::fmt;

use wengert_core::{Error, Result, Variable, cat, scope, stack};

use super::builder::{CellFactory, RecurrentBuilder, static_name};
use crate::cell::{Cell, check_state};
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::state::State;

/// A recurrent layer over any [`Cell`]: layers, directions, dropout between layers.
///
/// With L steps, N samples, D directions and output width H:
/// - input (L, N, in), or (N, L, in) if `batch_first`, or (L, in) unbatched;
/// - state: each variable (layers D, N, ..), the state of layer l and direction d at l D + d, or (layers D, ..) unbatched;
/// - output (L, N, D H), in the input's layout.
#[derive(Clone)]
pub struct Recurrent<C> {
    /// The cell of layer l and direction d at l D + d.
    cells: Vec<C>,
    directions: usize,
    batch_first: bool,
    dropout: f64,
    training: bool,
}

impl<C: Cell> Recurrent<C> {
    /// A layer over cells that `factory` makes, given each one's input width.
    ///
    /// See [`Cell`] for an example.
    pub fn of<F: CellFactory<Cell = C>>(input_size: usize, factory: F) -> RecurrentBuilder<F> {
        RecurrentBuilder::new(input_size, factory)
    }

    pub(super) fn from_cells(cells: Vec<C>, directions: usize, batch_first: bool, dropout: f64) -> Self {
        Recurrent { cells, directions, batch_first, dropout, training: true }
    }

    /// How many layers stand on each other.
    pub fn num_layers(&self) -> usize {
        self.cells.len() / self.directions
    }

    /// Whether a second cell per layer runs backward in time.
    pub fn is_bidirectional(&self) -> bool {
        self.directions == 2
    }

    /// Whether inputs and outputs are (N, L, ..) instead of (L, N, ..).
    pub fn is_batch_first(&self) -> bool {
        self.batch_first
    }

    /// The width of an output: that of a cell, times the directions.
    pub fn output_size(&self) -> usize {
        self.cells[0].output_size() * self.directions
    }

    /// The cell of a layer and direction (0 forward, 1 reverse).
    pub fn cell(&self, layer: usize, direction: usize) -> &C {
        &self.cells[layer * self.directions + direction]
    }

    /// Changes the probability of dropout between layers.
    ///
    /// # Errors
    /// If it is not in [0, 1].
    pub fn set_dropout(&mut self, p: f64) -> Result<()> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::argument(static_name(&self.cells[0]), "dropout", "in [0, 1]", p));
        }
        self.dropout = p;
        Ok(())
    }

    /// The state before the first step of `batch` samples: (layers D, batch, ..).
    pub fn zero_state(&self, batch: usize) -> C::State {
        let states: Vec<C::State> = self.cells.iter().map(|cell| cell.zero_state(batch)).collect();
        C::State::stack(&states.iter().collect::<Vec<_>>(), 0)
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
        self.check_input(input)?;
        let batched = input.rank() == 3;
        let input = match (batched, self.batch_first) {
            (false, _) => input.unsqueeze(1),
            (true, true) => input.transpose(0, 1),
            (true, false) => input.clone(),
        };
        let state = self.initial_states(state, input.shape()[1], batched)?;
        let (output, state) = self.run(input, &state)?;
        Ok(match (batched, self.batch_first) {
            (false, _) => (output.squeeze(1), state.map(|part| part.squeeze(1))),
            (true, true) => (output.transpose(0, 1), state),
            (true, false) => (output, state),
        })
    }

    fn check_input(&self, input: &Variable<C::Element>) -> Result<()> {
        let (name, shape, width) = (static_name(&self.cells[0]), input.shape(), self.cells[0].input_size());
        if !matches!(shape.len(), 2 | 3) {
            return Err(Error::shape(
                name,
                "an input of 2 or 3 axes",
                format!("{} in shape {shape:?}", shape.len()),
            ));
        }
        if shape[shape.len() - 1] != width {
            let got = format!("{} in shape {shape:?}", shape[shape.len() - 1]);
            return Err(Error::shape(name, format!("an input of width {width}"), got));
        }
        let time = if shape.len() == 3 && self.batch_first { 1 } else { 0 };
        if shape[time] == 0 {
            return Err(Error::shape(name, "a sequence of at least one step", format!("shape {shape:?}")));
        }
        Ok(())
    }

    /// A state for each layer and direction, taken from the given one.
    #[track_caller]
    fn initial_states(&self, state: Option<&C::State>, batch: usize, batched: bool) -> Result<Vec<C::State>> {
        let Some(state) = state else {
            return Ok(self.cells.iter().map(|cell| cell.zero_state(batch)).collect());
        };
        let zero = self.zero_state(batch);
        if batched {
            check_state(static_name(&self.cells[0]), state, &zero)?;
        } else {
            check_state(static_name(&self.cells[0]), state, &zero.map(|part| part.squeeze(1)))?;
        }
        let at = |index: usize| {
            let state = state.select(0, index);
            if batched { state } else { state.map(|part| part.unsqueeze(0)) }
        };
        Ok((0..self.cells.len()).map(at).collect())
    }

    #[track_caller]
    fn run(
        &self,
        mut input: Variable<C::Element>,
        states: &[C::State],
    ) -> Result<(Variable<C::Element>, C::State)> {
        let mut last = Vec::with_capacity(self.cells.len());
        for (layer, cells) in self.cells.chunks(self.directions).enumerate() {
            if layer > 0 && self.training {
                input = input.dropout(self.dropout)?;
            }
            let mut outputs = Vec::with_capacity(self.directions);
            for (direction, cell) in cells.iter().enumerate() {
                let state = &states[layer * self.directions + direction];
                let (output, state) =
                    scope(&suffix(layer, direction)[1..], || sweep(cell, &input, state, direction == 1));
                outputs.push(output);
                last.push(state);
            }
            input = if outputs.len() == 1 { outputs.remove(0) } else { cat(&[&outputs[0], &outputs[1]], -1) };
        }
        Ok((input, C::State::stack(&last.iter().collect::<Vec<_>>(), 0)))
    }
}

/// One cell over a sequence (L, N, in), in one direction: outputs in the order of time, and the state after the last step.
#[track_caller]
fn sweep<C: Cell>(
    cell: &C,
    input: &Variable<C::Element>,
    state: &C::State,
    reverse: bool,
) -> (Variable<C::Element>, C::State) {
    let steps = cell.project(input).unbind(0);
    let mut state = state.clone();
    let mut outputs = Vec::with_capacity(steps.len());
    let mut step = |projected: &Variable<C::Element>| {
        let (output, next) = cell.step(projected, &state);
        outputs.push(output);
        state = next;
    };
    if reverse {
        steps.iter().rev().for_each(&mut step);
        outputs.reverse();
    } else {
        steps.iter().for_each(&mut step);
    }
    (stack(&outputs.iter().collect::<Vec<_>>(), 0), state)
}

/// PyTorch's name for a layer and direction: `_l0`, `_l0_reverse`.
fn suffix(layer: usize, direction: usize) -> String {
    format!("_l{layer}{}", if direction == 1 { "_reverse" } else { "" })
}

impl<C: Cell> Module for Recurrent<C> {
    type Element = C::Element;

    fn visit(&self, visitor: &mut Visitor<'_, C::Element>) {
        for (index, cell) in self.cells.iter().enumerate() {
            visitor.suffixed(&suffix(index / self.directions, index % self.directions), cell);
        }
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, C::Element>) {
        visitor.mode(&mut self.training);
        self.cells.iter_mut().for_each(|cell| cell.visit_mut(visitor));
    }
}

impl<C: Cast> Cast for Recurrent<C> {
    type To<U: wengert_core::Float> = Recurrent<C::To<U>>;

    fn cast_with<U: wengert_core::Float>(&self, memo: &mut Memo<U>) -> Self::To<U> {
        Recurrent {
            cells: self.cells.cast_with(memo),
            directions: self.directions,
            batch_first: self.batch_first,
            dropout: self.dropout,
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
        write!(f, "{}({own}", cell.layer_name())?;
        if self.num_layers() > 1 {
            write!(f, ", num_layers={}", self.num_layers())?;
        }
        f.write_str(&bias)?;
        if self.batch_first {
            f.write_str(", batch_first=True")?;
        }
        if self.dropout > 0.0 {
            write!(f, ", dropout={}", self.dropout)?;
        }
        if self.directions == 2 {
            f.write_str(", bidirectional=True")?;
        }
        f.write_str(")")
    }
}
