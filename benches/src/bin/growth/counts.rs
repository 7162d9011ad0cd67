//! How time grows with a number of things: each kind at two sizes.

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use wengert_bench::threads;

use crate::kinds::{self, Kind};

/// What may be lost to caches: by this factor more than their number may the time of things grow.
const SLACK: f64 = 1.5;

/// Times each kind with a small number of things and with a large one.
#[derive(Args)]
pub struct Counts {
    /// Which kinds, separated by commas; all if not given.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    #[arg(long, default_value_t = 8_000)]
    small: usize,
    #[arg(long, default_value_t = 64_000)]
    large: usize,
    /// How long a figure is repeated at most; at least once after a first time.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

impl Counts {
    /// Prints a line for each kind, each from a process of its own.
    pub fn print(&self) -> Result<(), Box<dyn Error>> {
        threads::set(1)?;
        let bound = SLACK * self.large as f64 / self.small as f64;
        if let [name] = &self.only[..] {
            let kind = kinds::ALL.iter().find(|kind| kind.name == name).ok_or("there is no such kind")?;
            println!("{}", self.row(kind, bound));
            return Ok(());
        }
        println!(
            "| kind | {} ms | {} ms | ratio | at most {bound} |\n|---|---|---|---|---|",
            self.small, self.large
        );
        for kind in
            kinds::ALL.iter().filter(|kind| self.only.is_empty() || self.only.contains(&kind.name.into()))
        {
            let sizes = [("--small", self.small.to_string()), ("--large", self.large.to_string())];
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["counts", "--only", kind.name, "--seconds", &self.seconds.to_string()]);
            command.args(sizes.iter().flat_map(|(option, size)| [*option, size]));
            command.status()?;
        }
        Ok(())
    }

    fn row(&self, kind: &Kind, bound: f64) -> String {
        let [small, large] = [self.small, self.large].map(|count| {
            let mut run = (kind.of)(count);
            run();
            milliseconds(&mut run, self.seconds)
        });
        let ratio = large / small;
        let verdict = if ratio <= bound { "yes" } else { "NO" };
        format!("| {} | {small:.2} | {large:.2} | {ratio:.1} | {verdict} |", kind.name)
    }
}

/// What a run takes, of those that fit into so many seconds; at least of one.
fn milliseconds(run: &mut dyn FnMut(), seconds: f64) -> f64 {
    let (start, before, mut runs) = (Instant::now(), on_a_core(), 0);
    while runs == 0 || start.elapsed().as_secs_f64() < seconds {
        run();
        runs += 1;
    }
    let spent = on_a_core().zip(before).map_or(start.elapsed(), |(now, before)| now - before);
    spent.as_secs_f64() * 1e3 / f64::from(runs)
}

/// How long this thread has been on a core, so that others on the machine don't count; none where the
/// system does not say.
fn on_a_core() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
