//! The leaves that a walk comes to.

use std::sync::{Arc, Weak};

use super::late::Waiting;
use super::leaf::Leaf;
use super::table::Table;
use crate::element::Float;
use crate::error::Result;
use crate::variable::Variable;

/// A leaf, and what has arrived there so far.
pub(super) struct Arrived<T: Float> {
    pub(super) leaf: Arc<Leaf<T>>,
    pub(super) sum: Option<Variable<T>>,
    /// What has yet to be summed.
    pub(super) late: Waiting<T>,
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
const LEFT: usize = 1 << 13;

impl<T: Float> Leaves<T> {
    /// Forgets all of them; the memory stays, unless they were many.
    pub(super) fn end(&mut self) {
        if self.places.capacity() > LEFT {
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
                self.arrived.push(Arrived { leaf: leaf.upgrade()?, sum: None, late: Waiting::default() });
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

    /// Sums what waits.
    pub(super) fn settle_late(&mut self) {
        for Arrived { sum, late, .. } in &mut self.arrived {
            std::mem::take(late).add_to(sum);
        }
    }
}
