//! A forecast that is a density (mixture density network, Bishop 1994): an LSTM whose head gives weights,
//! means and widths of Gaussians. The series jumps up or down at every step, so that its mean is where it
//! never goes: a single Gaussian would not get below 0.74 nats a step, the law that made the series has
//! -0.19.
//!
//! `cargo run --release --example mixture_density`

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
        Ok(Mixture::of(&self.head, &out)?.negative_log_likelihood(&next).mean())
    }
}

/// Gaussians along the last axis.
struct Mixture {
    log_weights: Variable,
    means: Variable,
    log_widths: Variable,
}

impl Mixture {
    /// From the outputs of an LSTM (.., H).
    fn of(head: &Linear, out: &Variable) -> Result<Self> {
        let [logits, means, log_widths] = head.forward(out)?.parts(-1);
        Ok(Mixture { log_weights: logits.log_softmax(-1), means, log_widths })
    }

    /// `-ln sum_k w_k N(y; mean_k, width_k)` for values (.., 1).
    fn negative_log_likelihood(&self, y: &Variable) -> Variable {
        let distance = (y - &self.means) / self.log_widths.exp();
        let log_densities = -0.5 * distance.square() - &self.log_widths - 0.5 * std::f64::consts::TAU.ln();
        -(&self.log_weights + log_densities).logsumexp(-1)
    }

    /// A draw (N, 1) from each of N mixtures; the largest sum of a log-weight and a Gumbel number says from
    /// which Gaussian.
    fn sample(&self) -> Result<Variable> {
        let gumbel = -(-Tensor::rand(self.means.shape()).ln()).ln();
        let chosen = (&self.log_weights + gumbel).argmax(-1).unsqueeze(-1)?;
        let [mean, width] = [&self.means, &self.log_widths.exp()].map(|of| of.gather(-1, &chosen));
        Ok(mean + width * Tensor::randn(chosen.shape()))
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
        let next = no_grad(|| Mixture::of(&model.head, &stepper.step(&x)?)?.sample())?;
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
