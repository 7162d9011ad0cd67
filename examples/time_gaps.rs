//! A continuous-time cell: observations at irregular times, of which every layer sees how far they are apart.
//!
//! `cargo run --release --example time_gaps`
//!
//! The state moves towards a candidate as long as the gap to the next observation lasts, by the exact
//! solution of `dh/dt = r (tanh(W x + U h + b) - h)`, with a rate r > 0 for each unit (a leaky integrator,
//! Funahashi and Nakamura 1993). The task: a sine of random phase, seen at random times; what is its value
//! at the next one? The same layer that is told that all gaps are equal has to guess.

use wengert::nn::CellWith;
use wengert::prelude::*;
use wengert_check::{Property, randomized, tensor};

pointwise! {
    /// `h' = n + (h - n) exp(-r gap)` with `n = tanh(a)`, `r = log(1 + exp(rate))`.
    struct Flow;
    fn eval(a, rate, gap, h) -> 1 {
        let n = a.tanh();
        [n + (h - n) * (-(rate.exp().ln_1p() * gap)).exp()]
    }
}

/// A leaky integrator in continuous time.
#[derive(Clone)]
struct Continuous<T: Float = f32> {
    w: Linear<T>,
    u: Linear<T>,
    rate: Parameter<T>,
}
cell!(Continuous<T> { w, u, rate });

impl Continuous {
    fn new(input: usize, hidden: usize) -> Result<Self> {
        let (w, u) = (Linear::new(input, hidden)?, Linear::without_bias(hidden, hidden)?);
        Ok(Continuous { w, u, rate: Parameter::new(Tensor::uniform([hidden], -2.0, 2.0)) })
    }
}

impl<T: Float> CellWith for Continuous<T> {
    type State = Variable<T>;
    /// The gaps (L, N, 1).
    type Context = Variable<T>;

    fn input_size(&self) -> usize {
        self.w.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.rate.numel()
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Variable::zeros([batch, self.output_size()])
    }

    fn project(&self, x: &Variable<T>) -> Variable<T> {
        x.linear(&self.w.weight, self.w.bias.as_deref())
    }

    fn step_with(&self, x: &Variable<T>, gap: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
        let a = h.linear(&self.u.weight, Some(x));
        let h = Flow.apply1([&a, &self.rate, gap, h]);
        (h.clone(), h)
    }
}

/// All derivatives of a step up to second order, those by the gap among them.
pub fn check(cases: u32) -> std::result::Result<(), String> {
    Property::new().cases(cases).seed(1).announce(|_| {}).run_with(
        |case| {
            let n = case.draw(1..4);
            for (name, width) in [("x", 3), ("gap", 1), ("h", 2)] {
                case.input(name, tensor([n, width]));
            }
            let cell = case.draw(randomized(|| Continuous::new(3, 2).expect("widths").cast::<f64>()));
            case.parameters_of(&cell);
            cell
        },
        |cell, x| cell.forward_with(&x[0], &x[1], Some(&x[2])),
    )
}

/// Says the value at the next observation.
pub struct Model {
    rnn: Recurrent<Continuous>,
    head: Linear,
}
module!(Model { rnn, head });

impl Model {
    /// Two layers of 24 units.
    pub fn new() -> Result<Self> {
        let rnn = Recurrent::of(1, |input| Continuous::new(input, 24)).num_layers(2).build()?;
        Ok(Model { rnn, head: Linear::new(24, 1)? })
    }

    /// The mean squared error of values that are seen, with their gaps and the next ones.
    pub fn loss(&self, [x, gaps, next]: &[Variable; 3]) -> Result<Variable> {
        let (out, _) = self.rnn.forward_with(x, gaps, None)?;
        mse_loss(&self.head.forward(&out)?, next)
    }
}

/// Values, gaps and next values of `batch` sines, (steps, batch, 1) each.
pub fn sines(steps: usize, batch: usize) -> [Variable; 3] {
    let gaps = Variable::from(Tensor::uniform([steps, batch, 1], 0.1, 1.5));
    let phase = Tensor::uniform([1, batch, 1], 0.0, std::f64::consts::TAU);
    let next = gaps.cumsum(0) + phase;
    [(&next - &gaps).sin(), gaps, next.sin()]
}

/// The mean squared error after training for so many steps, with the gaps, or with their mean in their place.
fn train(steps: usize, sees_gaps: bool) -> Result<f32> {
    manual_seed(1);
    let model = Model::new()?;
    let mut adam = Adam::new(model.parameters(), 5e-3)?;
    let mut mean = 0.0;
    for step in 0..steps {
        let [x, gaps, next] = sines(30, 16);
        let gaps = if sees_gaps { gaps } else { &gaps * 0.0 + 0.8 };
        let loss = model.loss(&[x, gaps, next])?;
        loss.backward()?;
        adam.step()?;
        adam.zero_grad();
        if step + 10 >= steps {
            mean += loss.item()? / 10.0;
        }
    }
    Ok(mean)
}

/// The errors with and without gaps.
pub fn run(steps: usize) -> Result<[f32; 2]> {
    Ok([train(steps, true)?, train(steps, false)?])
}

#[allow(dead_code, reason = "the test runs the example as a module")]
fn main() -> Result<()> {
    let [with, without] = run(600)?;
    println!("mean squared error of the next value: {with:.4} with the gaps, {without:.4} without");
    Ok(())
}
