//! What an operation is: a forward in tensors and, beside it, a pullback in variables.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::dims::Dims;
use crate::element::Float;
use crate::tape::accumulate::Term;
use crate::tape::is_recording;
use crate::tape::node::{Edge, Head, Kept, Node, NodeRef};
use crate::tensor::{Region, Tensor};
use crate::variable::Variable;

/// The outputs of an operation; nearly always one.
pub type Outputs<V> = SmallVec<[V; 1]>;

/// Which values an operation's pullback needs, so that no others stay in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saves {
    inputs: u32,
    outputs: bool,
}

impl Saves {
    /// The pullback needs no values.
    pub const NOTHING: Saves = Saves { inputs: 0, outputs: false };
    /// The pullback needs every input.
    pub const INPUTS: Saves = Saves { inputs: u32::MAX, outputs: false };
    /// The pullback needs the outputs.
    pub const OUTPUTS: Saves = Saves { inputs: 0, outputs: true };

    /// The pullback needs input `i` (of the first 32), too.
    pub const fn and_input(self, i: u32) -> Saves {
        Saves { inputs: self.inputs | 1 << i, outputs: self.outputs }
    }

    /// The inputs whose bits are set.
    pub(crate) const fn inputs(bits: u32) -> Saves {
        Saves { inputs: bits, outputs: false }
    }

    fn input(self, i: usize) -> bool {
        self.inputs == u32::MAX || (i < 32 && self.inputs & 1 << i != 0)
    }
}

/// Which inputs (of the first 32) of an operation that is being recorded want a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants(u32);

impl Wants {
    /// Whether input `i` does; beyond the first 32, true.
    pub fn input(self, i: usize) -> bool {
        i >= 32 || self.0 & 1 << i != 0
    }
}

/// A differentiable operation on variables, built in or a user's own.
///
/// `forward` computes tensors; `pullback` maps cotangents of the outputs to cotangents of the inputs and is
/// written with operations on variables. An ordinary backward runs it unrecorded; under
/// `create_graph` the same rule is recorded, and that is where derivatives of every order come from.
///
/// ```
/// use wengert_core::{Cotangents, Gradients, Operation, Outputs, Saved, Saves, Tensor, Variable, Wants};
///
/// /// `x^3`, with its derivative `3 x^2`.
/// struct Cube;
///
/// impl Operation<f64> for Cube {
///     const NAME: &'static str = "Cube";
///     fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
///         [inputs[0].map(|x| x * x * x)].into()
///     }
///     fn saves(&self, _: Wants) -> Saves {
///         Saves::INPUTS
///     }
///     fn pullback(&self, saved: &Saved<'_, f64>, cotangents: &Cotangents<f64>, gradients: &mut Gradients<'_, f64>) {
///         let x = saved.input(0);
///         gradients.add(0, &(x * x) * 3.0 * cotangents.only());
///     }
/// }
///
/// let x = Variable::new(Tensor::from([2.0f64])).requires_grad_(true);
/// Cube.apply(&[&x])[0].sum().backward()?;
/// assert_eq!(x.grad().unwrap().item()?, 12.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Operation<T: Float>: Send + Sync + Sized + 'static {
    /// The name on the tape and in `grad_fn`.
    const NAME: &'static str;

    /// The outputs; the inputs' shapes have been checked or are checked here, by panicking.
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>>;

    /// Which values the pullback will ask for, given which inputs want a gradient.
    fn saves(&self, _: Wants) -> Saves {
        Saves::NOTHING
    }

    /// Adds to `gradients` what the `cotangents` of the outputs make of those of the inputs.
    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>);

    /// Runs the operation and, if an input requires a gradient, records it.
    #[track_caller]
    fn apply(self, inputs: &[&Variable<T>]) -> Outputs<Variable<T>> {
        let values: SmallVec<[_; 4]> = inputs.iter().map(|input| input.peek()).collect();
        let tensors: SmallVec<[&Tensor<T>; 4]> = values.iter().map(|value| &**value).collect();
        let outputs = self.forward(&tensors);
        match put_on_tape(self, inputs, &tensors, &outputs) {
            None => outputs.into_iter().map(|value| Variable::computed(value, None)).collect(),
            Some(node) => {
                let edge = |k: usize| Some(Edge::Node(Arc::clone(&node), k as u32));
                outputs.into_iter().enumerate().map(|(k, value)| Variable::computed(value, edge(k))).collect()
            }
        }
    }

    /// [`Operation::apply`] for an operation with one output.
    #[track_caller]
    fn apply1(self, inputs: &[&Variable<T>]) -> Variable<T> {
        self.apply(inputs).pop().expect("an operation with one output")
    }
}

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
    let mut k = 0;
    outputs.map(|value| {
        k += 1;
        // The last output takes the handle over: for the common single one no count goes up and down.
        let node = if k == K { node.take() } else { node.clone() };
        Variable::computed(value, node.map(|node| Edge::Node(node, k as u32 - 1)))
    })
}

/// The node of an operation, if it is to be recorded.
#[track_caller]
#[inline]
fn put_on_tape<T: Float, O: Operation<T>>(
    operation: O,
    inputs: &[&Variable<T>],
    tensors: &[&Tensor<T>],
    outputs: &[Tensor<T>],
) -> Option<NodeRef<T>> {
    if !is_recording() || !inputs.iter().any(|input| input.requires_grad()) {
        return None;
    }
    let mut edges: SmallVec<[Option<Edge<T>>; 2]> = SmallVec::with_capacity(inputs.len());
    inputs.iter().for_each(|input| edges.push(input.edge()));
    let wants = edges.iter().take(32).enumerate().map(|(i, edge)| u32::from(edge.is_some()) << i);
    let saves = operation.saves(Wants(wants.sum()));
    let mut shapes: SmallVec<[Dims; 1]> = SmallVec::with_capacity(outputs.len());
    outputs.iter().for_each(|output| shapes.push(output.dims().clone()));
    let mut kept: Kept<T> = SmallVec::new();
    if saves != Saves::NOTHING {
        (0..tensors.len())
            .for_each(|i| kept.push(saves.input(i).then(|| Variable::computed(tensors[i].clone(), None))));
        if saves.outputs {
            outputs.iter().for_each(|output| kept.push(Some(Variable::computed(output.clone(), None))));
        }
    }
    let location = std::panic::Location::caller();
    Some(Arc::new(Node { head: Head::new(edges, shapes, kept, &O::NAME, location), rule: operation }))
}

/// The values that a node saved for its pullback, as variables.
pub struct Saved<'n, T: Float> {
    node: &'n NodeRef<T>,
    values: SmallVec<[Option<Variable<T>>; 2]>,
}

impl<'n, T: Float> Saved<'n, T> {
    #[inline]
    pub(crate) fn new(node: &'n NodeRef<T>, values: SmallVec<[Option<Variable<T>>; 2]>) -> Self {
        Saved { node, values }
    }

    /// Input `i`.
    ///
    /// # Panics
    /// If the operation's [`Saves`] do not name it.
    pub fn input(&self, i: usize) -> &Variable<T> {
        match self.values.get(i) {
            Some(Some(value)) => value,
            _ => panic!("{}: its pullback asks for input {i}, which it does not save", self.node.name()),
        }
    }

    /// Input `i`, if it was saved.
    #[inline]
    pub(crate) fn find_input(&self, i: usize) -> Option<&Variable<T>> {
        self.values.get(i).and_then(Option::as_ref)
    }

    /// Whether input `i`, to which a gradient flows, has these extents.
    #[inline]
    pub(crate) fn fits_input(&self, i: usize, dims: &Dims) -> bool {
        match &self.node.head.inputs[i] {
            Some(Edge::Node(source, output)) => source.head.shapes[*output as usize] == *dims,
            _ => self.input_dims(i) == *dims,
        }
    }

    /// Output `k`.
    ///
    /// # Panics
    /// If the operation does not save its outputs.
    pub fn output(&self, k: usize) -> &Variable<T> {
        match self.values.get(self.node.head.inputs.len() + k) {
            Some(Some(value)) => value,
            _ => panic!("{}: its pullback asks for output {k}, which it does not save", self.node.name()),
        }
    }

    /// The shape of an input that a gradient flows to.
    pub fn input_shape(&self, i: usize) -> Vec<usize> {
        self.input_dims(i).to_vec()
    }

    pub(crate) fn input_dims(&self, i: usize) -> Dims {
        let shape = self.node.head.inputs[i].as_ref().and_then(Edge::shape);
        shape.expect("a gradient that is wanted has a shape")
    }
}

/// The cotangents of an operation's outputs; none for an output that nothing came back to.
pub struct Cotangents<T: Float> {
    pub(crate) values: Outputs<Option<Variable<T>>>,
}

impl<T: Float> Cotangents<T> {
    #[inline]
    pub(crate) fn none(outputs: usize) -> Self {
        let mut values = SmallVec::with_capacity(outputs);
        (0..outputs).for_each(|_| values.push(None));
        Cotangents { values }
    }

    /// The cotangent of output `k`; none stands for zero.
    pub fn get(&self, k: usize) -> Option<&Variable<T>> {
        self.values[k].as_ref()
    }

    /// The cotangent of an operation's only output.
    pub fn only(&self) -> &Variable<T> {
        self.values[0].as_ref().expect("a node is visited only if something came back to it")
    }

    /// The cotangent of some output; all have the same shape in a pointwise operation.
    #[inline]
    pub(crate) fn any(&self) -> &Variable<T> {
        self.values.iter().flatten().next().expect("a node is visited only if something came back to it")
    }

    /// How many outputs the operation has.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Never true: an operation has outputs.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Where a pullback puts the cotangents of the inputs.
pub struct Gradients<'w, T: Float> {
    wanted: &'w dyn Fn(usize) -> bool,
    pub(crate) terms: SmallVec<[(usize, Term<T>); 2]>,
}

impl<'w, T: Float> Gradients<'w, T> {
    pub(crate) fn new(wanted: &'w dyn Fn(usize) -> bool) -> Self {
        Gradients { wanted, terms: SmallVec::new() }
    }

    /// Whether input `i` leads to something that wants a gradient; if not, computing it is wasted.
    pub fn wants(&self, i: usize) -> bool {
        (self.wanted)(i)
    }

    /// Adds a term, of the input's shape, to the cotangent of input `i`.
    pub fn add(&mut self, i: usize, cotangent: Variable<T>) {
        if self.wants(i) {
            self.terms.push((i, Term::Whole(cotangent)));
        }
    }

    /// Adds a term to a part of the cotangent of input `i` and nothing elsewhere.
    pub(crate) fn add_region(&mut self, i: usize, region: impl FnOnce() -> Region, cotangent: Variable<T>) {
        if self.wants(i) {
            self.terms.push((i, Term::Part(Box::new((region(), cotangent)))));
        }
    }
}
