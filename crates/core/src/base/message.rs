//! What the library has to say beside its results.

use std::sync::{PoisonError, RwLock};

/// A function that takes warnings, each a text of one or several lines.
pub type WarningHook = Box<dyn Fn(&str) + Send + Sync>;

static HOOK: RwLock<Option<WarningHook>> = RwLock::new(None);

/// Hands warnings to `hook`, or, without one, to what they go to by default: the standard error stream, or
/// with feature `log` that crate, at level `warn`.
///
/// There are few: dropout where it does nothing, parameters that an optimizer has to skip, a property's
/// failure before it is made smaller. A warning is text of one or several lines, with no line end behind
/// it.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use wengert_core::set_warning_hook;
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let list = Arc::clone(&seen);
/// set_warning_hook(Some(Box::new(move |text| list.lock().unwrap().push(text.to_string()))));
/// // .. what warns ..
/// set_warning_hook(None);
/// assert!(seen.lock().unwrap().is_empty());
/// ```
pub fn set_warning_hook(hook: Option<WarningHook>) {
    let old = std::mem::replace(&mut *HOOK.write().unwrap_or_else(PoisonError::into_inner), hook);
    drop(old);
}

/// Hands `text` to the warning hook, or, without one, to where warnings go by default.
pub fn warn(text: &str) {
    match &*HOOK.read().unwrap_or_else(PoisonError::into_inner) {
        Some(hook) => hook(text),
        #[cfg(feature = "log")]
        None => log::warn!("{text}"),
        #[cfg(not(feature = "log"))]
        None => eprintln!("{text}"),
    }
}
