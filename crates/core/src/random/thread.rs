//! Each thread's own generator.

use std::cell::RefCell;

use super::{Generator, GeneratorState};

/// The seed of a thread's generator until [`manual_seed`] is called: runs are reproducible by default.
///
/// ```
/// use wengert_core::{DEFAULT_SEED, Generator, with_generator};
/// let mut same = Generator::from_seed(DEFAULT_SEED);
/// assert_eq!(with_generator(|g| g.normal()), same.normal());
/// ```
pub const DEFAULT_SEED: u64 = 0;

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::from_seed(DEFAULT_SEED));
}

/// Starts this thread's generator anew from a seed.
///
/// Threads don't share a generator: each that calls this with the same seed, or never calls it, draws the
/// same numbers, however they are scheduled.
///
/// # Panics
/// Inside the closure of [`with_generator`].
///
/// ```
/// use wengert_core::{manual_seed, with_generator};
/// manual_seed(42);
/// let first = with_generator(|g| g.normal());
/// manual_seed(42);
/// assert_eq!(with_generator(|g| g.normal()), first);
/// ```
#[track_caller]
pub fn manual_seed(seed: u64) {
    borrow("manual_seed", |generator| *generator = Generator::from_seed(seed));
}

/// Draws from this thread's generator. A thread that was never seeded starts from [`DEFAULT_SEED`].
///
/// If the closure panics the generator stays where its draws have brought it.
///
/// # Panics
/// Inside its own closure: what is drawn there must come from the generator that the closure was given.
///
/// ```
/// use wengert_core::{manual_seed, with_generator};
/// manual_seed(1);
/// let (x, y) = with_generator(|g| (g.normal(), g.uniform(0.0, 1.0)));
/// assert!(x.is_finite() && y < 1.0);
/// ```
#[track_caller]
pub fn with_generator<R>(f: impl FnOnce(&mut Generator) -> R) -> R {
    borrow("with_generator", f)
}

/// Where this thread's generator is, for a checkpoint.
///
/// # Panics
/// Inside the closure of [`with_generator`].
///
/// ```
/// use wengert_core::{generator_state, set_generator_state, with_generator};
/// let state = generator_state();
/// let drawn = with_generator(|g| g.below(1000));
/// set_generator_state(&state);
/// assert_eq!(with_generator(|g| g.below(1000)), drawn);
/// ```
#[track_caller]
pub fn generator_state() -> GeneratorState {
    borrow("generator_state", |generator| generator.state())
}

/// Puts this thread's generator where [`generator_state`] found it, or another thread's.
///
/// # Panics
/// Inside the closure of [`with_generator`].
///
/// ```
/// use wengert_core::{Generator, generator_state, set_generator_state};
/// let state = Generator::from_seed(9).state();
/// set_generator_state(&state);
/// assert_eq!(generator_state(), state);
/// ```
#[track_caller]
pub fn set_generator_state(state: &GeneratorState) {
    borrow("set_generator_state", |generator| *generator = Generator::restore(state));
}

#[track_caller]
fn borrow<R>(caller: &str, f: impl FnOnce(&mut Generator) -> R) -> R {
    let result = GENERATOR.with(|cell| cell.try_borrow_mut().ok().map(|mut generator| f(&mut generator)));
    match result {
        Some(result) => result,
        None => panic!(
            "{caller}: with_generator already has this thread's generator; draw from the one it gave you"
        ),
    }
}
