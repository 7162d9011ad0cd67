//! Putting an operation on the tape.

use smallvec::{Array, SmallVec};

use super::keep::{Keep, Keeps};
use super::node::Edge;
use super::recycle::{NodeRef, Recycled, recorded};
use super::rule::Rule;
use super::{Float, Outputs, Peek, Saves, Variable, anomaly, capture, recorded};
use crate::base::line;
use crate::base::mode::Mode;
use crate::tensor::Tensor;
use crate::tensor::storage::Holder;

/// The values of an operation's inputs, looked at. What computes with them stands beside this call and not in
/// a closure, which would hide the caller's line.
#[track_caller]
#[inline]
pub(crate) fn peeks<'v, T: Float>(inputs: &[&'v Variable<T>]) -> SmallVec<[Peek<'v, T>; 4]> {
    let mut peeks = SmallVec::with_capacity(inputs.len());
    for input in inputs {
        peeks.push(input.peek());
    }
    peeks
}

/// What was looked at.
#[inline]
pub(crate) fn tensors<'p, T: Float>(peeks: &'p [Peek<'_, T>]) -> SmallVec<[&'p Tensor<T>; 4]> {
    list(peeks.len(), |i| &*peeks[i])
}

/// A list of `at(i)` for each `i` below `len`: for short ones `collect` takes longer than what it collects.
#[inline]
fn list<A: Array>(len: usize, at: impl Fn(usize) -> A::Item) -> SmallVec<A> {
    let mut list = SmallVec::with_capacity(len);
    for i in 0..len {
        list.push(at(i));
    }
    list
}

/// Outputs that have been computed, as variables that remember how: the primitive beneath every operation.
#[track_caller]
#[inline]
pub(crate) fn record_all<T: Float, R: Rule<T>>(
    rule: R,
    inputs: &[&Variable<T>],
    tensors: &[&Tensor<T>],
    outputs: Outputs<Tensor<T>>,
) -> Outputs<Variable<T>> {
    let node = put_on_tape(rule, inputs, tensors, &outputs);
    let mut variables = Outputs::with_capacity(outputs.len());
    for (k, value) in outputs.into_iter().enumerate() {
        let edge = node.clone().map(|node| Edge::Node(node, k as u32));
        variables.push(Variable::computed(value, edge));
    }
    variables
}

/// [`record_all`] for a number of outputs that is known.
#[track_caller]
#[inline]
pub(crate) fn record<T: Float, R: Rule<T>, const K: usize>(
    rule: R,
    inputs: &[&Variable<T>],
    tensors: &[&Tensor<T>],
    outputs: [Tensor<T>; K],
) -> [Variable<T>; K] {
    let mut node = put_on_tape(rule, inputs, tensors, &outputs);
    let mut outputs = outputs.map(Variable::from);
    for (k, output) in outputs.iter_mut().enumerate() {
        // The last output takes the handle over: for the common single one no count goes up and down.
        let node = if k + 1 == K { node.take() } else { node.clone() };
        output.set_history(node.map(|node| Edge::Node(node, k as u32)));
    }
    outputs
}

/// [`record_all`] for one output.
#[track_caller]
#[inline]
pub(crate) fn record1<T: Float, R: Rule<T>>(
    rule: R,
    inputs: &[&Variable<T>],
    tensors: &[&Tensor<T>],
    output: Tensor<T>,
) -> Variable<T> {
    let node = put_on_tape(rule, inputs, tensors, std::slice::from_ref(&output));
    Variable::computed(output, node.map(|node| Edge::Node(node, 0)))
}

/// The node of an operation, if it is to be recorded.
#[track_caller]
#[inline]
fn put_on_tape<T: Float, R: Rule<T>>(
    rule: R,
    inputs: &[&Variable<T>],
    tensors: &[&Tensor<T>],
    outputs: &[Tensor<T>],
) -> Option<NodeRef<T>> {
    let mode = Mode::now();
    if mode.captures() {
        capture::note(mode, inputs, tensors);
    }
    if !mode.records() || !inputs.iter().any(|input| input.requires_grad()) {
        return None;
    }
    let location = line::callers();
    if anomaly::is_watching() {
        anomaly::look_forward(rule.name(), location, tensors, outputs);
    }
    let node = recorded(move |node| {
        let edges = inputs.iter().map(|input| capture::edge(mode, input));
        let shapes = outputs.iter().map(|output| output.dims().clone());
        node.record(rule, location, edges, shapes, |saves, holder, kept| {
            keep(saves, tensors, outputs, holder, kept);
        });
    });
    if mode.captures() {
        capture::made(&node);
        if mode.keeps() {
            recorded::keep(&node, tensors, outputs);
        }
    }
    Some(node)
}

/// Fills in handles to the values that a pullback will ask for.
#[inline(always)]
fn keep<T: Float>(
    saves: Saves,
    tensors: &[&Tensor<T>],
    outputs: &[Tensor<T>],
    holder: &Holder,
    kept: &mut Keeps<T>,
) {
    // Outputs come behind all inputs; without them the list ends with the last input that is needed.
    let mut inputs = tensors.len();
    while !saves.outputs && inputs > 1 && !saves.input(inputs - 1) {
        inputs -= 1;
    }
    if inputs > kept.inline_size() {
        *kept = Keeps::spare();
    }
    for (i, input) in tensors[..inputs].iter().enumerate() {
        kept.push(if saves.input(i) { Keep::of(input, holder) } else { Keep::NONE });
    }
    if saves.outputs {
        outputs.iter().for_each(|output| kept.push(Keep::of(output, holder)));
    }
}
