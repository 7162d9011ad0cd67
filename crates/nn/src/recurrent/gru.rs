//! The GRU (Cho et al. 2014, arXiv 1406.1078), in PyTorch's layout.

use wengert_core::{Float, Pointwise, Result, Tensor, Variable, pointwise};

use super::factory::FromSizes;
use super::runner::Recurrent;
use super::weights::{Bias, GateWeights};
use crate::cell::Cell;
use crate::repr::Repr;
use crate::{cell, constructors};

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
#[doc(alias = "GRUCell")]
#[derive(Clone)]
pub struct GruCell<T: Float = f32> {
    weights: GateWeights<T>,
}
cell!(GruCell<T> flatten { weights } {});

impl FromSizes for GruCell {
    type Arguments = Bias;

    fn from_sizes(input_size: usize, hidden_size: usize, bias: &Bias) -> Result<Self> {
        Ok(GruCell { weights: GateWeights::new::<Self>([3, input_size, hidden_size, hidden_size], bias)? })
    }
}
constructors!(GruCell);

impl<T: Float> Cell for GruCell<T> {
    const NAME: &'static str = "GRU";
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

    fn repr(&self) -> Repr {
        Repr::of(&[self.input_size(), self.output_size()]).unless("bias", self.weights.bias_ih.is_some())
    }
}

/// A GRU layer (`torch.nn.GRU`): [`Recurrent`] over [`GruCell`].
///
/// Parameters: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then those of the reverse
/// direction with `_reverse`, then the next layer's. The state is `h`.
///
/// ```
/// use wengert_nn::Gru;
/// let gru = Gru::builder(10, 20).bias(false).batch_first(true).build()?;
/// assert_eq!(gru.to_string(), "GRU(10, 20, bias=False, batch_first=True)");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "GRU")]
pub type Gru<T = f32> = Recurrent<GruCell<T>>;
