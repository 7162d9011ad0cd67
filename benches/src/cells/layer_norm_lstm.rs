//! The LSTM with layer normalisation (Ba et al. 2016, arXiv 1607.06450).

use wengert::prelude::*;

pointwise! {
    /// `c' = sigmoid(f) c + sigmoid(i) tanh(g)`, each gate the sum of what input (`x_`) and state (`h_`) give
    /// to it.
    struct Carry;
    fn eval(xi, hi, xf, hf, xg, hg, c) -> 1 {
        [(xf + hf).sigmoid() * c + (xi + hi).sigmoid() * (xg + hg).tanh()]
    }
}

pointwise! {
    /// `h' = sigmoid(o) tanh(c')`.
    struct Emit;
    fn eval(xo, ho, c) -> 1 { [(xo + ho).sigmoid() * c.tanh()] }
}

/// With gates in the order i, f, g, o, each a quarter of `LN(W_ih x) + LN(W_hh h)`:
/// `c' = LN(sigmoid(f) c + sigmoid(i) tanh(g))`, `h' = sigmoid(o) tanh(c')`. The norms' biases are the
/// gates' ones.
///
/// Parameters: `input` (4H, in), `hidden` (4H, H), and the norms `input_norm` and `hidden_norm` (4H),
/// `cell_norm` (H).
#[derive(Clone)]
pub struct LayerNormLstm {
    input: Linear,
    hidden: Linear,
    input_norm: LayerNorm,
    hidden_norm: LayerNorm,
    cell_norm: LayerNorm,
}

module!(LayerNormLstm { input, hidden, input_norm, hidden_norm, cell_norm });

impl LayerNormLstm {
    /// A cell from inputs of width `input` to `hidden` units.
    ///
    /// # Errors
    /// If a width is zero.
    pub fn new(input: usize, hidden: usize) -> Result<Self> {
        Ok(LayerNormLstm {
            input: Linear::without_bias(input, 4 * hidden)?,
            hidden: Linear::without_bias(hidden, 4 * hidden)?,
            input_norm: LayerNorm::new([4 * hidden]),
            hidden_norm: LayerNorm::new([4 * hidden]),
            cell_norm: LayerNorm::new([hidden]),
        })
    }
}

/// A norm of a width that is known to fit.
fn normalised(norm: &LayerNorm, x: &Variable) -> Variable {
    norm.forward(x).expect("the width is the weight's own")
}

impl Cell for LayerNormLstm {
    /// Hidden state and cell state, both (N, H).
    type State = (Variable, Variable);

    fn input_size(&self) -> usize {
        self.input.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.hidden.weight.shape()[1]
    }

    fn zero_state(&self, batch: usize) -> Self::State {
        let zeros = || Tensor::zeros([batch, self.output_size()]).into();
        (zeros(), zeros())
    }

    fn project(&self, x: &Variable) -> Variable {
        normalised(&self.input_norm, &x.linear(&self.input.weight, None))
    }

    fn step(&self, x: &Variable, (h, c): &Self::State) -> (Variable, Self::State) {
        let [xi, xf, xg, xo] = x.parts(-1);
        let [hi, hf, hg, ho] = normalised(&self.hidden_norm, &h.linear(&self.hidden.weight, None)).parts(-1);
        let c = Carry.apply1([&xi, &hi, &xf, &hf, &xg, &hg, c]);
        let c = normalised(&self.cell_norm, &c);
        let h = Emit.apply1([&xo, &ho, &c]);
        (h.clone(), (h, c))
    }
}
