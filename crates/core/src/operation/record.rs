//! Putting an operation on the tape.

use super::{Operation, Saves};
use crate::element::Float;
use crate::storage::Holder;
use crate::tape::keep::{Keep, Kept};
use crate::tape::mode::Mode;
use crate::tape::node::Edge;
use crate::tape::recycle::{NodeRef, Recycled, recorded};
use crate::tape::{anomaly, capture};
use crate::tensor::Tensor;
use crate::variable::Variable;

/// [`Operation::apply`] for outputs that have been computed.
#[track_caller]
#[inline]
pub(crate) fn record<T: Float, O: Operation<T>, const K: usize>(
    operation: O,
    inputs: &[&Variable<T>],
    tensors: &[&Tensor<T>],
    outputs: [Tensor<T>; K],
) -> [Variable<T>; K] {
    let mut node = put_on_tape(operation, inputs, tensors, &outputs);
    let mut outputs = outputs.map(Variable::from);
    for (k, output) in outputs.iter_mut().enumerate() {
        // The last output takes the handle over: for the common single one no count goes up and down.
        let node = if k + 1 == K { node.take() } else { node.clone() };
        output.set_history(node.map(|node| Edge::Node(node, k as u32)));
    }
    outputs
}

/// [`record`] for an operation with one output.
#[track_caller]
#[inline]
pub(crate) fn record1<T: Float, O: Operation<T>>(
    operation: O,
    inputs: &[&Variable<T>],
    tensors: &[&Tensor<T>],
    output: Tensor<T>,
) -> Variable<T> {
    let node = put_on_tape(operation, inputs, tensors, std::slice::from_ref(&output));
    Variable::computed(output, node.map(|node| Edge::Node(node, 0)))
}

/// The node of an operation, if it is to be recorded.
#[track_caller]
#[inline]
pub(super) fn put_on_tape<T: Float, O: Operation<T>>(
    operation: O,
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
    let location = std::panic::Location::caller();
    if anomaly::is_watching() {
        anomaly::look_forward(O::NAME, location, tensors, outputs);
    }
    let node = recorded(move |node| {
        let edges = inputs.iter().map(|input| capture::edge(mode, input));
        let shapes = outputs.iter().map(|output| output.dims().clone());
        node.record(operation, location, edges, shapes, |saves, holder, kept| {
            keep(saves, tensors, outputs, holder, kept);
        });
    });
    if mode.captures() {
        capture::made(&node);
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
    kept: &mut Kept<T>,
) {
    // Outputs come behind all inputs; without them the list ends with the last input that is needed.
    let mut inputs = tensors.len();
    while !saves.outputs && inputs > 1 && !saves.input(inputs - 1) {
        inputs -= 1;
    }
    if inputs > kept.inline_size() {
        *kept = Kept::spare();
    }
    for (i, input) in tensors[..inputs].iter().enumerate() {
        kept.push(if saves.input(i) { Keep::of(input, holder) } else { Keep::NONE });
    }
    if saves.outputs {
        outputs.iter().for_each(|output| kept.push(Keep::of(output, holder)));
    }
}
