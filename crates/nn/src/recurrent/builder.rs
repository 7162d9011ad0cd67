//! Making a recurrent layer.

use wengert_core::{Error, Result};

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
pub struct RecurrentBuilder<F> {
    pub(super) factory: F,
    input_size: usize,
    num_layers: usize,
    batch_first: bool,
    dropout: f64,
    bidirectional: bool,
}

impl<F: CellFactory> RecurrentBuilder<F> {
    pub(super) fn new(input_size: usize, factory: F) -> Self {
        RecurrentBuilder {
            factory,
            input_size,
            num_layers: 1,
            batch_first: false,
            dropout: 0.0,
            bidirectional: false,
        }
    }

    /// How many layers stand on each other; default 1.
    pub fn num_layers(mut self, num_layers: usize) -> Self {
        self.num_layers = num_layers;
        self
    }

    /// Whether inputs and outputs are (N, L, ..) instead of (L, N, ..); states are (layers, N, ..) either way.
    pub fn batch_first(mut self, on: bool) -> Self {
        self.batch_first = on;
        self
    }

    /// The probability of dropout on the outputs of each layer but the last, in training; default 0.
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = p;
        self
    }

    /// Whether a second cell per layer runs backward in time; outputs are side by side.
    pub fn bidirectional(mut self, on: bool) -> Self {
        self.bidirectional = on;
        self
    }

    /// The layer.
    ///
    /// # Errors
    /// For a width or a number of layers of zero, a dropout outside [0, 1], or what the cell refuses. Dropout with a
    /// single layer does nothing, and a warning on standard error says so.
    ///
    /// ```
    /// use wengert_nn::Gru;
    /// let error = Gru::builder(10, 20).dropout(1.5).build().err().unwrap();
    /// assert_eq!(error.to_string(), "GRU: dropout must be in [0, 1], got 1.5");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn build(self) -> Result<Recurrent<F::Cell>> {
        let first = self.factory.make(self.input_size)?;
        let name: &'static str = static_name(&first);
        if self.num_layers == 0 {
            return Err(Error::argument(name, "num_layers", "at least 1", 0));
        }
        if !(0.0..=1.0).contains(&self.dropout) {
            return Err(Error::argument(name, "dropout", "in [0, 1]", self.dropout));
        }
        if self.dropout > 0.0 && self.num_layers == 1 {
            eprintln!("warning: {name}: dropout acts between layers, and there is one layer");
        }
        let directions = if self.bidirectional { 2 } else { 1 };
        let width = first.output_size() * directions;
        let mut first = Some(first);
        let mut cells = Vec::with_capacity(self.num_layers * directions);
        for index in 0..self.num_layers * directions {
            let input = if index < directions { self.input_size } else { width };
            cells.push(first.take().map_or_else(|| self.factory.make(input), Ok)?);
        }
        Ok(Recurrent::from_cells(cells, directions, self.batch_first, self.dropout))
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
