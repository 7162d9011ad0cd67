//! Going back through the tape.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use smallvec::SmallVec;

use super::accumulate::accumulate;
use super::late::{Late, Waiting};
use super::leaves::{Arrived, Leaves};
use super::queue::{self, Pending, Queue};
use super::reachable::leading_to;
use super::targets::{Target, Targets};
use super::visit::Visit;
use crate::base::error::{Error, Result};
use crate::base::mode::with_recording;
use crate::base::table::{AddressHasher, KeySet};
use crate::tape::gradients::Passed;
use crate::tape::leaf::Leaf;
use crate::tape::node::{Edge, with_saved};
use crate::tape::recycle::{NodeRef, for_next_sweep, of_last_sweep};
use crate::tape::rule::Flow;
use crate::tape::term::Term;
use crate::tape::{Cotangents, Float, Gradients, Variable, Wants, anomaly};
use crate::tensor::storage::{Claim, Cut};
use crate::tensor::{Tensor, pool};

/// How many views of views a cotangent is brought to its place through.
pub(super) const DEEP: usize = 4;

/// One walk from outputs back to leaves, with its own table of cotangents.
///
/// Nodes are visited from the highest number down, that is after all that used them. They belong to the
/// outputs' graph, which stays as it is during the walk: so they are borrowed, and no count goes up and
/// down.
pub(crate) struct Walk<'g, T: Float> {
    /// Keys of what the wanted cotangents depend on; none if everything is wanted.
    relevant: Option<KeySet>,
    targets: Targets<T>,
    retain: bool,
    record: bool,
    /// What a pullback refused.
    pub(super) refusal: Option<Box<Error>>,
    pub(super) queue: Queue<'g, T>,
    /// What has yet to be summed at nodes, by key and output.
    late: LateTable<T>,
    leaves: Leaves<T>,
    /// Where queue, late sums and leaves are left to the next one.
    belongings: Option<Box<Belongings<T>>>,
}

/// What a walk leaves to the next one: containers, all empty.
pub(crate) struct Belongings<T: Float> {
    queue: queue::Memory<T>,
    late: LateTable<T>,
    leaves: Leaves<T>,
}

type LateTable<T> = HashMap<(usize, usize), Waiting<T>, BuildHasherDefault<AddressHasher>>;

impl<T: Float> Default for Belongings<T> {
    fn default() -> Self {
        Belongings { queue: Default::default(), late: HashMap::default(), leaves: Leaves::default() }
    }
}

impl<T: Float> Drop for Walk<'_, T> {
    fn drop(&mut self) {
        let Some(mut left) = self.belongings.take() else { return };
        self.late.clear();
        self.leaves.end();
        *left = Belongings {
            queue: self.queue.end(),
            late: std::mem::take(&mut self.late),
            leaves: std::mem::take(&mut self.leaves),
        };
        for_next_sweep::<T>(left);
    }
}

impl<'g, T: Float> Walk<'g, T> {
    pub(crate) fn new(retain: bool, record: bool) -> Self {
        let mut belongings: Box<Belongings<T>> = of_last_sweep::<T, _>();
        let Belongings { queue, late, leaves } = std::mem::take(&mut *belongings);
        Walk {
            relevant: None,
            targets: Targets::new(Vec::new()),
            retain,
            record,
            refusal: None,
            queue: Queue::new(queue),
            late,
            leaves,
            belongings: Some(belongings),
        }
    }

    /// Only the cotangents of `targets` are wanted; nothing that does not lead to one is computed.
    pub(crate) fn only(mut self, outputs: &[&'g Edge<T>], targets: Vec<Target>) -> Self {
        self.relevant = Some(leading_to(outputs, targets.iter().map(|target| target.key)));
        self.targets = Targets::new(targets);
        self
    }

    /// Whether a cotangent that goes along `edge` is of use.
    #[inline]
    pub(crate) fn wants(&self, edge: Option<&Option<Edge<T>>>) -> bool {
        match (edge, &self.relevant) {
            (None | Some(None), _) => false,
            (Some(Some(edge)), Some(relevant)) => relevant.contains(&edge.key()),
            (Some(Some(Edge::Node(..))), None) => true,
            (Some(Some(Edge::Leaf(leaf))), None) => self.leaves.wants(leaf),
        }
    }

    /// A cotangent arrives at `edge`.
    pub(crate) fn send(&mut self, edge: &'g Edge<T>, term: Term<T>) {
        if self.record {
            return self.send_recorded(edge, term);
        }
        match edge {
            Edge::Node(node, output) => {
                accumulate(&mut self.queue.reach(node).values[*output as usize], term)
            }
            Edge::Leaf(leaf) => {
                if let Some(arrived) = self.leaves.reach(leaf) {
                    arrived.add(term);
                }
            }
        }
    }

    /// [`Walk::send`] where sums are recorded: parts wait for each other.
    fn send_recorded(&mut self, edge: &'g Edge<T>, term: Term<T>) {
        match edge {
            Edge::Node(node, output) => {
                let output = *output as usize;
                let sum = &mut self.queue.reach(node).values[output];
                let key = (node.address(), output);
                match &term {
                    Term::Whole(_) if !self.late.contains_key(&key) => accumulate(sum, term),
                    _ => self.late.entry(key).or_default().arrive(term, sum),
                }
            }
            Edge::Leaf(leaf) => {
                if let Some(arrived) = self.leaves.reach(leaf) {
                    arrived.late.arrive(term, &mut arrived.sum);
                }
            }
        }
    }

    /// [`Walk::wants`], and a leaf that it does want lives until the walk ends, whatever pullbacks drop.
    #[inline]
    fn wants_and_holds(&mut self, edge: &Option<Edge<T>>) -> bool {
        match edge {
            Some(Edge::Leaf(leaf)) if self.relevant.is_none() => {
                self.leaves.reach(leaf).is_some_and(|arrived| arrived.leaf.requires_grad())
            }
            edge => self.wants(Some(edge)),
        }
    }

    pub(super) fn send_late(&mut self, edge: &'g Edge<T>, late: Late<T>) {
        match edge {
            Edge::Node(node, output) => {
                let sum = &mut self.queue.reach(node).values[*output as usize];
                self.late.entry((node.address(), *output as usize)).or_default().push(late, sum);
            }
            Edge::Leaf(leaf) => {
                if let Some(arrived) = self.leaves.reach(leaf) {
                    arrived.late.push(late, &mut arrived.sum);
                }
            }
        }
    }

    /// The right to write what will be sent along `edge` to the place where it is wanted: a part of a
    /// cotangent whose parts are put together, `deep` views away at most.
    #[inline]
    pub(super) fn claim(&mut self, edge: &'g Edge<T>, deep: usize) -> Option<Claim<T>> {
        match edge {
            Edge::Node(node, output) if node.flow != Flow::Through && deep > 0 => {
                self.claim_at(node, *output as usize, deep - 1)
            }
            _ => None,
        }
    }

    fn claim_at(&mut self, node: &'g NodeRef<T>, output: usize, deep: usize) -> Option<Claim<T>> {
        // Whoever watches may keep what he sees, or change it.
        if node.is_watched() || !self.targets.is_empty() {
            return None;
        }
        if let Flow::On(input) = node.flow {
            return self.claim(node.inputs[input as usize].as_ref()?, deep);
        }
        if let Some(cut) = self.queue.reach(node).parts.as_mut().filter(|cut| cut.has_begun()) {
            return cut.give(output);
        }
        let base = node.inputs[0].as_ref()?;
        let claim = match self.claim(base, deep) {
            Some(claim) => claim,
            None => Claim::New(pool::acquire(&base.shape()?)),
        };
        let cut: &mut Cut<T> = self.queue.reach(node).parts.get_or_insert_default();
        cut.begin(claim, node.rule().division().expect("its flow says that it has parts"));
        cut.give(output)
    }

    /// Hands products on through a node that is a view, and sums those that nobody else will.
    fn settle_late(&mut self, key: usize, node: &'g NodeRef<T>, cotangents: &mut Cotangents<T>) {
        for output in 0..cotangents.len() {
            let Some(mut waiting) = self.late.remove(&(key, output)) else { continue };
            let hands_on = !node.is_watched() && self.targets.is_empty() && node.inputs.len() == 1;
            let base = if hands_on { node.inputs[0].as_ref().and_then(Edge::shape) } else { None };
            let view = base.and_then(|base| node.rule().matrix_view(&base));
            if let (Some(view), Some(Some(edge))) = (view, node.inputs.first())
                && let Some(late) = waiting.through(&view)
            {
                self.send_late(edge, late);
            }
            waiting.add_to(&mut cotangents.values[output]);
        }
    }

    /// The cotangents that the walk starts with arrive at the outputs.
    pub(crate) fn begin(&mut self, seeds: Seeds<'g, T>) {
        with_recording(self.record, || {
            for (edge, cotangent) in seeds {
                self.send(edge, Term::Whole(cotangent));
            }
        });
    }

    /// Visits every node that a cotangent reaches.
    pub(crate) fn run(&mut self) -> Result<()> {
        with_recording(self.record, || {
            while let Some(Pending { node, mut cotangents, .. }) = self.queue.next() {
                let mut node = node;
                while let Some(passed) = self.visit(node, &mut cotangents)? {
                    let Some(next) = self.pass_on(node, passed, &mut cotangents) else { break };
                    node = next;
                }
                self.queue.recycle(cotangents);
            }
            self.leaves.settle();
            Ok(())
        })
    }

    /// Sends a cotangent of a visited node to one of its inputs. On a chain it stays where it is, and the
    /// input's source is visited next.
    #[inline(always)]
    fn pass_on(
        &mut self,
        node: &'g NodeRef<T>,
        passed: Passed,
        cotangents: &mut Cotangents<T>,
    ) -> Option<&'g NodeRef<T>> {
        let edge = node.inputs[passed.input].as_ref().expect("only wanted inputs get terms");
        match edge {
            Edge::Node(source, _) if cotangents.len() == 1 && self.queue.is_next(source) => Some(source),
            _ => {
                let cotangent = cotangents.values[passed.output].take().expect("it came");
                self.send(edge, Term::Whole(cotangent));
                None
            }
        }
    }

    /// Gives what of the cotangents goes on as that of an input.
    #[inline(always)]
    fn visit(&mut self, node: &'g NodeRef<T>, cotangents: &mut Cotangents<T>) -> Result<Option<Passed>> {
        let inputs = &node.inputs[..];
        // Something has come, unless it goes on as a product or a part was claimed in vain.
        let certain = self.late.is_empty() && node.flow != Flow::Parts;
        node.prefetch_sources();
        if !self.late.is_empty() {
            self.settle_late(node.address(), node, cotangents);
        }
        if !certain && cotangents.values.iter().all(Option::is_none) {
            return Ok(None);
        }
        self.settle(node.address(), node, cotangents)?;
        let wanted = Wants::of(inputs, |input| self.wants_and_holds(input));
        if wanted.nothing(inputs.len()) {
            return Ok(None);
        }
        let record = self.record;
        let passed = with_saved(node, self.retain, |saved| {
            let mut visit = Visit { walk: self, node };
            let mut gradients = Gradients::new(&mut visit, node, wanted);
            match record {
                true => node.rule().pullback(saved, cotangents, &mut gradients),
                false => node.rule().fused(saved, cotangents, &mut gradients),
            }
            gradients.passed()
        })?;
        if let Some(anomaly) = anomaly::found() {
            return Err(anomaly);
        }
        self.refusal.take().map_or(Ok(passed), |error| Err(*error))
    }

    /// Takes the finished cotangents of a node past hooks, retains them and hands them out where that was
    /// asked for.
    #[inline]
    fn settle(&mut self, key: usize, node: &NodeRef<T>, cotangents: &mut Cotangents<T>) -> Result<()> {
        if !node.is_watched() && self.targets.is_empty() {
            return Ok(());
        }
        for (output, slot) in node.watchers() {
            let value = &mut cotangents.values[output as usize];
            *value = value.take().map(|cotangent| slot.through_hooks(cotangent)).transpose()?;
            if slot.retains() {
                slot.set_grad(value.clone());
            }
        }
        if let Some(recorded) = node.kept_recorded() {
            recorded.arrived(cotangents);
        }
        if !self.targets.is_empty() {
            for (output, value) in cotangents.values.iter().enumerate() {
                self.targets.hand_out(key, Some(output as u32), value);
            }
        }
        Ok(())
    }

    /// The leaves that gradients came to, and these once all have passed the hooks.
    pub(crate) fn leaf_gradients(&mut self) -> Result<impl Iterator<Item = (Arc<Leaf<T>>, Variable<T>)>> {
        self.leaves.through_hooks()?;
        let arrived = self.leaves.arrived.drain(..);
        Ok(arrived.filter_map(|Arrived { leaf, sum, .. }| sum.map(|grad| (leaf, grad))))
    }

    /// The cotangents asked for with [`Walk::only`], none where nothing came.
    pub(crate) fn cotangents(mut self) -> Result<Vec<Option<Variable<T>>>> {
        self.leaves.through_hooks()?;
        for Arrived { leaf, sum, .. } in std::mem::take(&mut self.leaves.arrived) {
            self.targets.hand_out(Arc::as_ptr(&leaf) as usize, None, &sum);
        }
        Ok(self.targets.take())
    }
}

/// The edges of outputs, with the cotangents that arrive there first.
pub(crate) type Seeds<'e, T> = SmallVec<[(&'e Edge<T>, Variable<T>); 1]>;

/// The cotangent that a backward starts with.
pub(crate) fn seed<T: Float>(output: &Variable<T>, cotangent: Option<&Variable<T>>) -> Result<Variable<T>> {
    match cotangent {
        Some(cotangent) if cotangent.shape() == output.shape() => Ok(cotangent.clone()),
        Some(cotangent) => Err(Error::shape(
            "backward",
            format!("a cotangent of the value's shape {:?}", output.shape()),
            format!("{:?}", cotangent.shape()),
        )),
        None if output.numel() == 1 => Ok(Variable::from(Tensor::ones(output.shape()))),
        None => Err(Error::NonScalar { shape: format!("{:?}", output.shape()) }),
    }
}
