//! The nodes that cotangents have reached and that wait to be visited.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::recycle::NodeRef;
use super::walk::Table;
use crate::element::Float;
use crate::operation::Cotangents;
use crate::tensor::Tensor;
use crate::variable::Variable;

/// A node that cotangents have reached.
pub(crate) struct Pending<'g, T: Float> {
    pub(crate) node: &'g NodeRef<T>,
    /// Written and read where they are, since moving what was just written is slow.
    pub(crate) cotangents: Box<Cotangents<T>>,
    /// Which one it is of those reached so far.
    age: u64,
}

/// How many nodes wait in the list: most graphs are chains with a few branches.
const FEW: usize = 16;

/// Nodes that are taken out from the highest number down; of equal ones, which come from different threads, the one reached first.
///
/// The highest few are a sorted list, short enough to be searched without a table; the others wait in a heap.
pub(crate) struct Queue<'g, T: Float> {
    /// The only one that waits, on a chain.
    only: Option<Pending<'g, T>>,
    /// In ascending order; none is below one of the heap.
    list: Vec<Pending<'g, T>>,
    heap: BinaryHeap<(u64, Reverse<u64>, usize)>,
    /// What the heap orders, by address.
    table: Table<Pending<'g, T>>,
    reached: u64,
    /// Of nodes that have been visited, to be used again.
    #[allow(clippy::vec_box, reason = "they stay where they are")]
    spare: Vec<Box<Cotangents<T>>>,
}

impl<'g, T: Float> Queue<'g, T> {
    pub(crate) fn new() -> Self {
        Queue {
            only: None,
            list: Vec::new(),
            heap: BinaryHeap::new(),
            table: Table::default(),
            reached: 0,
            spare: Vec::new(),
        }
    }

    /// The first cotangent of a node with one output, if no other node waits: a chain needs neither order nor search.
    #[inline]
    pub(crate) fn start(&mut self, node: &'g NodeRef<T>, value: Tensor<T>) -> Result<(), Tensor<T>> {
        let waits = self.only.is_some() || !self.list.is_empty() || !self.heap.is_empty();
        if waits || node.shapes.len() != 1 {
            return Err(value);
        }
        let mut pending = self.first(node);
        pending.cotangents.values[0].get_or_insert_with(|| Variable::from(value));
        self.only = Some(pending);
        Ok(())
    }

    /// The cotangents of a node, which waits from now on.
    #[inline]
    pub(crate) fn reach(&mut self, node: &'g NodeRef<T>) -> &mut Cotangents<T> {
        self.list.extend(self.only.take());
        let (number, address) = (node.number, node.address());
        let mut at = self.list.len();
        while at > 0 && self.list[at - 1].node.number >= number {
            at -= 1;
            if self.list[at].node.address() == address {
                return &mut self.list[at].cotangents;
            }
        }
        if at == 0 && !self.heap.is_empty() { self.reach_far(node) } else { self.insert(at, node) }
    }

    /// A node that does not wait yet, into the list.
    #[inline]
    fn insert(&mut self, mut at: usize, node: &'g NodeRef<T>) -> &mut Cotangents<T> {
        let pending = self.first(node);
        if self.list.len() == FEW {
            if at == 0 {
                return self.put_off(pending);
            }
            let lowest = self.list.remove(0);
            self.put_off(lowest);
            at -= 1;
        }
        self.list.insert(at, pending);
        &mut self.list[at].cotangents
    }

    fn reach_far(&mut self, node: &'g NodeRef<T>) -> &mut Cotangents<T> {
        let address = node.address();
        if !self.table.contains_key(&address) {
            let pending = self.first(node);
            self.put_off(pending);
        }
        &mut self.table.get_mut(&address).expect("it waits").cotangents
    }

    #[inline]
    fn first(&mut self, node: &'g NodeRef<T>) -> Pending<'g, T> {
        self.reached += 1;
        let mut cotangents = self.spare.pop().unwrap_or_else(|| Box::new(Cotangents::idle()));
        cotangents.begin(node.shapes.len());
        Pending { node, cotangents, age: self.reached }
    }

    /// Takes back cotangents that have been used.
    #[inline]
    pub(crate) fn recycle(&mut self, mut used: Box<Cotangents<T>>) {
        used.end();
        self.spare.push(used);
    }

    /// Into the heap.
    fn put_off(&mut self, pending: Pending<'g, T>) -> &mut Cotangents<T> {
        let address = pending.node.address();
        self.heap.push((pending.node.number, Reverse(pending.age), address));
        &mut self.table.entry(address).or_insert(pending).cotangents
    }

    /// The next one to be visited.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Pending<'g, T>> {
        self.only.take().or_else(|| self.list.pop()).or_else(|| {
            let (_, _, address) = self.heap.pop()?;
            self.table.remove(&address)
        })
    }
}
