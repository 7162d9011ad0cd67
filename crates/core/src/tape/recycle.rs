//! Handles to nodes. A node that the last handle left is emptied, without recursion however long its chain
//! is, and waits for the next operation.
//!
//! What a thread keeps is in a thread local without a destructor, so it can be reached to the thread's very
//! end: values that other thread locals own may be graphs, and no order is promised among those. The memory
//! is given back by [`End`], which has one.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use smallvec::SmallVec;

use wengert_kernel::memory::prefetch::prefetch;
use wengert_kernel::memory::shared::{Retire, Shared, Unique};
use wengert_kernel::run::panics::discard;

use super::keep::Keeps;
use super::node::Node;
use super::{Float, Variable};
use crate::base::mode::is_plain;

/// Factors of products that wait to be summed.
pub(crate) type Pairs<T> = SmallVec<[(Variable<T>, Variable<T>); 1]>;

/// A shared handle to a node.
pub(crate) type NodeRef<T> = Shared<Node<T>>;

/// A node that `record` puts on the tape.
#[inline(always)]
pub(crate) fn recorded<T: Float>(record: impl FnOnce(&mut Node<T>)) -> NodeRef<T> {
    let idle = if is_plain() { None } else { T::recycler().try_with(Recycler::take_idle).ok().flatten() };
    let mut node = idle.unwrap_or_else(|| Unique::new(Node::idle()));
    record(&mut node);
    node.share()
}

impl<T: Float> Retire for Node<T> {
    #[inline(never)]
    fn retire(last: Unique<Self>) {
        // Where thread locals take memory it may be gone; a graph that outlives it is freed recursively.
        let _ = T::recycler().try_with(|recycler| recycler.retire(last));
    }
}

/// Idle nodes beyond these are given back to the system: about 16 MiB.
const NODES: usize = 1 << 16;

/// Lists beyond these are given back to the system.
const LISTS: usize = 1 << 12;

/// A list in a thread local without a destructor.
type Lasting<V> = RefCell<ManuallyDrop<Vec<V>>>;

/// Gives the memory of a list back.
fn end_lasting<V>(list: &Lasting<V>) {
    let ended = std::mem::take(&mut **list.borrow_mut());
    drop(ended);
}

/// Empty containers that keep their memory for their next use: as many as were made on this thread, `MOST`
/// at most. Else a thread that only drops what others made would pile it up.
pub(crate) struct Spare<V, const MOST: usize> {
    spares: Lasting<V>,
    made: Cell<usize>,
}

impl<V, const MOST: usize> Spare<V, MOST> {
    const fn new() -> Self {
        Spare { spares: RefCell::new(ManuallyDrop::new(Vec::new())), made: Cell::new(0) }
    }

    /// A spare one; without one, the caller makes one.
    #[inline]
    fn take(&self) -> Option<V> {
        let spare = self.spares.borrow_mut().pop();
        if spare.is_none() {
            self.count_made();
        }
        spare
    }

    #[cold]
    fn count_made(&self) {
        // A thread at its end keeps nothing any more.
        if self.made.get() < MOST && END.try_with(|_| ()).is_ok() {
            self.made.set(self.made.get() + 1);
        }
    }

    #[inline]
    fn keep(&self, spare: V) {
        let mut spares = self.spares.borrow_mut();
        if spares.len() < self.made.get() {
            spares.push(spare);
        }
    }

    fn end(&self) {
        self.made.set(0);
        end_lasting(&self.spares);
    }
}

/// One thread's nodes that nobody holds, and the memory of lists.
pub struct Recycler<T: Float> {
    /// Whether nodes are being emptied further up the stack.
    emptying: Cell<bool>,
    /// Nodes whose last handle was dropped while another node was being emptied.
    waiting: Lasting<Unique<Node<T>>>,
    idle: Spare<Unique<Node<T>>, NODES>,
    /// With memory for more values than lie inline.
    kept: Spare<Keeps<T>, LISTS>,
    pairs: Spare<Pairs<T>, LISTS>,
    /// What sweeps leave to the next ones.
    sweeps: Spare<Box<dyn Any>, LISTS>,
}

const _: () = assert!(!std::mem::needs_drop::<Recycler<f32>>() && !std::mem::needs_drop::<Recycler<f64>>());

/// A thread's end, for its recyclers.
struct End;

thread_local!(static END: End = const { End });

impl Drop for End {
    fn drop(&mut self) {
        fn end<T: Float>() {
            let _ = T::recycler().try_with(Recycler::end);
        }
        end::<f32>();
        end::<f64>();
    }
}

/// What is kept for its next use on a thread.
pub(crate) trait Recycled<T: Float>: Default {
    fn spares(recycler: &Recycler<T>) -> &Spare<Self, LISTS>;

    /// An empty one, in memory that an earlier one left.
    #[inline]
    fn spare() -> Self {
        let spare = T::recycler().try_with(|recycler| Self::spares(recycler).take()).ok().flatten();
        spare.unwrap_or_default()
    }

    /// Keeps the memory of an empty one for [`Recycled::spare`].
    #[inline]
    fn keep(self) {
        let _ = T::recycler().try_with(|recycler| Self::spares(recycler).keep(self));
    }
}

impl<T: Float> Recycled<T> for Keeps<T> {
    fn spares(recycler: &Recycler<T>) -> &Spare<Self, LISTS> {
        &recycler.kept
    }
}

impl<T: Float> Recycled<T> for Pairs<T> {
    fn spares(recycler: &Recycler<T>) -> &Spare<Self, LISTS> {
        &recycler.pairs
    }
}

/// What a sweep left to the next one; without it, what there is at first.
#[inline]
pub(crate) fn of_last_sweep<T: Float, B: Default + 'static>() -> Box<B> {
    let left = T::recycler().try_with(|recycler| recycler.sweeps.take()).ok().flatten();
    left.and_then(|left| left.downcast().ok()).unwrap_or_default()
}

/// Keeps what a sweep leaves for [`of_last_sweep`].
#[inline]
pub(crate) fn for_next_sweep<T: Float>(left: Box<dyn Any>) {
    let _ = T::recycler().try_with(|recycler| recycler.sweeps.keep(left));
}

/// Empties a list of values; the memory of a long one is kept.
#[inline]
pub(crate) fn end_list<T: Float>(list: &mut Keeps<T>) {
    list.clear();
    if list.spilled() {
        std::mem::take(list).keep();
    }
}

impl<T: Float> Recycler<T> {
    pub(crate) const fn new() -> Self {
        Recycler {
            emptying: Cell::new(false),
            waiting: RefCell::new(ManuallyDrop::new(Vec::new())),
            idle: Spare::new(),
            kept: Spare::new(),
            pairs: Spare::new(),
            sweeps: Spare::new(),
        }
    }

    /// An idle node; the one after it comes to the caches meanwhile.
    #[inline(always)]
    fn take_idle(&self) -> Option<Unique<Node<T>>> {
        let node = self.idle.take();
        if let Some(next) = self.idle.spares.borrow().last() {
            prefetch(&**next);
        }
        node
    }

    /// Empties a node and, one after the other, all that only it kept alive: those come here as well, find
    /// the emptying going on and wait.
    fn retire(&self, node: Unique<Node<T>>) {
        if self.emptying.replace(true) {
            return self.waiting.borrow_mut().push(node);
        }
        let emptying = Emptying(self);
        let mut next = Some(node);
        while let Some(node) = next {
            self.empty(node);
            next = self.next_waiting();
        }
        std::mem::forget(emptying);
        self.end_emptying();
    }

    /// Takes a node off the tape, which may run the end of users' operations.
    #[inline]
    fn empty(&self, mut node: Unique<Node<T>>) {
        node.clear();
        self.idle.keep(node);
    }

    #[inline]
    fn next_waiting(&self) -> Option<Unique<Node<T>>> {
        self.waiting.borrow_mut().pop()
    }

    #[inline]
    fn end_emptying(&self) {
        self.emptying.set(false);
        if self.idle.made.get() == 0 {
            // The thread drops only what others made, or is at its end.
            end_lasting(&self.waiting);
        }
    }

    /// Gives all memory back.
    fn end(&self) {
        end_lasting(&self.waiting);
        self.idle.end();
        self.kept.end();
        self.pairs.end();
        self.sweeps.end();
    }
}

/// Nodes are being emptied; where the end of an operation panics, the others that wait are emptied while
/// that goes on.
struct Emptying<'r, T: Float>(&'r Recycler<T>);

impl<T: Float> Drop for Emptying<'_, T> {
    fn drop(&mut self) {
        while let Some(node) = self.0.next_waiting() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.0.empty(node))) {
                discard(panic);
            }
        }
        self.0.end_emptying();
    }
}
