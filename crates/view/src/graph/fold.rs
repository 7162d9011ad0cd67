//! Lines of a tape that become one node.

use std::collections::HashMap;

use wengert_core::{Tape, TapeEntry, TapeInput};

use super::{Fold, Graph, GraphEdge, GraphNode, NodeKind, order};
use crate::text::shape;

/// What lines of one node have in common.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// The line itself.
    Line(usize),
    /// A module's path.
    Module(String),
    /// An operation at one place.
    Step {
        path: String,
        name: String,
        attributes: String,
        shapes: Vec<Vec<usize>>,
        place: (String, u32, u32),
        /// The named leaves among the inputs: a call's products with two weights are no steps of each other.
        parameters: Vec<usize>,
    },
    /// A leaf without a name, taken by the same node.
    Leaf(Vec<usize>, usize),
}

pub(super) fn folded(tape: &Tape, fold: &Fold) -> Graph {
    let mut folding = Folding { graph: Graph::default(), keys: HashMap::new(), nodes: HashMap::new() };
    // Leaves go where their first taker is, which has to have a node by then.
    let (leaves, operations): (Vec<_>, Vec<_>) = tape.entries().iter().partition(|entry| entry.is_leaf());
    let mut takers: HashMap<usize, usize> = HashMap::new();
    for entry in operations {
        folding.add(entry, key(tape, entry, fold), fold);
        let node = folding.nodes[&entry.number];
        for number in entry.inputs.iter().filter_map(TapeInput::number) {
            takers.entry(number).or_insert(node);
        }
    }
    for entry in leaves {
        let key = match takers.get(&entry.number) {
            Some(&taker) if fold.steps && entry.name.is_empty() => {
                Key::Leaf(entry.outputs[0].shape.clone(), taker)
            }
            _ => Key::Line(entry.number),
        };
        let key = module(entry, fold).filter(|_| !entry.name.is_empty()).map_or(key, Key::Module);
        folding.add(entry, key, fold);
    }
    folding.sort();
    folding.connect(tape);
    folding.graph
}

/// The path of the box that a line is inside of, if modules of its depth are folded.
fn module(entry: &TapeEntry, fold: &Fold) -> Option<String> {
    let depth = fold.depth?;
    let names: Vec<&str> = entry.path.split('.').filter(|name| !name.is_empty()).collect();
    (names.len() > depth).then(|| names[..=depth].join("."))
}

fn key(tape: &Tape, entry: &TapeEntry, fold: &Fold) -> Key {
    if let Some(path) = module(entry, fold) {
        return Key::Module(path);
    }
    let Some(location) = entry.location.as_ref().filter(|_| fold.steps) else {
        return Key::Line(entry.number);
    };
    Key::Step {
        path: entry.path.clone(),
        name: entry.operation.to_string(),
        attributes: if fold.varied { String::new() } else { attributes(entry) },
        shapes: entry.outputs.iter().map(|output| output.shape.clone()).collect(),
        place: (location.file.to_string(), location.line, location.column),
        parameters: entry
            .inputs
            .iter()
            .filter_map(TapeInput::number)
            .filter(|n| is_parameter(tape, *n))
            .collect(),
    }
}

fn is_parameter(tape: &Tape, number: usize) -> bool {
    tape.entry(number).is_some_and(|entry| entry.is_leaf() && !entry.name.is_empty())
}

/// The attributes as text. Indices are no more than their shape there, so other indices fold as well.
fn attributes(entry: &TapeEntry) -> String {
    let is_shape = |name: &str| name == "to" && entry.outputs.len() == 1;
    let texts = entry.attributes.iter().filter(|(name, _)| !is_shape(name));
    texts.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}

struct Folding {
    graph: Graph,
    keys: HashMap<Key, usize>,
    /// Nodes by the numbers of their lines.
    nodes: HashMap<usize, usize>,
}

impl Folding {
    fn add(&mut self, entry: &TapeEntry, key: Key, fold: &Fold) {
        let nodes = &mut self.graph.nodes;
        let path = if let Key::Module(path) = &key { Some(path.clone()) } else { None };
        let place = *self.keys.entry(key).or_insert_with(|| {
            nodes.push(node(entry, path));
            nodes.len() - 1
        });
        self.nodes.insert(entry.number, place);
        let node = &mut nodes[place];
        node.count += 1;
        node.lines.push(entry.number);
        node.requires_grad |= entry.requires_grad;
        if fold.varied && node.kind == NodeKind::Operation && !node.attributes.ends_with('\u{2026}') {
            let attributes = attributes(entry);
            if attributes != node.attributes {
                node.attributes.push_str(", \u{2026}");
            }
        }
        let squares: Vec<f64> = entry.outputs.iter().filter_map(|output| output.grad_norm()).collect();
        if !squares.is_empty() && node.kind != NodeKind::Module {
            let known = node.grad_norm.unwrap_or(0.0);
            node.grad_norm = Some(squares.iter().fold(known, |norm, other| norm.hypot(*other)));
        }
    }

    /// Puts the nodes into the order of their first lines.
    fn sort(&mut self) {
        for node in &mut self.graph.nodes {
            node.lines.sort_unstable();
        }
        let mut order: Vec<usize> = (0..self.graph.nodes.len()).collect();
        order.sort_by_key(|&place| self.graph.nodes[place].lines[0]);
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, &before)| places[before] = place);
        self.nodes.values_mut().for_each(|place| *place = places[*place]);
        self.graph.nodes.sort_by_key(|node| node.lines[0]);
    }

    fn connect(&mut self, tape: &Tape) {
        let mut known: HashMap<(usize, usize), Found> = HashMap::new();
        for entry in tape.entries() {
            let to = self.nodes[&entry.number];
            for input in &entry.inputs {
                let TapeInput::Value { number, output } = input else { continue };
                let (Some(source), Some(&from)) = (tape.entry(*number), self.nodes.get(number)) else {
                    continue;
                };
                // What goes on inside a module's box is not seen.
                if from == to && self.graph.nodes[to].kind == NodeKind::Module {
                    continue;
                }
                let found = known.entry((to, from)).or_default();
                found.count += 1;
                found.requires_grad |= source.requires_grad;
                if let Some(value) = source.outputs.get(*output)
                    && !found.shapes.contains(&value.shape)
                {
                    found.shapes.push(value.shape.clone());
                }
            }
        }
        let mut places: Vec<(usize, usize)> = known.keys().copied().collect();
        places.sort_unstable();
        let pairs: Vec<(usize, usize)> = places.iter().map(|&(to, from)| (from, to)).collect();
        let parts = order::parts(self.graph.nodes.len(), &pairs);
        let edge = |&(from, to): &(usize, usize)| {
            let Found { count, requires_grad, ref shapes } = known[&(to, from)];
            let others = if shapes.len() > 1 { format!(" +{}", shapes.len() - 1) } else { String::new() };
            let label = shapes.first().map(|first| shape(first) + &others).unwrap_or_default();
            let is_back = parts[from] == parts[to] && from >= to;
            GraphEdge { from, to, label, count, is_back, requires_grad }
        };
        self.graph.edges = pairs.iter().map(edge).collect();
    }
}

/// What goes along an edge.
#[derive(Default)]
struct Found {
    count: usize,
    requires_grad: bool,
    shapes: Vec<Vec<usize>>,
}

fn node(entry: &TapeEntry, module: Option<String>) -> GraphNode {
    let kind = match (&module, entry.is_leaf(), entry.name.is_empty()) {
        (Some(_), ..) => NodeKind::Module,
        (None, true, false) => NodeKind::Parameter,
        (None, true, true) => NodeKind::Leaf,
        (None, false, _) => NodeKind::Operation,
    };
    let name = match kind {
        NodeKind::Parameter => entry.name.clone(),
        NodeKind::Module => module.clone().unwrap_or_default(),
        _ => entry.operation.to_string(),
    };
    let is_module = kind == NodeKind::Module;
    let shapes = entry.outputs.iter().map(|output| output.shape.clone());
    GraphNode {
        kind,
        name,
        path: module.unwrap_or_else(|| entry.path.clone()),
        attributes: if is_module { String::new() } else { attributes(entry) },
        shapes: if is_module { Vec::new() } else { shapes.collect() },
        count: 0,
        lines: Vec::new(),
        requires_grad: false,
        grad_norm: None,
    }
}
