//! A recorded operation.

use std::cell::Cell;
use std::panic::Location;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use smallvec::SmallVec;

use super::leaf::{Leaf, Slot};
use super::scope;
use crate::dims::Dims;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::operation::{Cotangents, Gradients, Operation, Saved};
use crate::tensor::Tensor;
use crate::variable::Variable;

/// An operation on the tape: what all nodes have, and the rule, in one allocation.
pub(crate) struct Node<T: Float, R: ?Sized = dyn Rule<T>> {
    pub(crate) head: Head<T>,
    pub(crate) rule: R,
}

pub(crate) type NodeRef<T> = Arc<Node<T>>;

/// What of an [`Operation`] a node keeps once its type is erased.
pub(crate) trait Rule<T: Float>: Send + Sync {
    fn name(&self) -> &'static &'static str;
    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>);
}

impl<T: Float, O: Operation<T>> Rule<T> for O {
    fn name(&self) -> &'static &'static str {
        &O::NAME
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        Operation::pullback(self, saved, cotangents, gradients);
    }
}

pub(crate) struct Head<T: Float> {
    /// Above the numbers of all inputs.
    pub(crate) number: u64,
    pub(crate) location: &'static Location<'static>,
    pub(crate) scope: u32,
    /// One for each input; none where no gradient flows.
    pub(crate) inputs: SmallVec<[Option<Edge<T>>; 2]>,
    /// The shape of each output.
    pub(crate) shapes: SmallVec<[Dims; 1]>,
    saved: Mutex<Values<T>>,
    /// Slots of those handles to outputs that retain their gradient or have hooks.
    slots: OnceLock<Box<Mutex<Watchers<T>>>>,
}

/// An output's number and the slot that watches it.
type Watchers<T> = Vec<(u32, Weak<Slot<T>>)>;

/// The inputs and then the outputs that the rule asked to keep.
type Kept<T> = SmallVec<[Option<SavedTensor<T>>; 2]>;

enum Values<T: Float> {
    Kept(Kept<T>),
    Freed,
}

/// A value that a node needs; its storage knows, so that nobody changes it in place.
pub(crate) struct SavedTensor<T: Float>(Tensor<T>);

impl<T: Float> SavedTensor<T> {
    fn new(value: Tensor<T>, operation: &'static &'static str, location: &'static Location<'static>) -> Self {
        value.storage().mark_saved(operation, location);
        SavedTensor(value)
    }

    fn tensor(&self) -> Tensor<T> {
        self.0.clone()
    }
}

impl<T: Float> Drop for SavedTensor<T> {
    fn drop(&mut self) {
        self.0.storage().unmark_saved();
    }
}

/// Where a value came from, and so where its cotangent goes.
pub(crate) enum Edge<T: Float> {
    /// The numbered output of a recorded operation.
    Node(NodeRef<T>, u32),
    /// A leaf; once all handles to it are gone nobody can ask for its gradient.
    Leaf(Weak<Leaf<T>>),
}

impl<T: Float> Clone for Edge<T> {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Edge::Node(node, output) => Edge::Node(Arc::clone(node), *output),
            Edge::Leaf(leaf) => Edge::Leaf(Weak::clone(leaf)),
        }
    }
}

impl<T: Float> Edge<T> {
    /// An identity for tables; valid while the edge is held.
    #[inline]
    pub(crate) fn key(&self) -> usize {
        match self {
            Edge::Node(node, _) => Arc::as_ptr(node).cast::<()>() as usize,
            Edge::Leaf(leaf) => leaf.as_ptr() as usize,
        }
    }

    /// The shape of the value, unless it is a leaf that is gone.
    pub(crate) fn shape(&self) -> Option<Dims> {
        match self {
            Edge::Node(node, output) => Some(node.head.shapes[*output as usize].clone()),
            Edge::Leaf(leaf) => leaf.upgrade().map(|leaf| leaf.shape().clone()),
        }
    }
}

thread_local! {
    static CLOCK: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// How many operations are on the tape: recorded on this thread, less those dropped on it.
///
/// ```
/// use wengert_core::{live_nodes, Tensor, Variable};
/// let before = live_nodes();
/// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
/// let y = x.tanh();
/// assert_eq!(live_nodes(), before + 1);
/// drop(y);
/// assert_eq!(live_nodes(), before);
/// ```
pub fn live_nodes() -> isize {
    LIVE.get()
}

/// The next number on this thread that is above those of all inputs, whichever thread recorded them.
#[inline]
fn next_number<T: Float>(inputs: &[Option<Edge<T>>]) -> u64 {
    let above = inputs.iter().flatten().map(|edge| match edge {
        Edge::Node(node, _) => node.head.number + 1,
        Edge::Leaf(_) => 0,
    });
    let number = above.fold(CLOCK.get(), u64::max);
    CLOCK.set(number + 1);
    number
}

impl<T: Float> Head<T> {
    /// The head of a node that is recorded now.
    #[inline]
    pub(crate) fn new(
        inputs: SmallVec<[Option<Edge<T>>; 2]>,
        shapes: SmallVec<[Dims; 1]>,
        location: &'static Location<'static>,
    ) -> Self {
        LIVE.set(LIVE.get() + 1);
        Head {
            number: next_number(&inputs),
            location,
            scope: scope::current(),
            inputs,
            shapes,
            saved: Mutex::new(Values::Kept(SmallVec::new())),
            slots: OnceLock::new(),
        }
    }

    /// Keeps a value of the inputs (in order, none where not needed), then of the outputs.
    #[inline]
    pub(crate) fn keep(&mut self, value: Option<&Tensor<T>>, operation: &'static &'static str) {
        let saved = value.map(|value| SavedTensor::new(value.clone(), operation, self.location));
        match self.saved.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Values::Kept(kept) => kept.push(saved),
            Values::Freed => unreachable!("values are kept before a node is shared"),
        }
    }

    /// Watches output `output`: retains its gradient or runs hooks.
    pub(crate) fn watch(&self, output: u32, slot: &Arc<Slot<T>>) {
        let slots = self.slots.get_or_init(Default::default);
        slots.lock().unwrap_or_else(PoisonError::into_inner).push((output, Arc::downgrade(slot)));
    }

    /// The slots that watch output `output`.
    #[inline]
    pub(crate) fn watchers(&self, output: u32) -> SmallVec<[Arc<Slot<T>>; 1]> {
        let Some(slots) = self.slots.get() else { return SmallVec::new() };
        let slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().filter(|(watched, _)| *watched == output).filter_map(|(_, slot)| slot.upgrade()).collect()
    }
}

impl<T: Float> Drop for Head<T> {
    fn drop(&mut self) {
        let _ = LIVE.try_with(|live| live.set(live.get() - 1));
        super::drop::bury(&mut self.inputs);
    }
}

impl<T: Float> Node<T> {
    pub(crate) fn name(&self) -> &'static str {
        self.rule.name()
    }
}

/// The values that a node kept, as variables; freed in the node unless they are to be retained.
pub(crate) fn saved_values<T: Float>(node: &NodeRef<T>, retain: bool, record: bool) -> Result<Saved<'_, T>> {
    let mut values = node.head.saved.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = match &mut *values {
        Values::Freed => return Err(Error::Freed { operation: node.name(), location: node.head.location }),
        Values::Kept(kept) if kept.is_empty() => return Ok(Saved::none(node)),
        Values::Kept(kept) if retain => kept.iter().map(|v| v.as_ref().map(SavedTensor::tensor)).collect(),
        kept => match std::mem::replace(kept, Values::Freed) {
            Values::Kept(kept) => kept.iter().map(|v| v.as_ref().map(SavedTensor::tensor)).collect(),
            Values::Freed => unreachable!("matched above"),
        },
    };
    drop(values);
    let tensors: SmallVec<[Option<Tensor<T>>; 2]> = kept;
    let inputs = node.head.inputs.len();
    let edge = |i: usize| match i.checked_sub(inputs) {
        _ if !record => None,
        None => node.head.inputs[i].clone(),
        Some(output) => Some(Edge::Node(Arc::clone(node), output as u32)),
    };
    let variables = tensors.into_iter().enumerate().map(|(i, v)| v.map(|v| Variable::computed(v, edge(i))));
    Ok(Saved::new(node, variables.collect()))
}
