//! An LSTM cell from the literature, line by line: peepholes, by which the gates see the cell state (Gers and
//! Schmidhuber 2000), a clipped cell state, and a projection of the hidden state (Sak et al. 2014, arXiv
//! 1402.1128). Its derivatives are checked to second order; then two bidirectional layers of it learn to tell
//! how many steps lie between two events.
//!
//! `cargo run --release --example peephole`

use wengert::prelude::*;
use wengert_check::{Property, randomized, tensor};

pointwise! {
    /// The gates with the peepholes `pi`, `pf`, `po`; the last gate sees the new cell state.
    struct Gates { clip }
    fn eval(i, f, g, o, c, pi, pf, po) -> 2 {
        let kept = (f + pf * c).sigmoid() * c;
        let c = (kept + (i + pi * c).sigmoid() * g.tanh()).clamp(-clip, clip);
        [(o + po * c).sigmoid() * c.tanh(), c]
    }
}

#[derive(Clone)]
struct Peephole<T: Float = f32> {
    input: Parameter<T>,
    recurrent: Parameter<T>,
    bias: Parameter<T>,
    peepholes: Parameter<T>,
    projection: Parameter<T>,
    clip: f64,
}
cell!(Peephole<T> { input, recurrent, bias, peepholes, projection } keep { clip });

impl<T: Float> Peephole<T> {
    fn new(input: usize, hidden: usize, projected: usize, clip: f64) -> Self {
        let weight = |rows, columns| Parameter::new(Tensor::uniform([rows, columns], -0.5, 0.5));
        Peephole {
            input: weight(4 * hidden, input),
            recurrent: weight(4 * hidden, projected),
            bias: Parameter::new(Tensor::zeros([4 * hidden])),
            peepholes: weight(3, hidden),
            projection: weight(projected, hidden),
            clip,
        }
    }
}

impl<T: Float> Cell for Peephole<T> {
    /// Projected hidden state and cell state.
    type State = (Variable<T>, Variable<T>);

    fn input_size(&self) -> usize {
        self.input.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.projection.shape()[0]
    }

    fn zero_state(&self, batch: usize) -> Self::State {
        (Variable::zeros([batch, self.output_size()]), Variable::zeros([batch, self.peepholes.shape()[1]]))
    }

    fn project(&self, x: &Variable<T>) -> Variable<T> {
        x.linear(&self.input, Some(&*self.bias))
    }

    fn step(&self, x: &Variable<T>, (h, c): &Self::State) -> (Variable<T>, Self::State) {
        let [i, f, g, o] = h.linear(&self.recurrent, Some(x)).parts(-1);
        let [pi, pf, po] = self.peepholes.parts(0);
        let [h, c] = Gates { clip: self.clip }.apply([&i, &f, &g, &o, c, &pi, &pf, &po]);
        let h = h.linear(&self.projection, None);
        (h.clone(), (h, c))
    }

    fn map_hidden(&self, (h, c): &Self::State, f: &mut MapPart<'_, T>) -> Self::State {
        (f(h), c.clone())
    }
}

/// All derivatives of a step up to second order, over random batches and values, of which some are clipped.
pub fn check(cases: u32) -> std::result::Result<(), String> {
    Property::new().cases(cases).seed(1).announce(|_| {}).run_with(
        |case| {
            let n = case.draw(1..4);
            let cell = case.draw(randomized(|| Peephole::new(3, 3, 2, 0.8)));
            case.input("x", tensor([n, 3]));
            case.input("h", tensor([n, 2]));
            case.input("c", tensor([n, 3]));
            case.parameters_of(&cell);
            cell
        },
        |cell, x| cell.forward(&x[0], Some(&(x[1].clone(), x[2].clone()))),
    )
}

/// Tells how many steps lie between two events.
pub struct Model {
    events: Embedding,
    rnn: Recurrent<Peephole>,
    head: Linear,
}
module!(Model { events, rnn, head });

impl Model {
    /// Two bidirectional layers of 16 units, projected to 8.
    pub fn new() -> Result<Self> {
        let cell = |input| Ok(Peephole::new(input, 16, 8, 3.0));
        Ok(Model {
            events: Embedding::new(2, 4)?,
            rnn: Recurrent::of(4, cell).num_layers(2).bidirectional(true).build()?,
            head: Linear::new(16, 8)?,
        })
    }

    /// How likely each distance is.
    fn logits(&self, events: &Tensor<i64>) -> Result<Variable> {
        let (out, _) = self.rnn.forward(&self.events.forward(events)?, None)?;
        // By the last step one direction has seen both events.
        self.head.forward(&out.select(0, 15))
    }

    /// The mean cross-entropy of a batch.
    pub fn loss(&self, (events, gaps): &(Tensor<i64>, Tensor<i64>)) -> Result<Variable> {
        cross_entropy(&self.logits(events)?, gaps)
    }
}

/// Sequences (L, N) with two ones in them, and how far apart those are, less one.
pub fn batch(size: usize) -> Result<(Tensor<i64>, Tensor<i64>)> {
    let below = |n| Tensor::<f64>::uniform([size], 0.0, n).map(|u| u as i64);
    let (first, gap) = (below(8.0), below(8.0));
    let second = first.zip(&gap, |first, gap| first + gap + 1)?;
    let events = first.one_hot::<i64>(16)?.zip(&second.one_hot::<i64>(16)?, |a, b| a + b)?;
    Ok((events.t(), gap))
}

/// Trains for so many steps; gives the part of new sequences that are told rightly.
pub fn run(steps: usize) -> Result<f32> {
    manual_seed(0);
    let model = Model::new()?;
    println!("{}", model.rnn);
    let mut adam = Adam::new(model.parameters(), 1e-2)?;
    for step in 1..=steps {
        let loss = model.loss(&batch(32)?)?;
        loss.backward()?;
        clip_grad_norm(&model.parameters(), 1.0)?;
        adam.step()?;
        adam.zero_grad();
        if step % 50 == 0 {
            println!("step {step:3}: loss {:.3}", loss.item()?);
        }
    }
    let (events, gaps) = batch(500)?;
    let found = no_grad(|| model.logits(&events))?.argmax(-1);
    let right = found.zip(&gaps, |found, gap| f32::from(found == gap))?.mean().item()?;
    println!("of 500 new sequences {:.1} % are told rightly; by chance 12.5 %", 100.0 * right);
    Ok(right)
}

#[allow(dead_code, reason = "the tests run the example as a module")]
fn main() -> Result<()> {
    println!("derivatives: {}", check(50).map_or_else(|text| text, |()| "all are right".to_string()));
    run(300).map(|_| ())
}
