//! Where a pullback puts the cotangents of an operation's inputs.
//!
//! There are four ways to add to one: a term of its shape, of a shape that it was broadcast to, to a slice
//! of it, and as the factors of a product that waits for others. Below them stands what only the library's
//! own rules use: writing to where a cotangent will be wanted, and handing one on as it is.

use super::node::Edge;
use super::recycle::NodeRef;
use super::rule::Flow;
use super::term::{Arrivals, Term};
use super::{Cotangents, Float, Variable, Wants, anomaly};
use crate::base::dims::{Dims, axis_of};
use crate::base::error::{Error, expect};
use crate::tensor::storage::Claim;
use crate::tensor::{Region, Tensor, narrow};

/// The place into which a pullback puts the cotangents of the inputs.
pub struct Gradients<'w, T: Float> {
    arrivals: &'w mut dyn Arrivals<T>,
    node: &'w NodeRef<T>,
    wanted: Wants,
    passed: Option<Passed>,
}

impl<T: Float> Gradients<'_, T> {
    /// Whether input `i` leads to something that wants a gradient; if not, computing it is wasted.
    #[inline]
    pub fn wants(&self, i: usize) -> bool {
        // An input may be one that an application of the operation can do without.
        if i < 32 { self.wanted.input(i) } else { self.arrivals.wants(i) }
    }

    /// Adds a term, of the input's shape, to the cotangent of input `i`.
    ///
    /// # Panics
    /// If the term has another shape than the input: a mistake in the rule.
    pub fn add(&mut self, i: usize, cotangent: Variable<T>) {
        self.add_term(i, || Term::Whole(cotangent));
    }

    /// Adds a term of a shape that input `i` was broadcast to: what it was repeated along is summed.
    ///
    /// # Panics
    /// If the input's shape does not broadcast to the term's: a mistake in the rule.
    ///
    /// ```
    /// # use wengert_core::{Cotangents, Gradients, Operation, Outputs, Saved, Tensor, Variable};
    /// /// `x + y`, the shapes broadcast with each other.
    /// struct Plus;
    /// impl Operation<f64> for Plus {
    ///     const NAME: &'static str = "Plus";
    ///     fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
    ///         [(Variable::from(inputs[0].clone()) + Variable::from(inputs[1].clone())).value()].into()
    ///     }
    ///     fn pullback(
    ///         &self,
    ///         _: &Saved<'_, f64>,
    ///         cotangents: &Cotangents<f64>,
    ///         gradients: &mut Gradients<'_, f64>,
    ///     ) {
    ///         (0..2).for_each(|i| gradients.add_broadcast(i, cotangents.only().clone()));
    ///     }
    /// }
    /// let bias = Variable::new(Tensor::from([0.5f64])).requires_grad_(true);
    /// Plus.apply1(&[&Variable::from(Tensor::ones([3, 1])), &bias]).sum().backward()?;
    /// assert_eq!(bias.grad().unwrap().to_vec(), [3.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn add_broadcast(&mut self, i: usize, cotangent: Variable<T>) {
        if self.wants(i) {
            self.arrive_summed(i, cotangent);
        }
    }

    /// Adds a term to the entries of axis `dim` from `start` on of the cotangent of input `i`, as many as
    /// it has, and nothing to the others: the pullback of [`Variable::narrow`].
    ///
    /// # Panics
    /// If that is no part of the input: a mistake in the rule.
    ///
    /// ```
    /// # use wengert_core::{Cotangents, Gradients, Operation, Outputs, Saved, Tensor, Variable};
    /// /// All but the first entry.
    /// struct Tail;
    /// impl Operation<f64> for Tail {
    ///     const NAME: &'static str = "Tail";
    ///     fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
    ///         [inputs[0].narrow(0, 1, inputs[0].shape()[0] - 1).unwrap()].into()
    ///     }
    ///     fn pullback(
    ///         &self,
    ///         _: &Saved<'_, f64>,
    ///         cotangents: &Cotangents<f64>,
    ///         gradients: &mut Gradients<'_, f64>,
    ///     ) {
    ///         gradients.add_slice(0, 0, 1, cotangents.only().clone());
    ///     }
    /// }
    /// let x = Variable::new(Tensor::from([1.0f64, 2.0, 3.0])).requires_grad_(true);
    /// Tail.apply1(&[&x]).square().sum().backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), [0.0, 4.0, 6.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn add_slice(&mut self, i: usize, dim: isize, start: usize, cotangent: Variable<T>) {
        if !self.wants(i) {
            return;
        }
        let (base, shape) = (self.node.input_dims(i), cotangent.shape());
        let axis = expect(axis_of("add_slice", dim, base.len()));
        let length = shape.get(axis).copied().unwrap_or(0);
        let region = expect(Region::of(&base, |axes| narrow(axes, dim, start, length)));
        assert!(
            *region.shape == *shape,
            "the pullback of {}: expected a part of shape {:?}, got {shape:?}",
            self.node.name(),
            region.shape
        );
        self.add_region(i, || region, cotangent);
    }

    /// Adds the term `left^T right`, of factors (r, m) and (r, n), to the cotangent of input `i` (m, n).
    /// Such terms are collected and become one product.
    ///
    /// # Panics
    /// If the factors are no matrices of as many rows, or the input is no matrix of that shape.
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

    /// Ends the backward with this error as soon as the pullback returns; no leaf's gradient changes.
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

    /// Which inputs do.
    pub(crate) fn wanted(&self) -> Wants {
        self.wanted
    }

    /// [`Gradients::add_broadcast`] for a value without history; the input is wanted.
    #[inline]
    pub(crate) fn add_value(&mut self, i: usize, cotangent: Tensor<T>) {
        if self.node.input_has_dims(i, cotangent.dims()) && !anomaly::is_watching() {
            self.arrivals.arrive_value(i, cotangent);
        } else {
            self.arrive_summed(i, Variable::from(cotangent));
        }
    }

    /// Adds the cotangent of output `k` to that of input `i`, which broadcast to it and is wanted.
    #[inline]
    pub(crate) fn add_same(&mut self, i: usize, k: usize, cotangents: &Cotangents<T>) {
        let cotangent = cotangents.get(k).expect("it came");
        if self.may_pass_on(i, cotangent) {
            self.pass_on(i, k);
        } else {
            self.add_value(i, cotangent.value());
        }
    }

    /// Whether the cotangent of an output could go on as that of input `i`.
    #[inline]
    pub(crate) fn may_pass_on(&self, i: usize, cotangent: &Variable<T>) -> bool {
        let free = self.passed.is_none() && cotangent.is_plain() && !anomaly::is_watching();
        free && self.node.input_has_dims(i, cotangent.dims())
    }

    /// Lets the cotangent of output `k` go on as a term of that of input `i` when the pullback is done:
    /// nothing is counted or copied.
    #[inline]
    pub(crate) fn pass_on(&mut self, i: usize, k: usize) {
        self.passed = Some(Passed { input: i, output: k });
    }

    /// Sends a term of a shape that input `i`, which is wanted, was broadcast to.
    pub(crate) fn arrive_summed(&mut self, i: usize, cotangent: Variable<T>) {
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

    /// Says that the cotangent of input `i` comes from a product, during which memory for the next pullback
    /// can be fetched.
    pub(crate) fn comes_from_product(&self, i: usize) {
        self.node.announce_source(i);
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
