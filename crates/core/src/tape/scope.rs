//! Module paths: where in a model an operation was recorded.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

thread_local!(static CURRENT: Cell<u32> = const { Cell::new(0) });

/// A module inside another one.
struct Path {
    /// The number of the other one.
    outer: u32,
    name: String,
    /// All names, from the outermost on.
    full: String,
}

/// All paths entered so far; a node holds a path's number, 0 being none.
static PATHS: Mutex<Vec<Path>> = Mutex::new(Vec::new());

fn paths<R>(f: impl FnOnce(&mut Vec<Path>) -> R) -> R {
    f(&mut PATHS.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Restore(u32);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// Runs `f` with `name` appended to the module path that recorded operations carry.
///
/// ```
/// use wengert_core::{scope, Tape, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
/// let y = scope("head", || scope("gate", || x.tanh()));
/// assert_eq!(Tape::of(&y).entries().last().unwrap().path, "head.gate");
/// ```
pub fn scope<R>(name: &str, f: impl FnOnce() -> R) -> R {
    let number = number(CURRENT.get(), name);
    let _restore = Restore(CURRENT.replace(number));
    f()
}

/// The number of `name` inside a path; the names are put together at the first time alone.
fn number(outer: u32, name: &str) -> u32 {
    paths(|paths| {
        let known = paths.iter().position(|path| path.outer == outer && path.name == name);
        let at = known.unwrap_or_else(|| {
            let full = match outer.checked_sub(1) {
                Some(outer) => format!("{}.{name}", paths[outer as usize].full),
                None => name.to_string(),
            };
            paths.push(Path { outer, name: name.to_string(), full });
            paths.len() - 1
        });
        at as u32 + 1
    })
}

#[inline]
pub(crate) fn current() -> u32 {
    CURRENT.get()
}

/// The path as errors end a place: behind ` in `, empty outside a module.
pub(crate) fn place(number: u32) -> String {
    match path(number) {
        path if path.is_empty() => path,
        path => format!(" in {path}"),
    }
}

pub(crate) fn path(number: u32) -> String {
    match number {
        0 => String::new(),
        n => paths(|paths| paths[n as usize - 1].full.clone()),
    }
}
