//! Runs the workloads and prints their times.
//!
//! `cargo run --release -p wengert-bench -- [--only S1,S9] [--json] [--seconds 2]`

mod allocations;
mod workloads;

use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;

/// Times the workloads: medians after a warm-up.
#[derive(Parser)]
struct Arguments {
    /// Which workloads, separated by commas; all if not given.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// How long each one is repeated.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

fn main() -> wengert_core::Result<()> {
    let arguments = Arguments::parse();
    let chosen = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    if !arguments.json {
        println!(
            "{:<10} {:>12} {:>12} {:>7} {:>12}",
            "workload", "median ms", "min ms", "reps", "allocations"
        );
    }
    for name in workloads::NAMES.into_iter().filter(|name| chosen(name)) {
        workloads::of(name)?.into_iter().for_each(|workload| report(workload, &arguments));
    }
    Ok(())
}

fn report(mut workload: workloads::Workload, arguments: &Arguments) {
    let times = measure(&mut workload.run, Duration::from_secs_f64(arguments.seconds));
    let (median, min) = (times[times.len() / 2] * 1e3, times[0] * 1e3);
    let allocations = allocations::during(&mut workload.run);
    let name = format!("{} {}", workload.name, workload.variant);
    let ns_per_op = workload.operations.map(|operations| median * 1e6 / operations as f64);
    if arguments.json {
        println!(
            "{}",
            json!({
                "workload": workload.name, "variant": workload.variant, "threads": 1, "median_ms": median,
                "min_ms": min, "reps": times.len(), "allocations": allocations, "ns_per_op": ns_per_op,
            })
        );
    } else {
        let per_op = ns_per_op.map(|ns| format!("  {ns:.0} ns an operation")).unwrap_or_default();
        println!("{name:<10} {median:>12.4} {min:>12.4} {:>7} {allocations:>12}{per_op}", times.len());
    }
}

/// Seconds of at least ten repetitions, sorted.
fn measure(run: &mut dyn FnMut(), least: Duration) -> Vec<f64> {
    let warm_up = Instant::now();
    while warm_up.elapsed() < least / 5 {
        run();
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < least || times.len() < 10 {
        let repetition = Instant::now();
        run();
        times.push(repetition.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times
}
