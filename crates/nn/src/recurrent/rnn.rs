//! The simple recurrent network (Elman 1990), in PyTorch's layout.

use std::str::FromStr;

use wengert_core::{Error, Float, Result, Tensor, Variable};

use super::builder::RecurrentBuilder;
use super::factory::{FromSizes, OfSizes};
use super::runner::Recurrent;
use super::weights::{Bias, GateWeights, HasBias};
use crate::cell::Cell;
use crate::repr::Repr;
use crate::{cell, constructors};

/// The function that an RNN's sum goes through.
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
            _ => Err(Error::argument(<RnnCell as Cell>::NAME, "nonlinearity", "tanh or relu", name)),
        }
    }
}

/// A simple recurrent cell (`torch.nn.RNNCell`): `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or relu.
///
/// Parameters: `weight_ih` (H, in), `weight_hh` (H, H), `bias_ih`, `bias_hh` (H).
#[doc(alias = "RNNCell")]
#[doc(alias = "SimpleRNNCell")]
#[derive(Clone)]
pub struct RnnCell<T: Float = f32> {
    weights: GateWeights<T>,
    nonlinearity: Nonlinearity,
}
cell!(RnnCell<T> flatten { weights } {} keep { nonlinearity });

impl RnnCell {
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

/// The arguments of an RNN beside its widths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RnnArguments {
    /// Whether there are biases.
    pub bias: Bias,
    /// The function that the sum goes through.
    pub nonlinearity: Nonlinearity,
}

impl HasBias for RnnArguments {
    fn set_bias(&mut self, on: bool) {
        self.bias.set_bias(on);
    }
}

impl FromSizes for RnnCell {
    type Arguments = RnnArguments;

    fn from_sizes(input_size: usize, hidden_size: usize, arguments: &RnnArguments) -> Result<Self> {
        let RnnArguments { bias, nonlinearity } = arguments;
        let weights = GateWeights::new::<Self>([1, input_size, hidden_size, hidden_size], bias)?;
        Ok(RnnCell { weights, nonlinearity: *nonlinearity })
    }
}
constructors!(RnnCell);

impl<T: Float> Cell for RnnCell<T> {
    const NAME: &'static str = "RNN";
    /// Hidden state (N, H).
    type State = Variable<T>;

    fn input_size(&self) -> usize {
        self.weights.input_size()
    }

    fn output_size(&self) -> usize {
        self.weights.recurrent_size()
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Tensor::zeros([batch, self.output_size()]).into()
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

    fn repr(&self) -> Repr {
        let repr = Repr::of(&[self.input_size(), self.output_size()]);
        let repr = repr.unless("bias", self.weights.bias_ih.is_some());
        match self.nonlinearity {
            Nonlinearity::Tanh => repr,
            Nonlinearity::Relu => repr.setting("nonlinearity", "relu"),
        }
    }
}

/// A simple recurrent layer (`torch.nn.RNN`): [`Recurrent`] over [`RnnCell`].
///
/// Parameters: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then those of the reverse
/// direction with `_reverse`, then the next layer's. The state is `h`.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{Module, Nonlinearity, Rnn};
/// let rnn = Rnn::builder(100, 200).nonlinearity(Nonlinearity::Relu).build()?;
/// assert_eq!(rnn.parameter("weight_hh_l0")?.shape(), &[200, 200]);
/// let (out, h) = rnn.forward(&Tensor::randn([6, 5, 100]), None)?;
/// assert_eq!((out.shape(), h.shape()), (&[6, 5, 200][..], &[1, 5, 200][..]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "RNN")]
#[doc(alias = "SimpleRNN")]
pub type Rnn<T = f32> = Recurrent<RnnCell<T>>;

impl RecurrentBuilder<OfSizes<RnnCell>> {
    /// The function that the sum goes through; default tanh.
    pub fn nonlinearity(self, nonlinearity: Nonlinearity) -> Self {
        self.arguments(|arguments| arguments.nonlinearity = nonlinearity)
    }
}
