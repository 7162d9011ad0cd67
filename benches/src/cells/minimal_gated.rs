//! The minimal gated unit (Zhou et al. 2016, arXiv 1603.09420).

use wengert::prelude::*;

pointwise! {
    /// The gate and the state that passes it: `f = sigmoid(a)`, `f h`.
    struct Forget;
    fn eval(a, h) -> 2 { let f = a.sigmoid(); [f, f * h] }
}

pointwise! {
    /// `h' = (1 - f) h + f tanh(n)`.
    struct Blend;
    fn eval(f, n, h) -> 1 { [(1.0 - f) * h + f * n.tanh()] }
}

/// `f = sigmoid(W_f x + b_f + U_f h)`, `n = tanh(W_n x + b_n + U_n (f h))`, `h' = (1 - f) h + f n`.
///
/// Parameters: `input` (2H, in) with bias for f and n, `forget` (H, H), `candidate` (H, H).
#[derive(Clone)]
pub struct MinimalGated {
    input: Linear,
    forget: Linear,
    candidate: Linear,
}

module!(MinimalGated { input, forget, candidate });

impl MinimalGated {
    /// A cell from inputs of width `input` to `hidden` units.
    ///
    /// # Errors
    /// If a width is zero.
    pub fn new(input: usize, hidden: usize) -> Result<Self> {
        Ok(MinimalGated {
            input: Linear::new(input, 2 * hidden)?,
            forget: Linear::without_bias(hidden, hidden)?,
            candidate: Linear::without_bias(hidden, hidden)?,
        })
    }
}

impl Cell for MinimalGated {
    type State = Variable;

    fn input_size(&self) -> usize {
        self.input.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.forget.weight.shape()[0]
    }

    fn zero_state(&self, batch: usize) -> Variable {
        Tensor::zeros([batch, self.output_size()]).into()
    }

    fn project(&self, x: &Variable) -> Variable {
        x.linear(&self.input.weight, self.input.bias.as_deref())
    }

    fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
        let [xf, xn] = x.parts(-1);
        let [f, kept] = Forget.apply([&h.linear(&self.forget.weight, Some(&xf)), h]);
        let h = Blend.apply1([&f, &kept.linear(&self.candidate.weight, Some(&xn)), h]);
        (h.clone(), h)
    }
}
