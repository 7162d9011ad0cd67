//! The runner: a cell over time, in layers and directions.

use std::collections::HashSet;
use std::fmt;

use wengert_core::{Error, Float, Parameter, Result};

use super::builder::RecurrentBuilder;
use super::factory::{ByPlace, CellFactory, Place};
use super::layers::Layers;
use super::options::{Checkpointing, Options};
use super::stepper::Stepper;
use crate::cell_with::CellWith;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::repr::{layer_name, print_layer};
use crate::state::State;

/// A recurrent layer over any [`Cell`](crate::Cell): layers, directions, dropout of every kind, packed and
/// masked sequences.
///
/// With L steps, N samples, D directions and output width H:
/// - input (L, N, in), or (N, L, in) if `batch_first`, or (L, in) unbatched;
/// - state: each variable (layers D, N, ..), the state of layer l and direction d at l D + d, or (layers D,
///   ..) unbatched;
/// - output (L, N, D H), in the input's layout; (L, N, H) where the directions are added.
///
/// Its methods are those of [`Layers`], which need no import here.
#[derive(Clone)]
pub struct Recurrent<C> {
    /// The cell of layer l and direction d at l D + d.
    pub(super) cells: Vec<C>,
    pub(super) options: Options,
    pub(super) training: bool,
}

impl<C: CellWith> Recurrent<C> {
    /// A layer over cells that `factory` makes, given each one's input width.
    ///
    /// See [`Cell`](crate::Cell) for an example.
    pub fn of<F: CellFactory<Cell = C>>(input_size: usize, factory: F) -> RecurrentBuilder<F> {
        RecurrentBuilder::new(input_size, factory)
    }

    /// [`Recurrent::of`] for cells that are told where they stand: they may differ by layer, or read time
    /// backward.
    ///
    /// ```
    /// use wengert_nn::{GruCell, Recurrent};
    /// // Biases in the first layer alone.
    /// let net = Recurrent::of_places(10, |place| match place.layer {
    ///     0 => GruCell::new(place.input_size, 64),
    ///     _ => GruCell::without_bias(place.input_size, 64),
    /// });
    /// assert_eq!(net.num_layers(2).build()?.cell(1, 0).to_string(), "GRUCell(64, 64, bias=False)");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn of_places<F: Fn(Place) -> Result<C>>(input_size: usize, cell: F) -> RecurrentBuilder<ByPlace<F>> {
        RecurrentBuilder::new(input_size, ByPlace(cell))
    }

    pub(super) fn from_cells(cells: Vec<C>, options: Options) -> Result<Self> {
        let layer = Recurrent { cells, options, training: true };
        layer.check_weights()?;
        Ok(layer)
    }

    /// Dropped weights must exist.
    fn check_weights(&self) -> Result<()> {
        let all = self.cells.iter().flat_map(Module::named_parameters);
        let mut seen = HashSet::new();
        let names: Vec<String> = all.map(|(name, _)| name).filter(|name| seen.insert(name.clone())).collect();
        match self.options.dropped_weights.iter().find(|name| !names.contains(name)) {
            None => Ok(()),
            Some(unknown) => {
                let expected = format!("among {}", names.join(", "));
                Err(Error::argument(layer_name::<C>(), "weight_dropout", expected, unknown))
            }
        }
    }

    /// How many layers stand on each other.
    pub fn num_layers(&self) -> usize {
        self.options.num_layers
    }

    /// Whether a second cell per layer runs backward in time.
    pub fn is_bidirectional(&self) -> bool {
        Layers::is_bidirectional(self)
    }

    /// Whether inputs and outputs are (N, L, ..) instead of (L, N, ..).
    pub fn is_batch_first(&self) -> bool {
        Layers::is_batch_first(self)
    }

    /// The width of an output: that of a cell, times the directions if they are not added.
    pub fn output_size(&self) -> usize {
        Layers::output_size(self)
    }

    /// The cell of a layer and direction (0 forward, 1 reverse).
    pub fn cell(&self, layer: usize, direction: usize) -> &C {
        &self.cells[layer * self.options.directions() + direction]
    }

    /// The cell of layer l and direction d at l D + d.
    pub(crate) fn cells(&self) -> &[C] {
        &self.cells
    }

    /// Changes the probability of dropout between layers.
    ///
    /// # Errors
    /// If `p` is not in [0, 1].
    pub fn set_dropout(&mut self, p: f64) -> Result<()> {
        self.change(|options| options.dropout = p)
    }

    /// Sets what is kept for the way back: everything (none), the state after every so many steps, or as much
    /// as keeps within so many bytes while it is computed again. Gradients are the same, to every order,
    /// dropout included; it costs one more forward.
    ///
    /// A step behind the first that gives another output than its cell promises, an error of the forward
    /// without this, is a panic: it is met inside a [`checkpoint`](wengert_core::checkpoint).
    ///
    /// # Errors
    /// If every 0 steps are asked for.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_nn::{Checkpointing, Gru};
    /// let mut gru = Gru::new(4, 8)?;
    /// gru.set_checkpointing(Some(Checkpointing::Every(10)))?;
    /// let (out, _) = gru.forward(&Tensor::randn([100, 2, 4]), None)?;
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

    /// The state before the first step of `batch` samples: (layers D, batch, ..).
    #[track_caller]
    pub fn zero_state(&self, batch: usize) -> C::State {
        Layers::zero_state(self, batch)
    }

    /// A [`Stepper`] that runs the layer step by step, for `batch` samples, from its initial state.
    ///
    /// # Errors
    /// If the layer is bidirectional: the other direction begins at the end; or there is no memory for so
    /// many samples.
    #[track_caller]
    pub fn stepper(&self, batch: usize) -> Result<Stepper<Self>> {
        Stepper::new(self.clone(), batch)
    }

    /// Changes the rows of one gate of the parameter of this name, in all layers and directions: a forget
    /// gate's bias of 1 is `set_gate("bias_ih", "forget", |rows| rows.fill(1.0))`.
    ///
    /// # Errors
    /// If the cell has no such gate or parameter, or the parameter has no rows for each gate, as a projection
    /// has none.
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
            let parameter = rows_of_gates(cell, parameter)?;
            let rows = parameter.numel() / gates.len();
            parameter.update("set_gate", |values| change(&mut values[place * rows..(place + 1) * rows]))?;
        }
        Ok(())
    }
}

/// The parameter of that name, which has as many rows for each gate as some part of the state is wide.
fn rows_of_gates<C: CellWith>(cell: &C, name: &str) -> Result<Parameter<C::Element>> {
    let parameter = cell.parameter(name)?;
    let gates = cell.gates().len();
    let rows = parameter.shape().first().copied().unwrap_or(1);
    let state = State::variables(&cell.zero_state(1));
    if state.iter().any(|part| part.shape().get(1).is_some_and(|width| gates * width == rows)) {
        return Ok(parameter);
    }
    let expected = format!("a parameter with rows for each of {gates} gates");
    Err(Error::argument(layer_name::<C>(), "parameter", expected, format!("{name} of {rows} rows")))
}

/// PyTorch's name for a layer and direction: `_l0`, `_l0_reverse`.
pub(super) fn suffix(layer: usize, direction: usize) -> String {
    format!("_l{layer}{}", if direction == 1 { "_reverse" } else { "" })
}

impl<C: CellWith> Module for Recurrent<C> {
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

    fn settings(&self) -> String {
        let mut all = vec![self.to_string()];
        all.extend(self.cells[1..].iter().map(C::settings));
        all.extend(self.options.dropped());
        all.join(", ")
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

impl<C: CellWith> fmt::Display for Recurrent<C> {
    /// Writes the layer as PyTorch prints it: `LSTM(50, 100, num_layers=2)`; what is the default is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_layer::<C>(&self.cells[0].repr().around(|switches| self.options.repr(switches)), f)
    }
}
