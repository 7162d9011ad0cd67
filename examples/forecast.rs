//! A forecast with an interval, from the raw series to the table: a noisy sine with missing values.
//!
//! `cargo run --release --example forecast`
//!
//! The network sees 48 steps, with a mask and the time since the last observation, and says quantiles of the
//! next 12. The naive forecast is the value a period before, plus the quantiles of its errors in training.

use std::path::Path;

use wengert::data::*;
use wengert::nn::loss::QuantileLoss;
use wengert::optim::schedule::{CosineAnnealingLr, Schedule, WarmUp};
use wengert::prelude::*;
use wengert::train::*;

const WINDOW: usize = 48;
const HORIZON: usize = 12;
/// How far a window and what follows it reach beyond its first step.
const REACH: usize = WINDOW + HORIZON - 1;
const QUANTILES: [f64; 3] = [0.1, 0.5, 0.9];

struct Model {
    gru: Gru,
    head: Linear,
}
module!(Model { gru, head });

impl Model {
    /// Quantiles (N, 12, 3) of what follows windows (N, 48, 3).
    fn forward(&self, x: &Tensor) -> Result<Variable> {
        let (_, h) = self.gru.forward(x, None)?;
        Ok(self.head.forward(&h.select(0, 0))?.reshape([x.shape()[0], HORIZON, QUANTILES.len()]))
    }
}

/// A sine (T, 1) of 2000 steps and period 24 with noise, of which a quarter is missing.
fn series() -> Result<Tensor> {
    let sine = (Tensor::arange(0.0, 2000.0, 1.0)? * (std::f64::consts::TAU / 24.0)).sin();
    let noisy = sine * 10.0 + Tensor::randn([2000]) * 2.0 + 50.0;
    noisy.zip(&Tensor::rand([2000]), |x, u: f32| if u < 0.25 { f32::NAN } else { x })?.unsqueeze(1)
}

/// The mean pinball loss of forecasts of what follows (N, 12, 3), where that was observed.
fn pinball(forecast: &Variable, follows: &Tensor) -> Result<Variable> {
    let (target, seen) = (follows.select(2, 0)?, follows.select(2, 1)?.gt(0.0));
    QuantileLoss::default().mask(&seen).loss(forecast, &target, &QUANTILES)
}

/// Prints how good a forecast is: pinball loss, and the part of the observed that lies in the interval.
fn score(name: &str, forecast: &Variable, follows: &Tensor, unit: f64) -> Result<[f64; 2]> {
    let (loss, mut covered) = (unit * f64::from(pinball(forecast, follows)?.item()?), Mean::new());
    let target = follows.select(2, 0)?;
    let inside = target.ge(forecast.select(2, 0)) & target.le(forecast.select(2, 2));
    covered.update(&inside.map(f32::from), &follows.select(2, 1)?)?;
    println!("{name:16} {loss:12.4} {:18.1} %", 100.0 * covered.value());
    Ok([loss, covered.value()])
}

/// The naive forecast of what follows windows `x`, with its errors in those to train on.
fn naive((train, followed): &(Tensor, Tensor), x: &Tensor) -> Result<Variable> {
    let before = |x: &Tensor| x.select(2, 0)?.narrow(1, WINDOW - 24, HORIZON);
    let (off, seen) = ((followed.select(2, 0)? - before(train)?).to_vec(), followed.select(2, 1)?.to_vec());
    let mut off: Vec<f32> = off.into_iter().zip(seen).filter(|at| at.1 > 0.0).map(|at| at.0).collect();
    off.sort_by(f32::total_cmp);
    let off = Tensor::from([1, 5, 9].map(|tenth| off[tenth * off.len() / 10]));
    Ok(Variable::new(before(x)?.unsqueeze(-1)? + off))
}

/// Trains for at most so many epochs; gives loss and coverage of the network's forecast and of the naive one.
pub fn run(epochs: u64, folder: &Path) -> Result<[[f64; 2]; 2]> {
    manual_seed(0);
    let (series, training) = (series()?, 1200);
    let scaler = Scaler::standard(&series.narrow(0, 0, training)?)?;
    let seen = observations(&scaler.transform(&series)?, ObservationOptions::default())?;
    let columns = Tensor::cat(&[&seen.values, &seen.mask.map(f32::from), &seen.gaps], 1);
    let windows = Windows::builder(columns, WINDOW).horizon(HORIZON).build()?;
    let [train, valid, test] = time_split(windows, [training - REACH, 250, 250], REACH)?;
    let (all, (x_valid, y_valid), (x, y)) = (train.stacked()?, valid.stacked()?, test.stacked()?);
    let loader = DataLoader::builder(train).batch_size(16).shuffle(0).prefetch(2).build()?;
    let model = Model { gru: Gru::builder(3, 32).batch_first(true).build()?, head: Linear::new(32, 36)? };
    let mut adam = AdamW::new(model.parameters(), 5e-3)?;
    let steps = epochs * loader.len().div_ceil(2) as u64;
    let schedule = WarmUp::new(20, CosineAnnealingLr::new(5e-3, steps)?)?;
    let mut averaged = Averaged::ema(model.parameters(), 0.98)?;
    let (mut early, progress) = (EarlyStopping::new(Mode::Min, 6)?, Progress::new());
    let checkpoints = Checkpoints::new(folder)?.keep_best(Mode::Min);
    checkpoints.forget_after(0)?;
    for epoch in 0..epochs {
        for (batch, n) in progress.over(&loader).zip(1..) {
            let (x, y) = batch?;
            // Two batches a step; the last one of an odd number is alone.
            let is_alone = n == loader.len() && n % 2 == 1;
            (pinball(&model.forward(&x)?, &y)? / if is_alone { 1.0 } else { 2.0 }).backward()?;
            if n % 2 == 0 || is_alone {
                clip_grad_norm(&model.parameters(), 1.0)?;
                adam.set_lr(schedule.try_lr(averaged.updates())?);
                adam.step()?;
                adam.zero_grad();
                averaged.update()?;
            }
        }
        averaged.swap()?;
        let loss = f64::from(no_grad(|| pinball(&model.forward(&x_valid)?, &y_valid)?.item())?);
        checkpoints.save(epoch, loss, &Kept::new().module("model", &model))?;
        averaged.swap()?;
        progress.show(format!("epoch {epoch}: validation {loss:.4}"));
        if early.observe(loss) {
            break;
        }
    }
    let best = checkpoints.best()?.expect("an epoch whose loss is a number");
    Kept::new().module("model", &model).load(&best.path)?;
    println!("best at epoch {:<2} pinball loss  in 80 % interval", best.step);
    let network = score("GRU", &no_grad(|| model.forward(&x))?, &y, scaler.scale()[0])?;
    Ok([network, score("a period before", &naive(&all, &x)?, &y, scaler.scale()[0])?])
}

#[allow(dead_code, reason = "the test runs the example as a module")]
fn main() -> Result<()> {
    run(40, Path::new("target/forecast")).map(|_| ())
}
