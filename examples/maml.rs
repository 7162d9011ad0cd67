//! Weights from which one step of gradient descent is enough (MAML, Finn et al. 2017, arXiv 1703.03400):
//! regression on sine waves of any height and phase, by an LSTM that reads where the points are. The step on
//! ten points of a wave is recorded, so that the loss on ten others is differentiated through it.
//!
//! `cargo run --release --example maml`

use wengert::prelude::*;

/// Of the inner steps.
const RATE: f64 = 0.05;

/// Reads where points are and says how high.
#[derive(Clone)]
pub struct Model {
    lstm: Lstm,
    head: Linear,
}
module!(Model { lstm, head });

/// Ten points of a wave: where, and how high.
pub type Points = (Tensor, Tensor);

impl Model {
    /// 24 units.
    pub fn new() -> Result<Self> {
        Ok(Model { lstm: Lstm::new(1, 24)?, head: Linear::new(24, 1)? })
    }

    fn loss(&self, (x, y): &Points) -> Result<Variable> {
        let (out, _) = self.lstm.forward(x, None)?;
        mse_loss(&self.head.forward(&out)?, y)
    }

    /// All parameters, one behind the other, after so many inner steps, which are recorded.
    fn adapted(&self, points: &Points, steps: usize) -> Result<Variable> {
        let mut weights = self.flat();
        for _ in 0..steps {
            let loss = self.with_flat(&weights, |model| model.loss(points))?;
            let slope = grad(&[loss], &[&weights], GradOptions::default().create_graph(true))?;
            weights -= &slope[0] * RATE;
        }
        Ok(weights)
    }

    /// The loss on some points after steps on others.
    pub fn loss_after(&self, steps: usize, [seen, unseen]: &[Points; 2]) -> Result<Variable> {
        self.with_flat(&self.adapted(seen, steps)?, |model| model.loss(unseen))
    }
}

/// A wave `a sin(x + phase)` at twice ten places from -3 to 3, which come in order.
pub fn task() -> Result<[Points; 2]> {
    let (height, phase) = (Tensor::uniform([1], 0.5, 2.0), Tensor::uniform([1], -1.5, 1.5));
    let points = || {
        let x = Tensor::linspace(-2.7, 2.7, 10) + Tensor::uniform([10], -0.3, 0.3);
        let x = x.reshape([10, 1, 1])?;
        Ok((x.clone(), (x + &phase).sin() * &height))
    };
    Ok([points()?, points()?])
}

/// Trains for so many steps; gives the mean loss on new waves without an inner step and after one.
pub fn run(steps: usize) -> Result<[f32; 2]> {
    manual_seed(0);
    let model = Model::new()?;
    let mut adam = Adam::new(model.parameters(), 5e-3)?;
    let mean = |losses: Vec<Variable>| stack(&losses, 0).mean();
    for step in 1..=steps {
        let losses = (0..8).map(|_| model.loss_after(1, &task()?)).collect::<Result<_>>()?;
        let loss = mean(losses);
        loss.backward()?;
        adam.step()?;
        adam.zero_grad();
        if step % 50 == 0 {
            println!("step {step:3}: loss after an inner step {:.3}", loss.item()?);
        }
    }
    let tasks = (0..100).map(|_| task()).collect::<Result<Vec<_>>>()?;
    let after = |steps: usize| {
        let losses = tasks.iter().map(|task| Ok(model.loss_after(steps, task)?.detach()));
        mean(losses.collect::<Result<_>>()?).item()
    };
    let (before, one, five) = (after(0)?, after(1)?, after(5)?);
    println!("new waves: loss {before:.3} before, {one:.3} after one step, {five:.3} after five");
    Ok([before, one])
}

#[allow(dead_code, reason = "the tests run the example as a module")]
fn main() -> Result<()> {
    run(300).map(|_| ())
}
