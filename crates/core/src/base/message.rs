//! What the library has to say beside its results.

use std::sync::{Arc, PoisonError, RwLock};

/// A function that takes warnings, each a text of one or several lines.
pub type WarningHook = Box<dyn Fn(&str) + Send + Sync>;

static HOOK: RwLock<Option<Arc<WarningHook>>> = RwLock::new(None);

/// Hands warnings to `hook`, or, without one, to what they go to by default: the standard error stream, or
/// with feature `log` that crate, at level `warn`.
///
/// There are few: dropout where it does nothing, parameters that an optimizer has to skip, a property's
/// failure before it is made smaller. A warning is text of one or several lines, with no line end behind
/// it. A hook may itself set another one, which takes the warnings from the next one on.
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
    let hook = hook.map(Arc::new);
    let old = std::mem::replace(&mut *HOOK.write().unwrap_or_else(PoisonError::into_inner), hook);
    drop(old);
}

/// Hands `text` to the warning hook, or, without one, to where warnings go by default.
pub fn warn(text: &str) {
    // A hook may set another one: no lock is held while it runs.
    let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
    match hook {
        Some(hook) => hook(text),
        #[cfg(feature = "log")]
        None => log::warn!("{text}"),
        #[cfg(not(feature = "log"))]
        None => eprintln!("{text}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_hook_may_set_another_hook() {
        let (done, is_done) = channel();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&seen);
        // On a thread of its own, for one that waits for itself waits for ever.
        std::thread::spawn(move || {
            let then = Arc::clone(&list);
            set_warning_hook(Some(Box::new(move |text| {
                list.lock().unwrap().push(format!("first {text}"));
                let then = Arc::clone(&then);
                set_warning_hook(Some(Box::new(move |text| {
                    then.lock().unwrap().push(format!("then {text}"))
                })));
            })));
            warn("a");
            warn("b");
            set_warning_hook(None);
            done.send(()).unwrap();
        });
        is_done.recv_timeout(Duration::from_secs(20)).expect("the hook returns");
        assert_eq!(*seen.lock().unwrap(), ["first a", "then b"]);
    }
}
