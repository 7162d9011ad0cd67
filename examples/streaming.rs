//! A live series, learned as it passes: a million steps through a two-layer GRU that carries its state and
//! is trained window by window, with memory that stays flat.
//!
//! `cargo run --release --example streaming -- [--steps 1000000] [--window 50] [--hidden 32]
//! [--checkpoints FOLDER]`
//!
//! The series is made up on the spot: two waves whose periods have no common multiple, and noise. What is
//! predicted is the next value; to say that it is the last one again is what a prediction has to beat. With a
//! folder for checkpoints a run that was stopped, by Ctrl-C too, goes on where it was.

use std::path::PathBuf;

use clap::Parser;
use wengert::nn::Truncated;
use wengert::prelude::*;
use wengert::train::{Checkpoints, Kept, Mean, Metric, Progress, Stop};

/// What the command line says.
#[derive(Parser)]
pub struct Options {
    /// How many values pass.
    #[arg(long, default_value_t = 1_000_000)]
    steps: usize,
    /// How many of them make a window.
    #[arg(long, default_value_t = 50)]
    window: usize,
    /// The width of the GRU's layers.
    #[arg(long, default_value_t = 32)]
    hidden: usize,
    /// Where checkpoints are, every thousand windows and at the end.
    #[arg(long)]
    checkpoints: Option<PathBuf>,
}

struct Forecaster {
    gru: Gru,
    head: Linear,
}
module!(Forecaster { gru, head });

/// The next `steps` values from step `start` on.
fn series(start: usize, steps: usize) -> Tensor {
    let wave = |i: usize| {
        let t = (start + i) as f64;
        (t * 0.21).sin() + 0.6 * (t * 0.21 * 2f64.sqrt()).sin()
    };
    Tensor::<f64>::from_fn([steps, 1], wave).cast() + Tensor::randn([steps, 1]) * 0.05
}

/// What the process holds, in MiB, where the system says so.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// All that changes as the series passes.
struct Run {
    model: Forecaster,
    optimizer: Adam,
    truncated: Truncated<Gru>,
    /// How many values have passed, and the last of them.
    position: usize,
    last: Variable,
    /// Squared errors since the last report, of the model and of the last value said again.
    error: Mean,
    repeated: Mean,
}

impl Run {
    fn new(options: &Options) -> Result<Self> {
        let model = Forecaster {
            gru: Gru::builder(1, options.hidden).num_layers(2).build()?,
            head: Linear::new(options.hidden, 1)?,
        };
        Ok(Run {
            optimizer: Adam::new(model.parameters(), 2e-3)?,
            truncated: Truncated::new(options.window, options.window)?,
            model,
            position: 0,
            last: Variable::zeros([1, 1]),
            error: Mean::new(),
            repeated: Mean::new(),
        })
    }

    /// All that is saved and loaded, beside the state that is carried.
    fn kept<'a>(&'a mut self, state: &'a mut Variable) -> Kept<'a> {
        Kept::new()
            .module("model", &self.model)
            .optimizer("optimizer", &mut self.optimizer)
            .state("state", state)
            .state("last", &mut self.last)
            .count("position", &mut self.position)
            .part("error", &mut self.error)
            .part("repeated", &mut self.repeated)
    }

    fn state(&self) -> Variable {
        let none = || Variable::zeros([2, self.model.head.weight.shape()[1]]);
        self.truncated.state().cloned().unwrap_or_else(none)
    }

    fn resume(&mut self, checkpoints: &Checkpoints) -> Result<()> {
        let mut state = self.state();
        checkpoints.resume(&mut self.kept(&mut state))?;
        self.truncated.set_state(Some(&state));
        Ok(())
    }

    fn save(&mut self, checkpoints: Option<&Checkpoints>) -> Result<()> {
        let (mut state, position) = (self.state(), self.position as u64);
        let Some(checkpoints) = checkpoints else { return Ok(()) };
        checkpoints.save(position, None, &self.kept(&mut state)).map(drop)
    }

    /// One window: each value is to be told from those before it.
    fn step(&mut self, steps: usize) -> Result<()> {
        let values = series(self.position, steps);
        let seen = Tensor::cat(&[&self.last.value(), &values.narrow(0, 0, steps - 1)?], 0);
        self.repeated.add(f64::from((&seen - &values).square().mean().item()?), steps as f64)?;
        self.last = values.narrow(0, steps - 1, 1)?.into();

        let head = &self.model.head;
        let loss = self
            .truncated
            .window(&self.model.gru, &seen, None, |out| mse_loss(&head.forward(out)?, &values))?;
        clip_grad_norm(&self.model.parameters(), 1.0)?;
        self.optimizer.step()?;
        self.model.zero_grad();
        self.error.add(f64::from(loss.item()?), steps as f64)?;
        self.position += steps;
        Ok(())
    }

    /// What the last stretch was like, and begins a new one.
    fn report(&mut self) -> String {
        let memory = resident().map(|mib| format!(", {mib:.0} MiB")).unwrap_or_default();
        let (error, repeated) = (self.error.value(), self.repeated.value());
        (self.error, self.repeated) = (Mean::new(), Mean::new());
        format!("squared error {error:.4}, of the last value {repeated:.4}{memory}")
    }
}

/// Learns; gives how many values have passed.
pub fn run(options: &Options, stop: &Stop) -> Result<usize> {
    manual_seed(0);
    let checkpoints = options.checkpoints.as_ref().map(Checkpoints::new).transpose()?;
    let mut run = Run::new(options)?;
    checkpoints.iter().try_for_each(|checkpoints| run.resume(checkpoints))?;
    let progress = Progress::new();
    progress.skip(run.position as u64);
    progress.expect(options.steps.saturating_sub(run.position) as u64);
    let done = run.position;
    let windows = run.truncated.windows(options.steps).skip_while(|steps| steps.start < done);
    let every = 1000 * options.window;
    for steps in stop.over(windows) {
        run.step(steps.len())?;
        progress.advance(steps.len() as u64);
        if steps.end % every == 0 {
            progress.show(run.report());
            run.save(checkpoints.as_ref())?;
        }
    }
    progress.finish();
    run.save(checkpoints.as_ref())?;
    let report = run.report();
    println!("{} steps: {report}", run.position);
    Ok(run.position)
}

#[allow(dead_code, reason = "the test runs the example as a module")]
fn main() -> Result<()> {
    run(&Options::parse(), &Stop::new().on_interrupt()?).map(drop)
}
