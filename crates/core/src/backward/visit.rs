//! A node at work: where the terms of its inputs go.

use super::late::Late;
use super::sweep::{DEEP, Walk};
use crate::base::error::Error;
use crate::tape::node::Edge;
use crate::tape::recycle::NodeRef;
use crate::tape::term::{Arrivals, Term};
use crate::tape::{Float, Variable};
use crate::tensor::Tensor;
use crate::tensor::storage::Claim;

/// A node at work.
pub(super) struct Visit<'v, 'g, T: Float> {
    pub(super) walk: &'v mut Walk<'g, T>,
    pub(super) node: &'g NodeRef<T>,
}

impl<'g, T: Float> Visit<'_, 'g, T> {
    fn edge(&self, i: usize) -> &'g Edge<T> {
        self.node.inputs[i].as_ref().expect("only wanted inputs get terms")
    }
}

impl<T: Float> Arrivals<T> for Visit<'_, '_, T> {
    fn wants(&self, i: usize) -> bool {
        self.walk.wants(self.node.inputs.get(i))
    }

    #[cold]
    fn refuse(&mut self, error: Error) {
        self.walk.refusal.get_or_insert_with(|| Box::new(error));
    }

    fn arrive(&mut self, i: usize, term: Term<T>) {
        self.walk.send(self.edge(i), term);
    }

    #[inline]
    fn arrive_value(&mut self, i: usize, value: Tensor<T>) {
        let edge = self.edge(i);
        let left = match edge {
            Edge::Node(node, _) => self.walk.queue.start(node, value),
            Edge::Leaf(_) => Err(value),
        };
        if let Err(value) = left {
            self.walk.send(edge, Term::Whole(Variable::from(value)));
        }
    }

    fn arrive_late(&mut self, i: usize, left: Variable<T>, right: Variable<T>) {
        self.walk.send_late(self.edge(i), Late::of(left, right));
    }

    #[inline]
    fn claim(&mut self, i: usize) -> Option<Claim<T>> {
        self.walk.claim(self.edge(i), DEEP)
    }
}
