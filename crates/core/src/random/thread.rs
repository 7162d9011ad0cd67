//! Each thread's own generator.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Generator, GeneratorState};

/// The seed of the main thread's generator until [`manual_seed`] is called: a program of one thread is
/// reproducible by default.
///
/// Every other thread that is not seeded draws from a [stream](Generator::stream) of this seed that no
/// other thread has, one of those from 2^63 on. Which one depends on the order in which threads first draw,
/// so what they draw is not reproducible.
///
/// ```
/// use wengert_core::{DEFAULT_SEED, Generator, with_generator};
/// let mut same = Generator::from_seed(DEFAULT_SEED);
/// assert_eq!(with_generator(|g| g.normal()), same.normal());
/// ```
pub const DEFAULT_SEED: u64 = 0;

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(unseeded());
}

/// The generator of a thread that has not been seeded: the main thread's, or one like no other.
fn unseeded() -> Generator {
    static MAIN_HAS_ITS_OWN: AtomicBool = AtomicBool::new(false);
    // Far from the streams that a program numbers from 0 on.
    static NEXT: AtomicU64 = AtomicU64::new(1 << 63);
    // Any thread may be called so, the main one draws first if it draws at all.
    let is_main = std::thread::current().name() == Some("main");
    if is_main && !MAIN_HAS_ITS_OWN.swap(true, Ordering::Relaxed) {
        return Generator::from_seed(DEFAULT_SEED);
    }
    Generator::stream(DEFAULT_SEED, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Starts this thread's generator anew from a seed.
///
/// Threads don't share a generator: each that calls this with the same seed draws the same numbers, however
/// they are scheduled. For threads that are to draw different ones and the same in every run, give each a
/// [`Generator::stream`] of one seed with [`set_generator_state`]. One that is not seeded draws what no
/// other does, not reproducibly ([`DEFAULT_SEED`]).
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
#[doc(alias = "seed")]
#[doc(alias = "set_seed")]
#[track_caller]
pub fn manual_seed(seed: u64) {
    borrow("manual_seed", |generator| *generator = Generator::from_seed(seed));
}

/// Draws from this thread's generator. The main thread starts from [`DEFAULT_SEED`] if it was not seeded,
/// any other from a stream that no other thread has.
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

/// The place of this thread's generator in its stream, for a checkpoint.
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
