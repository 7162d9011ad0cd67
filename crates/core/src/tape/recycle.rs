//! Handles to nodes. A node that the last handle left is emptied, without recursion however long its chain is,
//! and waits for the next operation.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::sync::Arc;

use super::node::Node;
use crate::element::Float;

/// A shared handle to a node.
pub(crate) struct NodeRef<T: Float> {
    /// Always there: an `Option` so that `drop` can hand it on without touching its count.
    node: Option<Arc<Node<T>>>,
}

impl<T: Float> NodeRef<T> {
    /// A node that `record` puts on the tape.
    #[inline(always)]
    pub(crate) fn recorded(record: impl FnOnce(&mut Node<T>)) -> Self {
        let idle = T::recycler().try_with(|recycler| recycler.idle.borrow_mut().pop()).ok().flatten();
        let mut node = idle.unwrap_or_else(|| Arc::new(Node::idle()));
        record(Arc::get_mut(&mut node).expect("an idle node has no other handle"));
        NodeRef { node: Some(node) }
    }

    /// An identity for tables; valid while a handle is held.
    #[inline]
    pub(crate) fn key(&self) -> usize {
        std::ptr::from_ref::<Node<T>>(self) as usize
    }
}

impl<T: Float> Deref for NodeRef<T> {
    type Target = Node<T>;
    #[inline]
    fn deref(&self) -> &Node<T> {
        self.node.as_ref().expect("a handle has its node until it drops")
    }
}

impl<T: Float> Clone for NodeRef<T> {
    #[inline]
    fn clone(&self) -> Self {
        NodeRef { node: self.node.clone() }
    }
}

impl<T: Float> Drop for NodeRef<T> {
    #[inline]
    fn drop(&mut self) {
        // The only handle stays the only one: it is borrowed here, so nobody can clone it.
        if let Some(node) = self.node.take_if(|node| Arc::strong_count(node) == 1) {
            retire(node);
        }
    }
}

fn retire<T: Float>(node: Arc<Node<T>>) {
    // At a thread's end its recycler may be gone; a graph that outlives it is freed recursively.
    let _ = T::recycler().try_with(|recycler| recycler.retire(node));
}

/// Idle nodes beyond these are given back to the system: about 16 MiB.
const LIMIT: usize = 1 << 16;

/// One thread's nodes that nobody holds.
pub struct Recycler<T: Float> {
    /// Whether nodes are being emptied further up the stack.
    emptying: Cell<bool>,
    /// Nodes whose last handle was dropped while another node was being emptied.
    waiting: RefCell<Vec<Arc<Node<T>>>>,
    idle: RefCell<Vec<Arc<Node<T>>>>,
}

impl<T: Float> Recycler<T> {
    pub(crate) const fn new() -> Self {
        Recycler {
            emptying: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
            idle: RefCell::new(Vec::new()),
        }
    }

    /// Empties a node and, one after the other, all that only it kept alive: those come here as well, find
    /// the emptying going on and wait.
    fn retire(&self, node: Arc<Node<T>>) {
        if self.emptying.replace(true) {
            return self.waiting.borrow_mut().push(node);
        }
        let mut next = Some(node);
        while let Some(mut node) = next {
            Arc::get_mut(&mut node).expect("its last handle has gone").clear();
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
