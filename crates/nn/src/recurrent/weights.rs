//! The four parameters that our cells share.

use wengert_core::__private::or_refused;
use wengert_core::{Float, Parameter, Result, Tensor, Variable};

use super::builder::RecurrentBuilder;
use super::factory::{FromSizes, OfSizes, check_sizes};
use super::gru::GruCell;
use super::lstm::LstmCell;
use super::rnn::RnnCell;
use crate::module;

/// `W_ih` (G H, in), `W_hh` (G H, R), `b_ih` and `b_hh` (G H), for G gates, H hidden units and a recurrent
/// width R.
#[derive(Clone)]
pub(super) struct Weights<T: Float> {
    pub(super) weight_ih: Parameter<T>,
    pub(super) weight_hh: Parameter<T>,
    pub(super) bias_ih: Option<Parameter<T>>,
    pub(super) bias_hh: Option<Parameter<T>>,
}

module!(Weights<T> { weight_ih, weight_hh, bias_ih, bias_hh });

/// A parameter of U(-1/sqrt(hidden), 1/sqrt(hidden)), PyTorch's start for all recurrent layers.
pub(super) fn initial(shape: [usize; 2], hidden: usize) -> Parameter<f32> {
    Parameter::new(initial_tensor(&shape, hidden))
}

fn initial_tensor(shape: &[usize], hidden: usize) -> Tensor<f32> {
    let bound = if hidden > 0 { 1.0 / (hidden as f64).sqrt() } else { 0.0 };
    Tensor::uniform(shape, -bound, bound)
}

impl Weights<f32> {
    pub(super) fn new(
        operation: &'static str,
        [gates, input, hidden, recurrent]: [usize; 4],
        bias: bool,
    ) -> Result<Self> {
        // More than a number is more than there is memory for.
        let rows = gates.saturating_mul(hidden);
        let bias_of = || bias.then(|| Parameter::new(initial_tensor(&[rows], hidden)));
        or_refused(operation, || {
            Ok(Weights {
                weight_ih: initial([rows, input], hidden),
                weight_hh: initial([rows, recurrent], hidden),
                bias_ih: bias_of(),
                bias_hh: bias_of(),
            })
        })
    }
}

impl<T: Float> Weights<T> {
    pub(super) fn input_size(&self) -> usize {
        width(&self.weight_ih)
    }

    /// The numbers of all gates.
    pub(super) fn rows(&self) -> usize {
        self.weight_hh.shape().first().copied().unwrap_or(0)
    }

    pub(super) fn recurrent_size(&self) -> usize {
        width(&self.weight_hh)
    }

    /// `x W_ih^T + b_ih + b_hh`: both biases at once, where the formula allows it.
    #[track_caller]
    pub(super) fn project_with_both_biases(&self, x: &Variable<T>) -> Variable<T> {
        let bias = match (&self.bias_ih, &self.bias_hh) {
            (Some(a), Some(b)) => Some(a + b),
            _ => None,
        };
        x.linear(&self.weight_ih, bias.as_ref())
    }
}

/// The extent of the last axis; of a weight that has none, 0, so that what it meets refuses it.
fn width<T: Float>(weight: &Parameter<T>) -> usize {
    weight.shape().last().copied().unwrap_or(0)
}

/// Whether there are biases: what our cells have in common among their arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bias {
    /// Whether there are biases; default true.
    pub bias: bool,
}

impl Default for Bias {
    fn default() -> Self {
        Bias { bias: true }
    }
}

/// Arguments of a cell that say, among others, whether there are biases.
pub trait HasBias {
    /// Sets whether there are biases.
    fn set_bias(&mut self, on: bool);
}

impl HasBias for Bias {
    fn set_bias(&mut self, on: bool) {
        self.bias = on;
    }
}

impl<C: FromSizes<Arguments: HasBias>> RecurrentBuilder<OfSizes<C>> {
    /// Whether there are biases; default true.
    pub fn bias(self, on: bool) -> Self {
        self.arguments(|arguments| arguments.set_bias(on))
    }
}

/// The constructors of our cells, which are PyTorch's.
macro_rules! constructors {
    ($($cell:ident $name:literal)*) => {$(
        impl $cell {
            /// A cell from inputs of width `input_size` to `hidden_size` units, with biases.
            ///
            /// # Errors
            /// If `input_size` is zero.
            pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
                check_sizes($name, input_size, hidden_size.max(1))?;
                Self::from_sizes(input_size, hidden_size, &Default::default())
            }

            /// A cell from inputs of width `input_size` to `hidden_size` units, without biases
            /// (`bias=False`).
            ///
            /// # Errors
            /// If `input_size` is zero.
            pub fn without_bias(input_size: usize, hidden_size: usize) -> Result<Self> {
                check_sizes($name, input_size, hidden_size.max(1))?;
                let mut arguments = <Self as FromSizes>::Arguments::default();
                arguments.set_bias(false);
                Self::from_sizes(input_size, hidden_size, &arguments)
            }
        }
    )*};
}

constructors! { RnnCell "RNNCell" LstmCell "LSTMCell" GruCell "GRUCell" }
