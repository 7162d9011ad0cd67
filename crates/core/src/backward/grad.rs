//! Derivatives: of a value into its leaves, or of outputs with respect to chosen inputs.

use std::borrow::Borrow;

use smallvec::SmallVec;

use super::plain_sweep;
use super::reachable::leading_to;
use super::sweep::{Seeds, Walk, seed};
use super::targets::Target;
use crate::base::error::{Error, Result};
use crate::base::mode::{Mode, is_plain, with_recording};
use crate::base::refusal::or_refused;
use crate::ops::borrowed;
use crate::tape::float::once;
use crate::tape::leaf::Leaf;
use crate::tape::node::Edge;
use crate::tape::{Float, Variable, capture};
use crate::tensor::Tensor;

/// Options of [`grad`], [`backward`] and [`Variable::backward_options`]: cotangents, and what is kept and
/// recorded.
///
/// ```
/// use wengert_core::GradOptions;
/// let options: GradOptions = GradOptions::default().create_graph(true);
/// assert!(options.retains_graph());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GradOptions<T: Float = f32> {
    retain_graph: Option<bool>,
    create_graph: bool,
    allow_unused: bool,
    cotangents: Option<Vec<Variable<T>>>,
}

impl<T: Float> Default for GradOptions<T> {
    fn default() -> Self {
        GradOptions { retain_graph: None, create_graph: false, allow_unused: false, cotangents: None }
    }
}

impl<T: Float> GradOptions<T> {
    /// Keeps the values that the graph saved, so that it can be gone through again; follows `create_graph`
    /// if not set.
    pub fn retain_graph(mut self, on: bool) -> Self {
        self.retain_graph = Some(on);
        self
    }

    /// Records the derivatives, so that they can be differentiated themselves.
    pub fn create_graph(mut self, on: bool) -> Self {
        self.create_graph = on;
        self
    }

    /// Gives an input that the outputs do not depend on a gradient of zeros instead of an error.
    pub fn allow_unused(mut self, on: bool) -> Self {
        self.allow_unused = on;
        self
    }

    /// One cotangent for each output (`grad_outputs` in PyTorch); scalars need none.
    pub fn cotangents(mut self, cotangents: Vec<Variable<T>>) -> Self {
        self.cotangents = Some(cotangents);
        self
    }

    /// Whether the graph's values will be kept.
    pub fn retains_graph(&self) -> bool {
        self.retain_graph.unwrap_or(self.create_graph)
    }

    /// If there are cotangents, there is one for each output.
    fn check(&self, operation: &'static str, outputs: usize) -> Result<()> {
        match self.cotangents.as_ref().map(Vec::len).filter(|&count| count != outputs) {
            None => Ok(()),
            Some(count) => {
                Err(Error::shape(operation, format!("{outputs} cotangents, one an output"), count))
            }
        }
    }

    fn cotangent(&self, k: usize) -> Option<&Variable<T>> {
        self.cotangents.as_ref().and_then(|all| all.get(k))
    }
}

/// The gradients of `outputs` with respect to `inputs` (`torch.autograd.grad`): for each input `x` the sum
/// over the outputs `y` of `cotangent(y)^T dy/dx`. No leaf's `grad()` changes. Both are given as variables,
/// as parameters or by reference.
///
/// # Errors
/// A non-scalar output without a cotangent, a cotangent of another shape, an output without history, an
/// input that was not used (unless allowed), a graph already freed, memory that the allocator refused.
///
/// ```
/// use wengert_core::{grad, GradOptions, Tensor, Variable};
/// let x = Variable::new(Tensor::scalar(3.0f64)).requires_grad_(true);
/// let y = &x * &x * &x;
/// let first = grad(&[&y], &[&x], GradOptions::default().create_graph(true))?;
/// let second = grad(&first, &[&x], GradOptions::default())?;
/// assert_eq!((first[0].item()?, second[0].item()?), (27.0, 18.0));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "autograd")]
#[doc(alias = "gradient")]
#[doc(alias = "GradientTape")]
pub fn grad<T: Float>(
    outputs: &[impl Borrow<Variable<T>>],
    inputs: &[impl Borrow<Variable<T>>],
    options: GradOptions<T>,
) -> Result<Vec<Variable<T>>> {
    let (outputs, inputs) = (borrowed(outputs), borrowed(inputs));
    or_refused("grad", || gradients(&outputs, &inputs, &options))
}

once! {
    /// [`grad`], but that what the allocator refuses unwinds.
    fn gradients<'r, T>(
        outputs: &'r [&'r Variable<T>],
        inputs: &'r [&'r Variable<T>],
        options: &'r GradOptions<T>,
    ) -> Result<Vec<Variable<T>>> = swept_gradients;
}

fn swept_gradients<T: Float>(
    outputs: &[&Variable<T>],
    inputs: &[&Variable<T>],
    options: &GradOptions<T>,
) -> Result<Vec<Variable<T>>> {
    options.check("grad", outputs.len())?;
    let edge = |variable: &&Variable<T>| {
        capture::edge(Mode::now(), variable).ok_or(Error::NoGraph { operation: "grad" })
    };
    let edges = outputs.iter().map(edge).collect::<Result<Vec<_>>>()?;
    let input_edges = inputs.iter().map(edge).collect::<Result<Vec<_>>>()?;
    let seeded = seeds(outputs, &edges, options)?;
    let found = if is_plain() {
        let relevant = leading_to(&edges.iter().collect::<Vec<_>>(), input_edges.iter().map(Edge::key));
        with_recording(options.create_graph, || {
            let wants = |edge: &Edge<T>| relevant.contains(&edge.key());
            plain_sweep(&seeded, options.retains_graph(), &wants)?.at(&input_edges.iter().collect::<Vec<_>>())
        })?
    } else {
        let targets = input_edges.iter().map(Target::of).collect();
        let edge_refs: Vec<_> = edges.iter().collect();
        let mut walk = Walk::new(options.retains_graph(), options.create_graph).only(&edge_refs, targets);
        walk.begin(seeded);
        walk.run()?;
        with_recording(options.create_graph, || walk.cotangents())?
    };
    let or_zero = |(index, (grad, input)): (usize, (Option<Variable<T>>, &&Variable<T>))| match grad {
        Some(grad) => Ok(grad),
        None if options.allow_unused => Ok(Variable::from(Tensor::zeros(input.shape()))),
        None => Err(Error::Unused { index, shape: format!("{:?}", input.shape()) }),
    };
    found.into_iter().zip(inputs).enumerate().map(or_zero).collect()
}

/// Goes back from several values at once (`torch.autograd.backward`): the sum over the outputs `y` of
/// `cotangent(y)^T dy/dx` is added to [`Variable::grad`] of every leaf `x`, and what the outputs share is
/// gone through once.
///
/// # Errors
/// A non-scalar output without a cotangent, a cotangent of another shape, an output without history, a graph
/// already freed, a hook's gradient of another shape, memory that the allocator refused.
///
/// ```
/// use wengert_core::{backward, GradOptions, Tensor, Variable};
/// let x = Variable::new(Tensor::scalar(3.0f64)).requires_grad_(true);
/// let square = x.square();
/// backward(&[&(&square * 2.0), &square.exp()], &GradOptions::default())?;
/// assert_eq!(x.grad().unwrap().item()?, 6.0 * (2.0 + 9f64.exp()));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn backward<T: Float>(outputs: &[impl Borrow<Variable<T>>], options: &GradOptions<T>) -> Result<()> {
    backward_into(&borrowed(outputs), options, |_| {})
}

/// [`backward`], which shows `reached` each leaf.
pub(crate) fn backward_into<T: Float>(
    outputs: &[&Variable<T>],
    options: &GradOptions<T>,
    mut reached: impl FnMut(&Leaf<T>),
) -> Result<()> {
    or_refused("backward", || swept_into(outputs, options, &mut reached))
}

once! {
    /// [`backward_into`], but that what the allocator refuses unwinds.
    fn swept_into<'r, T>(
        outputs: &'r [&'r Variable<T>],
        options: &'r GradOptions<T>,
        reached: &'r mut dyn FnMut(&Leaf<T>),
    ) -> Result<()> = sweep_into;
}

fn sweep_into<T: Float>(
    outputs: &[&Variable<T>],
    options: &GradOptions<T>,
    reached: &mut dyn FnMut(&Leaf<T>),
) -> Result<()> {
    options.check("backward", outputs.len())?;
    let edges = outputs.iter().map(|output| output.edge().ok_or(Error::NoGraph { operation: "backward" }));
    let edges = edges.collect::<Result<SmallVec<[_; 1]>>>()?;
    let seeded = seeds(outputs, &edges, options)?;
    if is_plain() {
        let wants = |edge: &Edge<T>| match edge {
            Edge::Node(..) => true,
            Edge::Leaf(leaf) => leaf.upgrade().is_some_and(|leaf| leaf.requires_grad()),
        };
        return with_recording(options.create_graph, || {
            let sums = plain_sweep(&seeded, options.retains_graph(), &wants)?;
            for (leaf, gradient) in sums.leaf_gradients()? {
                reached(&leaf);
                leaf.slot.add_grad(gradient);
            }
            Ok(())
        });
    }
    let mut walk = Walk::new(options.retains_graph(), options.create_graph);
    walk.begin(seeded);
    walk.run()?;
    with_recording(options.create_graph, || {
        for (leaf, gradient) in walk.leaf_gradients()? {
            reached(&leaf);
            leaf.slot.add_grad(gradient);
        }
        Ok(())
    })
}

/// The outputs' edges, each with the cotangent that the way back starts with.
fn seeds<'e, T: Float>(
    outputs: &[&Variable<T>],
    edges: &'e [Edge<T>],
    options: &GradOptions<T>,
) -> Result<Seeds<'e, T>> {
    let seeded = outputs.iter().zip(edges).enumerate();
    seeded.map(|(k, (output, edge))| Ok((edge, seed(output, options.cotangent(k))?))).collect()
}
