//! Two threads that step one model between them, beside two that have a copy each, in turn.
//!
//! `cargo run --release -p wengert-bench --bin workers -- [--rounds 15] [--steps 4000] [--hidden 64]`

use std::thread;
use std::time::Instant;

use clap::Parser;
use wengert::prelude::*;
use wengert::{Result, set_num_threads};

#[derive(Parser)]
struct Arguments {
    /// How many times each way is measured.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Steps of each thread in a round.
    #[arg(long, default_value_t = 4000)]
    steps: usize,
    /// The width of the two layers.
    #[arg(long, default_value_t = 64)]
    hidden: usize,
}

/// Microseconds a step, where each thread takes a live input through its model.
fn measured(models: [&Evaluating<Lstm>; 2], steps: usize) -> Result<f64> {
    let begin = Instant::now();
    thread::scope(|scope| {
        let workers = models.map(|model| scope.spawn(move || no_grad(|| work(model, steps))));
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    Ok(begin.elapsed().as_secs_f64() * 1e6 / steps as f64)
}

fn work(model: &Evaluating<Lstm>, steps: usize) -> Result<()> {
    let mut stepper = model.stepper(1)?;
    let x = Variable::new(Tensor::randn([1, model.input_size()]));
    (0..steps).try_for_each(|_| stepper.step(&x).map(drop))
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    set_num_threads(1);
    manual_seed(0);
    let lstm = Lstm::builder(arguments.hidden, arguments.hidden).num_layers(2).build()?;
    let (shared, first, second) =
        (lstm.evaluating(), lstm.deep_clone().evaluating(), lstm.deep_clone().evaluating());
    let (mut of_one, mut of_copies) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        of_one.push(measured([&shared, &shared], arguments.steps)?);
        of_copies.push(measured([&first, &second], arguments.steps)?);
    }
    let (one, copies) = (median(&mut of_one), median(&mut of_copies));
    println!("a step: one model {one:.2} us, a copy each {copies:.2} us, ratio {:.3}", one / copies);
    println!("least:  one model {:.2} us, a copy each {:.2} us", of_one[0], of_copies[0]);
    Ok(())
}
