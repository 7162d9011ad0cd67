//! Handles to nodes. A node that the last handle left is emptied, without recursion however long its chain is,
//! and waits for the next operation.

use std::cell::{Cell, RefCell};

use super::keep::Kept;
use super::late::Pairs;
use super::mode::is_plain;
use super::node::Node;
use super::walk::Belongings;
use crate::element::Float;
use crate::kernel::prefetch::prefetch;
use crate::kernel::shared::{Retire, Shared, Unique};

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
        // At a thread's end its recycler may be gone; a graph that outlives it is freed recursively.
        let _ = T::recycler().try_with(|recycler| recycler.retire(last));
    }
}

/// Idle nodes beyond these are given back to the system: about 16 MiB.
const LIMIT: usize = 1 << 16;

/// Lists beyond these are given back to the system.
const LISTS: usize = 1 << 12;

/// Empty containers that keep their memory for their next use.
pub(crate) struct Spare<V>(RefCell<Vec<V>>);

impl<V> Spare<V> {
    const fn new() -> Self {
        Spare(RefCell::new(Vec::new()))
    }

    #[inline]
    fn take(&self) -> Option<V> {
        self.0.borrow_mut().pop()
    }

    #[inline]
    fn keep(&self, spare: V) {
        let mut spares = self.0.borrow_mut();
        if spares.len() < LISTS {
            spares.push(spare);
        }
    }
}

/// One thread's nodes that nobody holds, and the memory of lists.
pub struct Recycler<T: Float> {
    /// Whether nodes are being emptied further up the stack.
    emptying: Cell<bool>,
    /// Nodes whose last handle was dropped while another node was being emptied.
    waiting: RefCell<Vec<Unique<Node<T>>>>,
    idle: RefCell<Vec<Unique<Node<T>>>>,
    /// With memory for more values than lie inline.
    kept: Spare<Kept<T>>,
    pairs: Spare<Pairs<T>>,
    walks: Spare<Belongings<T>>,
}

/// What is kept for its next use on a thread.
pub(crate) trait Recycled<T: Float>: Default {
    fn spares(recycler: &Recycler<T>) -> &Spare<Self>;

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

impl<T: Float> Recycled<T> for Kept<T> {
    fn spares(recycler: &Recycler<T>) -> &Spare<Self> {
        &recycler.kept
    }
}

impl<T: Float> Recycled<T> for Pairs<T> {
    fn spares(recycler: &Recycler<T>) -> &Spare<Self> {
        &recycler.pairs
    }
}

impl<T: Float> Recycled<T> for Belongings<T> {
    fn spares(recycler: &Recycler<T>) -> &Spare<Self> {
        &recycler.walks
    }
}

/// Empties a list of values; the memory of a long one is kept.
#[inline]
pub(crate) fn end_list<T: Float>(list: &mut Kept<T>) {
    list.clear();
    if list.spilled() {
        std::mem::take(list).keep();
    }
}

impl<T: Float> Recycler<T> {
    pub(crate) const fn new() -> Self {
        Recycler {
            emptying: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
            idle: RefCell::new(Vec::new()),
            kept: Spare::new(),
            pairs: Spare::new(),
            walks: Spare::new(),
        }
    }

    /// An idle node; the one after it comes to the caches meanwhile.
    #[inline(always)]
    fn take_idle(&self) -> Option<Unique<Node<T>>> {
        let mut idle = self.idle.borrow_mut();
        let node = idle.pop();
        if let Some(next) = idle.last() {
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
        let mut next = Some(node);
        while let Some(mut node) = next {
            node.clear();
            let mut idle = self.idle.borrow_mut();
            if idle.len() < LIMIT {
                idle.push(node);
            }
            drop(idle);
            next = self.waiting.borrow_mut().pop();
        }
        self.emptying.set(false);
    }
}
