//! What a pullback is given: the values that were saved for it, and the cotangents of the outputs.

use smallvec::SmallVec;

use super::keep::Keep;
use super::node::Edge;
use super::recycle::NodeRef;
use super::{Float, Outputs, Variable};
use crate::base::dims::Dims;
use crate::base::mode::is_recording;
use crate::tensor::Tensor;
use crate::tensor::storage::Cut;

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
    /// If the operation's [`Saves`](crate::Saves) do not name it.
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

    /// Whether there are no outputs, which is never so.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
