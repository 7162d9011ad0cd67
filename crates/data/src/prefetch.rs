//! Items that a thread prepares ahead.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// The items of an iterator in their order, prepared ahead on a thread.
///
/// A panic there is one in [`next`](Iterator::next) here, behind the items that came before it. Dropping it
/// ends the thread after the item that it is at, and waits for that.
///
/// ```
/// use wengert_data::Prefetch;
/// let squares = Prefetch::new((0..4).map(|i| i * i), 2);
/// assert_eq!(squares.len(), 4);
/// assert_eq!(squares.collect::<Vec<_>>(), [0, 1, 4, 9]);
/// ```
#[derive(Debug)]
pub struct Prefetch<T> {
    /// None where the thread is not to go on.
    items: Option<Receiver<T>>,
    thread: Option<JoinHandle<()>>,
    left: usize,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Starts a thread that prepares up to `ahead` items, at least one, before they are asked for.
    ///
    /// # Panics
    /// If the system can't start a thread.
    pub fn new(items: impl ExactSizeIterator<Item = T> + Send + 'static, ahead: usize) -> Self {
        let left = items.len();
        // The thread holds one more that it could not send yet.
        let (sender, receiver) = sync_channel(ahead.saturating_sub(1));
        let work = move || {
            for item in items {
                // Nobody is there to take it: it was dropped.
                if sender.send(item).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("wengert-data".into()).spawn(work);
        let thread = thread.unwrap_or_else(|error| panic!("Prefetch: no thread can be started: {error}"));
        Prefetch { items: Some(receiver), thread: Some(thread), left }
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self.items.as_ref()?.recv() {
            Ok(item) => {
                self.left = self.left.saturating_sub(1);
                Some(item)
            }
            Err(_) => {
                (self.items, self.left) = (None, 0);
                if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
                    resume_unwind(panic);
                }
                None
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Prefetch<T> {}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.items = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has nobody left to reach; the thread has printed it.
            let _ = thread.join();
        }
    }
}
