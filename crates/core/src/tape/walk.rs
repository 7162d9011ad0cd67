//! Going back through the tape.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::accumulate::{Term, accumulate};
use super::anomaly;
use super::late::{Late, Waiting};
use super::leaf::Leaf;
use super::mode::with_recording;
use super::node::{Edge, saved_values};
use super::recycle::NodeRef;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::kernel::claim::{Claim, Parts};
use crate::kernel::prefetch::prefetch;
use crate::operation::{Cotangents, Flow, Gradients, Wants};
use crate::tensor::Tensor;
use crate::variable::Variable;

/// Keys are addresses: spread their bits, nothing more.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&b| self.write_usize(b.into()));
    }
    fn write_usize(&mut self, key: usize) {
        self.0 = (self.0 ^ key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(26);
    }
}

type Table<V> = HashMap<usize, V, BuildHasherDefault<AddressHasher>>;
pub(crate) type KeySet = HashSet<usize, BuildHasherDefault<AddressHasher>>;

/// A place to read a cotangent off: an output of a node, or a leaf.
pub(crate) struct Target {
    key: usize,
    output: Option<u32>,
}

impl Target {
    pub(crate) fn of<T: Float>(edge: &Edge<T>) -> Self {
        let output = if let Edge::Node(_, output) = edge { Some(*output) } else { None };
        Target { key: edge.key(), output }
    }
}

/// A leaf, and what has arrived there so far.
type LeafSum<T> = (Arc<Leaf<T>>, Option<Variable<T>>);

/// A node that cotangents have reached.
struct Pending<T: Float> {
    node: NodeRef<T>,
    cotangents: Cotangents<T>,
}

impl<T: Float> Pending<T> {
    /// A node that `term` is the first to reach, at one of its outputs.
    #[inline]
    fn first(node: &NodeRef<T>, output: usize, term: Term<T>) -> Self {
        let mut cotangents = Cotangents::none(node.shapes.len());
        cotangents.values[output] = Some(term.whole());
        Pending { node: node.clone(), cotangents }
    }
}

/// One walk from outputs back to leaves, with its own table of cotangents.
///
/// Nodes wait in a heap and are visited from the highest number down, that is after all that used them.
pub(crate) struct Walk<T: Float> {
    /// Keys of what the wanted cotangents depend on; none if everything is wanted.
    relevant: Option<KeySet>,
    targets: Vec<Target>,
    found: Vec<Option<Variable<T>>>,
    retain: bool,
    record: bool,
    /// What a pullback refused.
    refusal: Option<Box<Error>>,
    /// The only node that waits, if there is one alone: a chain needs neither heap nor table.
    alone: Option<(usize, Pending<T>)>,
    /// Number, then (for determinism) age; nodes of equal number come from different threads.
    heap: BinaryHeap<(u64, Reverse<u64>, usize)>,
    arrivals: u64,
    pending: Table<Pending<T>>,
    /// Products that have yet to be summed, by key and output.
    late: HashMap<(usize, usize), Waiting<T>, BuildHasherDefault<AddressHasher>>,
    leaves: Vec<LeafSum<T>>,
    leaf_places: Table<usize>,
}

impl<T: Float> Walk<T> {
    pub(crate) fn new(retain: bool, record: bool) -> Self {
        Walk {
            relevant: None,
            targets: Vec::new(),
            found: Vec::new(),
            retain,
            record,
            refusal: None,
            alone: None,
            heap: BinaryHeap::new(),
            arrivals: 0,
            pending: Table::default(),
            late: HashMap::default(),
            leaves: Vec::new(),
            leaf_places: Table::default(),
        }
    }

    /// Only the cotangents of `targets` are wanted; nothing that does not lead to one is computed.
    pub(crate) fn only(mut self, outputs: &[&Edge<T>], targets: Vec<Target>) -> Self {
        self.relevant = Some(leading_to(outputs, &targets));
        self.found = targets.iter().map(|_| None).collect();
        self.targets = targets;
        self
    }

    /// Whether a cotangent that goes along `edge` is of use.
    #[inline]
    pub(crate) fn wants(&self, edge: Option<&Option<Edge<T>>>) -> bool {
        match (edge, &self.relevant) {
            (None | Some(None), _) => false,
            (Some(Some(edge)), Some(relevant)) => relevant.contains(&edge.key()),
            (Some(Some(Edge::Node(..))), None) => true,
            (Some(Some(Edge::Leaf(leaf))), None) => leaf.upgrade().is_some_and(|leaf| leaf.requires_grad()),
        }
    }

    /// A wanted cotangent arrives at input `i` of `node`.
    pub(crate) fn arrive(&mut self, node: &NodeRef<T>, i: usize, term: Term<T>) {
        self.send(node.inputs[i].as_ref().expect("only wanted inputs get terms"), term);
    }

    /// [`Walk::arrive`] for a value without history, the common case: on a chain it goes straight to its place.
    #[inline]
    pub(crate) fn arrive_value(&mut self, node: &NodeRef<T>, i: usize, value: Tensor<T>) {
        let edge = node.inputs[i].as_ref().expect("only wanted inputs get terms");
        match edge {
            Edge::Node(source, _) if source.shapes.len() == 1 && self.is_idle() => {
                let cotangents = Cotangents::one(Variable::from(value));
                self.alone = Some((edge.key(), Pending { node: source.clone(), cotangents }));
            }
            _ => self.send(edge, Term::Whole(Variable::from(value))),
        }
    }

    /// Ends the walk with an error once the pullback at work is done; the first one counts.
    #[cold]
    pub(crate) fn refuse(&mut self, error: Error) {
        self.refusal.get_or_insert_with(|| Box::new(error));
    }

    /// Whether no node waits.
    #[inline]
    fn is_idle(&self) -> bool {
        self.alone.is_none() && self.heap.is_empty()
    }

    /// A cotangent arrives at `edge`.
    pub(crate) fn send(&mut self, edge: &Edge<T>, term: Term<T>) {
        match edge {
            Edge::Node(node, output) => self.send_to_node(node, *output as usize, edge.key(), term),
            Edge::Leaf(leaf) => {
                let Some(leaf) = leaf.upgrade() else { return };
                accumulate(self.leaf_sum(leaf), term);
            }
        }
    }

    fn leaf_sum(&mut self, leaf: Arc<Leaf<T>>) -> &mut Option<Variable<T>> {
        let place = *self.leaf_places.entry(Arc::as_ptr(&leaf) as usize).or_insert_with(|| {
            self.leaves.push((leaf, None));
            self.leaves.len() - 1
        });
        &mut self.leaves[place].1
    }

    /// The term `left^T right` arrives at input `i` of `node`, to be summed later.
    pub(crate) fn arrive_late(&mut self, node: &NodeRef<T>, i: usize, left: Variable<T>, right: Variable<T>) {
        self.send_late(node.inputs[i].as_ref().expect("only wanted inputs get terms"), Late::of(left, right));
    }

    fn send_late(&mut self, edge: &Edge<T>, late: Late<T>) {
        let (key, output) = (edge.key(), if let Edge::Node(_, output) = edge { *output as usize } else { 0 });
        let mut waiting = self.late.remove(&(key, output)).unwrap_or_default();
        match edge {
            Edge::Leaf(leaf) => match leaf.upgrade() {
                Some(leaf) => waiting.push(late, self.leaf_sum(leaf)),
                None => return,
            },
            Edge::Node(node, _) => waiting.push(late, &mut self.pending(node, key).cotangents.values[output]),
        }
        self.late.insert((key, output), waiting);
    }

    /// A node that something is on its way to.
    fn pending(&mut self, node: &NodeRef<T>, key: usize) -> &mut Pending<T> {
        if let Some((waiting, pending)) = self.alone.take() {
            self.wait(waiting, pending);
        }
        if !self.pending.contains_key(&key) {
            self.wait(key, Pending { node: node.clone(), cotangents: Cotangents::none(node.shapes.len()) });
        }
        self.pending.get_mut(&key).expect("it waits")
    }

    /// The right to write what will be sent along `edge` to the place where it is wanted: a part of a cotangent whose
    /// parts are put together, `deep` views away at most.
    #[inline]
    pub(crate) fn claim(&mut self, edge: &Edge<T>, deep: usize) -> Option<Claim<T>> {
        match edge {
            Edge::Node(node, output) if node.flow != Flow::Through && deep > 0 => {
                self.claim_at(node, *output as usize, edge.key(), deep - 1)
            }
            _ => None,
        }
    }

    fn claim_at(&mut self, node: &NodeRef<T>, output: usize, key: usize, deep: usize) -> Option<Claim<T>> {
        // Whoever watches may keep what he sees, or change it.
        if node.is_watched() || !self.targets.is_empty() {
            return None;
        }
        if let Flow::On(input) = node.flow {
            return self.claim(node.inputs[input as usize].as_ref()?, deep);
        }
        if self.pending(node, key).cotangents.parts.is_none() {
            let base = node.inputs[0].as_ref()?;
            let claim = match self.claim(base, deep) {
                Some(claim) => claim,
                None => Claim::of_new(Tensor::unspecified(base.shape()?)),
            };
            let parts = Parts::new(claim, node.shapes.len());
            self.pending(node, key).cotangents.parts = Some(Box::new(parts));
        }
        let parts = self.pending(node, key).cotangents.parts.as_mut()?;
        parts.give(output, |whole| node.rule().part(whole, output).expect("its flow says that it has parts"))
    }

    /// Hands products on through a node that is a view, and sums those that nobody else will.
    fn settle_late(&mut self, key: usize, node: &NodeRef<T>, cotangents: &mut Cotangents<T>) {
        for output in 0..cotangents.len() {
            let Some(mut waiting) = self.late.remove(&(key, output)) else { continue };
            let hands_on = !node.is_watched() && self.targets.is_empty() && node.inputs.len() == 1;
            let view = if hands_on { node.rule().matrix_view(&node.input_dims(0)) } else { None };
            if let (Some(view), Some(Some(edge))) = (view, node.inputs.first())
                && let Some(late) = waiting.through(&view)
            {
                self.send_late(edge, late);
            }
            waiting.add_to(&mut cotangents.values[output]);
        }
    }

    /// Sums the products that wait at leaves.
    fn settle_late_leaves(&mut self) {
        for (leaf, sum) in &mut self.leaves {
            if let Some(waiting) = self.late.remove(&(Arc::as_ptr(leaf) as usize, 0)) {
                waiting.add_to(sum);
            }
        }
    }

    fn send_to_node(&mut self, node: &NodeRef<T>, output: usize, key: usize, term: Term<T>) {
        if self.heap.is_empty() {
            match &mut self.alone {
                None => return self.alone = Some((key, Pending::first(node, output, term))),
                Some((waiting, pending)) if *waiting == key => {
                    return accumulate(&mut pending.cotangents.values[output], term);
                }
                Some(_) => {}
            }
        }
        if let Some((waiting, pending)) = self.alone.take() {
            self.wait(waiting, pending);
        }
        match self.pending.get_mut(&key) {
            Some(pending) => accumulate(&mut pending.cotangents.values[output], term),
            None => self.wait(key, Pending::first(node, output, term)),
        }
    }

    /// Queues a node that a cotangent has reached.
    fn wait(&mut self, key: usize, pending: Pending<T>) {
        self.heap.push((pending.node.number, Reverse(self.arrivals), key));
        self.arrivals += 1;
        self.pending.insert(key, pending);
    }

    /// Visits every node that a cotangent reaches.
    pub(crate) fn run(&mut self) -> Result<()> {
        with_recording(self.record, || {
            while let Some((key, pending)) = self.next() {
                self.visit(key, pending)?;
            }
            self.settle_late_leaves();
            Ok(())
        })
    }

    #[inline]
    fn next(&mut self) -> Option<(usize, Pending<T>)> {
        if self.alone.is_some() {
            return self.alone.take();
        }
        let (_, _, key) = self.heap.pop()?;
        Some((key, self.pending.remove(&key).expect("what waits in the heap is in the table")))
    }

    #[inline(always)]
    fn visit(&mut self, key: usize, Pending { node, mut cotangents }: Pending<T>) -> Result<()> {
        let inputs = &node.inputs;
        // On a long tape these have left the caches: they come while this node is at work.
        for edge in inputs.iter().flatten() {
            if let Edge::Node(source, _) = edge {
                prefetch(&**source);
            }
        }
        if !self.late.is_empty() {
            self.settle_late(key, &node, &mut cotangents);
        }
        if cotangents.values.iter().all(Option::is_none) {
            return Ok(());
        }
        self.settle(key, &node, &mut cotangents);
        let wanted = Wants::of(inputs.len(), |i| self.wants(inputs.get(i)));
        if !wanted.nothing(inputs.len()) {
            let saved = saved_values(&node, self.retain)?;
            node.rule().pullback(&saved, &cotangents, &mut Gradients::new(self, &node, wanted));
            if anomaly::is_watching() {
                anomaly::first().map_or(Ok(()), Err)?;
            }
            if let Some(error) = self.refusal.take() {
                return Err(*error);
            }
        }
        Ok(())
    }

    /// Takes the finished cotangents of a node past hooks, retains them and hands them out where that was asked for.
    #[inline]
    fn settle(&mut self, key: usize, node: &NodeRef<T>, cotangents: &mut Cotangents<T>) {
        if !node.is_watched() && self.targets.is_empty() {
            return;
        }
        for (output, value) in cotangents.values.iter_mut().enumerate() {
            let output = output as u32;
            for slot in node.watchers(output) {
                *value = value.take().map(|cotangent| slot.through_hooks(cotangent));
                if slot.retains() {
                    slot.set_grad(value.clone());
                }
            }
            self.hand_out(key, Some(output), value);
        }
    }

    fn hand_out(&mut self, key: usize, output: Option<u32>, cotangent: &Option<Variable<T>>) {
        for (target, found) in self.targets.iter().zip(&mut self.found) {
            if target.key == key && target.output == output {
                found.clone_from(cotangent);
            }
        }
    }

    /// The leaves that gradients came to, in the order they came.
    pub(crate) fn leaf_gradients(self) -> impl Iterator<Item = (Arc<Leaf<T>>, Variable<T>)> {
        self.leaves.into_iter().filter_map(|(leaf, sum)| sum.map(|grad| (leaf, grad)))
    }

    /// The cotangents asked for with [`Walk::only`], none where nothing came.
    pub(crate) fn cotangents(mut self) -> Vec<Option<Variable<T>>> {
        for (leaf, sum) in std::mem::take(&mut self.leaves) {
            let gradient = sum.map(|gradient| leaf.slot.through_hooks(gradient));
            self.hand_out(Arc::as_ptr(&leaf) as usize, None, &gradient);
        }
        self.found
    }
}

/// All nodes that `outputs` were computed from, each once, in ascending order of their numbers.
pub(crate) fn reachable<T: Float>(outputs: &[&Edge<T>]) -> Vec<NodeRef<T>> {
    let mut seen = KeySet::default();
    let mut nodes: Vec<NodeRef<T>> = Vec::new();
    let mut visit = |edge: &Edge<T>, nodes: &mut Vec<NodeRef<T>>| {
        if let Edge::Node(node, _) = edge
            && seen.insert(edge.key())
        {
            nodes.push(node.clone());
        }
    };
    outputs.iter().for_each(|edge| visit(edge, &mut nodes));
    let mut next = 0;
    while next < nodes.len() {
        let node = nodes[next].clone();
        node.inputs.iter().flatten().for_each(|edge| visit(edge, &mut nodes));
        next += 1;
    }
    nodes.sort_by_key(|node| node.number);
    nodes
}

/// The keys of the targets and of every node that depends on one.
fn leading_to<T: Float>(outputs: &[&Edge<T>], targets: &[Target]) -> KeySet {
    let mut relevant: KeySet = targets.iter().map(|target| target.key).collect();
    for node in reachable(outputs) {
        if node.inputs.iter().flatten().any(|edge| relevant.contains(&edge.key())) {
            relevant.insert(node.key());
        }
    }
    relevant
}

/// The cotangent that a backward starts with.
pub(crate) fn seed<T: Float>(output: &Variable<T>, cotangent: Option<&Variable<T>>) -> Result<Variable<T>> {
    match cotangent {
        Some(cotangent) if cotangent.shape() == output.shape() => Ok(cotangent.clone()),
        Some(cotangent) => Err(Error::shape(
            "backward",
            format!("a cotangent of the value's shape {:?}", output.shape()),
            format!("{:?}", cotangent.shape()),
        )),
        None if output.numel() == 1 => Ok(Variable::from(crate::Tensor::ones(output.shape()))),
        None => Err(Error::NonScalar { shape: format!("{:?}", output.shape()) }),
    }
}
