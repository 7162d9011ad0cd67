//! A node at work: where the terms of its inputs go.

use super::accumulate::Term;
use super::late::Late;
use super::node::Edge;
use super::recycle::NodeRef;
use super::walk::{DEEP, Walk};
use crate::element::Float;
use crate::error::Error;
use crate::storage::Claim;
use crate::tensor::Tensor;
use crate::variable::Variable;

/// Where the terms of a node's inputs go.
pub(crate) trait Arrivals<T: Float> {
    /// Whether a cotangent of input `i` is of use.
    fn wants(&self, i: usize) -> bool;

    /// Ends the walk with an error once the pullback at work is done; the first one counts.
    fn refuse(&mut self, error: Error);

    /// A wanted term arrives at input `i`.
    fn arrive(&mut self, i: usize, term: Term<T>);

    /// [`Arrivals::arrive`] for a value without history, the common case.
    fn arrive_value(&mut self, i: usize, value: Tensor<T>);

    /// The term `left^T right` arrives at input `i`, to be summed later.
    fn arrive_late(&mut self, i: usize, left: Variable<T>, right: Variable<T>);

    /// The right to write the cotangent of input `i` to the place where it will be wanted, if there is one.
    fn claim(&mut self, i: usize) -> Option<Claim<T>>;
}

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
