//! Freeing a graph without recursion, however long its chains are.

use smallvec::SmallVec;
use std::cell::{Cell, RefCell};

use super::node::{Edge, NodeRef};
use crate::element::Float;

/// Nodes whose last handle was dropped while another node was being freed on this thread.
pub struct Graveyard<T: Float> {
    digging: Cell<bool>,
    waiting: RefCell<Vec<NodeRef<T>>>,
}

impl<T: Float> Graveyard<T> {
    pub(crate) const fn new() -> Self {
        Graveyard { digging: Cell::new(false), waiting: RefCell::new(Vec::new()) }
    }

    /// Frees this node's inputs and, one after the other, all that only they kept alive.
    ///
    /// A node freed inside the loop comes here as well, finds the digging going on and only queues its inputs.
    fn bury(&self, inputs: &mut SmallVec<[Option<Edge<T>>; 2]>) {
        let mut waiting = self.waiting.borrow_mut();
        for edge in inputs.iter_mut() {
            // A node held elsewhere too is not freed by us: its count goes down and nothing else happens.
            if let Some(Edge::Node(node, _)) = edge.take_if(|edge| edge.is_last()) {
                waiting.push(node);
            }
        }
        drop(waiting);
        if self.digging.replace(true) {
            return;
        }
        while let Some(node) = { self.waiting.borrow_mut().pop() } {
            drop(node);
        }
        self.digging.set(false);
    }
}

#[inline]
pub(crate) fn bury<T: Float>(inputs: &mut SmallVec<[Option<Edge<T>>; 2]>) {
    if inputs.iter().flatten().any(Edge::is_last) {
        // At a thread's end its graveyard may be gone; a graph that outlives it is freed recursively.
        let _ = T::graveyard().try_with(|graveyard| graveyard.bury(inputs));
    }
}
