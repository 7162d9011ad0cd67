//! A recorded operation.

use std::cell::Cell;
use std::panic::Location;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use smallvec::SmallVec;

use wengert_kernel::memory::prefetch::{self, prefetch};
use wengert_kernel::memory::takeable::Takeable;

use super::keep::{Keep, Keeps};
use super::leaf::{Leaf, Slot};
use super::recorded::Recorded;
use super::recycle::{self, NodeRef};
use super::rule::{Flow, Rule};
use super::{Float, Saved, Saves, Wants};
use crate::base::dims::Dims;
use crate::base::error::{Error, Result};
use crate::base::scope;
use crate::tensor::Tensor;
use crate::tensor::storage::Holder;

/// An operation on the tape.
///
/// Nodes are used again (see [`recycle`](super::recycle)): an idle one holds nothing.
pub(crate) struct Node<T: Float> {
    /// Above the numbers of all inputs.
    pub(crate) number: u64,
    pub(crate) location: &'static Location<'static>,
    pub(crate) scope: u32,
    /// Whether it is on the tape, rather than idle.
    recorded: bool,
    /// Whether the rule asked for values at all.
    keeps: bool,
    pub(crate) flow: Flow,
    /// One for each input; none where no gradient flows.
    pub(crate) inputs: SmallVec<[Option<Edge<T>>; 2]>,
    /// The shape of each output.
    pub(crate) shapes: SmallVec<[Dims; 1]>,
    /// The values that the rule asked for.
    saved: Takeable<Keeps<T>>,
    /// Whoever looks at the outputs' cotangents.
    onlookers: OnceLock<Box<Onlookers<T>>>,
    /// None while idle. An operation without constants takes no memory.
    rule: Option<Box<dyn Rule<T>>>,
}

/// Whoever looks at a node's cotangents when they are finished.
struct Onlookers<T: Float> {
    /// Slots of those handles to outputs that retain their gradient or have hooks, by the outputs' numbers.
    slots: Mutex<Vec<(u32, Weak<Slot<T>>)>>,
    /// What is kept to be looked at.
    recorded: OnceLock<Recorded<T>>,
}

impl<T: Float> Default for Onlookers<T> {
    fn default() -> Self {
        Onlookers { slots: Mutex::default(), recorded: OnceLock::new() }
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
            Edge::Node(node, output) => Edge::Node(node.clone(), *output),
            Edge::Leaf(leaf) => Edge::Leaf(Weak::clone(leaf)),
        }
    }
}

impl<T: Float> Edge<T> {
    /// An identity for tables; valid while the edge is held.
    #[inline]
    pub(crate) fn key(&self) -> usize {
        match self {
            Edge::Node(node, _) => node.address(),
            Edge::Leaf(leaf) => leaf.as_ptr() as usize,
        }
    }

    /// [`Edge::key`], and which output of a node it is.
    pub(crate) fn place(&self) -> (usize, Option<u32>) {
        let output = if let Edge::Node(_, output) = self { Some(*output) } else { None };
        (self.key(), output)
    }

    /// The shape of the value, unless it is a leaf that is gone.
    pub(crate) fn shape(&self) -> Option<Dims> {
        match self {
            Edge::Node(node, output) => Some(node.shapes[*output as usize].clone()),
            Edge::Leaf(leaf) => leaf.upgrade().map(|leaf| leaf.shape().clone()),
        }
    }
}

/// Elements of a value from which on it is worth to announce what its pullback reads.
const ANNOUNCED: usize = 1024;

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

/// How many operations have been recorded on this thread so far, dropped ones included; more if it went on
/// with what another thread had recorded.
///
/// ```
/// use wengert_core::{recorded_nodes, Tensor, Variable};
/// let before = recorded_nodes();
/// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
/// drop(x.tanh());
/// assert_eq!(recorded_nodes(), before + 1);
/// ```
pub fn recorded_nodes() -> u64 {
    CLOCK.get()
}

impl<T: Float> Node<T> {
    pub(crate) fn idle() -> Self {
        Node {
            number: 0,
            location: Location::caller(),
            scope: 0,
            recorded: false,
            keeps: false,
            flow: Flow::Through,
            inputs: SmallVec::new(),
            shapes: SmallVec::new(),
            saved: Takeable::empty(SmallVec::new()),
            onlookers: OnceLock::new(),
            rule: None,
        }
    }

    /// Puts an idle node on the tape, field by field where it stays; `keep` fills in the values that the
    /// rule saves.
    #[inline(always)]
    pub(crate) fn record<R: Rule<T>>(
        &mut self,
        rule: R,
        location: &'static Location<'static>,
        inputs: impl Iterator<Item = Option<Edge<T>>>,
        shapes: impl Iterator<Item = Dims>,
        keep: impl FnOnce(Saves, &Holder, &mut Keeps<T>),
    ) {
        let (mut wants, mut number) = (Wants::NONE, CLOCK.get());
        for (i, input) in inputs.enumerate() {
            wants = wants.with(i, input.is_some());
            if let Some(Edge::Node(source, _)) = &input {
                // Above the inputs, whichever thread recorded them.
                number = number.max(source.number + 1);
            }
            self.inputs.push(input);
        }
        for shape in shapes {
            self.shapes.push(shape);
        }
        CLOCK.set(number + 1);
        self.number = number;
        self.location = location;
        self.scope = scope::current();
        self.flow = rule.flow();
        let saves = rule.saves(wants);
        if saves != Saves::NOTHING {
            let holder = Holder { operation: rule.name(), location, scope: self.scope };
            keep(saves, &holder, self.saved.fill());
            self.keeps = true;
        }
        self.rule = Some(Box::new(rule));
        self.recorded = true;
        LIVE.set(LIVE.get() + 1);
    }

    /// On a long tape the nodes before this one have left the caches: they come while this one is at work.
    #[inline]
    pub(crate) fn prefetch_sources(&self) {
        for edge in self.inputs.iter().flatten() {
            if let Edge::Node(source, _) = edge {
                prefetch(&**source);
            }
        }
    }

    /// Announces the values that the pullback of input `i`'s source will read, if they are long: they come
    /// during a product.
    pub(crate) fn announce_source(&self, i: usize) {
        prefetch::forget_announced();
        if let Some(Edge::Node(source, output)) = &self.inputs[i]
            && source.keeps
            && source.shapes[*output as usize].count() >= ANNOUNCED
        {
            source.saved.look(|saved| {
                saved.iter().filter_map(Keep::get).for_each(|value| prefetch::announce(value.as_view()));
            });
        }
    }

    /// Takes the node off the tape, and all that only it kept alive.
    pub(crate) fn clear(&mut self) {
        if !std::mem::take(&mut self.recorded) {
            return;
        }
        self.prefetch_sources();
        let _ = LIVE.try_with(|live| live.set(live.get() - 1));
        if std::mem::take(&mut self.keeps) {
            recycle::end_list(self.saved.empty_out());
        }
        self.inputs.clear();
        self.shapes.clear();
        if self.is_watched() {
            self.onlookers = OnceLock::new();
        }
        self.rule = None;
    }

    pub(crate) fn rule(&self) -> &dyn Rule<T> {
        self.rule.as_deref().expect("a node on the tape has its rule")
    }

    pub(crate) fn name(&self) -> &'static str {
        self.rule().name()
    }

    /// The extents of input `i`, to which a gradient flows.
    pub(crate) fn input_dims(&self, i: usize) -> Dims {
        let shape = self.inputs[i].as_ref().and_then(Edge::shape);
        shape.expect("a gradient that is wanted has a shape")
    }

    /// Whether input `i`, to which a gradient flows, has these extents.
    #[inline]
    pub(crate) fn input_has_dims(&self, i: usize, dims: &Dims) -> bool {
        match &self.inputs[i] {
            Some(Edge::Node(source, output)) => source.shapes[*output as usize] == *dims,
            _ => self.input_dims(i) == *dims,
        }
    }

    /// Watches output `output`: retains its gradient or runs hooks.
    pub(crate) fn watch(&self, output: u32, slot: &Arc<Slot<T>>) {
        let slots = &self.onlookers.get_or_init(Default::default).slots;
        slots.lock().unwrap_or_else(PoisonError::into_inner).push((output, Arc::downgrade(slot)));
    }

    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.onlookers.get().is_some()
    }

    /// Keeps values to be looked at.
    pub(crate) fn keep_recorded(&self, recorded: Recorded<T>) {
        let _ = self.onlookers.get_or_init(Default::default).recorded.set(recorded);
    }

    /// The values that are kept to be looked at.
    pub(crate) fn kept_recorded(&self) -> Option<&Recorded<T>> {
        self.onlookers.get()?.recorded.get()
    }

    /// The values that wait for the pullback, each with its place: an input's, or behind these an output's.
    pub(crate) fn saved_values(&self) -> Vec<(usize, Tensor<T>)> {
        let mut values = Vec::new();
        self.saved.look(|saved| {
            let kept = saved.iter().enumerate();
            values = kept.filter_map(|(at, keep)| Some((at, keep.get()?.clone()))).collect();
        });
        values
    }

    /// The slots that watch outputs, by output, those of one in the order they came.
    pub(crate) fn watchers(&self) -> SmallVec<[(u32, Arc<Slot<T>>); 1]> {
        let Some(onlookers) = self.onlookers.get() else { return SmallVec::new() };
        let slots = onlookers.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let live = slots.iter().filter_map(|(output, slot)| Some((*output, slot.upgrade()?)));
        let mut live: SmallVec<_> = live.collect();
        live.sort_by_key(|(output, _)| *output);
        live
    }
}

impl<T: Float> Drop for Node<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The values that a node kept, or clones of them if the node is to keep them on.
#[inline(always)]
pub(crate) fn with_saved<T: Float, R>(
    node: &NodeRef<T>,
    retain: bool,
    f: impl FnOnce(&Saved<'_, T>) -> R,
) -> Result<R> {
    let freed = || Error::Freed { operation: node.name(), location: node.location };
    if !node.keeps {
        Ok(f(&Saved::new(node, &[])))
    } else if retain {
        let mut kept = node.saved.cloned().ok_or_else(freed)?;
        let result = f(&Saved::new(node, &kept));
        recycle::end_list(&mut kept);
        Ok(result)
    } else {
        let kept = node.saved.take().ok_or_else(freed)?;
        let result = f(&Saved::new(node, kept));
        recycle::end_list(kept);
        Ok(result)
    }
}
