//! A live series, learned as it passes: a million steps through a two-layer GRU that carries its state and
//! is trained window by window, with memory that stays flat.
//!
//! `cargo run --release --example streaming -- [--steps 1000000] [--window 50] [--hidden 32]`
//!
//! The series is made up on the spot: two waves whose periods have no common multiple, and noise. What is
//! predicted is the next value; to say that it is the last one again is what a prediction has to beat.

use clap::Parser;
use wengert::nn::Truncated;
use wengert::prelude::*;
use wengert::train::{Progress, Stop};

#[derive(Parser)]
struct Arguments {
    /// How many values pass.
    #[arg(long, default_value_t = 1_000_000)]
    steps: usize,
    /// How many of them make a window.
    #[arg(long, default_value_t = 50)]
    window: usize,
    /// The width of the GRU's layers.
    #[arg(long, default_value_t = 32)]
    hidden: usize,
}

struct Forecaster {
    gru: Gru,
    head: Linear,
}
module!(Forecaster { gru, head });

/// The next `steps` values from step `start` on.
fn series(start: usize, steps: usize) -> Result<Vec<f32>> {
    let noise = Tensor::<f32>::randn([steps]).to_vec();
    let value = |(i, noise): (usize, f32)| {
        let t = (start + i) as f64;
        ((t * 0.21).sin() + 0.6 * (t * 0.21 * 2f64.sqrt()).sin()) as f32 + 0.05 * noise
    };
    Ok(noise.into_iter().enumerate().map(value).collect())
}

/// What the process holds, in MiB, where the system says so.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    manual_seed(0);
    let model = Forecaster {
        gru: Gru::builder(1, arguments.hidden).num_layers(2).build()?,
        head: Linear::new(arguments.hidden, 1)?,
    };
    let mut optimizer = Adam::new(model.parameters(), 2e-3)?;
    let mut truncated = Truncated::new(arguments.window, arguments.window)?;

    let stop = Stop::new().on_interrupt()?;
    let progress = Progress::new();
    progress.expect(arguments.steps as u64);
    let (mut error, mut of_last) = (None, None);
    let mut last = 0.0f32;
    for steps in stop.over(truncated.windows(arguments.steps)) {
        let values = series(steps.start, steps.len())?;
        let seen: Vec<f32> =
            std::iter::once(last).chain(values[..values.len() - 1].iter().copied()).collect();
        last = values[values.len() - 1];
        let repeated = seen.iter().zip(&values).map(|(a, b)| f64::from((a - b) * (a - b))).sum::<f64>();
        let column = |values: Vec<f32>| Tensor::from_vec(values, [steps.len(), 1]).map(Variable::from);
        let (x, y) = (column(seen)?, column(values)?);

        let loss = truncated.window(&model.gru, &x, None, |out| mse_loss(&model.head.forward(out)?, &y))?;
        clip_grad_norm(&model.parameters(), 1.0)?;
        optimizer.step()?;
        model.zero_grad();

        smooth(&mut error, f64::from(loss.item()?));
        smooth(&mut of_last, repeated / steps.len() as f64);
        if steps.start % (1000 * arguments.window) == 0 {
            progress.show(report(error, of_last));
        }
        progress.advance(steps.len() as u64);
    }
    progress.finish();
    println!("{} steps: {}", progress.position(), report(error, of_last));
    Ok(())
}

/// A mean that forgets over some two hundred windows.
fn smooth(mean: &mut Option<f64>, value: f64) {
    *mean = Some(mean.map_or(value, |mean| 0.995 * mean + 0.005 * value));
}

fn report(error: Option<f64>, of_last: Option<f64>) -> String {
    let memory = resident().map(|mib| format!(", {mib:.0} MiB")).unwrap_or_default();
    format!(
        "squared error {:.4}, of the last value {:.4}{memory}",
        error.unwrap_or_default(),
        of_last.unwrap_or_default()
    )
}
