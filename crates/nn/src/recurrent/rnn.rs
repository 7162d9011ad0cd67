//! The simple recurrent network (Elman 1990), in PyTorch's layout.

use std::fmt;
use std::str::FromStr;

use wengert_core::{Error, Float, Result, Tensor, Variable};

use super::builder::{CellFactory, RecurrentBuilder};
use super::runner::Recurrent;
use super::weights::{Weights, check_sizes};
use crate::cell::Cell;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};

/// What an RNN's sum goes through.
///
/// ```
/// use wengert_nn::Nonlinearity;
/// assert_eq!("relu".parse::<Nonlinearity>()?, Nonlinearity::Relu);
/// let error = "gelu".parse::<Nonlinearity>().unwrap_err();
/// assert_eq!(error.to_string(), "RNN: nonlinearity must be tanh or relu, got gelu");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nonlinearity {
    /// Hyperbolic tangent.
    #[default]
    Tanh,
    /// `max(x, 0)`.
    Relu,
}

impl FromStr for Nonlinearity {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "tanh" => Ok(Nonlinearity::Tanh),
            "relu" => Ok(Nonlinearity::Relu),
            _ => Err(Error::argument("RNN", "nonlinearity", "tanh or relu", name)),
        }
    }
}

/// A simple recurrent cell (`torch.nn.RNNCell`): `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or relu.
///
/// Parameters: `weight_ih` (H, in), `weight_hh` (H, H), `bias_ih`, `bias_hh` (H).
#[derive(Clone)]
pub struct RnnCell<T: Float = f32> {
    weights: Weights<T>,
    nonlinearity: Nonlinearity,
}

impl RnnCell {
    /// A cell from inputs of width `input_size` to `hidden_size` units, with biases and tanh.
    ///
    /// # Errors
    /// If `input_size` is zero.
    pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::with_bias(input_size, hidden_size, true)
    }

    /// A cell without biases (`bias=False`).
    ///
    /// # Errors
    /// As [`RnnCell::new`].
    pub fn without_bias(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::with_bias(input_size, hidden_size, false)
    }

    fn with_bias(input_size: usize, hidden_size: usize, bias: bool) -> Result<Self> {
        check_sizes("RNNCell", input_size, hidden_size.max(1))?;
        let weights = Weights::new("RNNCell", [1, input_size, hidden_size, hidden_size], bias)?;
        Ok(RnnCell { weights, nonlinearity: Nonlinearity::Tanh })
    }

    /// The cell with another nonlinearity.
    ///
    /// ```
    /// use wengert_nn::{Nonlinearity, RnnCell};
    /// let cell = RnnCell::new(3, 5)?.nonlinearity(Nonlinearity::Relu);
    /// assert_eq!(cell.to_string(), "RNNCell(3, 5, nonlinearity=relu)");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[must_use]
    pub fn nonlinearity(mut self, nonlinearity: Nonlinearity) -> Self {
        self.nonlinearity = nonlinearity;
        self
    }
}

impl<T: Float> Module for RnnCell<T> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        self.weights.visit(visitor);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        self.weights.visit_mut(visitor);
    }
}

impl<T: Float> Cast for RnnCell<T> {
    type To<U: Float> = RnnCell<U>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> RnnCell<U> {
        RnnCell { weights: self.weights.cast_with(memo), nonlinearity: self.nonlinearity }
    }
}

impl<T: Float> Cell for RnnCell<T> {
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
        self.weights.project_with_both_biases(x)
    }

    #[track_caller]
    fn step(&self, x: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
        let sum = h.linear(&self.weights.weight_hh, Some(x));
        let h = match self.nonlinearity {
            Nonlinearity::Tanh => sum.tanh(),
            Nonlinearity::Relu => sum.relu(),
        };
        (h.clone(), h)
    }

    fn layer_name(&self) -> String {
        "RNN".to_string()
    }

    fn extra_repr(&self) -> String {
        let bias = if self.weights.bias_ih.is_some() { "" } else { ", bias=False" };
        format!("{}, {}{bias}", self.input_size(), self.output_size())
    }
}

impl<T: Float> fmt::Display for RnnCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nonlinearity = if self.nonlinearity == Nonlinearity::Relu { ", nonlinearity=relu" } else { "" };
        write!(f, "RNNCell({}{nonlinearity})", self.extra_repr())
    }
}

/// The arguments of an RNN's cells.
#[derive(Clone, Debug)]
pub struct RnnFactory {
    hidden_size: usize,
    bias: bool,
    nonlinearity: Nonlinearity,
}

impl CellFactory for RnnFactory {
    type Cell = RnnCell;

    fn make(&self, input_size: usize) -> Result<RnnCell> {
        check_sizes("RNN", input_size, self.hidden_size)?;
        Ok(RnnCell::with_bias(input_size, self.hidden_size, self.bias)?.nonlinearity(self.nonlinearity))
    }
}

/// A simple recurrent layer (`torch.nn.RNN`): [`Recurrent`] over [`RnnCell`].
///
/// Parameters as [`Lstm`](crate::Lstm)'s, with one gate. The state is `h`.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{Module, Nonlinearity, Rnn};
/// let rnn = Rnn::builder(100, 200).nonlinearity(Nonlinearity::Relu).build()?;
/// assert_eq!(rnn.parameter("weight_hh_l0")?.shape(), &[200, 200]);
/// let (out, h) = rnn.forward(&Variable::new(Tensor::randn([6, 5, 100])), None)?;
/// assert_eq!((out.shape(), h.shape()), (&[6, 5, 200][..], &[1, 5, 200][..]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub type Rnn<T = f32> = Recurrent<RnnCell<T>>;

impl Recurrent<RnnCell> {
    /// A layer with PyTorch's defaults.
    ///
    /// # Errors
    /// If a width is zero.
    pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::builder(input_size, hidden_size).build()
    }

    /// A layer with arguments.
    pub fn builder(input_size: usize, hidden_size: usize) -> RecurrentBuilder<RnnFactory> {
        let factory = RnnFactory { hidden_size, bias: true, nonlinearity: Nonlinearity::Tanh };
        RecurrentBuilder::new(input_size, factory)
    }
}

impl RecurrentBuilder<RnnFactory> {
    /// Whether there are biases; default true.
    pub fn bias(mut self, on: bool) -> Self {
        self.factory.bias = on;
        self
    }

    /// What the sum goes through; default tanh.
    pub fn nonlinearity(mut self, nonlinearity: Nonlinearity) -> Self {
        self.factory.nonlinearity = nonlinearity;
        self
    }
}
