//! Making a recurrent layer.

use std::collections::HashSet;

use wengert_core::__private::{or_refused, vec_of, warn};
use wengert_core::{Error, Result};

use super::factory::{CellFactory, Place};
use super::learned::LearnedFactory;
#[cfg(doc)]
use super::learned::LearnedState;
use super::options::{Checkpointing, Merge, Options};
use super::runner::Recurrent;
use crate::cell_with::CellWith;
use crate::repr::layer_name;
use crate::state::State;

/// The arguments of a recurrent layer; [`RecurrentBuilder::build`] checks them and makes it.
#[derive(Clone, Debug)]
#[must_use = "the layer is made by `build`"]
pub struct RecurrentBuilder<F> {
    pub(super) factory: F,
    input_size: usize,
    options: Options,
}

impl<F: CellFactory> RecurrentBuilder<F> {
    pub(super) fn new(input_size: usize, factory: F) -> Self {
        RecurrentBuilder { factory, input_size, options: Options::default() }
    }

    /// How many layers stand on each other; default 1.
    pub fn num_layers(mut self, num_layers: usize) -> Self {
        self.options.num_layers = num_layers;
        self
    }

    /// Whether inputs and outputs are (N, L, ..) instead of (L, N, ..); states are (layers, N, ..) either
    /// way.
    pub fn batch_first(mut self, on: bool) -> Self {
        self.options.batch_first = on;
        self
    }

    /// The probability of dropout on the outputs of each layer but the last, in training; default 0.
    pub fn dropout(mut self, p: f64) -> Self {
        self.options.dropout = p;
        self
    }

    /// Whether a second cell per layer runs backward in time.
    pub fn bidirectional(mut self, on: bool) -> Self {
        self.options.bidirectional = on;
        self
    }

    /// How the outputs of the two directions become one; default [`Merge::Concat`].
    pub fn merge(mut self, merge: Merge) -> Self {
        self.options.merge = merge;
        self
    }

    /// Whether a layer's input is added to its output where their widths are the same; default no.
    pub fn residual(mut self, on: bool) -> Self {
        self.options.residual = on;
        self
    }

    /// The state before the first step, where none is given, is learned: see [`LearnedState`].
    ///
    /// ```
    /// use wengert_nn::{Lstm, Module};
    /// let lstm = Lstm::builder(3, 2).learned_state().build()?;
    /// assert_eq!(lstm.parameter("initial_1_l0")?.shape(), &[2]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn learned_state(self) -> RecurrentBuilder<LearnedFactory<F>> {
        let RecurrentBuilder { factory, input_size, options } = self;
        RecurrentBuilder { factory: LearnedFactory(factory), input_size, options }
    }

    /// The probability of variational dropout on each layer's input, in training: a mask for each sequence
    /// that is the same at every step (Gal and Ghahramani 2016, arXiv 1512.05287); default 0.
    pub fn input_dropout(mut self, p: f64) -> Self {
        self.options.input_dropout = p;
        self
    }

    /// The probability of variational dropout on the hidden state as the next step sees it, in training: a
    /// mask that is the same at every step; default 0. A cell says which parts of its state are hidden
    /// ([`Cell::map_hidden`](crate::Cell::map_hidden)).
    pub fn state_dropout(mut self, p: f64) -> Self {
        self.options.state_dropout = p;
        self
    }

    /// The probability of dropout on the elements of the parameters of these names in the cell, in
    /// training: a mask that is the same at every step (DropConnect, as Merity et al. 2017, arXiv
    /// 1708.02182, on `weight_hh`); default none.
    pub fn weight_dropout<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>, p: f64) -> Self {
        self.options.dropped_weights = names.into_iter().map(N::into).collect();
        self.options.weight_dropout = p;
        self
    }

    /// The probability that an element of the state stays as it was, at each step anew in training; in
    /// evaluation the mean of that (Krueger et al. 2016, arXiv 1606.01305); default 0.
    pub fn zoneout(mut self, p: f64) -> Self {
        self.options.zoneout = p;
        self
    }

    /// Whether intermediate values are computed again on the way back; see
    /// [`Recurrent::set_checkpointing`].
    pub fn checkpointing(mut self, how: Checkpointing) -> Self {
        self.options.checkpointing = Some(how);
        self
    }

    /// The layer.
    ///
    /// # Errors
    /// For a width or a number of layers of zero, a probability outside [0, 1], or what the cell refuses.
    /// Dropout with a single layer does nothing, and a warning says so
    /// ([`set_warning_hook`](wengert_core::set_warning_hook)).
    ///
    /// ```
    /// use wengert_nn::Gru;
    /// let error = Gru::builder(10, 20).dropout(1.5).build().err().unwrap();
    /// assert_eq!(error.to_string(), "GRU: dropout must be in [0, 1], got 1.5");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn build(self) -> Result<Recurrent<F::Cell>> {
        let RecurrentBuilder { factory, input_size, options } = self;
        let name = layer_name::<F::Cell>();
        let first = factory.make_at(Place { layer: 0, direction: 0, input_size })?;
        options.check(name)?;
        if options.dropout > 0.0 && options.num_layers == 1 {
            warn(&format!("warning: {name}: dropout acts between layers, and there is one layer"));
        }
        let directions = options.directions();
        let mut first = Some(first);
        let count = options.num_layers.saturating_mul(directions);
        let mut cells: Vec<F::Cell> = or_refused(name, || Ok(vec_of(count)))?;
        let (mut input_size, mut taken) = (input_size, HashSet::new());
        for index in 0..count {
            let place = Place { layer: index / directions, direction: index % directions, input_size };
            let cell = first.take().map_or_else(|| factory.make_at(place), Ok)?;
            check_place(&cell, place, &cells, &mut taken)?;
            cells.push(cell);
            if place.direction + 1 == directions {
                input_size = options.width(cells[index].output_size());
            }
        }
        Recurrent::from_cells(cells, options)
    }
}

/// The shape of each part of a state, without the axis of the samples.
fn state_shapes<C: CellWith>(cell: &C) -> Vec<Vec<usize>> {
    let parts = cell.zero_state(1).variables();
    parts.iter().map(|part| part.shape().iter().skip(1).copied().collect()).collect()
}

/// Refuses a cell that does not fit where it stands, or that stands somewhere already.
fn check_place<C: CellWith>(cell: &C, place: Place, others: &[C], taken: &mut HashSet<usize>) -> Result<()> {
    let Place { layer, direction, input_size } = place;
    let refused = |expected: String, got: String| Err(Error::shape(layer_name::<C>(), expected, got));
    if cell.input_size() != input_size {
        let expected = format!("a cell for inputs of width {input_size} in layer {layer}");
        return refused(expected, format!("one for width {}", cell.input_size()));
    }
    if let Some(first) = others.first() {
        let [expected, got] = [first, cell].map(|cell| state_shapes(cell));
        if expected != got {
            let expected = format!("states of shapes {expected:?} as in layer 0 (a Stack takes others)");
            return refused(expected, format!("{got:?} in layer {layer}"));
        }
    }
    let beside = others.last().filter(|_| direction > 0);
    if let Some(beside) = beside.filter(|beside| beside.output_size() != cell.output_size()) {
        let expected = format!("both directions of layer {layer} to have outputs of one width");
        return refused(expected, format!("{} and {}", beside.output_size(), cell.output_size()));
    }
    // Looked for before they join: a cell may tie its own.
    let own: Vec<usize> = cell.parameters().iter().map(|parameter| parameter.id()).collect();
    let shared = own.iter().any(|id| taken.contains(id));
    taken.extend(own);
    match shared {
        false => Ok(()),
        true => {
            let got = format!("the same parameters in layer {layer}, direction {direction}, and before");
            Err(Error::argument(layer_name::<C>(), "each cell", "one with parameters of its own", got))
        }
    }
}
