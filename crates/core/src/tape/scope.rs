//! Module paths: where in a model an operation was recorded.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

thread_local!(static CURRENT: Cell<u32> = const { Cell::new(0) });

/// All paths entered so far; a node holds a path's number, 0 being none.
static PATHS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn paths<R>(f: impl FnOnce(&mut Vec<String>) -> R) -> R {
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
    let outer = CURRENT.get();
    let path = match path(outer) {
        outer if outer.is_empty() => name.to_string(),
        outer => format!("{outer}.{name}"),
    };
    let number = paths(|paths| {
        let known = paths.iter().position(|known| *known == path);
        known.unwrap_or_else(|| {
            paths.push(path);
            paths.len() - 1
        })
    });
    let _restore = Restore(CURRENT.replace(number as u32 + 1));
    f()
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
        n => paths(|paths| paths[n as usize - 1].clone()),
    }
}
