//! The leaves that a walk comes to.

use std::sync::{Arc, Weak};

use super::accumulate::accumulate;
use super::late::Waiting;
use crate::base::error::Result;
use crate::base::table::Table;
use crate::tape::leaf::Leaf;
use crate::tape::term::Term;
use crate::tape::{Float, Variable};

/// A leaf, and what has arrived there so far.
pub(super) struct Arrived<T: Float> {
    pub(super) leaf: Arc<Leaf<T>>,
    pub(super) sum: Option<Variable<T>>,
    /// What has yet to be summed.
    pub(super) late: Waiting<T>,
    blocks: Blocks<T>,
}

impl<T: Float> Arrived<T> {
    fn new(leaf: Arc<Leaf<T>>) -> Self {
        Arrived { leaf, sum: None, late: Waiting::default(), blocks: Blocks::default() }
    }

    /// Adds a term to the sum.
    pub(super) fn add(&mut self, term: Term<T>) {
        self.blocks.elements += term.value().numel();
        accumulate(&mut self.sum, term);
        if self.blocks.elements >= BLOCK {
            self.blocks.close(&mut self.sum);
        }
    }

    /// Sums whatever is left to be summed.
    fn settle(&mut self) {
        std::mem::take(&mut self.late).add_to(&mut self.sum);
        std::mem::take(&mut self.blocks).add_to(&mut self.sum);
    }
}

/// How many terms of each element are summed before they are added to the sum of others.
const BLOCK: usize = 64;

/// Sums of blocks of terms, each of which is added to others of its size: so of `n` terms none goes through
/// more than `64 log_64 n` roundings, where in one sum it is `n`, each as large as that of the sum so far
/// (Higham, "Accuracy and Stability of Numerical Algorithms", 4.2).
struct Blocks<T: Float> {
    /// In the block that is open.
    elements: usize,
    /// With how many blocks below each is the sum of.
    sums: Vec<(usize, Option<Variable<T>>)>,
}

impl<T: Float> Default for Blocks<T> {
    fn default() -> Self {
        Blocks { elements: 0, sums: Vec::new() }
    }
}

impl<T: Float> Blocks<T> {
    /// Puts `sum` to the sums of its size if as many terms as make a block have come for each of its
    /// elements.
    #[cold]
    fn close(&mut self, sum: &mut Option<Variable<T>>) {
        let full = |sum: &Variable<T>| self.elements / BLOCK >= sum.numel();
        let Some(mut block) = sum.take_if(|sum| full(sum)) else { return };
        self.elements = 0;
        for (count, sum) in &mut self.sums {
            accumulate(sum, Term::Whole(block));
            *count += 1;
            if *count < BLOCK {
                return;
            }
            *count = 0;
            block = sum.take().expect("a block was added");
        }
        self.sums.push((1, Some(block)));
    }

    /// Adds all of them to `total`, small ones first.
    fn add_to(self, total: &mut Option<Variable<T>>) {
        for sum in self.sums.into_iter().filter_map(|(_, sum)| sum) {
            accumulate(total, Term::Whole(sum));
        }
    }
}

/// The leaves that terms came to, in the order they came.
pub(super) struct Leaves<T: Float> {
    pub(super) arrived: Vec<Arrived<T>>,
    pub(super) places: Table<usize>,
}

impl<T: Float> Default for Leaves<T> {
    fn default() -> Self {
        Leaves { arrived: Vec::new(), places: Table::default() }
    }
}

/// How large a table is left to the next walk, which takes as long to empty it as it is large.
const LEFT_LEAVES: usize = 1 << 13;

impl<T: Float> Leaves<T> {
    /// Forgets all of them; the memory stays, unless they were many.
    pub(super) fn end(&mut self) {
        if self.places.capacity() > LEFT_LEAVES {
            *self = Leaves::default();
        }
        self.arrived.clear();
        self.places.clear();
    }

    /// What has arrived at a leaf that somebody still has a handle to.
    pub(super) fn reach(&mut self, leaf: &Weak<Leaf<T>>) -> Option<&mut Arrived<T>> {
        let key = leaf.as_ptr() as usize;
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                self.arrived.push(Arrived::new(leaf.upgrade()?));
                self.places.insert(key, self.arrived.len() - 1);
                self.arrived.len() - 1
            }
        };
        Some(&mut self.arrived[place])
    }

    /// Takes the sums past the hooks of their leaves.
    pub(super) fn through_hooks(&mut self) -> Result<()> {
        for Arrived { leaf, sum, .. } in &mut self.arrived {
            if let Some(gradient) = sum.take() {
                *sum = Some(leaf.slot.through_hooks(gradient)?);
            }
        }
        Ok(())
    }

    pub(super) fn wants(&self, leaf: &Weak<Leaf<T>>) -> bool {
        match self.places.get(&(leaf.as_ptr() as usize)) {
            // It is held here: to look at it costs no count.
            Some(place) => self.arrived[*place].leaf.requires_grad(),
            None => leaf.upgrade().is_some_and(|leaf| leaf.requires_grad()),
        }
    }

    /// Sums what waits, and blocks.
    pub(super) fn settle(&mut self) {
        self.arrived.iter_mut().for_each(Arrived::settle);
    }
}
