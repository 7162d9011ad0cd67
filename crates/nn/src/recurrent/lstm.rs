//! The LSTM (Hochreiter and Schmidhuber 1997; with forget gate, Gers et al. 2000), in PyTorch's layout.

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Pointwise, Result, Tensor, Variable, pointwise};

use super::builder::RecurrentBuilder;
use super::factory::{FromSizes, OfSizes};
use super::runner::Recurrent;
use super::weights::{Bias, GateWeights, HasBias, initial};
use crate::cell::Cell;
use crate::repr::{Repr, layer_name};
use crate::state::MapPart;
use crate::{cell, constructors};

pointwise! {
    /// The gates of an LSTM: `c' = sigmoid(f) c + sigmoid(i) tanh(g)`, `h' = sigmoid(o) tanh(c')`.
    pub struct LstmGates;
    fn eval(i, f, g, o, c) -> 2 {
        let c = f.sigmoid() * c + i.sigmoid() * g.tanh();
        [o.sigmoid() * c.tanh(), c]
    }
}

/// An LSTM cell (`torch.nn.LSTMCell`).
///
/// With gates in the order i, f, g, o, each a quarter of `W_ih x + b_ih + W_hh h + b_hh`:
/// `c' = sigmoid(f) c + sigmoid(i) tanh(g)`, `h' = sigmoid(o) tanh(c')`, and with a projection `h' = W_hr
/// h'`.
///
/// Parameters: `weight_ih` (4H, in), `weight_hh` (4H, R), `bias_ih`, `bias_hh` (4H), `weight_hr` (R, H)
/// with a projection to R, else R = H.
#[doc(alias = "LSTMCell")]
#[derive(Clone)]
pub struct LstmCell<T: Float = f32> {
    weights: GateWeights<T>,
    weight_hr: Option<Parameter<T>>,
}
cell!(LstmCell<T> flatten { weights } { weight_hr });

/// The arguments of an LSTM beside its widths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LstmArguments {
    /// Whether there are biases.
    pub bias: Bias,
    /// The width that the hidden state is projected to; 0 for none.
    pub proj_size: usize,
}

impl HasBias for LstmArguments {
    fn set_bias(&mut self, on: bool) {
        self.bias.set_bias(on);
    }
}

impl FromSizes for LstmCell {
    type Arguments = LstmArguments;

    fn from_sizes(input_size: usize, hidden: usize, arguments: &LstmArguments) -> Result<Self> {
        let (bias, projected) = (&arguments.bias, arguments.proj_size);
        if projected > 0 && projected >= hidden {
            let expected = format!("smaller than hidden_size {hidden}");
            return Err(Error::argument(layer_name::<Self>(), "proj_size", expected, projected));
        }
        let recurrent = if projected > 0 { projected } else { hidden };
        let weights = GateWeights::new::<Self>([4, input_size, hidden, recurrent], bias)?;
        let projection = || Ok((projected > 0).then(|| initial([projected, hidden], hidden)));
        Ok(LstmCell { weights, weight_hr: or_refused(layer_name::<Self>(), projection)? })
    }
}
constructors!(LstmCell);

impl<T: Float> LstmCell<T> {
    fn hidden_size(&self) -> usize {
        self.weights.rows() / 4
    }
}

impl<T: Float> Cell for LstmCell<T> {
    const NAME: &'static str = "LSTM";
    /// Hidden state (N, R) and cell state (N, H).
    type State = (Variable<T>, Variable<T>);

    fn input_size(&self) -> usize {
        self.weights.input_size()
    }

    fn output_size(&self) -> usize {
        self.weights.recurrent_size()
    }

    fn zero_state(&self, batch: usize) -> Self::State {
        let zeros = |width| Variable::from(Tensor::zeros([batch, width]));
        (zeros(self.output_size()), zeros(self.hidden_size()))
    }

    #[track_caller]
    fn project(&self, x: &Variable<T>) -> Variable<T> {
        self.weights.project_with_both_biases(x)
    }

    #[track_caller]
    fn step(&self, x: &Variable<T>, (h, c): &Self::State) -> (Variable<T>, Self::State) {
        let [i, f, g, o] = h.linear(&self.weights.weight_hh, Some(x)).parts(-1);
        let [h, c] = LstmGates.apply([&i, &f, &g, &o, c]);
        let h = match &self.weight_hr {
            Some(weight_hr) => h.linear(weight_hr, None),
            None => h,
        };
        (h.clone(), (h, c))
    }

    fn map_hidden(&self, (h, c): &Self::State, f: &mut MapPart<'_, T>) -> Self::State {
        (f(h), c.clone())
    }

    fn gates(&self) -> &'static [&'static str] {
        &["input", "forget", "cell", "output"]
    }

    fn repr(&self) -> Repr {
        let repr = Repr::of(&[self.input_size(), self.hidden_size()]);
        let repr = match &self.weight_hr {
            Some(weight_hr) => repr.argument("proj_size", weight_hr.shape()[0]),
            None => repr,
        };
        repr.unless("bias", self.weights.bias_ih.is_some())
    }
}

/// An LSTM layer (`torch.nn.LSTM`): [`Recurrent`] over [`LstmCell`].
///
/// Parameters: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, (`weight_hr_l0`), then those of
/// the reverse direction with `_reverse`, then the next layer's. The state is `(h, c)`.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::Lstm;
/// let lstm = Lstm::builder(10, 20).num_layers(2).proj_size(5).bidirectional(true).build()?;
/// assert_eq!(lstm.to_string(), "LSTM(10, 20, proj_size=5, num_layers=2, bidirectional=True)");
/// let (out, (h, c)) = lstm.forward(&Tensor::randn([7, 3, 10]), None)?;
/// assert_eq!((out.shape(), h.shape(), c.shape()), (&[7, 3, 10][..], &[4, 3, 5][..], &[4, 3, 20][..]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "LSTM")]
pub type Lstm<T = f32> = Recurrent<LstmCell<T>>;

impl RecurrentBuilder<OfSizes<LstmCell>> {
    /// The width that the hidden state is projected to; 0, the default, for none.
    pub fn proj_size(self, proj_size: usize) -> Self {
        self.arguments(|arguments| arguments.proj_size = proj_size)
    }
}
