//! Whether operations on this thread are recorded.

use std::cell::Cell;

thread_local!(static RECORDING: Cell<bool> = const { Cell::new(true) });

/// Whether operations on this thread are recorded; true unless inside [`no_grad`].
#[inline]
pub fn is_recording() -> bool {
    RECORDING.get()
}

/// Puts the mode back, also when unwinding.
struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        RECORDING.set(self.0);
    }
}

/// Runs `f` with recording on or off (`torch.set_grad_enabled`).
pub fn with_recording<R>(on: bool, f: impl FnOnce() -> R) -> R {
    let _restore = Restore(RECORDING.replace(on));
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
