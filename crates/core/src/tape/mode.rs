//! How operations on this thread are run: recorded or not, by the fast ways or plainly.

use std::cell::Cell;
use std::sync::OnceLock;

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(true) };
    static PLAIN: Cell<bool> = const { Cell::new(false) };
}

/// Whether operations on this thread are recorded; true unless inside [`no_grad`].
#[inline]
pub fn is_recording() -> bool {
    RECORDING.get()
}

/// Puts a mode back, also when unwinding.
struct Restore {
    mode: &'static std::thread::LocalKey<Cell<bool>>,
    before: bool,
}

impl Drop for Restore {
    fn drop(&mut self) {
        self.mode.set(self.before);
    }
}

/// Runs `f` with recording on or off (`torch.set_grad_enabled`).
pub fn with_recording<R>(on: bool, f: impl FnOnce() -> R) -> R {
    let _restore = Restore { mode: &RECORDING, before: RECORDING.replace(on) };
    f()
}

/// Runs `f` without recording: its results have no history and require no gradient (`torch.no_grad`).
///
/// ```
/// use wengert_core::{no_grad, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
/// assert!((&x * 2.0).requires_grad());
/// assert!(!no_grad(|| &x * 2.0).requires_grad());
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    with_recording(false, f)
}

/// Whether this thread computes plainly: inside [`with_plain`], or everywhere if the environment variable `WENGERT_PLAIN` is 1.
#[inline]
pub fn is_plain() -> bool {
    static EVERYWHERE: OnceLock<bool> = OnceLock::new();
    PLAIN.get() || *EVERYWHERE.get_or_init(|| std::env::var("WENGERT_PLAIN").is_ok_and(|value| value == "1"))
}

/// Whether a pullback follows the rule written in variables, rather than a kernel that computes the same: when it is recorded itself,
/// and when everything is plain.
#[inline]
pub(crate) fn by_rule() -> bool {
    is_recording() || is_plain()
}

/// Runs `f` plainly: the reference that the fast ways are held against.
///
/// Each operation's rule is run as it is written, cotangents are added up one by one, products are three loops. Nothing is written
/// in place, put off, kept for the next product or used again. Results are those of the fast ways up to the rounding of sums whose
/// order differs, and it takes many times as long: it is for finding out whether a fault lies in a rule or in what runs it.
/// What is recorded plainly may go back by the fast ways, and the other way round.
///
/// ```
/// use wengert_core::{with_plain, Tensor, Variable};
/// let x = Variable::new(Tensor::from([[1.0f64, 2.0], [3.0, 4.0]])).requires_grad_(true);
/// let gradient = || {
///     x.zero_grad();
///     x.matmul(&x).tanh().sum().backward()?;
///     wengert_core::Result::Ok(x.grad().unwrap().to_vec())
/// };
/// let (fast, plain) = (gradient()?, with_plain(gradient)?);
/// assert!(fast.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-15));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn with_plain<R>(f: impl FnOnce() -> R) -> R {
    let _restore = Restore { mode: &PLAIN, before: PLAIN.replace(true) };
    f()
}
