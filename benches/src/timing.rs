//! Repetitions and their times.

use std::time::{Duration, Instant};

/// Times of repetitions of the same work, in seconds, sorted.
pub struct Times(Vec<f64>);

impl Times {
    /// Repeats `run` for at least `least` and ten times, after a warm-up of a fifth of that.
    pub fn of(run: &mut dyn FnMut(), least: Duration) -> Self {
        let warm_up = Instant::now();
        while warm_up.elapsed() < least / 5 {
            run();
        }
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < least || times.len() < 10 {
            times.push(once(run));
        }
        Times::sorted(times)
    }

    /// Repeats `run` until `most` has passed, but at least once, after a first time. That one does not
    /// count, unless it took ten times as long as there is: then it has to do.
    pub fn within(run: &mut dyn FnMut(), most: Duration) -> Self {
        let start = Instant::now();
        let first = once(run);
        if start.elapsed() > 10 * most {
            return Times(vec![first]);
        }
        let mut times = vec![once(run)];
        while start.elapsed() < most {
            times.push(once(run));
        }
        Times::sorted(times)
    }

    fn sorted(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Times(times)
    }

    /// The median in milliseconds.
    pub fn median_ms(&self) -> f64 {
        self.0[self.0.len() / 2] * 1e3
    }

    /// The shortest in milliseconds.
    pub fn min_ms(&self) -> f64 {
        self.0[0] * 1e3
    }

    /// How many repetitions there were.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

fn once(run: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}
