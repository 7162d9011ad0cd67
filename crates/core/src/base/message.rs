//! What the library has to say beside its results.

use std::io::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

/// A function that takes warnings, each a text of one or several lines.
pub type WarningHook = Box<dyn Fn(&str) + Send + Sync>;

static HOOK: RwLock<Option<Arc<WarningHook>>> = RwLock::new(None);

/// Hands warnings to `hook`, or, without one, to what they go to by default: the standard error stream, or
/// with feature `log` that crate, at level `warn`.
///
/// There are few: dropout where it does nothing, parameters that an optimizer has to skip; and of
/// `wengert-check` a property's failure before it is made smaller, and what a check could not decide, which
/// without a hook or a logger reach the standard error stream past what a test harness keeps back. A
/// warning is text of one or several lines, with no line end behind it. A hook may itself set another one,
/// which takes the warnings from the next one on.
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
    // A program that logs says by its logger's level whether it wants warnings.
    if !is_taken(text) && !cfg!(feature = "log") {
        eprintln!("{text}");
    }
}

/// Hands `text` to where [`warn`] does; if nobody there takes it, it is written to the standard error stream
/// itself, past what a test harness keeps back, since it must not be lost where a test passes.
pub fn tell(text: &str) {
    if !is_taken(text) {
        // Nobody reads it if that fails.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// Hands `text` to the hook, or to `log`, and says whether they take it.
fn is_taken(text: &str) -> bool {
    // A hook may set another one: no lock is held while it runs.
    let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(hook) = hook else { return is_logged(text) };
    hook(text);
    true
}

#[cfg(feature = "log")]
fn is_logged(text: &str) -> bool {
    log::warn!("{text}");
    log::max_level() >= log::LevelFilter::Warn
}

#[cfg(not(feature = "log"))]
fn is_logged(_: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    /// Held by the test that sets the hook.
    static TURN: Mutex<()> = Mutex::new(());

    #[test]
    fn warnings_and_what_must_not_be_lost_go_to_the_hook() {
        let _turn = TURN.lock();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&seen);
        set_warning_hook(Some(Box::new(move |text| list.lock().unwrap().push(text.to_string()))));
        warn("hook: a warning");
        tell("hook: a report");
        set_warning_hook(None);
        let seen = seen.lock().unwrap();
        let ours: Vec<_> = seen.iter().filter(|text| text.starts_with("hook: ")).collect();
        assert_eq!(ours, ["hook: a warning", "hook: a report"]);
    }

    #[test]
    fn a_hook_may_set_another_hook() {
        let _turn = TURN.lock();
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
