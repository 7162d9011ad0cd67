//! Drawing cases until one fails, and making that one smaller.

use std::panic::Location;
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::failure::{Failure, Kind};
use crate::panics::{Panicked, caught};

/// What is wrong with a case.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    text: String,
    kind: Kind,
}

impl From<Failure> for Found {
    fn from(failure: Failure) -> Self {
        Found { kind: failure.kind(), text: failure.to_string() }
    }
}

impl From<String> for Found {
    fn from(text: String) -> Self {
        Found { text, kind: Kind::Said }
    }
}

impl From<Panicked> for Found {
    fn from(Panicked { message, location }: Panicked) -> Self {
        let at = location.as_ref().map_or_else(String::new, |location| format!(" at {location}"));
        Found { text: format!("panicked{at}: {message}"), kind: Kind::Panic(location.unwrap_or(message)) }
    }
}

/// How cases are drawn, and how long a failing one is made smaller.
pub(crate) struct Runner<'r> {
    pub name: &'static str,
    pub config: &'r Config,
    pub seed: u64,
    pub shrink_for: Duration,
    pub announce: fn(&str),
    pub location: &'static Location<'static>,
}

impl Runner<'_> {
    /// Runs `test` on cases of `strategy`; `text` describes one. Each case has a seed of its own, with
    /// which it is the first one.
    pub fn run<S: Strategy>(
        &self,
        strategy: &S,
        test: impl Fn(&S::Value) -> Result<(), Found>,
        text: impl Fn(&S::Value) -> String,
    ) -> Result<(), String> {
        let test = |value: &S::Value| caught(|| test(value)).unwrap_or_else(|panic| Err(panic.into()));
        for i in 0..self.config.cases {
            let seed = seed_of(self.seed, i);
            let mut tree = self.draw(strategy, seed)?;
            let value = tree.current();
            let Err(found) = test(&value) else { continue };
            let described = text(&value);
            self.announce(i, seed, &found, &described);
            let (found, described, cut) = self.shrink(&mut tree, &test, &text, (found, described));
            let case = match (described.is_empty(), cut) {
                (true, _) => String::new(),
                (_, false) => format!("smallest case that fails:\n{described}"),
                (_, true) => format!(
                    "smallest case that fails, as far as {:?} went (Property::shrink_for):\n{described}",
                    self.shrink_for
                ),
            };
            return Err(format!("{}: {}\n{case}{}", self.name, found.text, again(seed)));
        }
        Ok(())
    }

    fn draw<S: Strategy>(&self, strategy: &S, seed: u64) -> Result<S::Tree, String> {
        let config =
            Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..self.config.clone() };
        let tree = strategy.new_tree(&mut TestRunner::new(config));
        tree.map_err(|reason| format!("{}: given up: {reason}", self.name))
    }

    /// Tells of a failure before anything else is tried: shrinking takes its time.
    fn announce(&self, case: u32, seed: u64, found: &Found, described: &str) {
        let (name, location, cases) = (self.name, self.location, self.config.cases);
        let text = &found.text;
        (self.announce)(&format!(
            "{name} ({location}) fails at case {} of {cases}: {text}\n\
             the case as it was drawn:\n{described}{}\n\
             looking for a smaller one for at most {:?}",
            case + 1,
            again(seed),
            self.shrink_for
        ));
    }

    /// The smallest case that fails in the same way and as clearly, and whether time ran out on the way.
    fn shrink<T: ValueTree>(
        &self,
        tree: &mut T,
        test: &impl Fn(&T::Value) -> Result<(), Found>,
        text: &impl Fn(&T::Value) -> String,
        first: (Found, String),
    ) -> (Found, String, bool) {
        let start = Instant::now();
        let kind = first.0.kind.clone();
        let (mut found, mut described) = first;
        // A strategy that panics on a smaller choice ends the search, not the property.
        let mut more = caught(|| tree.simplify()).unwrap_or(false);
        for _ in 0..self.config.max_shrink_iters {
            if !more {
                break;
            }
            if start.elapsed() > self.shrink_for {
                return (found, described, true);
            }
            let value = tree.current();
            let fails = test(&value).err().filter(|smaller| smaller.kind.is_like(&kind));
            let go_on = match fails {
                Some(smaller) => {
                    (found, described) = (smaller, text(&value));
                    caught(|| tree.simplify())
                }
                None => caught(|| tree.complicate()),
            };
            more = go_on.unwrap_or(false);
        }
        (found, described, false)
    }
}

/// The first case has the property's seed itself.
fn seed_of(seed: u64, case: u32) -> u64 {
    if case == 0 {
        return seed;
    }
    // SplitMix64.
    let mut z = seed.wrapping_add(u64::from(case).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The line that runs a case again. The test harness names threads by their tests.
fn again(seed: u64) -> String {
    let thread = std::thread::current();
    match thread.name() {
        Some(test) if test != "main" => {
            format!("PROPTEST_RNG_SEED={seed} PROPTEST_CASES=1 cargo test {test} runs it again")
        }
        _ => format!("PROPTEST_RNG_SEED={seed} PROPTEST_CASES=1 runs it again"),
    }
}
