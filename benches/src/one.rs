//! One variant of one workload, measured in this process.

use std::error::Error;
use std::time::Duration;

use serde_json::json;
use wengert_bench::timing::Times;
use wengert_bench::{memory, workloads};

use crate::allocations;

/// What it took, as a JSON object.
pub fn measure(name: &str, variant: &str, threads: usize, seconds: f64) -> Result<String, Box<dyn Error>> {
    let baseline = memory::resident();
    let all = workloads::named(name)?.into_iter().map(workloads::of).collect::<Result<Vec<_>, _>>()?;
    let known = all.into_iter().flatten().find(|workload| workload.variant == variant);
    let mut workload = known.ok_or(format!("{name} has no variant {variant}"))?;
    memory::reset_peak();
    let times = Times::of(&mut workload.run, Duration::from_secs_f64(seconds));
    let peak = memory::peak();
    let ns_per_op = workload.operations.map(|operations| times.median_ms() * 1e6 / operations as f64);
    let measured = json!({
        "workload": name, "variant": variant, "threads": threads,
        "median_ms": times.median_ms(), "min_ms": times.min_ms(),
        "reps": times.count(), "ns_per_op": ns_per_op,
        "allocations": allocations::during(&mut workload.run),
        "peak_rss_mib": peak, "baseline_rss_mib": baseline,
    });
    Ok(measured.to_string())
}
