//! A forecast that is a density (mixture density network, Bishop 1994): an LSTM whose head gives weights,
//! means and widths of Gaussians. The series jumps up or down at every step, so that its mean is where it
//! never goes: a single Gaussian would not get below 0.74 nats a step, the law that made the series has
//! -0.19.
//!
//! `cargo run --release --example mixture_density`

use wengert::nn::gumbel_softmax_hard;
use wengert::prelude::*;

/// Says of each next value how likely it is.
pub struct Forecaster {
    lstm: Lstm,
    head: Linear,
}
module!(Forecaster { lstm, head });

impl Forecaster {
    /// 16 units and three Gaussians.
    pub fn new() -> Result<Self> {
        Ok(Forecaster { lstm: Lstm::new(1, 16)?, head: Linear::new(16, 3 * 3)? })
    }

    /// Of series (21, N, 1): what twenty steps say of the next ones.
    pub fn loss(&self, series: &Variable) -> Result<Variable> {
        let (seen, next) = (series.narrow(0, 0, 20), series.narrow(0, 1, 20));
        let (out, _) = self.lstm.forward(&seen, None)?;
        let [logits, means, log_widths] = self.mixture(&out)?;
        mixture_nll_loss(&logits, &means, &log_widths, &next.select(2, 0))
    }

    /// Logits, means and logarithms of widths (.., 3) from the outputs of the LSTM (.., 16).
    fn mixture(&self, out: &Variable) -> Result<[Variable; 3]> {
        Ok(self.head.forward(out)?.parts(-1))
    }

    /// A draw (N, 1) from what is said by outputs (N, 16).
    fn sample(&self, out: &Variable) -> Result<Variable> {
        let [logits, means, log_widths] = self.mixture(out)?;
        let chosen = gumbel_softmax_hard(&logits, 1.0, -1)?;
        let [mean, width] = [means, log_widths.exp()].map(|of| (&chosen * of).sum_dim(&[-1]).unsqueeze(-1));
        Ok(&mean + width * Tensor::randn(mean.shape()))
    }
}

/// Series (L, N, 1): four fifths of the last value, a half more or less, and a tenth of noise.
pub fn series(length: usize, size: usize) -> Result<Variable> {
    let mut values = vec![Variable::zeros([size, 1])];
    for t in 1..length {
        let jump = Tensor::bernoulli([size, 1], 0.5)? - 0.5;
        values.push(&values[t - 1] * 0.8 + jump + Tensor::randn([size, 1]) * 0.1);
    }
    Ok(stack(&values, 0))
}

/// Trains for so many steps; gives the loss on new series, and the part of sampled jumps that are jumps.
pub fn run(steps: usize) -> Result<[f32; 2]> {
    manual_seed(0);
    let model = Forecaster::new()?;
    let mut adam = Adam::new(model.parameters(), 1e-2)?;
    for step in 1..=steps {
        let loss = model.loss(&series(21, 32)?)?;
        loss.backward()?;
        clip_grad_norm(&model.parameters(), 1.0)?;
        adam.step()?;
        adam.zero_grad();
        if step % 50 == 0 {
            println!("step {step:3}: loss {:.3}", loss.item()?);
        }
    }
    let loss = no_grad(|| model.loss(&series(21, 500)?))?.item()?;

    let (mut stepper, mut x) = (model.lstm.stepper(100)?, series(1, 100)?.select(0, 0));
    let (mut sampled, mut jumps) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let next = no_grad(|| model.sample(&stepper.step(&x)?))?;
        jumps.push((&next - &x * 0.8).abs());
        sampled.push(next.to_vec()[0]);
        x = next;
    }
    println!("a series from the model: {sampled:.2?}");
    let jumps = stack(&jumps, 0).value();
    let near = jumps.map(|jump| f32::from((0.25..0.75).contains(&jump))).mean().item()?;
    println!("loss on new series {loss:.3}; {:.1} % of the sampled jumps are near a half", 100.0 * near);
    Ok([loss, near])
}

#[allow(dead_code, reason = "the tests run the example as a module")]
fn main() -> Result<()> {
    run(500).map(|_| ())
}
