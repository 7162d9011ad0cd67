//! What an operation is: a forward in tensors and, beside it, a pullback in variables.

use smallvec::{Array, SmallVec};

use crate::dims::Dims;
use crate::element::Float;
use crate::error::Error;
use crate::kernel::claim::{Claim, Parts};
use crate::storage::Holder;
use crate::tape::accumulate::Term;
use crate::tape::anomaly;
use crate::tape::is_recording;
use crate::tape::keep::{Keep, Kept};
use crate::tape::late::MatrixView;
use crate::tape::node::Edge;
use crate::tape::recycle::{NodeRef, Recycled, recorded};
use crate::tape::walk::Arrivals;
use crate::tensor::{Region, Tensor};
use crate::variable::{Peek, Variable};

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
    #[inline]
    pub(crate) const fn inputs(bits: u32) -> Saves {
        Saves { inputs: bits, outputs: false }
    }

    #[inline]
    fn input(self, i: usize) -> bool {
        self.inputs == u32::MAX || (i < 32 && self.inputs & 1 << i != 0)
    }
}

/// What becomes of a cotangent once it is there, known when the operation is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Flow {
    /// Whatever the pullback says.
    Through,
    /// The outputs' cotangents are parts of the only input's, that share no element ([`Operation::part`]).
    Parts,
    /// That of the only output is also that of this input, unchanged.
    On(u8),
}

/// Which inputs (of the first 32) of an operation that is being recorded want a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants(u32);

impl Wants {
    /// No input.
    pub(crate) const NONE: Wants = Wants(0);

    /// With input `i` if it is `wanted`, and of the first 32.
    #[inline(always)]
    pub(crate) fn with(self, i: usize, wanted: bool) -> Self {
        if i < 32 { Wants(self.0 | u32::from(wanted) << i) } else { self }
    }

    /// Those of the first 32 inputs for which `wanted` is true.
    #[inline(always)]
    pub(crate) fn of<V>(inputs: &[V], wanted: impl Fn(&V) -> bool) -> Self {
        let mut wants = Wants::NONE;
        for (i, input) in inputs.iter().enumerate() {
            wants = wants.with(i, wanted(input));
        }
        wants
    }

    /// Whether none of `inputs` inputs does.
    #[inline]
    pub(crate) fn nothing(self, inputs: usize) -> bool {
        self.0 == 0 && inputs <= 32
    }

    /// Whether input `i` does; beyond the first 32, true.
    #[inline]
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
///         gradients.add(0, &x * &x * 3.0 * cotangents.only());
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

    /// For a view of a matrix, input 0 of extents `base`: products that wait to be its cotangent go on through it.
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "for the library's own views")]
    fn matrix_view(&self, _base: &Dims) -> Option<MatrixView> {
        None
    }

    /// What becomes of the outputs' cotangents.
    #[doc(hidden)]
    fn flow(&self) -> Flow {
        Flow::Through
    }

    /// Output `k` as a view of the input, if the flow says so.
    #[doc(hidden)]
    fn part(&self, _base: &Tensor<T>, _k: usize) -> Option<Tensor<T>> {
        None
    }

    /// Runs the operation and, if an input requires a gradient, records it.
    #[track_caller]
    fn apply(self, inputs: &[&Variable<T>]) -> Outputs<Variable<T>> {
        let values: SmallVec<[Peek<'_, T>; 4]> = list(inputs.len(), |i| inputs[i].peek());
        let tensors: SmallVec<[&Tensor<T>; 4]> = list(inputs.len(), |i| &*values[i]);
        let outputs = self.forward(&tensors);
        let node = put_on_tape(self, inputs, &tensors, &outputs);
        let mut variables = Outputs::with_capacity(outputs.len());
        for (k, value) in outputs.into_iter().enumerate() {
            let edge = node.clone().map(|node| Edge::Node(node, k as u32));
            variables.push(Variable::computed(value, edge));
        }
        variables
    }

    /// [`Operation::apply`] for an operation with one output.
    #[track_caller]
    fn apply1(self, inputs: &[&Variable<T>]) -> Variable<T> {
        self.apply(inputs).pop().expect("an operation with one output")
    }
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
    for k in 0..K {
        // The last output takes the handle over: for the common single one no count goes up and down.
        let node = if k + 1 == K { node.take() } else { node.clone() };
        outputs[k].set_history(node.map(|node| Edge::Node(node, k as u32)));
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
fn put_on_tape<T: Float, O: Operation<T>>(
    operation: O,
    inputs: &[&Variable<T>],
    tensors: &[&Tensor<T>],
    outputs: &[Tensor<T>],
) -> Option<NodeRef<T>> {
    if !is_recording() || !inputs.iter().any(|input| input.requires_grad()) {
        return None;
    }
    let location = std::panic::Location::caller();
    if anomaly::is_watching() {
        anomaly::look_forward(O::NAME, location, tensors, outputs);
    }
    Some(recorded(move |node| {
        let edges = inputs.iter().map(|input| input.edge());
        let shapes = outputs.iter().map(|output| output.dims().clone());
        node.record(operation, location, edges, shapes, |saves, holder, kept| {
            keep(saves, tensors, outputs, holder, kept);
        });
    }))
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
    /// If the operation's [`Saves`] do not name it.
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
    pub(crate) parts: Option<Box<Parts<T>>>,
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
}

impl<'w, T: Float> Gradients<'w, T> {
    #[inline]
    pub(crate) fn new(arrivals: &'w mut dyn Arrivals<T>, node: &'w NodeRef<T>, wanted: Wants) -> Self {
        Gradients { arrivals, node, wanted }
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
