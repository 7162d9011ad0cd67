//! Panics of users' code as results.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// A panic: what it said, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Panicked {
    pub message: String,
    pub location: Option<String>,
}

thread_local! {
    /// The place of the last panic, while those of this thread are caught.
    static CAUGHT: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// What `run` gives, or its panic, which isn't printed.
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, Panicked> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let catching = CAUGHT.with_borrow_mut(|caught| match caught {
                Some(location) => {
                    *location = info.location().map(ToString::to_string);
                    true
                }
                None => false,
            });
            if !catching {
                usual(info);
            }
        }));
    });
    let outer = CAUGHT.replace(Some(None));
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    let location = CAUGHT.replace(outer).flatten();
    result.map_err(|payload| Panicked { message: text_of(&*payload), location })
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_string())
}
