//! How operations on this thread are run: recorded or not, by the fast ways or plainly.

use std::cell::Cell;
use std::sync::OnceLock;

/// What holds on a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode(u8);

impl Mode {
    /// Operations are recorded.
    const RECORDING: u8 = 1;
    /// They are, or would be if the function around them were not run without (see `tape/capture.rs`).
    const WOULD: u8 = 2;
    /// What such a function captures is looked for.
    const WATCHING: u8 = 4;
    /// Captured variables have others in their places.
    const STANDING_IN: u8 = 8;
    /// Operations are run plainly.
    const PLAIN: u8 = 16;
    /// What is recorded keeps its values.
    const KEEPING: u8 = 32;

    #[inline]
    pub(crate) fn now() -> Self {
        MODE.get()
    }

    #[inline]
    pub(crate) fn records(self) -> bool {
        self.0 & Self::RECORDING != 0
    }

    /// Whether operations have to be looked at, for what they capture or to keep their values.
    #[inline]
    pub(crate) fn captures(self) -> bool {
        self.0 & (Self::WATCHING | Self::STANDING_IN | Self::KEEPING) != 0
    }

    pub(crate) fn watches(self) -> bool {
        self.0 & (Self::WATCHING | Self::WOULD) == Self::WATCHING | Self::WOULD
    }

    fn recording(self, on: bool) -> Self {
        let others = self.0 & (Self::WATCHING | Self::STANDING_IN | Self::PLAIN | Self::KEEPING);
        Mode(if on { others | Self::RECORDING | Self::WOULD } else { others })
    }

    /// Without recording, but looking for what would have been.
    pub(crate) fn watching(self) -> Self {
        Mode(self.recording(false).0 | Self::WATCHING | Self::WOULD)
    }

    /// Whether what is recorded keeps its values.
    pub(crate) fn keeps(self) -> bool {
        self.0 & Self::KEEPING != 0
    }

    pub(crate) fn keeping(self) -> Self {
        Mode(self.0 | Self::KEEPING)
    }

    pub(crate) fn standing_in(self) -> Self {
        Mode(self.0 | Self::STANDING_IN)
    }
}

thread_local!(static MODE: Cell<Mode> = const { Cell::new(Mode(Mode::RECORDING | Mode::WOULD)) });

/// Whether operations on this thread are recorded; true unless inside [`no_grad`].
#[inline]
pub fn is_recording() -> bool {
    Mode::now().records()
}

/// Puts the mode back, also when unwinding.
pub struct Restore(Mode);

impl Drop for Restore {
    fn drop(&mut self) {
        MODE.set(self.0);
    }
}

/// Runs `f` in another mode.
pub(crate) fn with_mode<R>(mode: Mode, f: impl FnOnce() -> R) -> R {
    let _restore = Restore(MODE.replace(mode));
    f()
}

/// Runs `f` with recording, also inside [`no_grad`] (`torch.enable_grad`).
///
/// ```
/// use wengert_core::{enable_grad, no_grad, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
/// assert!(no_grad(|| enable_grad(|| &x * 2.0)).requires_grad());
/// ```
#[doc(alias = "set_grad_enabled")]
pub fn enable_grad<R>(f: impl FnOnce() -> R) -> R {
    with_recording(true, f)
}

/// Runs `f` with recording on or off.
pub(crate) fn with_recording<R>(on: bool, f: impl FnOnce() -> R) -> R {
    with_mode(Mode::now().recording(on), f)
}

/// Runs `f` without recording: its results have no history and require no gradient (`torch.no_grad`).
///
/// ```
/// use wengert_core::{no_grad, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
/// assert!((&x * 2.0).requires_grad());
/// assert!(!no_grad(|| &x * 2.0).requires_grad());
/// ```
#[doc(alias = "inference_mode")]
#[doc(alias = "stop_recording")]
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    with_recording(false, f)
}

/// [`no_grad`] until the result is dropped, without a closure, in which an operation would not know its
/// caller's line.
#[must_use]
pub fn unrecorded() -> Restore {
    Restore(MODE.replace(Mode::now().recording(false)))
}

/// Whether this thread computes plainly: inside [`with_plain`], or everywhere if the environment variable
/// `WENGERT_PLAIN` is 1.
#[inline]
pub fn is_plain() -> bool {
    static EVERYWHERE: OnceLock<bool> = OnceLock::new();
    Mode::now().0 & Mode::PLAIN != 0
        || *EVERYWHERE.get_or_init(|| std::env::var("WENGERT_PLAIN").is_ok_and(|value| value == "1"))
}

/// Runs `f` plainly: the reference that the fast ways are held against.
///
/// Each operation's rule is run as it is written, cotangents are added up one by one, products are three
/// loops. No cotangent is written in place or put off, no product keeps anything for the next one. Results
/// are those of the fast ways up to the rounding of sums whose order differs, and it takes many times as
/// long: it is for finding out whether a fault lies in a rule or in what runs it. What is recorded plainly
/// may go back by the fast ways, and the other way round.
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
    with_mode(Mode(Mode::now().0 | Mode::PLAIN), f)
}
