//! The tape as a readable program.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;

use super::reachable::reachable;
use crate::base::scope;
use crate::tape::node::Edge;
use crate::tape::{Attribute, Attributes, Float, Variable};

/// A line of a [`Tape`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TapeEntry {
    /// The line's place in the listing; inputs have lower numbers.
    pub number: usize,
    /// The operation's name, or `leaf`.
    pub operation: &'static str,
    /// The arguments that the operation was called with beside its inputs.
    pub attributes: Attributes,
    /// The numbers of the inputs; none for a constant.
    pub inputs: Vec<Option<usize>>,
    /// The shape of each output.
    pub shapes: Vec<Vec<usize>>,
    /// Whether a gradient flows through the value to a leaf that still exists.
    pub requires_grad: bool,
    /// The module path that the operation was recorded in.
    pub path: String,
    /// Where in the source the operation was recorded; none for a leaf.
    pub location: Option<&'static Location<'static>>,
}

/// The recorded operations that a value was computed by, in order.
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable};
/// let x = Variable::new(Tensor::from([[1.0f32, 2.0]])).requires_grad_(true);
/// let w = Variable::new(Tensor::from([[3.0f32], [4.0]])).requires_grad_(true);
/// let loss = (x.matmul(&w) * 2.0).tanh().sum();
/// assert_eq!(Tape::of(&loss).to_string(), "\
/// %0 = leaf                        [1, 2]  grad
/// %1 = leaf                        [2, 1]  grad
/// %2 = MatMul(%0, %1)              [1, 1]  grad
/// %3 = MulScalar(%2, c=2)          [1, 1]  grad
/// %4 = Tanh(%3)                    [1, 1]  grad
/// %5 = Sum(%4, dim=[0, 1])         []      grad
/// ");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tape {
    entries: Vec<TapeEntry>,
}

impl Tape {
    /// The tape of a value: what is reachable from it, leaves first, then operations in the order of
    /// recording.
    pub fn of<T: Float>(value: &Variable<T>) -> Tape {
        Tape::numbered(value).0
    }

    /// The operations that lie between two values: those that `output` was computed by and that depend on
    /// `input`. They keep their numbers in the whole tape of `output`.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0])).requires_grad_(true);
    /// let w = Variable::new(Tensor::from([3.0f32, 4.0])).requires_grad_(true);
    /// let y = (x.exp() * w.sin()).sum();
    /// let names: Vec<_> = Tape::between(&w, &y).entries().iter().map(|entry| entry.operation).collect();
    /// assert_eq!(names, ["Sin", "Mul", "Sum"]);
    /// ```
    pub fn between<T: Float>(input: &Variable<T>, output: &Variable<T>) -> Tape {
        let (tape, numbers) = Tape::numbered(output);
        let from = input.edge().and_then(|edge| numbers.get(&edge.key()).copied());
        let mut depends = vec![false; tape.len()];
        for entry in &tape.entries {
            let on_it = |input: &Option<usize>| input.is_some_and(|i| Some(i) == from || depends[i]);
            depends[entry.number] = entry.inputs.iter().any(on_it);
        }
        Tape { entries: tape.entries.into_iter().filter(|entry| depends[entry.number]).collect() }
    }

    /// The tape, and the numbers by the keys of edges.
    fn numbered<T: Float>(value: &Variable<T>) -> (Tape, HashMap<usize, usize>) {
        let Some(root) = value.edge() else { return (Tape { entries: Vec::new() }, HashMap::new()) };
        let nodes = reachable(&[&root]);
        let mut tape = Tape { entries: Vec::new() };
        let mut numbers = HashMap::new();
        let edges = nodes.iter().flat_map(|node| node.inputs.iter().flatten()).chain([&root]);
        for edge in edges {
            if let Edge::Leaf(leaf) = edge
                && !numbers.contains_key(&edge.key())
            {
                numbers.insert(edge.key(), tape.entries.len());
                let shape = leaf.upgrade().map(|leaf| leaf.shape().to_vec());
                tape.push("leaf", Vec::new(), vec![shape.clone().unwrap_or_default()], shape.is_some());
            }
        }
        for node in &nodes {
            let inputs: Vec<Option<usize>> =
                node.inputs.iter().map(|edge| edge.as_ref().map(|edge| numbers[&edge.key()])).collect();
            let flows = inputs.iter().flatten().any(|&i| tape.entries[i].requires_grad);
            numbers.insert(node.address(), tape.entries.len());
            let shapes = node.shapes.iter().map(|shape| shape.to_vec()).collect();
            tape.push(node.name(), inputs, shapes, flows);
            let entry = tape.entries.last_mut().expect("just pushed");
            entry.path = scope::path(node.scope);
            entry.location = Some(node.location);
            entry.attributes = node.rule().attributes();
        }
        (tape, numbers)
    }

    fn push(
        &mut self,
        operation: &'static str,
        inputs: Vec<Option<usize>>,
        shapes: Vec<Vec<usize>>,
        requires_grad: bool,
    ) {
        let number = self.entries.len();
        let path = String::new();
        self.entries.push(TapeEntry {
            number,
            operation,
            attributes: Attributes::none(),
            inputs,
            shapes,
            requires_grad,
            path,
            location: None,
        });
    }

    /// The lines, in order.
    pub fn entries(&self) -> &[TapeEntry] {
        &self.entries
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl TapeEntry {
    /// Whether an attribute says no more than the shape that stands beside it.
    fn is_shape(&self, name: &str, value: &Attribute) -> bool {
        let shape = |shape: &Vec<usize>| shape.iter().map(|&extent| extent as i64).collect::<Vec<_>>();
        name == "to" && self.shapes.first().is_some_and(|to| *value == Attribute::Ints(shape(to)))
    }
}

impl fmt::Display for TapeEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |input: &Option<usize>| input.map_or("constant".to_string(), |n| format!("%{n}"));
        let mut inputs: Vec<String> = self.inputs.iter().map(name).collect();
        inputs.extend(
            self.attributes
                .iter()
                .filter(|(name, value)| !self.is_shape(name, value))
                .map(|(name, value)| format!("{name}={value}")),
        );
        let call = match self.location {
            Some(_) => format!("%{} = {}({})", self.number, self.operation, inputs.join(", ")),
            None => format!("%{} = {}", self.number, self.operation),
        };
        let shapes: Vec<String> = self.shapes.iter().map(|shape| format!("{shape:?}")).collect();
        let line = format!("{call:<32} {:<7}", shapes.join(" "));
        let line = format!("{line} {}", if self.requires_grad { "grad" } else { "" });
        match self.path.as_str() {
            "" => f.write_str(line.trim_end()),
            path => write!(f, "{line}  # {path}"),
        }
    }
}

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}
