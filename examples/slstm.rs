//! The sLSTM of xLSTM (Beck et al. 2024, arXiv 2405.04517): exponential gates, a normaliser `n`, and a
//! stabiliser `m` that keeps the exponentials in range. A state of four parts is an array of four variables.
//! Two layers learn the parity of the bits so far, which needs a memory that is rewritten at every step.
//!
//! `cargo run --release --example slstm`

use wengert::prelude::*;
use wengert_check::{Property, randomized, tensor};

pointwise! {
    /// `m' = max(ln f + m, ln i)`, and with `i' = exp(ln i - m')`, `f' = exp(ln f + m - m')`:
    /// `c' = f' c + i' tanh(z)`, `n' = f' n + i'`, `h' = sigmoid(o) c' / n'`. The argument `i` is `ln i`,
    /// and `f` is the logit of the forget gate.
    struct Gates;
    fn eval(i, f, z, o, c, n, m) -> 4 {
        let f = m - (-f).softplus();
        let m = f.maximum(i);
        let (i, f) = ((i - m).exp(), (f - m).exp());
        let c = f * c + i * z.tanh();
        let n = f * n + i;
        [o.sigmoid() * c / n, c, n, m]
    }
}

#[derive(Clone)]
struct Slstm<T: Float = f32> {
    input: Linear<T>,
    recurrent: Linear<T>,
}
cell!(Slstm<T> { input, recurrent });

impl Slstm {
    fn new(input: usize, hidden: usize) -> Result<Self> {
        Ok(Slstm {
            input: Linear::new(input, 4 * hidden)?,
            recurrent: Linear::without_bias(hidden, 4 * hidden)?,
        })
    }
}

impl<T: Float> Cell for Slstm<T> {
    /// h, c, n, m.
    type State = [Variable<T>; 4];

    fn input_size(&self) -> usize {
        self.input.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.recurrent.weight.shape()[1]
    }

    fn zero_state(&self, batch: usize) -> Self::State {
        std::array::from_fn(|_| Variable::zeros([batch, self.output_size()]))
    }

    fn project(&self, x: &Variable<T>) -> Variable<T> {
        x.linear(&self.input.weight, self.input.bias.as_deref())
    }

    fn step(&self, x: &Variable<T>, [h, c, n, m]: &Self::State) -> (Variable<T>, Self::State) {
        let [i, f, z, o] = h.linear(&self.recurrent.weight, Some(x)).parts(-1);
        let next = Gates.apply([&i, &f, &z, &o, c, n, m]);
        (next[0].clone(), next)
    }

    /// Dropout on the state acts on `h` alone: sums and their normaliser belong together.
    fn map_hidden(&self, [h, c, n, m]: &Self::State, f: &mut MapPart<'_, T>) -> Self::State {
        [f(h), c.clone(), n.clone(), m.clone()]
    }
}

/// All derivatives of a step up to second order, over random batches and values.
pub fn check(cases: u32) -> std::result::Result<(), String> {
    Property::new().cases(cases).seed(1).announce(|_| {}).run_with(
        |case| {
            let n = case.draw(1..4);
            case.input("x", tensor([n, 3]));
            for part in ["h", "c", "n", "m"] {
                case.input(part, tensor([n, 2]).within(0.5, 2.0));
            }
            let cell = case.draw(randomized(|| Slstm::new(3, 2).expect("widths").cast::<f64>()));
            case.parameters_of(&cell);
            cell
        },
        |cell, x| cell.forward(&x[0], Some(&[1, 2, 3, 4].map(|part| x[part].clone()))),
    )
}

/// Tells the parity at each step.
pub struct Model {
    bits: Embedding,
    rnn: Recurrent<Slstm>,
    head: Linear,
}
module!(Model { bits, rnn, head });

impl Model {
    /// Two layers of 24 units.
    pub fn new() -> Result<Self> {
        let cell = |input| Slstm::new(input, 24);
        Ok(Model {
            bits: Embedding::new(2, 8)?,
            rnn: Recurrent::of(8, cell).num_layers(2).state_dropout(0.1).build()?,
            head: Linear::new(24, 2)?,
        })
    }

    /// For each step how likely the parity is to be even, and to be odd.
    fn logits(&self, bits: &Tensor<i64>) -> Result<Variable> {
        let (out, _) = self.rnn.forward(&self.bits.forward(bits)?, None)?;
        self.head.forward(&out)
    }

    /// The mean cross-entropy at all steps.
    pub fn loss(&self, (bits, parity): &(Tensor<i64>, Tensor<i64>)) -> Result<Variable> {
        cross_entropy(&self.logits(bits)?, parity)
    }
}

/// Bits (L, N), and for each whether an odd number of ones has come so far.
pub fn batch(length: usize, size: usize) -> Result<(Tensor<i64>, Tensor<i64>)> {
    let bits = Tensor::<f32>::bernoulli([length, size], 0.5)?;
    Ok((bits.map(|bit| bit as i64), bits.cumsum(0).map(|ones| ones as i64 % 2)))
}

/// Trains for so many steps on ten bits; gives the part of parities that are right on forty bits.
pub fn run(steps: usize) -> Result<f32> {
    manual_seed(0);
    let mut model = Model::new()?;
    println!("{}", model.rnn);
    let mut adam = Adam::new(model.parameters(), 1e-2)?;
    for step in 1..=steps {
        let loss = model.loss(&batch(10, 32)?)?;
        loss.backward()?;
        clip_grad_norm(&model.parameters(), 1.0)?;
        adam.step()?;
        adam.zero_grad();
        if step % 10 == 0 {
            println!("step {step:3}: loss {:.3}", loss.item()?);
        }
    }
    model.eval();
    let (bits, parity) = batch(40, 100)?;
    let found = no_grad(|| model.logits(&bits))?.argmax(-1);
    let right = found.zip(&parity, |found, parity| f32::from(found == parity))?.mean().item()?;
    println!("on sequences four times as long {:.1} % of the parities are right", 100.0 * right);
    Ok(right)
}

#[allow(dead_code, reason = "the tests run the example as a module")]
fn main() -> Result<()> {
    run(100).map(|_| ())
}
