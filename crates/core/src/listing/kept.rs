//! What a tape keeps in memory for the way back.

use std::collections::HashSet;

use super::Tape;
use crate::backward::reachable;
use crate::tape::{Float, Variable};

/// A storage that a recorded operation keeps for its pullback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptStorage {
    /// The line of [`Tape::of`] whose operation keeps it, the first one if several do.
    pub entry: usize,
    /// The identity of the storage ([`Tensor::storage_id`](crate::Tensor::storage_id)).
    pub storage: u64,
    /// The bytes of the whole storage, of which the operation may need a part.
    pub bytes: usize,
}

impl Tape {
    /// The storages that a backward from `value` needs, each once, in the order of recording: values of
    /// leaves and constants among them, which live anyway. None that a backward has already freed.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0]])).requires_grad_(true);
    /// let y = x.tanh();
    /// let kept = Tape::kept(&y.square().sum());
    /// assert!(kept.iter().any(|kept| kept.storage == y.value().storage_id() && kept.bytes >= 8));
    /// ```
    pub fn kept<T: Float>(value: &Variable<T>) -> Vec<KeptStorage> {
        let Some(root) = value.edge() else { return Vec::new() };
        let nodes = reachable(&[&root]);
        let leaves = Tape::of(value).len() - nodes.len();
        let (mut seen, mut kept) = (HashSet::new(), Vec::new());
        for (i, node) in nodes.iter().enumerate() {
            for (_, saved) in node.saved_values() {
                let storage = saved.storage_id();
                if seen.insert(storage) {
                    let bytes = saved.storage().bytes();
                    kept.push(KeptStorage { entry: leaves + i, storage, bytes });
                }
            }
        }
        kept
    }
}
