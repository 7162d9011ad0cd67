//! The four parameters that our cells share.

use wengert_core::__private::or_refused;
use wengert_core::{Float, Parameter, Result, Tensor, Variable};

use super::builder::RecurrentBuilder;
use super::factory::{FromSizes, OfSizes};
use crate::cell_with::CellWith;
use crate::module;
use crate::repr::layer_name;

/// The parameters of a gated cell in PyTorch's layout: `weight_ih` (G H, in), `weight_hh` (G H, R), `bias_ih`
/// and `bias_hh` (G H), for G gates, H hidden units and a recurrent width R, which is H but where outputs are
/// projected.
///
/// Flattened into a cell they have the names of PyTorch's own (`weight_ih_l0`, ..).
///
/// ```
/// use wengert_core::{Result, Tensor, Variable};
/// use wengert_nn::{Bias, Cell, FromSizes, GateWeights, Recurrent, cell, constructors};
///
/// /// `f = sigmoid(a)`, `h' = (1 - f) h + f tanh(n)`, of the halves `a`, `n` of `W_ih x + W_hh h + b`.
/// #[derive(Clone)]
/// struct Mgu { weights: GateWeights }
/// cell!(Mgu flatten { weights } {});
///
/// impl FromSizes for Mgu {
///     type Arguments = Bias;
///     fn from_sizes(input: usize, hidden: usize, bias: &Bias) -> Result<Self> {
///         Ok(Mgu { weights: GateWeights::new::<Self>([2, input, hidden, hidden], bias)? })
///     }
/// }
/// constructors!(Mgu);
///
/// impl Cell for Mgu {
///     type State = Variable;
///     fn input_size(&self) -> usize { self.weights.input_size() }
///     fn output_size(&self) -> usize { self.weights.recurrent_size() }
///     fn zero_state(&self, batch: usize) -> Variable { Tensor::zeros([batch, self.output_size()]).into() }
///     fn project(&self, x: &Variable) -> Variable { self.weights.project_with_both_biases(x) }
///     fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
///         let [a, n] = h.linear(&self.weights.weight_hh, Some(x)).parts(-1);
///         let f = a.sigmoid();
///         let h = (1 - &f) * h + &f * n.tanh();
///         (h.clone(), h)
///     }
/// }
///
/// let rnn = Recurrent::<Mgu>::builder(3, 4).num_layers(2).bias(false).build()?;
/// assert_eq!(rnn.to_string(), "Recurrent<Mgu>(3, 4, num_layers=2)");
/// assert_eq!(Mgu::new(3, 4)?.to_string(), "Mgu(3, 4)");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone)]
pub struct GateWeights<T: Float = f32> {
    /// The weight of the input, (G H, in).
    pub weight_ih: Parameter<T>,
    /// The weight of the state, (G H, R).
    pub weight_hh: Parameter<T>,
    /// The bias beside the input's weight, (G H), if there are biases.
    pub bias_ih: Option<Parameter<T>>,
    /// The bias beside the state's weight, (G H), if there are biases.
    pub bias_hh: Option<Parameter<T>>,
}

module!(GateWeights<T> { weight_ih, weight_hh, bias_ih, bias_hh });

/// A parameter of U(-1/sqrt(hidden), 1/sqrt(hidden)), PyTorch's start for all recurrent layers.
pub(super) fn initial(shape: [usize; 2], hidden: usize) -> Parameter<f32> {
    Parameter::new(initial_tensor(&shape, hidden))
}

fn initial_tensor(shape: &[usize], hidden: usize) -> Tensor<f32> {
    let bound = if hidden > 0 { 1.0 / (hidden as f64).sqrt() } else { 0.0 };
    Tensor::uniform(shape, -bound, bound)
}

impl GateWeights<f32> {
    /// Parameters of U(-1/sqrt(H), 1/sqrt(H)), PyTorch's start for all recurrent layers, of so many gates, an
    /// input's width, hidden units and a recurrent width, for the cell `C`, which errors name.
    ///
    /// # Errors
    /// If the allocator refuses the memory.
    pub fn new<C: CellWith>(
        [gates, input, hidden, recurrent]: [usize; 4],
        Bias { bias }: &Bias,
    ) -> Result<Self> {
        // More than a number is more than there is memory for.
        let rows = gates.saturating_mul(hidden);
        let bias_of = || bias.then(|| Parameter::new(initial_tensor(&[rows], hidden)));
        or_refused(layer_name::<C>(), || {
            Ok(GateWeights {
                weight_ih: initial([rows, input], hidden),
                weight_hh: initial([rows, recurrent], hidden),
                bias_ih: bias_of(),
                bias_hh: bias_of(),
            })
        })
    }
}

impl<T: Float> GateWeights<T> {
    /// The width of an input.
    pub fn input_size(&self) -> usize {
        width(&self.weight_ih)
    }

    /// The numbers of all gates, G H.
    pub fn rows(&self) -> usize {
        self.weight_hh.shape().first().copied().unwrap_or(0)
    }

    /// The width R of what comes back as the state.
    pub fn recurrent_size(&self) -> usize {
        width(&self.weight_hh)
    }

    /// Computes `x W_ih^T + b_ih + b_hh`: both biases at once, where the formula allows it.
    #[track_caller]
    pub fn project_with_both_biases(&self, x: &Variable<T>) -> Variable<T> {
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
