//! Making a recurrent layer.

use wengert_core::__private::{or_refused, vec_of, warn};
use wengert_core::Result;

use super::learned::LearnedFactory;
#[cfg(doc)]
use super::learned::LearnedState;
use super::options::{Checkpointing, Merge, Options};
use super::runner::Recurrent;
use crate::cell::Cell;

/// Makes the cells of a recurrent layer, one for each layer and direction.
///
/// A closure from the input width to a cell is one.
pub trait CellFactory {
    /// The cell that is made.
    type Cell: Cell;

    /// A cell for inputs of that width.
    ///
    /// # Errors
    /// If its arguments are refused.
    fn make(&self, input_size: usize) -> Result<Self::Cell>;
}

impl<C: Cell, F: Fn(usize) -> Result<C>> CellFactory for F {
    type Cell = C;

    fn make(&self, input_size: usize) -> Result<C> {
        self(input_size)
    }
}

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

    /// What becomes of the outputs of the two directions; default [`Merge::Concat`].
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
    /// ([`Cell::map_hidden`]).
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
        let first = factory.make(input_size)?;
        let name = static_name(&first);
        options.check(name)?;
        if options.dropout > 0.0 && options.num_layers == 1 {
            warn(&format!("warning: {name}: dropout acts between layers, and there is one layer"));
        }
        let directions = options.directions();
        let width = options.width(first.output_size());
        let mut first = Some(first);
        let count = options.num_layers.saturating_mul(directions);
        let mut cells = or_refused(name, || Ok(vec_of(count)))?;
        for index in 0..count {
            let input = if index < directions { input_size } else { width };
            cells.push(first.take().map_or_else(|| factory.make(input), Ok)?);
        }
        Recurrent::from_cells(cells, options)
    }
}

/// The name for messages, whose type asks for one that lives forever.
pub(super) fn static_name<C: Cell>(cell: &C) -> &'static str {
    match cell.layer_name().as_str() {
        "RNN" => "RNN",
        "LSTM" => "LSTM",
        "GRU" => "GRU",
        _ => "Recurrent",
    }
}
