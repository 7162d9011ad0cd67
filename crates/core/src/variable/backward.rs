//! Gradients of a variable: asking for them, and watching them pass.

use std::collections::HashSet;
use std::panic::Location;
use std::sync::Arc;

use super::{Parameter, Repr, Variable};
use crate::element::Float;
use crate::error::Result;
use crate::tape::node::Edge;
use crate::tape::{GradOptions, Hook, HookId, Slot};

impl<T: Float> Variable<T> {
    /// Adds the gradient of this scalar to [`Variable::grad`] of every leaf it was computed from, and
    /// frees the values that the graph saved.
    ///
    /// Several threads may go back to the same leaves, each through a graph of its own: no gradient is lost, and whoever looks at
    /// [`Variable::grad`] meanwhile sees a whole sum, which does not change in his hands. The terms are added in the order in which the threads
    /// come, so that the last bits of the sum may differ from run to run. One graph is for one of them, unless all retain it: who finds
    /// its values taken gets [`Error::Freed`](crate::Error::Freed). What takes a gradient and puts another one there (clipping, a step
    /// and [`Variable::zero_grad`] after it) belongs between the passes: what comes in its midst may be lost.
    ///
    /// # Errors
    /// If the variable is not a scalar ([`Variable::backward_with`] takes a cotangent), has no history, or
    /// an earlier backward has freed the graph.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let w = Variable::new(Tensor::from([2.0f32, 3.0])).requires_grad_(true);
    /// let loss = (&w * &w).sum();
    /// loss.backward()?;
    /// assert_eq!(w.grad().unwrap().to_vec(), vec![4.0, 6.0]);
    /// assert!(loss.backward().unwrap_err().to_string().starts_with("backward through freed values: Mul"));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn backward(&self) -> Result<()> {
        self.backward_options(None, &GradOptions::default())
    }

    /// Like [`Variable::backward`] for a value of any shape: leaves `x` get `cotangent^T dy/dx`.
    ///
    /// # Errors
    /// As `backward`, and if the cotangent has another shape.
    pub fn backward_with(&self, cotangent: &Variable<T>) -> Result<()> {
        self.backward_options(Some(cotangent), &GradOptions::default())
    }

    /// [`Variable::backward`] with all its options; retained, the graph can be gone through again.
    ///
    /// ```
    /// # use wengert_core::{GradOptions, Tensor, Variable};
    /// let x = Variable::new(Tensor::scalar(3.0f64)).requires_grad_(true);
    /// let y = &x * &x;
    /// y.backward_options(None, &GradOptions::default().retain_graph(true))?;
    /// y.backward()?;
    /// assert_eq!(x.grad().unwrap().item()?, 12.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn backward_options(&self, cotangent: Option<&Variable<T>>, options: &GradOptions<T>) -> Result<()> {
        let options = match cotangent {
            None => options.clone(),
            Some(cotangent) => options.clone().cotangents(vec![cotangent.clone()]),
        };
        crate::tape::backward(&[self], &options)
    }

    /// [`Variable::backward`], and the names of those `parameters` that it brought no gradient: this value does not depend
    /// on them. Frozen ones expect none and are left out; see [`Parameter::without_gradient`] for the names.
    ///
    /// # Errors
    /// As `backward`.
    ///
    /// ```
    /// # use wengert_core::{Parameter, Tensor};
    /// let [body, head] = ["body", "head"].map(|name| Parameter::new(Tensor::from([2.0f32])).named(name));
    /// let loss = body.square().sum(); // the head was forgotten
    /// assert_eq!(loss.backward_reporting(&[body, head])?, ["head"]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn backward_reporting(&self, parameters: &[Parameter<T>]) -> Result<Vec<String>> {
        let mut reached = HashSet::new();
        crate::tape::backward_into(&[self], &GradOptions::default(), |leaf| {
            reached.insert(std::ptr::from_ref(leaf) as usize);
        })?;
        Ok(Parameter::lacking(parameters, |parameter| reached.contains(&parameter.id())))
    }

    fn slot(&self) -> Option<&Slot<T>> {
        match &self.repr {
            Repr::Leaf(leaf) => Some(&leaf.slot),
            Repr::Computed { slot, .. } => slot.as_deref(),
        }
    }

    /// The gradient that backward has brought to this leaf (or, after [`Variable::retain_grad`], to this value).
    pub fn grad(&self) -> Option<Variable<T>> {
        self.slot().and_then(Slot::grad)
    }

    /// Replaces the gradient, by one of the same shape, or by none.
    ///
    /// # Panics
    /// If the gradient has another shape, or the variable keeps no gradient.
    #[track_caller]
    pub fn set_grad(&self, grad: Option<Variable<T>>) {
        if let Some(grad) = &grad {
            assert!(
                grad.shape() == self.shape(),
                "set_grad: expected shape {:?}, got {:?}",
                self.shape(),
                grad.shape()
            );
        }
        self.slot()
            .expect("set_grad: only a leaf or a value that retains its gradient has one")
            .set_grad(grad);
    }

    /// Forgets the gradient (`zero_grad(set_to_none=True)`).
    pub fn zero_grad(&self) {
        if let Some(slot) = self.slot() {
            slot.set_grad(None);
        }
    }

    /// Asks that a backward leave this intermediate value's gradient in [`Variable::grad`] of the returned handle.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::scalar(3.0f64)).requires_grad_(true);
    /// let y = (&x * 2.0).retain_grad();
    /// (&y * &y).backward()?;
    /// assert_eq!(y.grad().unwrap().item()?, 12.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn retain_grad(mut self) -> Self {
        if let Some(slot) = self.watch() {
            slot.retain();
        }
        self
    }

    /// The slot that watches this intermediate value; made at the first call. None for leaves.
    fn watch(&mut self) -> Option<&Arc<Slot<T>>> {
        match &mut self.repr {
            Repr::Computed { edge: Some(Edge::Node(node, output)), slot, .. } => {
                Some(slot.get_or_insert_with(|| {
                    let fresh = Arc::new(Slot::new());
                    node.watch(*output, &fresh);
                    fresh
                }))
            }
            _ => None,
        }
    }

    /// Calls `hook` with the gradient of this variable whenever a backward has finished it; what the
    /// hook returns takes its place. For an intermediate value the hook lives as long as this handle and its later clones.
    ///
    /// What it returns has the shape of what it was given; else that backward is an [`Error::Hook`](crate::Error::Hook), which names
    /// the line of this call, and changes no leaf's gradient. Hooks run before any leaf's gradient changes.
    ///
    /// # Panics
    /// If the variable requires no gradient.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::scalar(3.0f64)).requires_grad_(true);
    /// let mut y = &x * 2.0;
    /// let id = y.register_hook(|gradient| Some(gradient * 10.0));
    /// y.backward()?;
    /// assert_eq!(x.grad().unwrap().item()?, 20.0);
    /// assert!(y.remove_hook(id));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn register_hook(
        &mut self,
        hook: impl Fn(&Variable<T>) -> Option<Variable<T>> + Send + Sync + 'static,
    ) -> HookId {
        assert!(self.requires_grad(), "register_hook: the variable requires no gradient");
        let (hook, location): (Hook<T>, _) = (Arc::new(hook), Location::caller());
        match self.watch() {
            Some(slot) => slot.add_hook(hook, location),
            None => self.slot().expect("a leaf has a slot").add_hook(hook, location),
        }
    }

    /// Removes a hook; false if it was not there.
    pub fn remove_hook(&self, id: HookId) -> bool {
        self.slot().is_some_and(|slot| slot.remove_hook(id))
    }
}
