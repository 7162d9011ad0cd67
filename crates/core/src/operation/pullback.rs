//! What a pullback is given: the saved values, the cotangents of the outputs, and where those of the inputs go.

use smallvec::SmallVec;

use super::{Flow, Outputs, Wants};
use crate::dims::Dims;
use crate::element::Float;
use crate::error::Error;
use crate::storage::{Claim, Cut};
use crate::tape::accumulate::Term;
use crate::tape::keep::Keep;
use crate::tape::node::Edge;
use crate::tape::recycle::NodeRef;
use crate::tape::visit::Arrivals;
use crate::tape::{anomaly, is_recording};
use crate::tensor::{Region, Tensor};
use crate::variable::Variable;

/// The values that a node saved for its pullback, as variables.
pub struct Saved<'n, T: Float> {
    pub(crate) node: &'n NodeRef<T>,
    values: &'n [Keep<T>],
}

impl<'n, T: Float> Saved<'n, T> {
    #[inline]
    pub(crate) fn new(node: &'n NodeRef<T>, values: &'n [Keep<T>]) -> Self {
        Saved { node, values }
    }

    /// Input `i`; under `create_graph` with its history.
    ///
    /// # Panics
    /// If the operation's [`Saves`](super::Saves) do not name it.
    pub fn input(&self, i: usize) -> Variable<T> {
        let value = self.expect_input(i).clone();
        let edge = if is_recording() { self.node.inputs[i].clone() } else { None };
        Variable::computed(value, edge)
    }

    pub(crate) fn expect_input(&self, i: usize) -> &Tensor<T> {
        let Some(value) = self.tensor(i) else {
            panic!("{}: its pullback asks for input {i}, which it does not save", self.node.name())
        };
        value
    }

    /// How many inputs the operation was applied to.
    pub fn input_count(&self) -> usize {
        self.node.inputs.len()
    }

    /// The value of input `i`, if it was saved.
    #[inline]
    pub(crate) fn tensor(&self, i: usize) -> Option<&Tensor<T>> {
        self.values.get(i).and_then(Keep::get)
    }

    /// Output `k`; under `create_graph` with its history.
    ///
    /// # Panics
    /// If the operation does not save its outputs.
    pub fn output(&self, k: usize) -> Variable<T> {
        let edge = is_recording().then(|| Edge::Node(self.node.clone(), k as u32));
        Variable::computed(self.expect_output(k).clone(), edge)
    }

    pub(crate) fn expect_output(&self, k: usize) -> &Tensor<T> {
        let Some(value) = self.tensor(self.node.inputs.len() + k) else {
            panic!("{}: its pullback asks for output {k}, which it does not save", self.node.name())
        };
        value
    }

    /// The shape of an input that a gradient flows to.
    pub fn input_shape(&self, i: usize) -> Vec<usize> {
        self.input_dims(i).to_vec()
    }

    pub(crate) fn input_dims(&self, i: usize) -> Dims {
        self.node.input_dims(i)
    }
}

/// The cotangents of an operation's outputs; none for an output that nothing came back to.
pub struct Cotangents<T: Float> {
    pub(crate) values: Outputs<Option<Variable<T>>>,
    /// Where they are put together, if they are parts of one tensor.
    pub(crate) parts: Option<Box<Cut<T>>>,
}

impl<T: Float> Cotangents<T> {
    /// Nothing yet, of any number of outputs.
    pub(crate) fn idle() -> Self {
        Cotangents { values: SmallVec::from_buf([None]), parts: None }
    }

    /// Those of `outputs` from now on.
    #[inline]
    pub(crate) fn begin(&mut self, outputs: usize) {
        if self.values.len() != outputs {
            self.values.resize_with(outputs, || None);
        }
    }

    /// Becomes idle; the memory stays.
    #[inline]
    pub(crate) fn end(&mut self) {
        for value in &mut self.values {
            *value = None;
        }
        if let Some(parts) = &mut self.parts {
            parts.end();
        }
    }

    /// The cotangent of output `k`; none stands for zero.
    #[inline]
    pub fn get(&self, k: usize) -> Option<&Variable<T>> {
        self.values[k].as_ref()
    }

    /// The cotangent of an operation's only output.
    #[inline]
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
    arrivals: &'w mut dyn Arrivals<T>,
    node: &'w NodeRef<T>,
    wanted: Wants,
    passed: Option<Passed>,
}

/// An output's cotangent that goes on as an input's.
#[derive(Clone, Copy)]
pub(crate) struct Passed {
    pub(crate) input: usize,
    pub(crate) output: usize,
}

impl<'w, T: Float> Gradients<'w, T> {
    #[inline]
    pub(crate) fn new(arrivals: &'w mut dyn Arrivals<T>, node: &'w NodeRef<T>, wanted: Wants) -> Self {
        Gradients { arrivals, node, wanted, passed: None }
    }

    /// What [`Gradients::pass_on`] was told.
    #[inline]
    pub(crate) fn passed(&self) -> Option<Passed> {
        self.passed
    }

    /// Whether input `i` leads to something that wants a gradient; if not, computing it is wasted.
    #[inline]
    pub fn wants(&self, i: usize) -> bool {
        // An input may be one that an application of the operation can do without.
        if i < 32 { self.wanted.input(i) } else { self.arrivals.wants(i) }
    }

    /// Which inputs do.
    pub(crate) fn wanted(&self) -> Wants {
        self.wanted
    }

    /// Refuses: the walk ends with this error as soon as the pullback returns, and no leaf's gradient changes.
    ///
    /// ```
    /// use wengert_core::{Cotangents, Error, Gradients, Operation, Outputs, Saved, Tensor, Variable};
    ///
    /// /// A value that nothing may be learned through.
    /// struct Sealed;
    ///
    /// impl Operation<f32> for Sealed {
    ///     const NAME: &'static str = "Sealed";
    ///     fn forward(&self, inputs: &[&Tensor]) -> Outputs<Tensor> {
    ///         [inputs[0].clone()].into()
    ///     }
    ///     fn pullback(&self, _: &Saved<'_, f32>, _: &Cotangents<f32>, gradients: &mut Gradients<'_, f32>) {
    ///         gradients.refuse(Error::argument("Sealed", "input", "a constant", "one with history"));
    ///     }
    /// }
    ///
    /// let x = Variable::new(Tensor::from([2.0f32])).requires_grad_(true);
    /// let error = Sealed.apply1(&[&x]).sum().backward().unwrap_err();
    /// assert_eq!(error.to_string(), "Sealed: input must be a constant, got one with history");
    /// ```
    pub fn refuse(&mut self, error: Error) {
        self.arrivals.refuse(error);
    }

    /// Adds a term, of the input's shape, to the cotangent of input `i`.
    ///
    /// # Panics
    /// If it has another shape: a mistake in the rule.
    pub fn add(&mut self, i: usize, cotangent: Variable<T>) {
        self.add_term(i, || Term::Whole(cotangent));
    }

    /// Adds a term of a shape that input `i` was broadcast to, summed to the input's own; the input is wanted.
    #[inline]
    pub(crate) fn add_broadcast_value(&mut self, i: usize, cotangent: Tensor<T>) {
        if self.node.input_has_dims(i, cotangent.dims()) && !anomaly::is_watching() {
            self.arrivals.arrive_value(i, cotangent);
        } else {
            self.add_broadcast(i, Variable::from(cotangent));
        }
    }

    /// Adds the cotangent of output `k` to that of input `i`, which broadcast to it and is wanted.
    #[inline]
    pub(crate) fn add_same(&mut self, i: usize, k: usize, cotangents: &Cotangents<T>) {
        let cotangent = cotangents.get(k).expect("it came");
        if self.may_pass_on(i, cotangent) {
            self.pass_on(i, k);
        } else {
            self.add_broadcast_value(i, cotangent.value());
        }
    }

    /// Whether the cotangent of an output could go on as that of input `i`.
    #[inline]
    pub(crate) fn may_pass_on(&self, i: usize, cotangent: &Variable<T>) -> bool {
        let free = self.passed.is_none() && cotangent.is_plain() && !anomaly::is_watching();
        free && self.node.input_has_dims(i, cotangent.dims())
    }

    /// Lets the cotangent of output `k` go on as a term of that of input `i` when the pullback is done: nothing is counted or copied.
    #[inline]
    pub(crate) fn pass_on(&mut self, i: usize, k: usize) {
        self.passed = Some(Passed { input: i, output: k });
    }

    /// [`Gradients::add_broadcast_value`] for a term with history.
    pub(crate) fn add_broadcast(&mut self, i: usize, cotangent: Variable<T>) {
        let fits = self.node.input_has_dims(i, cotangent.dims());
        let term = if fits { cotangent } else { cotangent.sum_to_dims(&self.node.input_dims(i)) };
        self.arrive(i, Term::Whole(term));
    }

    fn arrive(&mut self, i: usize, term: Term<T>) {
        if anomaly::is_watching() {
            anomaly::look_backward(self.node, i, &term.value().peek());
        }
        self.arrivals.arrive(i, term);
    }

    /// The right to write the cotangent of input `i` to the place where it will be wanted, if there is one.
    #[inline]
    pub(crate) fn claim(&mut self, i: usize) -> Option<Claim<T>> {
        match &self.node.inputs[i] {
            Some(Edge::Node(source, _)) if source.flow != Flow::Through => self.arrivals.claim(i),
            _ => None,
        }
    }

    /// Says that the cotangent of input `i` comes from a product, during which memory for the next pullback can be fetched.
    pub(crate) fn comes_from_product(&self, i: usize) {
        self.node.announce_source(i);
    }

    /// Adds the term `left^T right`, of factors (r, m) and (r, n), to the cotangent of input `i` (m, n). Such terms are
    /// collected and become one product.
    ///
    /// # Panics
    /// If they are no matrices of as many rows, or the input is no matrix of that shape.
    pub fn add_product(&mut self, i: usize, left: Variable<T>, right: Variable<T>) {
        if !self.wants(i) {
            return;
        }
        if anomaly::is_watching() {
            return self.add(i, left.t().matmul(&right));
        }
        let (a, b) = (left.shape(), right.shape());
        assert!(
            a.len() == 2 && b.len() == 2 && a[0] == b[0],
            "{}: a product of {a:?}^T and {b:?}",
            self.node.name()
        );
        let dims = Dims::from(&[a[1], b[1]][..]);
        assert!(
            self.node.input_has_dims(i, &dims),
            "the pullback of {}: expected a cotangent of its input's shape {:?}, got {dims:?}",
            self.node.name(),
            self.node.input_dims(i),
        );
        self.arrivals.arrive_late(i, left, right);
    }

    /// Whether input `i` is a leaf.
    pub(crate) fn is_leaf(&self, i: usize) -> bool {
        matches!(self.node.inputs[i], Some(Edge::Leaf(_)))
    }

    /// Adds a term to a part of the cotangent of input `i` and nothing elsewhere.
    pub(crate) fn add_region(&mut self, i: usize, region: impl FnOnce() -> Region, cotangent: Variable<T>) {
        self.add_term(i, || Term::Part(Box::new((region(), cotangent))));
    }

    fn add_term(&mut self, i: usize, term: impl FnOnce() -> Term<T>) {
        if !self.wants(i) {
            return;
        }
        let term = term();
        assert!(
            self.node.input_has_dims(i, term.dims()),
            "the pullback of {}: expected a cotangent of its input's shape {:?}, got {:?}",
            self.node.name(),
            self.node.input_dims(i),
            term.dims()
        );
        self.arrive(i, term);
    }
}
