//! The nodes that cotangents have reached and that wait to be visited.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::table::Table;
use crate::tape::recycle::NodeRef;
use crate::tape::{Cotangents, Float, Variable};
use crate::tensor::Tensor;

/// A node that cotangents have reached.
pub(crate) struct Pending<'g, T: Float> {
    pub(crate) node: &'g NodeRef<T>,
    /// Written and read where they are, since moving what was just written is slow.
    pub(crate) cotangents: Box<Cotangents<T>>,
    /// Which one it is of those reached so far.
    age: u64,
}

/// How many places a queue leaves to the next one; what a wide graph needed beyond is given back to the
/// system.
const LEFT_PLACES: usize = 1 << 12;

/// How many nodes wait in the list: most graphs are chains with a few branches.
const LISTED: usize = 16;

/// Nodes that are taken out from the highest number down; of equal ones, which come from different threads,
/// the one reached first.
///
/// The highest few are a sorted list, short enough to be searched without a table; the others wait in a
/// heap.
pub(crate) struct Queue<'g, T: Float> {
    /// The only one that waits, on a chain.
    only: Option<Pending<'g, T>>,
    /// In ascending order; none is below one of the heap.
    list: Vec<Pending<'g, T>>,
    /// What the heap orders; none in places that are free.
    far: Vec<Option<Pending<'g, T>>>,
    reached: u64,
    memory: Memory<T>,
}

/// What a queue leaves to the next one.
pub(crate) struct Memory<T: Float> {
    list: Vec<Pending<'static, T>>,
    far: Vec<Option<Pending<'static, T>>>,
    /// By number and age, the places in `far`.
    heap: BinaryHeap<(u64, Reverse<u64>, usize)>,
    /// By address, the places in `far`.
    table: Table<usize>,
    /// Places in `far` to be used again.
    free: Vec<usize>,
    spare: Idle<T>,
}

/// Cotangents of nodes that have been visited, to be used again; those of nodes with several outputs have
/// long lists.
#[allow(clippy::vec_box, reason = "they stay where they are")]
struct Idle<T: Float> {
    of_one: Vec<Box<Cotangents<T>>>,
    of_several: Vec<Box<Cotangents<T>>>,
}

impl<T: Float> Default for Memory<T> {
    fn default() -> Self {
        Memory {
            list: Vec::new(),
            far: Vec::new(),
            heap: BinaryHeap::new(),
            table: Table::default(),
            free: Vec::new(),
            spare: Idle { of_one: Vec::new(), of_several: Vec::new() },
        }
    }
}

/// The memory of an empty vector, for elements that borrow from elsewhere.
fn reused<A, B>(mut vec: Vec<A>) -> Vec<B> {
    vec.clear();
    // Collecting into as large elements happens in place.
    vec.into_iter().map(|_| unreachable!("it is empty")).collect()
}

impl<'g, T: Float> Queue<'g, T> {
    pub(crate) fn new(mut memory: Memory<T>) -> Self {
        let (list, far) = (std::mem::take(&mut memory.list), std::mem::take(&mut memory.far));
        Queue { only: None, list: reused(list), far: reused(far), reached: 0, memory }
    }

    /// The memory; whatever still waits is dropped.
    pub(crate) fn end(&mut self) -> Memory<T> {
        self.only = None;
        let mut memory = std::mem::take(&mut self.memory);
        if self.far.capacity() > LEFT_PLACES {
            return Memory::default();
        }
        memory.list = reused(std::mem::take(&mut self.list));
        memory.far = reused(std::mem::take(&mut self.far));
        memory.heap.clear();
        memory.table.clear();
        memory.free.clear();
        memory
    }

    /// The first cotangent of a node with one output, if no other node waits: a chain needs neither order
    /// nor search.
    #[inline]
    pub(crate) fn start(&mut self, node: &'g NodeRef<T>, value: Tensor<T>) -> Result<(), Tensor<T>> {
        if !self.is_next(node) {
            return Err(value);
        }
        let mut pending = self.first(node);
        pending.cotangents.values[0].get_or_insert_with(|| Variable::from(value));
        self.only = Some(pending);
        Ok(())
    }

    /// Whether a node would be the next one if a cotangent reached it now, and would have to wait for no
    /// other one.
    #[inline]
    pub(crate) fn is_next(&self, node: &NodeRef<T>) -> bool {
        let waits = self.only.is_some() || !self.list.is_empty() || !self.memory.heap.is_empty();
        !waits && node.shapes.len() == 1
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
        if at == 0 && !self.memory.heap.is_empty() { self.reach_far(node) } else { self.insert(at, node) }
    }

    /// A node that does not wait yet, into the list.
    #[inline]
    fn insert(&mut self, mut at: usize, node: &'g NodeRef<T>) -> &mut Cotangents<T> {
        let pending = self.first(node);
        if self.list.len() == LISTED {
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
        match self.memory.table.get(&node.address()) {
            Some(place) => &mut self.far[*place].as_mut().expect("it waits").cotangents,
            None => {
                let pending = self.first(node);
                self.put_off(pending)
            }
        }
    }

    #[inline]
    fn first(&mut self, node: &'g NodeRef<T>) -> Pending<'g, T> {
        self.reached += 1;
        let spare = self.memory.spare.like(node.shapes.len()).pop();
        let mut cotangents = spare.unwrap_or_else(|| Box::new(Cotangents::idle()));
        cotangents.begin(node.shapes.len());
        Pending { node, cotangents, age: self.reached }
    }

    /// Takes back cotangents that have been used.
    #[inline]
    pub(crate) fn recycle(&mut self, mut used: Box<Cotangents<T>>) {
        used.end();
        self.memory.spare.like(used.len()).push(used);
    }

    /// Into the heap.
    fn put_off(&mut self, pending: Pending<'g, T>) -> &mut Cotangents<T> {
        let Memory { heap, table, free, .. } = &mut self.memory;
        let place = free.pop().unwrap_or_else(|| {
            self.far.push(None);
            self.far.len() - 1
        });
        heap.push((pending.node.number, Reverse(pending.age), place));
        table.insert(pending.node.address(), place);
        &mut self.far[place].insert(pending).cotangents
    }

    /// The next one to be visited.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Pending<'g, T>> {
        self.only.take().or_else(|| self.list.pop()).or_else(|| self.next_far())
    }

    fn next_far(&mut self) -> Option<Pending<'g, T>> {
        let (_, _, place) = self.memory.heap.pop()?;
        let pending = self.far[place].take()?;
        self.memory.free.push(place);
        self.memory.table.remove(&pending.node.address());
        Some(pending)
    }
}

impl<T: Float> Idle<T> {
    #[inline]
    #[allow(clippy::vec_box, reason = "they stay where they are")]
    fn like(&mut self, outputs: usize) -> &mut Vec<Box<Cotangents<T>>> {
        if outputs == 1 { &mut self.of_one } else { &mut self.of_several }
    }
}
