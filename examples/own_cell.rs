//! A cell of your own, from its formula to a model: its tape, its derivatives, its training, what it learnt.
//!
//! `cargo run --release --example own_cell`

use std::error::Error;

use wengert::prelude::*;
use wengert::{Replay, record};
use wengert_check::{gradcheck_module, gradgradcheck_module};

pointwise! {
    /// `h' = (1 - f) h + f tanh(n)` with `f = sigmoid(a)`.
    struct Blend;
    fn eval(a, n, h) -> 1 { let f = a.sigmoid(); [(1.0 - f) * h + f * n.tanh()] }
}

/// A minimal gated unit: `a, n = W x + b + U h`, and the blend of these.
#[derive(Clone)]
pub struct Mgu {
    w: Linear,
    u: Linear,
}
cell!(Mgu { w, u });

impl Mgu {
    /// A unit of so many inputs and so wide a state.
    pub fn new(input: usize, hidden: usize) -> Result<Self> {
        Ok(Mgu { w: Linear::new(input, 2 * hidden)?, u: Linear::without_bias(hidden, 2 * hidden)? })
    }
}

impl Cell for Mgu {
    type State = Variable;

    fn input_size(&self) -> usize {
        self.w.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.u.weight.shape()[1]
    }

    fn zero_state(&self, batch: usize) -> Variable {
        Tensor::zeros([batch, self.output_size()]).into()
    }

    fn project(&self, x: &Variable) -> Variable {
        x.linear(&self.w.weight, self.w.bias.as_deref())
    }

    fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
        let [f, n] = h.linear(&self.u.weight, Some(x)).parts(-1);
        let h = Blend.apply1([&f, &n, h]);
        (h.clone(), h)
    }
}

/// A step, printed, and run again with another input.
fn tape() -> Result<()> {
    println!("== tape\n");
    let cell = Mgu::new(3, 4)?;
    for (name, parameter) in cell.named_parameters() {
        println!("{name:<8} {:?}", parameter.shape());
    }
    println!();
    let x = Variable::new(Tensor::randn([2, 3])).requires_grad_(true);
    let h = Variable::new(Tensor::randn([2, 4])).requires_grad_(true);
    let (next, _) = record(|| cell.forward(&x, Some(&h)))?;
    let (tape, places) = Tape::located(&[&x, &next]);
    println!("{tape}");

    println!("== replay\n");
    let (number, _) = places[0].expect("the input is on the tape");
    let other = Variable::new(Tensor::randn([2, 3]));
    let again: Replay<f32> = tape.replay_with(&[(number, other.clone())])?;
    let (called, _) = cell.forward(&other, Some(&h))?;
    let apart = (again.output() - &called).abs().max().item()?;
    println!("%{number} is the input; with another one, tape and cell differ by {apart}");
    assert!(apart < 1e-6);
    Ok(())
}

/// The derivatives of the cell and of two layers of it in both directions, first and second.
fn check() -> std::result::Result<(), Box<dyn Error>> {
    println!("== check\n");
    let cell = Mgu::new(3, 4)?;
    let x = Variable::new(Tensor::randn([2, 3])).requires_grad_(true);
    let h = Variable::new(Tensor::randn([2, 4])).requires_grad_(true);
    gradcheck_module(&cell, &[&x, &h])?;
    gradgradcheck_module(&cell, &[&x, &h])?;
    println!("the cell's first and second derivatives are those of differences");

    let layers = Recurrent::of(3, |input| Mgu::new(input, 2)).num_layers(2).bidirectional(true).build()?;
    let x = Variable::new(Tensor::randn([4, 1, 3])).requires_grad_(true);
    gradcheck_module(&layers, &[&x])?;
    println!("so are the first ones of {layers}");
    Ok(())
}

/// Tells the first bit of a sequence when it has ended.
struct Model {
    rnn: Recurrent<Mgu>,
    head: Linear,
}
module!(Model { rnn, head });

const STEPS: usize = 8;

impl Model {
    fn new() -> Result<Self> {
        let rnn = Recurrent::of(1, |input| Mgu::new(input, 16)).build()?;
        Ok(Model { rnn, head: Linear::new(16, 1)? })
    }

    /// Logits `[batch, 1]` of bits `[steps, batch, 1]`.
    fn logits(&self, bits: &Variable) -> Result<Variable> {
        let (out, _) = self.rnn.forward(bits, None)?;
        self.head.forward(&out.select(0, STEPS - 1))
    }

    fn loss(&self, bits: &Variable) -> Result<Variable> {
        binary_cross_entropy_with_logits(&self.logits(bits)?, &bits.select(0, 0).detach())
    }
}

/// Sequences of random bits, `[STEPS, batch, 1]`.
fn draw(batch: usize) -> Result<Variable> {
    Ok(Variable::new(Tensor::bernoulli([STEPS, batch, 1], 0.5)?))
}

fn train() -> Result<(Model, f64)> {
    println!("== train\n");
    let model = Model::new()?;
    let mut adam = Adam::new(model.parameters(), 3e-3)?;
    for step in 0..=150 {
        let loss = model.loss(&draw(32)?)?;
        if step % 50 == 0 {
            println!("after {step:3} steps the loss is {:.2}", loss.item()?);
        }
        loss.backward()?;
        adam.step()?;
        adam.zero_grad();
    }
    let bits = draw(500)?;
    let (logits, first) = (model.logits(&bits)?.to_vec(), bits.select(0, 0).to_vec());
    let right = logits.iter().zip(&first).filter(|(logit, bit)| (**logit > 0.0) == (**bit > 0.5)).count();
    let share = right as f64 / first.len() as f64;
    println!("of new sequences it is right about {share:.3}");
    Ok((model, share))
}

/// The trained model's tape, and where along it the loss depends on what.
fn walk(model: &Model) -> Result<()> {
    println!("== walk\n");
    let bits = draw(1)?.requires_grad_(true);
    let loss = record(|| model.loss(&bits))?;
    loss.backward()?;
    let tape = Tape::of(&loss);
    println!("{} lines, those of the first step and of the end:", tape.len());
    println!("{}...", tape.filtered(|entry| (8..11).contains(&entry.number)));
    println!("{}", tape.filtered(|entry| entry.number + 6 >= tape.len()));

    let states = tape.entries().iter().filter(|entry| entry.operation == "Blend");
    let of_states: Vec<f64> = states.filter_map(|entry| entry.outputs[0].grad_norm()).collect();
    let of_bits = bits.grad().expect("a backward has passed").to_vec();
    for t in 0..STEPS {
        println!("step {}: dloss/dx {:9.1e}   dloss/dh {:9.1e}", t + 1, of_bits[t].abs(), of_states[t]);
    }
    assert!(of_bits[1..].iter().all(|other| other.abs() < of_bits[0].abs()));
    Ok(())
}

/// All of it; gives the share of sequences that the model is right about.
pub fn run() -> std::result::Result<f64, Box<dyn Error>> {
    manual_seed(0);
    tape()?;
    check()?;
    let (model, right) = train()?;
    walk(&model)?;
    Ok(right)
}

#[allow(dead_code, reason = "the tests call `run`")]
fn main() -> std::result::Result<(), Box<dyn Error>> {
    run().map(|_| ())
}
