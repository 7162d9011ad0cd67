//! Handles to nodes. A node that the last handle left is emptied, without recursion however long its chain is,
//! and waits for the next operation.

use std::cell::{Cell, RefCell};

use super::keep::Kept;
use super::node::Node;
use crate::element::Float;
use crate::kernel::prefetch::prefetch;
use crate::kernel::shared::{Retire, Shared, Unique};

/// A shared handle to a node.
pub(crate) type NodeRef<T> = Shared<Node<T>>;

/// A node that `record` puts on the tape.
#[inline(always)]
pub(crate) fn recorded<T: Float>(record: impl FnOnce(&mut Node<T>)) -> NodeRef<T> {
    let idle = T::recycler().try_with(Recycler::take_idle).ok().flatten();
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

/// One thread's nodes that nobody holds.
pub struct Recycler<T: Float> {
    /// Whether nodes are being emptied further up the stack.
    emptying: Cell<bool>,
    /// Nodes whose last handle was dropped while another node was being emptied.
    waiting: RefCell<Vec<Unique<Node<T>>>>,
    idle: RefCell<Vec<Unique<Node<T>>>>,
    /// Empty, with memory for more values than lie inline.
    lists: RefCell<Vec<Kept<T>>>,
}

/// Lists beyond these are given back to the system.
const LISTS: usize = 1 << 12;

/// An empty list of values to keep, in memory that an earlier one left.
pub(crate) fn spare_list<T: Float>() -> Kept<T> {
    let spare = T::recycler().try_with(|recycler| recycler.lists.borrow_mut().pop()).ok().flatten();
    spare.unwrap_or_default()
}

/// Empties a list; the memory of a long one is kept for [`spare_list`].
#[inline]
pub(crate) fn end_list<T: Float>(list: &mut Kept<T>) {
    list.clear();
    if list.spilled() {
        let list = std::mem::take(list);
        let _ = T::recycler().try_with(|recycler| {
            let mut lists = recycler.lists.borrow_mut();
            if lists.len() < LISTS {
                lists.push(list);
            }
        });
    }
}

impl<T: Float> Recycler<T> {
    pub(crate) const fn new() -> Self {
        Recycler {
            emptying: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
            idle: RefCell::new(Vec::new()),
            lists: RefCell::new(Vec::new()),
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
