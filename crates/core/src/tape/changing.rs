//! A parameter's value, which some threads look at while another one changes it.
//!
//! No lock is held while anything is computed. Who looks takes a handle; who changes takes the value away,
//! and brings it back. So an operation may read a parameter as often as it likes and even set it, whatever
//! others do, and nobody sees half a change. Only who wants a value that is away waits; where that would be
//! for ever, because the way back leads through himself, he panics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::base::error::Result;
use crate::tape::Float;
use crate::tensor::Tensor;

/// A value that is here or away.
pub(crate) struct Changing<T: Float>(RwLock<State<T>>);

enum State<T: Float> {
    Here(Tensor<T>),
    /// The thread that changes it.
    Away(Thread),
}

/// The value while it is away; dropped, also when unwinding, it is back.
struct Taken<'c, T: Float> {
    from: &'c Changing<T>,
    value: Option<Tensor<T>>,
}

impl<T: Float> Changing<T> {
    pub(crate) fn new(value: Tensor<T>) -> Self {
        Changing(RwLock::new(State::Here(value)))
    }

    fn read(&self) -> RwLockReadGuard<'_, State<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<T>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handle to the value.
    #[inline]
    #[track_caller]
    pub(crate) fn get(&self) -> Tensor<T> {
        loop {
            if let State::Here(value) = &*self.read() {
                return value.clone();
            }
            self.wait();
        }
    }

    /// Replaces the value.
    #[track_caller]
    pub(crate) fn set(&self, value: Tensor<T>) {
        loop {
            let mut state = self.write();
            if let State::Here(here) = &mut *state {
                let old = std::mem::replace(here, value);
                drop(state);
                return drop(old);
            }
            drop(state);
            self.wait();
        }
    }

    /// Changes the elements, in place if nobody else holds them.
    #[track_caller]
    pub(crate) fn update(&self, operation: &'static str, change: impl FnOnce(&mut [T])) -> Result<()> {
        let mut taken = self.take();
        let value = taken.value.as_mut().expect("it is there until the drop");
        change(value.detach_mut(operation)?);
        Ok(())
    }

    #[track_caller]
    fn take(&self) -> Taken<'_, T> {
        loop {
            let mut state = self.write();
            match std::mem::replace(&mut *state, State::Away(Thread::this())) {
                State::Here(value) => return Taken { from: self, value: Some(value) },
                away => *state = away,
            }
            drop(state);
            self.wait();
        }
    }

    #[cold]
    #[track_caller]
    fn wait(&self) {
        wait(std::ptr::from_ref(self) as usize, || match &*self.read() {
            State::Here(_) => None,
            State::Away(thread) => Some(*thread),
        });
    }
}

impl<T: Float> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            *self.from.write() = State::Here(value);
            came_back(std::ptr::from_ref(self.from) as usize);
        }
    }
}

/// A thread, as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Thread(usize);

impl Thread {
    fn this() -> Self {
        thread_local!(static PLACE: u8 = const { 0 });
        Thread(PLACE.with(|place| std::ptr::from_ref(place) as usize))
    }
}

/// A thread that waits for a value that another one has.
struct Wait {
    thread: Thread,
    value: usize,
    owner: Thread,
}

static WAITS: Mutex<Vec<Wait>> = Mutex::new(Vec::new());
/// How many threads wait or are about to; whoever brings a value back looks here first.
static WAITING: AtomicUsize = AtomicUsize::new(0);
static CAME_BACK: Condvar = Condvar::new();

/// Waits until a value has no owner.
///
/// # Panics
/// If that would be for ever: the owner is this thread, or waits for what this thread has.
#[track_caller]
fn wait(value: usize, owner: impl Fn() -> Option<Thread>) {
    let this = Thread::this();
    // Before the owner is asked for: so either the value is seen to be back, or who brings it sees that
    // somebody waits.
    WAITING.fetch_add(1, Ordering::SeqCst);
    let mut waits = WAITS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut closes_a_circle = false;
    while let Some(owner) = owner() {
        closes_a_circle = leads_to(&waits, owner, this);
        if closes_a_circle {
            break;
        }
        waits.push(Wait { thread: this, value, owner });
        waits = CAME_BACK.wait(waits).unwrap_or_else(PoisonError::into_inner);
        waits.retain(|wait| wait.thread != this);
    }
    drop(waits);
    WAITING.fetch_sub(1, Ordering::SeqCst);
    assert!(
        !closes_a_circle,
        "a parameter was asked for inside the closure of the `Parameter::update` that changes it; read what \
         the closure needs before, and change one parameter after the other"
    );
}

/// Whether `owner` is `this` thread or waits, directly or through others, for what it has.
fn leads_to(waits: &[Wait], owner: Thread, this: Thread) -> bool {
    let mut at = owner;
    while at != this {
        match waits.iter().find(|wait| wait.thread == at) {
            Some(wait) => at = wait.owner,
            None => return false,
        }
    }
    true
}

/// Wakes who waits for a value that this thread had.
fn came_back(value: usize) {
    if WAITING.load(Ordering::SeqCst) > 0 {
        let this = Thread::this();
        let mut waits = WAITS.lock().unwrap_or_else(PoisonError::into_inner);
        // They don't wait for this thread any more, also before they have woken up.
        waits.retain(|wait| (wait.value, wait.owner) != (value, this));
        CAME_BACK.notify_all();
    }
}
