//! Parameters: the leaves that training changes.

use std::ops::Deref;

use super::Variable;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::tape::Leaf;
use crate::tensor::Tensor;

/// A leaf variable that a model owns and an optimizer changes.
///
/// It requires a gradient from the start, and a clone is the same parameter: that is how weights are tied.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// let w = Parameter::new(Tensor::from([1.0f32, 2.0]));
/// assert_eq!(w.to_string(), "Parameter containing:\ntensor([1., 2.], requires_grad=True)");
/// w.update("step", |values| values.iter_mut().for_each(|v| *v *= 10.0))?;
/// assert_eq!(w.to_vec(), vec![10.0, 20.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Parameter<T: Float = f32> {
    variable: Variable<T>,
}

impl<T: Float> Deref for Parameter<T> {
    type Target = Variable<T>;
    #[inline]
    fn deref(&self) -> &Variable<T> {
        &self.variable
    }
}

impl<T: Float> Parameter<T> {
    /// A parameter with this initial value.
    pub fn new(value: Tensor<T>) -> Self {
        Parameter { variable: Variable::from_leaf(Leaf::new(value, true, true)) }
    }

    fn own_leaf(&self) -> &Leaf<T> {
        self.variable.leaf().expect("a parameter is a leaf")
    }

    /// An identity of the parameter: equal for clones, different for all others that live.
    pub fn id(&self) -> usize {
        std::ptr::from_ref(self.own_leaf()) as usize
    }

    /// Freezes (false) or unfreezes the parameter: what is recorded from now on asks no gradient for it.
    pub fn set_requires_grad(&self, on: bool) {
        self.own_leaf().set_requires_grad(on);
    }

    /// A parameter of its own with a copy of the value, in any element type, frozen if this one is; without gradient.
    pub fn copy<U: Float>(&self) -> Parameter<U> {
        let copy = Parameter::new(self.peek().cast::<U>());
        copy.set_requires_grad(self.requires_grad());
        copy
    }

    /// Replaces the value by one of the same shape.
    ///
    /// # Errors
    /// If the shape differs.
    pub fn set_value(&self, value: Tensor<T>) -> Result<()> {
        if value.shape() != self.shape() {
            return Err(Error::shape(
                "set_value",
                format!("{:?}", self.shape()),
                format!("{:?}", value.shape()),
            ));
        }
        *self.own_leaf().value_mut() = value;
        Ok(())
    }

    /// Whether [`Parameter::update`] would be refused.
    ///
    /// # Errors
    /// [`Error::InPlace`] as there.
    pub fn check_update(&self, operation: &'static str) -> Result<()> {
        self.peek().storage().refuse_if_saved(operation, self.shape())
    }

    /// Changes the elements in place. Plain tensors that share the storage keep the old values.
    ///
    /// # Errors
    /// [`Error::InPlace`] if a recorded operation still needs the value: its backward would be wrong.
    pub fn update(&self, operation: &'static str, change: impl FnOnce(&mut [T])) -> Result<()> {
        change(self.own_leaf().value_mut().detach_mut(operation)?);
        Ok(())
    }
}
