//! A wish to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that asks a run to stop after what it is doing, shared by clones: set by [`Stop::request`] from any
/// callback or thread, by a condition, or with the feature `ctrlc` by an interrupt.
///
/// ```
/// use wengert_train::Stop;
/// let stop = Stop::new();
/// let callback = { let stop = stop.clone(); move |loss: f64| if loss < 0.1 { stop.request() } };
/// let mut seen = 0;
/// for loss in stop.over([0.5, 0.2, 0.05, 0.01]) {
///     callback(loss);
///     seen += 1;
/// }
/// assert_eq!(seen, 3);
/// assert!(stop.is_requested());
/// ```
#[derive(Clone, Default)]
pub struct Stop {
    flag: Arc<AtomicBool>,
    conditions: Vec<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Stop {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition, which is asked from now on in this value and its clones.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use wengert_train::Stop;
    /// let end = Instant::now() + Duration::from_secs(3600);
    /// let stop = Stop::new().when(move || Instant::now() >= end);
    /// assert!(!stop.is_requested());
    /// ```
    #[must_use]
    pub fn when(mut self, condition: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.conditions.push(Arc::new(condition));
        self
    }

    /// Asks to stop.
    pub fn request(&self) {
        self.flag.store(true, Ordering::Release);
    }

    /// Whether somebody has asked, or a condition holds.
    pub fn is_requested(&self) -> bool {
        self.flag.load(Ordering::Acquire) || self.conditions.iter().any(|condition| condition())
    }

    /// Takes the wish back; conditions go on being asked.
    pub fn clear(&self) {
        self.flag.store(false, Ordering::Release);
    }

    /// The items of an iterator until a stop is asked for. One that is being worked on is finished.
    pub fn over<I: IntoIterator>(&self, items: I) -> UntilStop<I::IntoIter> {
        UntilStop { items: items.into_iter(), stop: self.clone() }
    }

    /// Has the first interrupt (Ctrl-C) ask to stop, and the second end the process with status 130. A
    /// save that either comes in the middle of leaves a whole checkpoint: the first lets it finish, and
    /// after the second the earlier one is still there.
    ///
    /// # Errors
    /// [`Error::Argument`](wengert_core::Error::Argument) if this process has a handler already, or the
    /// system refuses one.
    #[cfg(feature = "ctrlc")]
    pub fn on_interrupt(self) -> wengert_core::Result<Self> {
        let flag = Arc::clone(&self.flag);
        let handler = move || {
            if flag.swap(true, Ordering::AcqRel) {
                std::process::exit(130);
            }
        };
        let refused = |error| {
            let expected = "the only one of this process, which the system takes";
            wengert_core::Error::argument("Stop::on_interrupt", "the handler", expected, error)
        };
        ctrlc::set_handler(handler).map_err(refused)?;
        Ok(self)
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stop(requested: {})", self.is_requested())
    }
}

/// An iterator that ends when a [`Stop`] is asked for; made by [`Stop::over`].
///
/// ```
/// use wengert_train::Stop;
/// let stop = Stop::new();
/// let mut items = stop.over(0..10);
/// assert_eq!((items.next(), items.len()), (Some(0), 9));
/// stop.request();
/// assert_eq!((items.next(), items.len()), (None, 0));
/// ```
#[derive(Clone, Debug)]
pub struct UntilStop<I> {
    items: I,
    stop: Stop,
}

impl<I: Iterator> Iterator for UntilStop<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        if self.stop.is_requested() { None } else { self.items.next() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.stop.is_requested() { (0, Some(0)) } else { self.items.size_hint() }
    }
}

/// The length as of now: none once a stop is asked for.
impl<I: ExactSizeIterator> ExactSizeIterator for UntilStop<I> {}
