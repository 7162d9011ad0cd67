//! A variable's gradient, and the hooks that it passes on its way.

use std::panic::Location;
use std::sync::Arc;

use super::Float;
use super::leaf::{Hook, HookId, Slot};
use super::node::Edge;
use super::variable::{Repr, Variable};

impl<T: Float> Variable<T> {
    fn slot(&self) -> Option<&Slot<T>> {
        match &self.repr {
            Repr::Leaf(leaf) => Some(&leaf.slot),
            Repr::Computed { slot, .. } => slot.as_deref(),
        }
    }

    /// The gradient that backward has brought to this leaf (or, after [`Variable::retain_grad`], to this
    /// value).
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
    #[doc(alias = "zero_grad_")]
    pub fn zero_grad(&self) {
        if let Some(slot) = self.slot() {
            slot.set_grad(None);
        }
    }

    /// Asks that a backward leave this intermediate value's gradient in [`Variable::grad`] of the returned
    /// handle.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::scalar(3.0f64)).requires_grad_(true);
    /// let y = (&x * 2.0).retain_grad();
    /// (&y * &y).backward()?;
    /// assert_eq!(y.grad().unwrap().item()?, 12.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[must_use = "the gradient is left at the handle that this gives"]
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
    /// hook returns takes its place. For an intermediate value the hook lives as long as this handle and
    /// its later clones.
    ///
    /// What it returns has the shape of what it was given; else that backward is an
    /// [`Error::Hook`](crate::Error::Hook), which names the line of this call, and changes no leaf's
    /// gradient. Hooks run before any leaf's gradient changes.
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
    #[doc(alias = "hook")]
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
