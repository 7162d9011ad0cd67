//! The LSTM (Hochreiter and Schmidhuber 1997; with forget gate, Gers et al. 2000), in PyTorch's layout.

use std::fmt;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Pointwise, Result, Tensor, Variable, pointwise};

use super::builder::{CellFactory, RecurrentBuilder};
use super::runner::Recurrent;
use super::weights::{Weights, check_sizes, initial};
use crate::cell::Cell;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::state::MapPart;

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
#[derive(Clone)]
pub struct LstmCell<T: Float = f32> {
    weights: Weights<T>,
    weight_hr: Option<Parameter<T>>,
}

impl LstmCell {
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
    /// As [`LstmCell::new`].
    pub fn without_bias(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::with_bias(input_size, hidden_size, false)
    }

    fn with_bias(input_size: usize, hidden_size: usize, bias: bool) -> Result<Self> {
        check_sizes("LSTMCell", input_size, hidden_size.max(1))?;
        let weights = Weights::new("LSTMCell", [4, input_size, hidden_size, hidden_size], bias)?;
        Ok(LstmCell { weights, weight_hr: None })
    }
}

impl<T: Float> LstmCell<T> {
    fn hidden_size(&self) -> usize {
        self.weights.weight_hh.shape()[0] / 4
    }
}

impl<T: Float> Module for LstmCell<T> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        self.weights.visit(visitor);
        visitor.field("weight_hr", &self.weight_hr);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        self.weights.visit_mut(visitor);
        self.weight_hr.visit_mut(visitor);
    }
}

impl<T: Float> Cast for LstmCell<T> {
    type To<U: Float> = LstmCell<U>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> LstmCell<U> {
        LstmCell { weights: self.weights.cast_with(memo), weight_hr: self.weight_hr.cast_with(memo) }
    }
}

impl<T: Float> Cell for LstmCell<T> {
    /// Hidden state (N, R) and cell state (N, H).
    type State = (Variable<T>, Variable<T>);

    fn input_size(&self) -> usize {
        self.weights.input_size()
    }

    fn output_size(&self) -> usize {
        self.weights.weight_hh.shape()[1]
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

    fn layer_name(&self) -> String {
        "LSTM".to_string()
    }

    fn extra_repr(&self) -> String {
        let projection =
            self.weight_hr.as_ref().map(|w| format!(", proj_size={}", w.shape()[0])).unwrap_or_default();
        let bias = if self.weights.bias_ih.is_some() { "" } else { ", bias=False" };
        format!("{}, {}{projection}{bias}", self.input_size(), self.hidden_size())
    }
}

impl<T: Float> fmt::Display for LstmCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LSTMCell({})", self.extra_repr())
    }
}

/// The arguments of an LSTM's cells.
#[derive(Clone, Debug)]
pub struct LstmFactory {
    hidden_size: usize,
    proj_size: usize,
    bias: bool,
}

impl CellFactory for LstmFactory {
    type Cell = LstmCell;

    fn make(&self, input_size: usize) -> Result<LstmCell> {
        check_sizes("LSTM", input_size, self.hidden_size)?;
        if self.proj_size >= self.hidden_size {
            let expected = format!("smaller than hidden_size {}", self.hidden_size);
            return Err(Error::argument("LSTM", "proj_size", expected, self.proj_size));
        }
        let (hidden, projected) = (self.hidden_size, self.proj_size);
        let recurrent = if projected > 0 { projected } else { hidden };
        let weights = Weights::new("LSTM", [4, input_size, hidden, recurrent], self.bias)?;
        let projection = || Ok((projected > 0).then(|| initial([projected, hidden], hidden)));
        Ok(LstmCell { weights, weight_hr: or_refused("LSTM", projection)? })
    }
}

/// An LSTM layer (`torch.nn.LSTM`): [`Recurrent`] over [`LstmCell`].
///
/// Parameters: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, (`weight_hr_l0`), then those of
/// the reverse direction with `_reverse`, then the next layer's. The state is `(h, c)`.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::Lstm;
/// let lstm = Lstm::builder(10, 20).num_layers(2).proj_size(5).bidirectional(true).build()?;
/// assert_eq!(lstm.to_string(), "LSTM(10, 20, proj_size=5, num_layers=2, bidirectional=True)");
/// let (out, (h, c)) = lstm.forward(&Variable::new(Tensor::randn([7, 3, 10])), None)?;
/// assert_eq!((out.shape(), h.shape(), c.shape()), (&[7, 3, 10][..], &[4, 3, 5][..], &[4, 3, 20][..]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub type Lstm<T = f32> = Recurrent<LstmCell<T>>;

impl Recurrent<LstmCell> {
    /// A layer with PyTorch's defaults.
    ///
    /// # Errors
    /// If a width is zero.
    pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::builder(input_size, hidden_size).build()
    }

    /// A layer with arguments.
    pub fn builder(input_size: usize, hidden_size: usize) -> RecurrentBuilder<LstmFactory> {
        RecurrentBuilder::new(input_size, LstmFactory { hidden_size, proj_size: 0, bias: true })
    }
}

impl RecurrentBuilder<LstmFactory> {
    /// Whether there are biases; default true.
    pub fn bias(mut self, on: bool) -> Self {
        self.factory.bias = on;
        self
    }

    /// The width that the hidden state is projected to; 0, the default, for none.
    pub fn proj_size(mut self, proj_size: usize) -> Self {
        self.factory.proj_size = proj_size;
        self
    }
}
