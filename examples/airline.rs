//! Airline passengers a month, by the last two months: a fit, a forecast, and a published run beside.
//!
//! ```text
//! cargo run --release --example airline                  # one seed
//! cargo run --release --example airline -- --seeds 10    # the median of ten
//! ```
//!
//! The setting is that of a published run in PyTorch: an LSTM of two layers of 4 and a linear layer, the
//! first 99 samples as one sequence, Adam 1e-2, 1000 epochs. `docs/airline.md` has the figures.

use std::path::{Path, PathBuf};

use clap::Parser;
use wengert::prelude::*;
use wengert::train::{Curve, CurvePlot, Progress};

/// Thousands of passengers from January 1949 to December 1960 (Box and Jenkins 1976, series G).
const PASSENGERS: [i16; 144] = [
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, // 1949
    115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140, // 1950
    145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, // 1951
    171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194, // 1952
    196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201, // 1953
    204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229, // 1954
    242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278, // 1955
    284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306, // 1956
    315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336, // 1957
    340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337, // 1958
    360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, // 1959
    417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432, // 1960
];
/// The largest figure minus the smallest.
const RANGE: f32 = 518.0;
/// The months that a sample sees.
const SEEN: usize = 2;
/// The samples to train on.
const TRAINING: usize = 99;
/// The months to forecast.
const AHEAD: usize = 24;
/// The training losses that were published after epochs 100, 200 and so on.
const PUBLISHED: [f32; 10] =
    [0.00395, 0.00337, 0.00259, 0.00149, 0.00109, 0.00106, 0.00097, 0.00092, 0.00087, 0.00105];

/// Learns the number of passengers of the next month.
#[derive(Parser, Clone, Debug)]
pub struct Options {
    /// How many seeds to train from: of more than one the losses are medians, and the plot is of the first.
    #[arg(long, default_value_t = 1)]
    pub seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// How many hundred epochs to train, at most ten.
    #[arg(long, default_value_t = 10)]
    pub hundreds: usize,
    /// Where the plot goes.
    #[arg(long, default_value = "target/airline.svg")]
    pub output: PathBuf,
}

struct Model {
    lstm: Lstm,
    head: Linear,
}
module!(Model { lstm, head });

type States = (Variable, Variable);

impl Model {
    /// The months behind samples (T, 1, 2), as (T, 1, 1), and the state to go on from.
    fn forward(&self, x: &Tensor, state: Option<&States>) -> Result<(Variable, States)> {
        let (out, state) = self.lstm.forward(x, state)?;
        Ok((self.head.forward(&out)?, state))
    }

    /// What it says of each month but the first two, and of those that follow, where it sees its own figures.
    fn forecast(&self, x: &Tensor) -> Result<Vec<f32>> {
        let (out, mut state) = self.forward(x, None)?;
        let (mut said, mut last) = (out.to_vec(), scaled(&PASSENGERS[PASSENGERS.len() - SEEN..]));
        for _ in 0..AHEAD {
            let (out, next) = self.forward(&last.reshape([1, 1, SEEN])?, Some(&state))?;
            last = Tensor::cat(&[&last.narrow(0, 1, SEEN - 1)?, &out.value().reshape([1])?], 0);
            state = next;
            said.push(out.item()?);
        }
        Ok(said)
    }
}

fn scaled(passengers: &[i16]) -> Tensor {
    Tensor::from_fn([passengers.len()], |month| f32::from(passengers[month]) / RANGE)
}

/// Samples (T, 1, 2) and the months behind them, (T, 1, 1).
fn samples() -> Result<(Tensor, Tensor)> {
    let (all, count) = (scaled(&PASSENGERS), PASSENGERS.len() - SEEN);
    let seen = Tensor::stack(&[&all.narrow(0, 0, count)?, &all.narrow(0, 1, count)?], 1);
    Ok((seen.unsqueeze(1)?, all.narrow(0, SEEN, count)?.reshape([count, 1, 1])?))
}

/// Trains from a seed; gives the model and the training loss of every hundredth epoch.
fn train(seed: u64, hundreds: usize) -> Result<(Model, Vec<f32>)> {
    manual_seed(seed);
    let model = Model { lstm: Lstm::builder(SEEN, 4).num_layers(2).build()?, head: Linear::new(4, 1)? };
    let mut adam = Adam::new(model.parameters(), 1e-2)?;
    let (x, y) = samples()?;
    let (x, y) = (x.narrow(0, 0, TRAINING)?, y.narrow(0, 0, TRAINING)?);
    let mut losses = Vec::new();
    let progress = Progress::new();
    for epoch in progress.over(1..100 * hundreds + 1) {
        let loss = mse_loss(&model.forward(&x, None)?.0, &y)?;
        loss.backward()?;
        adam.step()?;
        adam.zero_grad();
        if epoch % 100 == 0 {
            losses.push(loss.item()?);
            progress.show(format_args!("seed {seed} loss {:.5}", loss.item()?));
        }
    }
    progress.finish();
    Ok((model, losses))
}

/// The figures, what was said of them, and what is said of the months behind them.
fn plot(said: &[f32]) -> CurvePlot {
    let to = |name: &str, from: usize, figures: &[f32]| {
        let mut curve = Curve::new(name);
        figures.iter().zip(from..).for_each(|(figure, month)| curve.push(month as u64, f64::from(*figure)));
        curve
    };
    let known = PASSENGERS.len() - SEEN;
    let said: Vec<f32> = said.iter().map(|figure| figure * RANGE).collect();
    CurvePlot::new("airline passengers")
        .x_label("months since January 1949")
        .y_label("thousands")
        .curve(&to("passengers", 0, &PASSENGERS.map(f32::from)))
        .curve(&to("fit", SEEN, &said[..TRAINING]))
        .curve(&to("a month ahead", SEEN + TRAINING, &said[TRAINING..known]))
        .curve(&to("24 months ahead", PASSENGERS.len(), &said[known..]))
}

/// The root mean square of how far what was said is off, in thousands of passengers.
fn error(said: &[f32], months: std::ops::Range<usize>) -> f32 {
    let count = f32::from(months.len() as u16);
    let off = months.map(|month| said[month - SEEN] * RANGE - f32::from(PASSENGERS[month]));
    (off.map(|off| off * off).sum::<f32>() / count).sqrt()
}

/// The middle of some losses, of an even number the mean of the middle two.
fn median(mut losses: Vec<f32>) -> f32 {
    losses.sort_by(f32::total_cmp);
    let middle = losses.len() / 2;
    (losses[middle] + losses[(losses.len() - 1) / 2]) / 2.0
}

/// Trains and plots; gives the losses of every hundredth epoch.
pub fn run(options: &Options) -> Result<Vec<f32>> {
    let folder = options.output.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| Error::of_file(folder, error))?;
    let mut curves = Vec::new();
    for seed in options.seed..options.seed + options.seeds.max(1) {
        let (model, losses) = train(seed, options.hundreds)?;
        if curves.is_empty() {
            let said = no_grad(|| model.forecast(&samples()?.0))?;
            let (learned, held) = (SEEN + TRAINING, PASSENGERS.len());
            let (fit, ahead) = (error(&said, SEEN..learned), error(&said, learned..held));
            println!(
                "seed {seed}: off by {fit:.1} thousand where it learned, {ahead:.1} in the months behind"
            );
            plot(&said).save(&options.output)?;
        }
        curves.push(losses);
    }
    println!("epoch  published  {}", if curves.len() > 1 { "median here" } else { "here" });
    let medians = (0..options.hundreds).map(|at| median(curves.iter().map(|curve| curve[at]).collect()));
    let medians: Vec<f32> = medians.collect();
    for (at, (here, there)) in medians.iter().zip(PUBLISHED).enumerate() {
        println!("{:5}  {there:9.5}  {here:.5}", 100 * (at + 1));
    }
    Ok(medians)
}

#[allow(dead_code, reason = "the test runs the example as a module")]
fn main() -> Result<()> {
    run(&Options::parse()).map(|_| ())
}
