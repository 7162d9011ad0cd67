//! Going back through the tape: the sweep, and what is asked of it.
//!
//! Read [`plain_sweep`] first. Cotangents are summed in a table; the nodes that the outputs were computed
//! from are visited from the highest number down, that is after all that used them; each node's rule, run
//! as it is written, turns the cotangents of its outputs into terms of those of its inputs. Everything else
//! in this folder computes the same sums with less time and memory (`sweep.rs` says how), and the random
//! programs of `wengert-check` hold one against the other.

mod accumulate;
mod checkpoint;
mod functional;
mod grad;
#[cfg(test)]
mod harmless_tests;
mod late;
mod leaves;
mod queue;
mod reachable;
mod sweep;
mod targets;
mod variable;
mod visit;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use self::accumulate::whole;
pub(crate) use self::late::{Late, Waiting};
pub(crate) use self::reachable::reachable;
use crate::base::error::{Error, Result};
use crate::tape::leaf::Leaf;
use crate::tape::node::{Edge, with_saved};
use crate::tape::recycle::NodeRef;
use crate::tape::term::{Arrivals, Term};
use crate::tape::{Cotangents, Float, Gradients, Variable, Wants, anomaly};
use crate::tensor::Tensor;
use crate::tensor::storage::Claim;

pub use checkpoint::checkpoint;
pub use functional::{OutputsAndProduct, hessian, hvp, jacobian, jvp, vjp};
pub use grad::{GradOptions, backward, grad};

/// The sums of cotangents of `outputs` and of all that they were computed from; what `wants` refuses is
/// left out.
fn plain_sweep<T: Float>(
    outputs: &[(&Edge<T>, Variable<T>)],
    retain: bool,
    wants: &dyn Fn(&Edge<T>) -> bool,
) -> Result<Sums<T>> {
    let mut sums = Sums::default();
    outputs.iter().for_each(|(edge, cotangent)| sums.add(edge, cotangent.clone()));
    let edges: Vec<&Edge<T>> = outputs.iter().map(|(edge, _)| *edge).collect();
    for node in reachable(&edges).iter().rev() {
        let Some(cotangents) = sums.settled(node)? else { continue };
        let wanted = |input: &Option<Edge<T>>| input.as_ref().is_some_and(wants);
        // Such as where all leaves are gone, whose shapes a rule may ask for.
        if !node.inputs.iter().any(wanted) {
            continue;
        }
        let mut terms =
            Terms { wants: node.inputs.iter().map(wanted).collect(), terms: Vec::new(), refusal: None };
        let first = Wants::of(&node.inputs, wanted);
        with_saved(node, retain, |saved| {
            node.rule().pullback(saved, &cotangents, &mut Gradients::new(&mut terms, node, first));
        })?;
        if let Some(error) = terms.refusal.or_else(anomaly::found) {
            return Err(error);
        }
        for (i, term) in terms.terms {
            sums.add(node.inputs[i].as_ref().expect("only wanted inputs get terms"), term);
        }
    }
    Ok(sums)
}

/// Leaves, each with the sum that came to it.
type OfLeaves<T> = Vec<(Arc<Leaf<T>>, Variable<T>)>;

/// The cotangents so far.
struct Sums<T: Float> {
    /// By a node's address and an output's number, or by a leaf's address.
    table: HashMap<(usize, Option<u32>), Variable<T>>,
    /// The leaves that something came to, in the order it came.
    leaves: Vec<Arc<Leaf<T>>>,
}

impl<T: Float> Default for Sums<T> {
    fn default() -> Self {
        Sums { table: HashMap::new(), leaves: Vec::new() }
    }
}

impl<T: Float> Sums<T> {
    /// Adds a term; what goes to a leaf that is gone is nobody's.
    fn add(&mut self, edge: &Edge<T>, term: Variable<T>) {
        let place = edge.place();
        let sum = self.table.get(&place).map(|sum| sum + &term).unwrap_or(term);
        if let Edge::Leaf(leaf) = edge
            && !self.table.contains_key(&place)
        {
            let Some(leaf) = leaf.upgrade() else { return };
            self.leaves.push(leaf);
        }
        self.table.insert(place, sum);
    }

    /// The finished cotangents of a node's outputs, past the hooks; none if nothing came.
    fn settled(&mut self, node: &NodeRef<T>) -> Result<Option<Cotangents<T>>> {
        let mut cotangents = Cotangents::idle();
        cotangents.begin(node.shapes.len());
        let place = |output: usize| (node.address(), Some(output as u32));
        for (output, cotangent) in cotangents.values.iter_mut().enumerate() {
            *cotangent = self.table.get(&place(output)).cloned();
        }
        for (output, slot) in node.watchers() {
            let cotangent = &mut cotangents.values[output as usize];
            *cotangent = cotangent.take().map(|sum| slot.through_hooks(sum)).transpose()?;
            if slot.retains() {
                slot.set_grad(cotangent.clone());
            }
        }
        if let Some(recorded) = node.kept_recorded() {
            recorded.arrived(&cotangents);
        }
        for (output, cotangent) in cotangents.values.iter().enumerate() {
            cotangent.iter().for_each(|sum| drop(self.table.insert(place(output), sum.clone())));
        }
        let came = cotangents.values.iter().any(Option::is_some);
        Ok(came.then_some(cotangents))
    }

    /// The leaves that something came to, with their sums, past the hooks.
    fn leaf_gradients(mut self) -> Result<OfLeaves<T>> {
        self.through_hooks()?;
        let sum = |leaf: &Arc<Leaf<T>>| self.table.remove(&(Arc::as_ptr(leaf) as usize, None));
        let sums: Vec<_> = self.leaves.iter().map(sum).collect();
        Ok(self.leaves.into_iter().zip(sums).filter_map(|(leaf, sum)| Some((leaf, sum?))).collect())
    }

    /// The sums at these places, past the leaves' hooks.
    fn at(mut self, places: &[&Edge<T>]) -> Result<Vec<Option<Variable<T>>>> {
        self.through_hooks()?;
        Ok(places.iter().map(|edge| self.table.get(&edge.place()).cloned()).collect())
    }

    /// Takes the sums of the leaves past their hooks.
    fn through_hooks(&mut self) -> Result<()> {
        for leaf in &self.leaves {
            if let Some(sum) = self.table.get_mut(&(Arc::as_ptr(leaf) as usize, None)) {
                *sum = leaf.slot.through_hooks(sum.clone())?;
            }
        }
        Ok(())
    }
}

/// What one pullback gives.
struct Terms<T: Float> {
    wants: Vec<bool>,
    terms: Vec<(usize, Variable<T>)>,
    refusal: Option<Error>,
}

impl<T: Float> Arrivals<T> for Terms<T> {
    fn wants(&self, i: usize) -> bool {
        self.wants.get(i).copied().unwrap_or(false)
    }

    fn refuse(&mut self, error: Error) {
        self.refusal.get_or_insert(error);
    }

    fn arrive(&mut self, i: usize, term: Term<T>) {
        self.terms.push((i, whole(term)));
    }

    fn arrive_value(&mut self, i: usize, value: Tensor<T>) {
        self.terms.push((i, Variable::from(value)));
    }

    fn arrive_late(&mut self, i: usize, left: Variable<T>, right: Variable<T>) {
        self.terms.push((i, left.t().matmul(&right)));
    }

    fn claim(&mut self, _: usize) -> Option<Claim<T>> {
        None
    }
}
