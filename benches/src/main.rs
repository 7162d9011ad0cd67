//! Runs the workloads and prints their times.
//!
//! `cargo run --release -p wengert-bench -- [--only S1,S9] [--threads 1] [--seconds 2] [--json]`
//!
//! Each variant of each workload runs in a process of its own, so that none finds the memory that another
//! left behind.

mod allocations;
mod one;

use std::error::Error;
use std::process::Command;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use wengert_bench::{threads, workloads};

/// Times the workloads: medians after a warm-up.
#[derive(Parser)]
struct Arguments {
    /// Which workloads, separated by commas; all if not given. S8 means S8a and S8b.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How many threads an operation may use.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// How long each one is repeated.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// Writes parameters, data, loss and the gradient's norm of the models of the literature into this
    /// folder, in evaluation mode, for `peers/literature.py --check` to compute them too.
    #[arg(long)]
    numbers: Option<std::path::PathBuf>,
    /// Measures one variant of one workload in this process.
    #[arg(long, hide = true, num_args = 2)]
    one: Option<Vec<String>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    threads::set(arguments.threads)?;
    if let Some(one) = &arguments.one {
        println!("{}", one::measure(&one[0], &one[1], arguments.threads, arguments.seconds)?);
        return Ok(());
    }
    if let Some(folder) = &arguments.numbers {
        for name in workloads::literature::NAMES {
            let numbers = workloads::literature::of(name, false)?.numbers()?;
            numbers.save(folder.join(format!("{name}.safetensors")))?;
        }
        return Ok(());
    }
    let chosen = chosen(&arguments.only)?;
    let style = ProgressStyle::with_template("{msg:<17} {wide_bar} {pos}/{len} {elapsed}")?;
    let progress = ProgressBar::new(chosen.len() as u64).with_style(style);
    if !arguments.json {
        println!("{}", heading());
    }
    for (workload, variant) in chosen {
        progress.set_message(format!("{workload} {variant}"));
        let line = in_a_process(workload, variant, &arguments)?;
        let line = if arguments.json { line } else { row(&serde_json::from_str(&line)?) };
        progress.suspend(|| println!("{line}"));
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

/// Workloads and their variants.
fn chosen(asked: &[String]) -> Result<Vec<(&'static str, &'static str)>, Box<dyn Error>> {
    let names = match asked {
        [] => workloads::NAMES.to_vec(),
        asked => asked.iter().map(|name| workloads::named(name)).collect::<Result<Vec<_>, _>>()?.concat(),
    };
    let mut chosen = Vec::new();
    for name in names {
        chosen.extend(workloads::of(name)?.iter().map(|workload| (workload.name, workload.variant)));
    }
    Ok(chosen)
}

/// The line that [`one::measure`] gives there.
fn in_a_process(workload: &str, variant: &str, arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let (threads, seconds) = (arguments.threads.to_string(), arguments.seconds.to_string());
    let output = Command::new(std::env::current_exe()?)
        .args(["--one", workload, variant, "--threads", &threads, "--seconds", &seconds])
        .output()?;
    if !output.status.success() {
        return Err(format!("{workload} {variant}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_string())
}

fn heading() -> String {
    let columns = ["median ms", "min ms", "reps", "allocations", "peak MiB", "ns per op"];
    format!("{:<17}", "workload") + &columns.map(|column| format!("{column:>12}")).concat()
}

/// The peak is the part above the baseline; what is not known stays empty.
fn row(measured: &Value) -> String {
    let number = |field: &str| measured[field].as_f64();
    let text = |field: &str| measured[field].as_str().unwrap_or_default();
    let column =
        |value: Option<f64>, digits| value.map(|value| format!("{value:.digits$}")).unwrap_or_default();
    let peak = number("peak_rss_mib").zip(number("baseline_rss_mib")).map(|(peak, baseline)| peak - baseline);
    let columns = [
        column(number("median_ms"), 4),
        column(number("min_ms"), 4),
        column(number("reps"), 0),
        column(number("allocations"), 0),
        column(peak, 1),
        column(number("ns_per_op"), 0),
    ];
    let name = format!("{} {}", text("workload"), text("variant"));
    format!("{name:<17}") + &columns.map(|column| format!("{column:>12}")).concat()
}
