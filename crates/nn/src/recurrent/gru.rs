//! The GRU (Cho et al. 2014, arXiv 1406.1078), in PyTorch's layout.

use std::fmt;

use wengert_core::{Float, Pointwise, Result, Tensor, Variable, pointwise};

use super::builder::{CellFactory, RecurrentBuilder};
use super::runner::Recurrent;
use super::weights::{Weights, check_sizes};
use crate::cell::Cell;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};

pointwise! {
    /// The gates of a GRU, from what input (`x_`) and state (`h_`) give to each:
    /// `r = sigmoid(x_r + h_r)`, `z = sigmoid(x_z + h_z)`, `n = tanh(x_n + r h_n)`, `h' = (h - n) z + n`.
    pub struct GruGates;
    fn eval(xr, xz, xn, hr, hz, hn, h) -> 1 {
        let r = (xr + hr).sigmoid();
        let z = (xz + hz).sigmoid();
        let n = (xn + r * hn).tanh();
        [(h - n) * z + n]
    }
}

/// A GRU cell (`torch.nn.GRUCell`).
///
/// With gates in the order r, z, n, thirds of `W_ih x + b_ih` and of `W_hh h + b_hh`:
/// `r = sigmoid(x_r + h_r)`, `z = sigmoid(x_z + h_z)`, `n = tanh(x_n + r h_n)`, `h' = (h - n) z + n`. The
/// bias of `h_n` is inside the reset product, so the two biases are not one.
///
/// Parameters: `weight_ih` (3H, in), `weight_hh` (3H, H), `bias_ih`, `bias_hh` (3H).
#[derive(Clone)]
pub struct GruCell<T: Float = f32> {
    weights: Weights<T>,
}

impl GruCell {
    /// A cell from inputs of width `input_size` to `hidden_size` units, with biases.
    ///
    /// # Errors
    /// If `input_size` is zero.
    pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::with_bias(input_size, hidden_size, true)
    }

    /// A cell without biases (`bias=False`).
    ///
    /// # Errors
    /// As [`GruCell::new`].
    pub fn without_bias(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::with_bias(input_size, hidden_size, false)
    }

    fn with_bias(input_size: usize, hidden_size: usize, bias: bool) -> Result<Self> {
        check_sizes("GRUCell", input_size, hidden_size.max(1))?;
        Ok(GruCell { weights: Weights::new("GRUCell", [3, input_size, hidden_size, hidden_size], bias)? })
    }
}

impl<T: Float> Module for GruCell<T> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        self.weights.visit(visitor);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        self.weights.visit_mut(visitor);
    }
}

impl<T: Float> Cast for GruCell<T> {
    type To<U: Float> = GruCell<U>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> GruCell<U> {
        GruCell { weights: self.weights.cast_with(memo) }
    }
}

impl<T: Float> Cell for GruCell<T> {
    /// Hidden state (N, H).
    type State = Variable<T>;

    fn input_size(&self) -> usize {
        self.weights.input_size()
    }

    fn output_size(&self) -> usize {
        self.weights.weight_hh.shape()[1]
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Variable::from(Tensor::zeros([batch, self.output_size()]))
    }

    #[track_caller]
    fn project(&self, x: &Variable<T>) -> Variable<T> {
        x.linear(&self.weights.weight_ih, self.weights.bias_ih.as_deref())
    }

    #[track_caller]
    fn step(&self, x: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
        let [xr, xz, xn] = x.parts(-1);
        let [hr, hz, hn] = h.linear(&self.weights.weight_hh, self.weights.bias_hh.as_deref()).parts(-1);
        let h = GruGates.apply1([&xr, &xz, &xn, &hr, &hz, &hn, h]);
        (h.clone(), h)
    }

    fn gates(&self) -> &'static [&'static str] {
        &["reset", "update", "new"]
    }

    fn layer_name(&self) -> String {
        "GRU".to_string()
    }

    fn extra_repr(&self) -> String {
        let bias = if self.weights.bias_ih.is_some() { "" } else { ", bias=False" };
        format!("{}, {}{bias}", self.input_size(), self.output_size())
    }
}

impl<T: Float> fmt::Display for GruCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GRUCell({})", self.extra_repr())
    }
}

/// The arguments of a GRU's cells.
#[derive(Clone, Debug)]
pub struct GruFactory {
    hidden_size: usize,
    bias: bool,
}

impl CellFactory for GruFactory {
    type Cell = GruCell;

    fn make(&self, input_size: usize) -> Result<GruCell> {
        check_sizes("GRU", input_size, self.hidden_size)?;
        GruCell::with_bias(input_size, self.hidden_size, self.bias)
    }
}

/// A GRU layer (`torch.nn.GRU`): [`Recurrent`] over [`GruCell`].
///
/// Parameters as [`Lstm`](crate::Lstm)'s, with three gates. The state is `h`.
///
/// ```
/// use wengert_nn::Gru;
/// let gru = Gru::builder(10, 20).bias(false).batch_first(true).build()?;
/// assert_eq!(gru.to_string(), "GRU(10, 20, bias=False, batch_first=True)");
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub type Gru<T = f32> = Recurrent<GruCell<T>>;

impl Recurrent<GruCell> {
    /// A layer with PyTorch's defaults.
    ///
    /// # Errors
    /// If a width is zero.
    pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::builder(input_size, hidden_size).build()
    }

    /// A layer with arguments.
    pub fn builder(input_size: usize, hidden_size: usize) -> RecurrentBuilder<GruFactory> {
        RecurrentBuilder::new(input_size, GruFactory { hidden_size, bias: true })
    }
}

impl RecurrentBuilder<GruFactory> {
    /// Whether there are biases; default true.
    pub fn bias(mut self, on: bool) -> Self {
        self.factory.bias = on;
        self
    }
}
