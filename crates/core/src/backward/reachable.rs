//! What outputs were computed from.

use crate::base::table::KeySet;
use crate::tape::Float;
use crate::tape::node::Edge;
use crate::tape::recycle::NodeRef;

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
pub(super) fn leading_to<T: Float>(outputs: &[&Edge<T>], targets: impl Iterator<Item = usize>) -> KeySet {
    let mut relevant: KeySet = targets.collect();
    for node in reachable(outputs) {
        if node.inputs.iter().flatten().any(|edge| relevant.contains(&edge.key())) {
            relevant.insert(node.address());
        }
    }
    relevant
}
