//! What is reachable from a value, as lines of a tape.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::{KeptValue, Line, Recompute, Tape, TapeEntry, TapeInput, TapeValue};
use crate::backward::reachable;
use crate::base::scope;
use crate::io::AnyTensor;
use crate::ops::is_registered;
use crate::tape::leaf::Leaf;
use crate::tape::node::Edge;
use crate::tape::recycle::NodeRef;
use crate::tape::{Attributes, Float, Variable};

impl Tape {
    /// The tape of a value: what is reachable from it, leaves first, then operations in the order of
    /// recording. A value without history has an empty one.
    pub fn of<T: Float>(value: &Variable<T>) -> Tape {
        Tape::of_all(&[value])
    }

    /// The tape of several values.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
    /// assert_eq!(Tape::of_all(&[&x.exp(), &x.sin()]).len(), 3);
    /// ```
    pub fn of_all<T: Float>(values: &[&Variable<T>]) -> Tape {
        Gathered::of(values).tape
    }

    /// The tape of several values, leaves among them if one likes, and where each stands on it: the line's
    /// number, and which of its outputs. A value without history stands nowhere.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable, record};
    /// let x = Variable::new(Tensor::from([3.0f64])).requires_grad_(true);
    /// let y = record(|| x.square().sum());
    /// let (tape, places) = Tape::located(&[&x, &y]);
    /// assert_eq!(places, [Some((0, 0)), Some((2, 0))]);
    /// let again = tape.replay_with(&[(0, Variable::new(Tensor::from([5.0f64])))])?;
    /// assert_eq!(again.value(2, 0).unwrap().item()?, 25.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn located<T: Float>(values: &[&Variable<T>]) -> (Tape, Vec<Option<(usize, usize)>>) {
        let Gathered { tape, numbers, .. } = Gathered::of(values);
        let place = |edge: Edge<T>| (numbers[&edge.key()], edge.place().1.unwrap_or(0) as usize);
        (tape, values.iter().map(|value| value.edge().map(place)).collect())
    }

    /// The operations that lie between two values: those that `output` was computed by and that depend on
    /// `input`. They keep their numbers in the whole tape of `output`.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0])).requires_grad_(true);
    /// let w = Variable::new(Tensor::from([3.0f32, 4.0])).requires_grad_(true);
    /// let y = (x.exp() * w.sin()).sum();
    /// let tape = Tape::between(&w, &y);
    /// let names: Vec<_> = tape.entries().iter().map(|entry| &*entry.operation).collect();
    /// assert_eq!(names, ["Sin", "Mul", "Sum"]);
    /// ```
    pub fn between<T: Float>(input: &Variable<T>, output: &Variable<T>) -> Tape {
        let Gathered { tape, numbers, .. } = Gathered::of(&[output]);
        let from = input.edge().and_then(|edge| numbers.get(&edge.key()).copied());
        let mut depends = vec![false; tape.len()];
        for entry in &tape.entries {
            let on_it = |input: &TapeInput| input.number().is_some_and(|i| Some(i) == from || depends[i]);
            depends[entry.number] = entry.inputs.iter().any(on_it);
        }
        tape.filtered(|entry| depends[entry.number])
    }
}

/// A tape while it is put together.
struct Gathered<T: Float> {
    tape: Tape,
    /// Lines by the keys of edges.
    numbers: HashMap<usize, usize>,
    /// Values of leaves by their keys, as operations found them.
    leaves: HashMap<usize, AnyTensor>,
    /// Where leaves are taken first, by their keys.
    scopes: HashMap<usize, u32>,
    of: std::marker::PhantomData<T>,
}

impl<T: Float> Gathered<T> {
    fn of(values: &[&Variable<T>]) -> Self {
        let roots: Vec<Edge<T>> = values.iter().filter_map(|value| value.edge()).collect();
        let roots: Vec<&Edge<T>> = roots.iter().collect();
        let nodes = reachable(&roots);
        let mut gathered = Gathered {
            tape: Tape { entries: Vec::new() },
            numbers: HashMap::new(),
            leaves: HashMap::new(),
            scopes: HashMap::new(),
            of: std::marker::PhantomData,
        };
        nodes.iter().for_each(|node| gathered.note_leaves(node));
        // A leaf that is asked for is there to be read.
        for value in values {
            if let Some(edge @ Edge::Leaf(_)) = value.edge() {
                gathered.leaves.entry(edge.key()).or_insert_with(|| value.value().into());
            }
        }
        let edges = nodes.iter().flat_map(|node| node.inputs.iter().flatten()).chain(roots);
        for edge in edges {
            if let Edge::Leaf(leaf) = edge
                && !gathered.numbers.contains_key(&edge.key())
            {
                gathered.leaf(edge.key(), leaf);
            }
        }
        nodes.iter().for_each(|node| gathered.node(node));
        gathered
    }

    /// Takes note of where leaves were taken first, and of what their values were.
    fn note_leaves(&mut self, node: &NodeRef<T>) {
        for edge in node.inputs.iter().flatten().filter(|edge| matches!(edge, Edge::Leaf(_))) {
            self.scopes.entry(edge.key()).or_insert(node.scope);
        }
        let Some(recorded) = node.kept_recorded() else { return };
        for (edge, value) in node.inputs.iter().zip(&recorded.inputs) {
            if let Some(edge @ Edge::Leaf(_)) = edge {
                self.leaves.entry(edge.key()).or_insert_with(|| value.clone().into());
            }
        }
    }

    fn leaf(&mut self, key: usize, leaf: &Weak<Leaf<T>>) {
        let leaf: Option<Arc<Leaf<T>>> = leaf.upgrade();
        let value = self.leaves.remove(&key);
        let shape = leaf.as_ref().map(|leaf| leaf.shape().to_vec());
        let shape = shape.or_else(|| value.as_ref().map(AnyTensor::shape)).unwrap_or_default();
        let grad = leaf.as_ref().and_then(|leaf| leaf.slot.grad()).map(|grad| grad.value().into());
        let name = leaf.as_ref().and_then(|leaf| leaf.name()).as_deref().unwrap_or_default().to_string();
        let taken = self.scopes.get(&key).filter(|_| !name.is_empty());
        let path = taken.map(|scope| scope::path(*scope)).unwrap_or_default();
        self.push(key, |number| TapeEntry {
            number,
            operation: Cow::Borrowed("leaf"),
            name,
            attributes: Attributes::none(),
            inputs: Vec::new(),
            outputs: vec![TapeValue { shape, value, grad }],
            requires_grad: leaf.is_some(),
            path,
            location: None,
            kept: Vec::new(),
            recompute: Recompute::Leaf,
        });
    }

    fn node(&mut self, node: &NodeRef<T>) {
        let recorded = node.kept_recorded();
        let inputs: Vec<TapeInput> = (0..node.inputs.len())
            .map(|i| match &node.inputs[i] {
                Some(edge) => TapeInput::Value {
                    number: self.numbers[&edge.key()],
                    output: edge.place().1.unwrap_or(0) as usize,
                },
                None => TapeInput::Constant(recorded.map(|recorded| recorded.inputs[i].clone().into())),
            })
            .collect();
        let flows = inputs.iter().filter_map(TapeInput::number).any(|i| self.tape.entries[i].requires_grad);
        let cotangents = recorded.map(|recorded| recorded.cotangents()).unwrap_or_default();
        let value = |(output, shape): (usize, &crate::base::dims::Dims)| TapeValue {
            shape: shape.to_vec(),
            value: recorded.map(|recorded| recorded.outputs[output].clone().into()),
            grad: cotangents.get(output).cloned().flatten().map(AnyTensor::from),
        };
        let outputs = node.shapes.iter().enumerate().map(value).collect();
        let bytes = |value: &crate::tensor::Tensor<T>| value.numel() * size_of::<T>();
        let kept = node.saved_values().into_iter();
        let kept = kept.map(|(place, value)| KeptValue { place, bytes: bytes(&value) }).collect();
        let recompute = self.recompute(node);
        self.push(node.address(), |number| TapeEntry {
            number,
            operation: Cow::Borrowed(node.name()),
            name: String::new(),
            attributes: node.rule().attributes(),
            inputs,
            outputs,
            requires_grad: flows,
            path: scope::path(node.scope),
            location: Some(Line {
                file: Cow::Borrowed(node.location.file()),
                line: node.location.line(),
                column: node.location.column(),
            }),
            kept,
            recompute,
        });
    }

    fn recompute(&self, node: &NodeRef<T>) -> Recompute {
        let rule = node.rule();
        match rule.program() {
            Some(program) => Recompute::Formula(program),
            None if rule.is_own() && is_registered(node.name()) => Recompute::Registered,
            None => Recompute::Opaque,
        }
    }

    fn push(&mut self, key: usize, entry: impl FnOnce(usize) -> TapeEntry) {
        let number = self.tape.entries.len();
        self.numbers.insert(key, number);
        self.tape.entries.push(entry(number));
    }
}
