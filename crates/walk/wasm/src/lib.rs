//! The engine of Wengert's page: [`wengert_walk::answer`] for WebAssembly, without imports.
//!
//! Whoever runs it writes a request of `len` bytes where `input(len)` says, calls `answer()`, which gives the
//! length of the answer, and reads that from where `output()` says. Where it traps, `failure()` gives the
//! length of the panic's message, which is behind `output()` then; the instance is of no more use.
//!
//! Functions have their plain names outside, which is the only thing here that the compiler cannot check:
//! nobody else may export these names. What pointers lead to is read and written by the page alone, between
//! the calls.

use std::cell::RefCell;
use std::panic;

thread_local! {
    static REQUEST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Room for a request of so many bytes, which is UTF-8.
// SAFETY: no other function of this name is linked in.
#[unsafe(no_mangle)]
pub extern "C" fn input(len: usize) -> *mut u8 {
    REQUEST.with_borrow_mut(|request| {
        request.clear();
        request.resize(len, 0);
        request.as_mut_ptr()
    })
}

/// Answers the request; the length of the answer.
// SAFETY: no other function of this name is linked in.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    panic::set_hook(Box::new(|info| ANSWER.set(info.to_string())));
    let request = REQUEST.take();
    ANSWER.set(String::new());
    let answer = wengert_walk::answer(&String::from_utf8_lossy(&request));
    let length = answer.len();
    ANSWER.set(answer);
    length
}

/// Where the answer is, until the next request.
// SAFETY: no other function of this name is linked in.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    ANSWER.with_borrow(|answer| answer.as_ptr())
}

/// The length of the last panic's message, which is behind `output()`.
// SAFETY: no other function of this name is linked in.
#[unsafe(no_mangle)]
pub extern "C" fn failure() -> usize {
    ANSWER.with_borrow(String::len)
}
