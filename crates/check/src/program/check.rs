//! What must agree between the ways to run a program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wengert_core::__private::share_all;
use wengert_core::{Float, live_nodes, operations};

use super::run::{Hooks, Outcome, Way, run};
use super::shrink::shrunk;
use super::{Place, RandomProgram, Step};

/// The jobs that several threads have shared in programs, of the whole process.
pub(super) static SHARED: AtomicU64 = AtomicU64::new(0);

/// Rounding errors that a result may be off by, each as large as the program can make of one in every line.
const ERRORS: f64 = 8.0;
/// How much further a way may be off than plain runs in `f32` are, in units of the rounding: they also have
/// the errors inside of operations (`1 - y^2` of a `y` near 1, what is left of a row of two numbers that is
/// normalised).
const WORSE: f64 = 4.0;
/// Units of rounding that those may be off by each time, each as large as the largest result, or as what
/// becomes of the errors put in.
const MOST_UNITS: f64 = 512.0;
/// How many times errors are drawn, and how many times for a program that fails with those: what rounding
/// makes of a difference of nearly equal numbers is nothing in half of the draws.
const FEW_DRAWS: u64 = 3;
const MANY_DRAWS: u64 = 24;
/// The size of the errors that are put in to see what the program makes of them.
const JITTER: f64 = 1e-6;

/// What a program's results may be off by, for each result, in units of the rounding of the type.
struct Allowed(Vec<f64>);

impl Allowed {
    /// What becomes of errors put in all that lines give and are given, and what rounding in `f32` makes of
    /// the same runs.
    ///
    /// # Errors
    /// If that is more than it can explain.
    fn of(program: &RandomProgram, exact: &Outcome, way: Way, draws: u64) -> Result<Self, String> {
        let mut scale: Vec<f64> = exact.0.iter().map(|(_, values)| largest(values)).collect();
        let rough = attempt::<f32>(program, way)?;
        let size = scale.iter().fold(1.0, |most: f64, scale| most.max(*scale));
        let names = [name::<f32>(way), name::<f64>(way)];
        compared((&names[0], &rough), (&names[1], exact), |_| f64::INFINITY)?;
        let mut off = vec![0.0; scale.len()];
        widen(&mut off, &rough, exact, unit::<f32>());
        let mut runs = vec![(rough, exact.clone())];
        for seed in 1..=draws {
            let way = Way { jitter: Some((JITTER, seed * 0x9E37_79B9)), ..way };
            let (rough, jittered) = (attempt::<f32>(program, way)?, attempt::<f64>(program, way)?);
            widen(&mut scale, &jittered, exact, JITTER);
            widen(&mut off, &rough, &jittered, unit::<f32>());
            runs.push((rough, jittered));
        }
        always_off(&runs, &names, |i| MOST_UNITS * unit::<f32>() * size.max(scale[i]))?;
        let errors = scale.iter().zip(&off).map(|(scale, off)| size + ERRORS * scale + WORSE * off);
        Ok(Allowed(errors.collect()))
    }

    fn in_type<T: Float>(&self) -> impl Fn(usize) -> f64 + Copy {
        |i| unit::<T>() * self.0[i]
    }
}

/// Refuses a number that is off by more than what is allowed in all runs and to the same side: what is zero
/// by symmetry, like the second derivative of a deviation of two elements, may be off by anything in `f32`,
/// but not always to one side.
fn always_off(
    runs: &[(Outcome, Outcome)],
    names: &[String; 2],
    allowed: impl Fn(usize) -> f64,
) -> Result<(), String> {
    for (i, (what, values)) in runs[0].0.0.iter().enumerate() {
        for at in 0..values.as_ref().map_or(0, Vec::len) {
            let number = |outcome: &Outcome| outcome.0[i].1.as_ref().map_or(f64::NAN, |values| values[at]);
            let errors = || runs.iter().map(|(rough, exact)| number(rough) - number(exact));
            let least =
                errors().fold(f64::INFINITY, f64::min).max(-errors().fold(f64::NEG_INFINITY, f64::max));
            if least > allowed(i) {
                let [rough, exact] = names;
                return Err(format!(
                    "{what}, element {at}: {:e} in {rough}, {:e} in {exact}, off by at least {least:e} \
                     each time",
                    number(&runs[0].0),
                    number(&runs[0].1),
                ));
            }
        }
    }
    Ok(())
}

/// Raises each number to the distance between two outcomes' results, in units.
fn widen(most: &mut [f64], a: &Outcome, b: &Outcome, unit: f64) {
    for (most, ((_, a), (_, b))) in most.iter_mut().zip(a.0.iter().zip(&b.0)) {
        let pairs = a.iter().flatten().zip(b.iter().flatten());
        *most = pairs.map(|(a, b)| (a - b).abs() / unit).fold(*most, f64::max);
    }
}

fn largest(values: &Option<Vec<f64>>) -> f64 {
    values.iter().flatten().fold(0.0, |most, x| most.max(x.abs()))
}

/// A run, with panics and errors as messages.
fn attempt<T: Float>(program: &RandomProgram, way: Way) -> Result<Outcome, String> {
    let before = live_nodes();
    let outcome = match catch_unwind(AssertUnwindSafe(|| run::<T>(program, way))) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => return Err(format!("{}: error: {error}", name::<T>(way))),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().cloned();
            let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            return Err(format!("{}: panic: {}", name::<T>(way), message.unwrap_or_default()));
        }
    };
    let left = live_nodes() - before;
    if left != 0 {
        return Err(format!("{}: {left} operations stay on the tape", name::<T>(way)));
    }
    Ok(outcome)
}

fn name<T: Float>(way: Way) -> String {
    let mut name = format!("{}, {}", T::NAME, if way.plain { "plain" } else { "fast" });
    for (holds, word) in [
        (way.hooks == Hooks::Watch, ", with hooks"),
        (way.hooks == Hooks::Misshape, ", with a hook that gives another shape"),
        (way.hooks == Hooks::MisshapeLeaves, ", with a leaf's hook that gives another shape"),
        (way.recorded, ", recorded"),
        (way.threads > 1, ", on several threads"),
        (way.replayed, ", from the tape"),
        (way.jitter.is_some(), ", with errors put in"),
    ] {
        name.push_str(if holds { word } else { "" });
    }
    name
}

/// What sort of failure a message tells of.
fn kind(message: &str) -> &str {
    let mut parts = message.split(": ");
    match (parts.next(), parts.next()) {
        (Some(_), Some(sort @ ("panic" | "error"))) => sort,
        (Some(_), Some(rest)) if !rest.contains(" in ") => rest,
        _ => "results differ",
    }
}

/// Where two outcomes are further apart than they may be.
fn compared(
    (a_name, a): (&str, &Outcome),
    (b_name, b): (&str, &Outcome),
    allowed: impl Fn(usize) -> f64,
) -> Result<(), String> {
    for (i, ((what, x), (_, y))) in a.0.iter().zip(&b.0).enumerate() {
        let (x, y) = match (x, y) {
            (None, None) => continue,
            (Some(x), Some(y)) if x.len() == y.len() => (x, y),
            _ => {
                return Err(format!(
                    "{what}: there in only one of {a_name} and {b_name}, or of another length"
                ));
            }
        };
        let same = |x: f64, y: f64| x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= allowed(i);
        if let Some(at) = (0..x.len()).find(|&at| !same(x[at], y[at])) {
            let allowed = allowed(i);
            return Err(format!(
                "{what}, element {at}: {:e} in {a_name}, {:e} in {b_name}, off by {:e}, allowed {allowed:e}",
                x[at],
                y[at],
                (x[at] - y[at]).abs()
            ));
        }
    }
    Ok(())
}

/// The unit of rounding of a type.
fn unit<T: Float>() -> f64 {
    if T::NAME == "f32" { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

/// All ways in one element type.
fn ways_agree<T: Float>(program: &RandomProgram, exact: &Outcome, allowed: &Allowed) -> Result<(), String> {
    let allowed = allowed.in_type::<T>();
    let never = |_: usize| 0.0;
    let fast_way = name::<T>(Way::FAST);
    let fast = attempt::<T>(program, Way::FAST)?;
    compared((&fast_way, &fast), ("f64, plain", exact), allowed)?;
    let plain = attempt::<T>(program, Way::PLAIN)?;
    let may_differ: &dyn Fn(usize) -> f64 = if is_exact(program) { &never } else { &allowed };
    compared((&fast_way, &fast), (&name::<T>(Way::PLAIN), &plain), may_differ)?;
    let again = attempt::<T>(program, Way::FAST)?;
    compared((&fast_way, &fast), ("the same once more", &again), never)?;
    let way = Way { threads: 3, ..Way::FAST };
    let (several, jobs) = share_all(|| attempt::<T>(program, way));
    SHARED.fetch_add(jobs, Ordering::Relaxed);
    compared((&fast_way, &fast), (&name::<T>(way), &several?), never)?;
    let way = Way { recorded: true, ..Way::FAST };
    compared((&fast_way, &fast), (&name::<T>(way), &attempt::<T>(program, way)?), allowed)?;
    let way = Way { replayed: true, ..Way::FAST };
    compared((&fast_way, &fast), (&name::<T>(way), &attempt::<T>(program, way)?), allowed)?;
    if !program.watched.is_empty() {
        let way = Way { hooks: Hooks::Watch, ..Way::FAST };
        compared((&fast_way, &fast), (&name::<T>(way), &attempt::<T>(program, way)?), allowed)?;
    }
    misshapen_is_refused::<T>(program, &fast)?;
    Ok(())
}

/// A gradient whose shape a hook changes is an error, in either way.
fn misshapen_is_refused<T: Float>(program: &RandomProgram, fast: &Outcome) -> Result<(), String> {
    // The way back certainly comes to what it begins with, and came to leaves that have a gradient.
    let begins = program.outputs.iter().any(|place| program.watched.contains(place));
    let came = fast.0.iter().any(|(what, values)| what.starts_with("the gradient") && values.is_some());
    let hooks = [(Hooks::Misshape, begins), (Hooks::MisshapeLeaves, came)];
    let comes = hooks.into_iter().filter(|(_, comes)| *comes);
    for (hooks, plain) in comes.flat_map(|(hooks, _)| [(hooks, false), (hooks, true)]) {
        let way = Way { hooks, plain, ..Way::FAST };
        match attempt::<T>(program, way) {
            Err(message) if message.contains(": error: ") => {}
            Err(message) => return Err(message),
            Ok(_) => return Err(format!("{}: nothing refused it", name::<T>(way))),
        }
    }
    Ok(())
}

/// Second derivatives, recorded by the fast ways and plainly.
fn second_derivatives_agree<T: Float>(
    program: &RandomProgram,
    exact: &Outcome,
    allowed: &Allowed,
) -> Result<(), String> {
    for way in [Way::FAST, Way::PLAIN] {
        let way = Way { recorded: true, ..way };
        let found = attempt::<T>(program, way)?;
        compared((&name::<T>(way), &found), ("f64, plain, recorded", exact), allowed.in_type::<T>())?;
    }
    Ok(())
}

/// Whether every line gives the same bits however it is computed, and no sum is taken in another order: no
/// value goes into an operation twice, not even through operations that may hand it on as it is.
fn is_exact(program: &RandomProgram) -> bool {
    let entries = operations::<f64>();
    program.lines.iter().all(|line| match &line.step {
        Step::Given { .. } => true,
        Step::Run { .. } => false,
        Step::Apply { operation, inputs, .. } => {
            let exact = entries.iter().any(|entry| entry.name() == *operation && entry.is_exact());
            let sources: Vec<Place> = inputs.iter().map(|&input| source(program, input)).collect();
            exact && (1..sources.len()).all(|i| !sources[..i].contains(&sources[i]))
        }
    })
}

/// The value that this one may be another handle to.
fn source(program: &RandomProgram, mut place: Place) -> Place {
    while let Step::Apply { inputs, .. } = &program.lines[place.line].step
        && let [input] = inputs[..]
        && program.lines[input.line].shapes[input.output] == program.lines[place.line].shapes[place.output]
    {
        place = input;
    }
    place
}

impl RandomProgram {
    /// Runs the program in all ways, in `f32` and `f64`, and compares what they give.
    ///
    /// Results are equal to the bit where sums are taken in the same order: on any number of threads, when
    /// run again, and by the fast ways and plainly if all operations are exact. Elsewhere they may be
    /// apart by 8 units of rounding, times what the program makes of such an error in each line (that is
    /// measured, by putting errors in), four times as many as plain runs in `f32` are off, and one as
    /// large as the largest result.
    ///
    /// # Errors
    /// What differs, by how much, between which ways.
    pub fn check(&self) -> Result<(), String> {
        self.check_by(FEW_DRAWS).or_else(|_| self.check_by(MANY_DRAWS))
    }

    fn check_by(&self, draws: u64) -> Result<(), String> {
        let exact = attempt::<f64>(self, Way::PLAIN)?;
        let allowed = Allowed::of(self, &exact, Way::PLAIN, draws)?;
        ways_agree::<f32>(self, &exact, &allowed)?;
        ways_agree::<f64>(self, &exact, &allowed)?;
        if self.second {
            let way = Way { recorded: true, ..Way::PLAIN };
            let exact = attempt::<f64>(self, way)?;
            let allowed = Allowed::of(self, &exact, way, draws)?;
            second_derivatives_agree::<f32>(self, &exact, &allowed)?;
            second_derivatives_agree::<f64>(self, &exact, &allowed)?;
        }
        Ok(())
    }

    /// The smallest program that still fails in the same way, as far as is found in this time: lines are
    /// left out, values that were computed are given, hooks and passes are dropped.
    pub fn shrink(&self, limit: Duration) -> RandomProgram {
        let Err(message) = self.check() else { return self.clone() };
        let same = |other: String| kind(&other) == kind(&message);
        shrunk(self, limit, |program| program.check().is_err_and(same))
    }

    /// The results of the program in `f32`, by the fast ways, as a few numbers: to be compared between
    /// processes that use other instructions.
    ///
    /// # Errors
    /// The message of an operation or a backward that fails or panics.
    pub fn digest(&self) -> Result<Digest, String> {
        let exact = attempt::<f64>(self, Way::PLAIN)?;
        let allowed = Allowed::of(self, &exact, Way::PLAIN, FEW_DRAWS)?;
        let fast = attempt::<f32>(self, Way::FAST)?;
        let (mut digest, mut sign) = (Digest { bits: 0, sum: 0.0, allowed: 0.0 }, 1.0);
        for (i, (_, values)) in fast.0.iter().enumerate() {
            for value in values.iter().flatten() {
                digest.bits =
                    (digest.bits.rotate_left(5) ^ value.to_bits()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                digest.sum += sign * value;
                digest.allowed += allowed.in_type::<f32>()(i);
                sign = -sign;
            }
        }
        Ok(digest)
    }
}

/// The results of a program, in short.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Digest {
    /// A number that depends on all bits.
    pub bits: u64,
    /// The sum of all numbers, with signs that alternate.
    pub sum: f64,
    /// How far such sums may be apart.
    pub allowed: f64,
}
