//! Memory that the allocator refuses.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

thread_local! {
    /// How many functions on this thread's stack make an error of what is refused.
    static ANSWERED: Cell<usize> = const { Cell::new(0) };
}

/// A refusal, which unwinds to the innermost function that makes an error of it: there is no memory for so
/// many elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// How many elements.
    pub elements: usize,
    /// How many bytes in all.
    pub bytes: usize,
}

/// Runs what allocates as deep inside as it may, by one who makes an error of what is refused there.
///
/// # Errors
/// If `work` panics, what the panic carries: of [`OutOfMemory`] nothing is printed.
pub fn answered<R>(work: impl FnOnce() -> R) -> thread::Result<R> {
    ANSWERED.set(ANSWERED.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work));
    ANSWERED.set(ANSWERED.get() - 1);
    result
}

/// Whether a function on this thread's stack makes an error of what is refused, and panics unwind.
pub fn is_answered() -> bool {
    cfg!(panic = "unwind") && ANSWERED.get() > 0
}

/// Gives up on memory for so many elements: unwinds to who answers for it, or panics.
#[cold]
#[inline(never)]
pub fn refuse<T>(elements: usize) -> ! {
    let bytes = elements.saturating_mul(size_of::<T>());
    if is_answered() {
        resume_unwind(Box::new(OutOfMemory { elements, bytes }));
    }
    panic!("there is no memory for {elements} elements, which take {bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_goes_to_who_answers_for_it() {
        assert!(!is_answered());
        let refused = answered(|| -> () { refuse::<f32>(3) }).unwrap_err();
        let expected = OutOfMemory { elements: 3, bytes: 12 };
        assert_eq!(refused.downcast_ref::<OutOfMemory>(), Some(&expected));
        assert_eq!(answered(is_answered).ok(), Some(true));
    }
}
