//! Small networks learn a small task.

use wengert_core::{Tensor, Variable, manual_seed};
use wengert_nn::{
    Cell, Embedding, Gru, Linear, Lstm, Module, Nonlinearity, Recurrent, Rnn, cross_entropy, module, mse_loss,
};

/// Adam as its paper has it.
struct Adam {
    moments: Vec<[Vec<f64>; 2]>,
    lr: f64,
    time: i32,
}

impl Adam {
    fn new<M: Module<Element = f32>>(model: &M, lr: f64) -> Self {
        let zeros = |p: usize| [vec![0.0; p], vec![0.0; p]];
        Adam { moments: model.parameters().iter().map(|p| zeros(p.numel())).collect(), lr, time: 0 }
    }

    fn step<M: Module<Element = f32>>(&mut self, model: &M) {
        self.time += 1;
        for (parameter, [m, v]) in model.parameters().iter().zip(&mut self.moments) {
            let grad = parameter.grad().expect("a gradient").to_vec();
            let update = |p: &mut [f32]| {
                for (i, g) in grad.iter().map(|&g| f64::from(g)).enumerate() {
                    (m[i], v[i]) = (0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g * g);
                    let corrected = |x: f64, beta: f64| x / (1.0 - beta.powi(self.time));
                    p[i] -= (self.lr * corrected(m[i], 0.9) / (corrected(v[i], 0.999).sqrt() + 1e-8)) as f32;
                }
            };
            parameter.update("step", update).unwrap();
        }
        model.zero_grad();
    }
}

/// Counts the ones of a sequence.
struct Counter<C> {
    inner: Linear,
    rnn: Recurrent<C>,
    outer: Linear,
}
module!(impl[C: Cell<Element = f32>] Counter[C] as f32 { inner, rnn, outer });

impl<C: Cell<Element = f32>> Counter<C> {
    fn new(rnn: Recurrent<C>) -> Self {
        Counter { inner: Linear::new(1, 32).unwrap(), rnn, outer: Linear::new(32, 1).unwrap() }
    }

    /// The loss of 16 random sequences of five bits.
    fn loss(&self) -> Variable {
        let bits = Variable::new(Tensor::<f32>::bernoulli([5, 16, 1], 0.5).unwrap());
        let (output, _) = self.rnn.forward(&self.inner.forward(&bits).unwrap().tanh(), None).unwrap();
        mse_loss(&self.outer.forward(&output.select(0, 4)).unwrap(), &bits.sum_dim(&[0])).unwrap()
    }
}

fn learns_to_count<C: Cell<Element = f32>>(rnn: Recurrent<C>) {
    let model = Counter::new(rnn);
    let mut adam = Adam::new(&model, 1e-2);
    let mut smoothed = 10.0;
    for _ in 0..1500 {
        let loss = model.loss();
        smoothed = 0.9 * smoothed + 0.1 * loss.item().unwrap();
        if smoothed < 1e-2 {
            return;
        }
        loss.backward().unwrap();
        adam.step(&model);
    }
    panic!("a loss of {smoothed} is left");
}

#[test]
fn an_lstm_learns_to_count() {
    learns_to_count(Lstm::builder(32, 32).num_layers(2).build().unwrap());
}

#[test]
fn a_gru_learns_to_count() {
    learns_to_count(Gru::builder(32, 32).num_layers(2).build().unwrap());
}

#[test]
fn an_rnn_learns_to_count() {
    for nonlinearity in [Nonlinearity::Tanh, Nonlinearity::Relu] {
        learns_to_count(Rnn::builder(32, 32).num_layers(2).nonlinearity(nonlinearity).build().unwrap());
    }
}

/// Repeats what it read two steps ago, in five letters.
struct Echo {
    embedding: Embedding,
    rnn: Lstm,
    head: Linear,
}
module!(Echo { embedding, rnn, head });

impl Echo {
    fn loss(&self) -> Variable {
        let letters: Vec<i64> =
            Tensor::<f32>::uniform([10 * 16], 0.0, 5.0).to_vec().iter().map(|&x| x as i64).collect();
        let letters = Tensor::from_vec(letters, [10, 16]).unwrap();
        let (output, _) = self.rnn.forward(&self.embedding.forward(&letters).unwrap(), None).unwrap();
        let logits = self.head.forward(&output.narrow(0, 2, 8)).unwrap();
        cross_entropy(&logits, &letters.narrow(0, 0, 8).unwrap()).unwrap()
    }
}

#[test]
fn an_lstm_learns_to_echo_what_it_read_two_steps_ago() {
    manual_seed(1);
    let model = Echo {
        embedding: Embedding::new(5, 8).unwrap(),
        rnn: Lstm::new(8, 32).unwrap(),
        head: Linear::new(32, 5).unwrap(),
    };
    let before = model.loss().item().unwrap();
    assert!((before - 5f32.ln()).abs() < 0.2, "guessing costs ln 5, not {before}");
    let mut adam = Adam::new(&model, 1e-2);
    for _ in 0..300 {
        model.loss().backward().unwrap();
        adam.step(&model);
    }
    let after = model.loss().item().unwrap();
    assert!(after < 0.05, "{after}");
}
