//! Programs of many seeds.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use wengert_core::__private::warn;

use super::RandomProgram;
use super::check::SHARED;

/// How many programs were checked, and how large they were.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Tally {
    /// The number of programs.
    pub programs: usize,
    /// The number of lines in all.
    pub lines: usize,
    /// How many loops and products several threads have shared, where the program ran on several.
    pub shared: u64,
    /// The time that the checks took.
    pub time: Duration,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.lines as f64 / self.programs.max(1) as f64;
        write!(f, "{} programs of {each:.1} lines in {:.1} s", self.programs, self.time.as_secs_f64())?;
        write!(f, ", {} loops and products by several threads", self.shared)
    }
}

/// Checks the programs of some seeds.
///
/// The first one that fails is printed at once, with its seed; then it is made smaller for as long as
/// `shrinking` says.
///
/// # Errors
/// What failed, and the smallest program found that does.
///
/// ```
/// use std::time::Duration;
/// let tally = wengert_check::check_programs(0..5, Duration::from_secs(10))?;
/// assert_eq!(tally.programs, 5);
/// # Ok::<(), String>(())
/// ```
pub fn check_programs(seeds: Range<u64>, shrinking: Duration) -> Result<Tally, String> {
    let (start, before) = (Instant::now(), SHARED.load(Ordering::Relaxed));
    let mut tally = Tally::default();
    for seed in seeds {
        let program = RandomProgram::from_seed(seed);
        if let Err(message) = program.check() {
            warn(&format!(
                "program {seed} fails: {message}\n{program}  again: RandomProgram::from_seed({seed}).check()"
            ));
            let small = program.shrink(shrinking);
            let left = small.check().err().unwrap_or(message);
            return Err(format!("program {seed}, made smaller: {left}\n{small}"));
        }
        tally.programs += 1;
        tally.lines += program.len();
    }
    let shared = SHARED.load(Ordering::Relaxed) - before;
    Ok(Tally { shared, time: start.elapsed(), ..tally })
}
