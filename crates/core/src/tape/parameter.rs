//! Parameters: the leaves that training changes.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use super::Variable;
use super::changing::Changing;
use super::leaf::Leaf;
use crate::base::error::{Error, Result};
use crate::tape::Float;
use crate::tensor::Tensor;

const FIXED: &str = "expected a parameter that can change, got one that stands for a computed value";

/// A leaf variable that a model owns and an optimizer changes.
///
/// It requires a gradient from the start, and a clone is the same parameter: that is how weights are tied.
/// In arithmetic it stands for its variable, beside variables, tensors and numbers.
///
/// Several threads may read one while another changes it: each operand of an operation is the value before
/// or after a change, never half of one, and nobody hangs. A graph that saved the value keeps the one it was
/// recorded with.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// let w = Parameter::new(Tensor::from([1.0f32, 2.0]));
/// assert_eq!(w.to_string(), "Parameter containing:\ntensor([1., 2.], requires_grad=True)");
/// w.update("step", |values| values.iter_mut().for_each(|v| *v *= 10.0))?;
/// assert_eq!(w.to_vec(), vec![10.0, 20.0]);
/// assert_eq!((&w * Tensor::from([1.0f32, 0.5]) - 1).to_vec(), vec![9.0, 9.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Parameter<T: Float = f32> {
    variable: Variable<T>,
    /// This handle's: a module's walk gives the path, so one parameter may go by several.
    name: Option<Arc<str>>,
}

impl<T: Float> Deref for Parameter<T> {
    type Target = Variable<T>;
    #[inline]
    fn deref(&self) -> &Variable<T> {
        &self.variable
    }
}

impl<T: Float> Borrow<Variable<T>> for Parameter<T> {
    fn borrow(&self) -> &Variable<T> {
        self
    }
}

impl<T: Float> Borrow<Variable<T>> for &Parameter<T> {
    fn borrow(&self) -> &Variable<T> {
        self
    }
}

impl<T: Float> Parameter<T> {
    /// A parameter with this initial value.
    pub fn new(value: Tensor<T>) -> Self {
        Parameter { variable: Variable::from_leaf(Leaf::new(value, true, true)), name: None }
    }

    /// A handle to the same parameter that goes by this name in messages, as do its clones. What a module's
    /// `parameters()` gives is named by its place in the module.
    ///
    /// ```
    /// # use wengert_core::{Parameter, Tensor};
    /// let w = Parameter::new(Tensor::from([1.0f32])).named("scale");
    /// assert_eq!(w.clone().name(), Some("scale"));
    /// ```
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        if let Some(leaf) = self.variable.leaf() {
            leaf.call(&name);
        }
        self.name = Some(name);
        self
    }

    /// The handle's name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The names of those `parameters` that require a gradient and have none: the backward passes since the
    /// gradients were forgotten did not reach them. One without a name is called by its place in the list and
    /// its shape; a tied one comes once. [`Variable::backward_reporting`] tells it of a single backward.
    ///
    /// ```
    /// # use wengert_core::{Parameter, Tensor};
    /// let [a, b, c] = [1.0f32, 2.0, 3.0].map(|x| Parameter::new(Tensor::from([x])));
    /// let all = [a.clone(), b.named("b"), c];
    /// a.square().sum().backward()?;
    /// assert_eq!(Parameter::without_gradient(&all), ["b", "parameter 2 of shape [1]"]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn without_gradient(parameters: &[Parameter<T>]) -> Vec<String> {
        Parameter::lacking(parameters, |parameter| parameter.grad().is_some())
    }

    /// The names of those that require a gradient and have not got one.
    pub(crate) fn lacking(parameters: &[Parameter<T>], has: impl Fn(&Parameter<T>) -> bool) -> Vec<String> {
        let mut seen = HashSet::new();
        let each = parameters.iter().enumerate();
        each.filter(|(_, parameter)| {
            parameter.requires_grad() && !has(parameter) && seen.insert(parameter.id())
        })
        .map(|(i, parameter)| match parameter.name() {
            Some(name) => name.to_string(),
            None => format!("parameter {i} of shape {:?}", parameter.shape()),
        })
        .collect()
    }

    /// A computed value in the place of a parameter: in a copy of a module whose parameters are functions
    /// of others (a weight with dropout, a weight that another network computes,
    /// `torch.func.functional_call`), or a leaf that is no parameter. Its value can't be changed.
    ///
    /// ```
    /// # use wengert_core::{Parameter, Tensor};
    /// let w = Parameter::new(Tensor::from([1.0f32]));
    /// let halved = Parameter::computed(&*w * 0.5);
    /// halved.sum().backward()?;
    /// assert_eq!(w.grad().unwrap().to_vec(), vec![0.5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[must_use]
    pub fn computed(value: Variable<T>) -> Self {
        Parameter { variable: value, name: None }
    }

    /// Whether the parameter stands for a computed value ([`Parameter::computed`]), which can't be set.
    ///
    /// ```
    /// # use wengert_core::{Parameter, Tensor};
    /// let w = Parameter::new(Tensor::from([1.0f32]));
    /// assert!(Parameter::computed(&*w * 0.5).is_computed() && !w.is_computed());
    /// ```
    pub fn is_computed(&self) -> bool {
        self.variable.leaf().is_none_or(|leaf| !leaf.is_parameter())
    }

    /// # Panics
    /// If it stands for a computed value.
    #[track_caller]
    fn own_leaf(&self) -> &Leaf<T> {
        let Some(leaf) = self.variable.leaf() else { self.is_fixed() };
        leaf
    }

    #[track_caller]
    fn changing(&self) -> &Changing<T> {
        let Some(value) = self.own_leaf().changing() else { self.is_fixed() };
        value
    }

    #[cold]
    #[track_caller]
    fn is_fixed(&self) -> ! {
        panic!("{}: {FIXED}", self.name().unwrap_or("parameter"))
    }

    /// An identity of the parameter: equal for clones, different for all others that live.
    pub fn id(&self) -> usize {
        self.variable.identity()
    }

    /// Freezes (false) or unfreezes the parameter: what is recorded from now on asks no gradient for it.
    pub fn set_requires_grad(&self, on: bool) {
        self.own_leaf().set_requires_grad(on);
    }

    /// A parameter of its own with a copy of the value, in any element type, of the same name, frozen if
    /// this one is; without gradient.
    pub fn copy<U: Float>(&self) -> Parameter<U> {
        let mut copy = Parameter::new(self.peek().cast::<U>());
        copy.name.clone_from(&self.name);
        copy.set_requires_grad(self.requires_grad());
        copy
    }

    /// Replaces the value by one of the same shape.
    ///
    /// # Errors
    /// If the shape differs from the parameter's.
    ///
    /// # Panics
    /// If the parameter stands for another variable ([`Parameter::computed`]).
    #[track_caller]
    pub fn set_value(&self, value: Tensor<T>) -> Result<()> {
        if value.shape() != self.shape() {
            return Err(Error::shape(
                "set_value",
                format!("{:?}", self.shape()),
                format!("{:?}", value.shape()),
            ));
        }
        self.changing().set(value);
        Ok(())
    }

    /// Changes the elements in place. If the closure panics, they stay as it left them.
    ///
    /// Whoever else holds the value keeps the old one, and the parameter gets a storage of its own, which
    /// takes memory for one more copy as long as that lasts: plain tensors; an operation of another thread
    /// that reads the parameter at this moment; a graph that still needs the value, because an output is kept
    /// that was not differentiated, or the graph was retained. Such a graph's gradients are those at the old
    /// value. A [`checkpoint`](crate::checkpoint) that captured the parameter would compute with the new one
    /// again, so its backward is refused.
    ///
    /// # Errors
    /// If there is no memory for the copy; then nothing has changed.
    ///
    /// # Panics
    /// If the parameter stands for another variable ([`Parameter::computed`]). If the closure reads the
    /// parameter it changes, or another one whose change by another thread waits for it: read before what it
    /// needs.
    #[track_caller]
    pub fn update(&self, operation: &'static str, change: impl FnOnce(&mut [T])) -> Result<()> {
        self.changing().update(operation, change)
    }
}
