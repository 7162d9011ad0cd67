//! The leaves that a walk comes to.

use std::sync::{Arc, Weak};

use super::leaf::Leaf;
use super::table::Table;
use crate::element::Float;
use crate::variable::Variable;

/// A leaf, and what has arrived there so far.
pub(super) type LeafSum<T> = (Arc<Leaf<T>>, Option<Variable<T>>);

/// The leaves that terms came to, in the order they came, and the sum of each one's.
pub(super) struct Leaves<T: Float> {
    pub(super) sums: Vec<LeafSum<T>>,
    pub(super) places: Table<usize>,
}

impl<T: Float> Default for Leaves<T> {
    fn default() -> Self {
        Leaves { sums: Vec::new(), places: Table::default() }
    }
}

impl<T: Float> Leaves<T> {
    /// The sum of a leaf that somebody still has a handle to.
    pub(super) fn sum(&mut self, leaf: &Weak<Leaf<T>>) -> Option<&mut Option<Variable<T>>> {
        let key = leaf.as_ptr() as usize;
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                self.sums.push((leaf.upgrade()?, None));
                self.places.insert(key, self.sums.len() - 1);
                self.sums.len() - 1
            }
        };
        Some(&mut self.sums[place].1)
    }

    pub(super) fn wants(&self, leaf: &Weak<Leaf<T>>) -> bool {
        match self.places.get(&(leaf.as_ptr() as usize)) {
            // It is held here: to look at it costs no count.
            Some(place) => self.sums[*place].0.requires_grad(),
            None => leaf.upgrade().is_some_and(|leaf| leaf.requires_grad()),
        }
    }
}
