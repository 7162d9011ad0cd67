//! The places whose cotangents are asked for by name.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use smallvec::SmallVec;

use crate::base::table::AddressHasher;
use crate::tape::node::Edge;
use crate::tape::{Float, Variable};

/// A place to read a cotangent off: an output of a node, or a leaf.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(super) key: usize,
    output: Option<u32>,
}

impl Target {
    pub(crate) fn of<T: Float>(edge: &Edge<T>) -> Self {
        let (key, output) = edge.place();
        Target { key, output }
    }
}

/// All places asked for, and what has been found there.
pub(super) struct Targets<T: Float> {
    /// Which of the cotangents asked for are read off a place.
    places: HashMap<Target, SmallVec<[usize; 1]>, BuildHasherDefault<AddressHasher>>,
    found: Vec<Option<Variable<T>>>,
}

impl<T: Float> Targets<T> {
    pub(super) fn new(targets: Vec<Target>) -> Self {
        let found = targets.iter().map(|_| None).collect();
        let mut places = HashMap::<_, SmallVec<_>, _>::default();
        for (i, target) in targets.into_iter().enumerate() {
            places.entry(target).or_default().push(i);
        }
        Targets { places, found }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The cotangent of a node's output, or of a leaf, to those who asked for it.
    pub(super) fn hand_out(&mut self, key: usize, output: Option<u32>, cotangent: &Option<Variable<T>>) {
        for &i in self.places.get(&Target { key, output }).into_iter().flatten() {
            self.found[i].clone_from(cotangent);
        }
    }

    /// What was found, in the order it was asked for; none where nothing came.
    pub(super) fn take(&mut self) -> Vec<Option<Variable<T>>> {
        std::mem::take(&mut self.found)
    }
}
