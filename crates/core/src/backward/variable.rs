//! What a variable's user asks of the sweep.

use std::collections::HashSet;

use super::grad::{GradOptions, backward, backward_into};
use crate::base::error::Result;
use crate::tape::{AsVariable, Float, Parameter, Variable};

impl<T: Float> Variable<T> {
    /// Adds the gradient of this scalar to [`Variable::grad`] of every leaf it was computed from, and
    /// frees the values that the graph saved.
    ///
    /// Several threads may go back to the same leaves, each through a graph of its own: no gradient is
    /// lost, and whoever looks at [`Variable::grad`] meanwhile sees a whole sum, which does not change
    /// in his hands. The terms are added in the order in which the threads come, so that the last bits
    /// of the sum may differ from run to run. One graph is for one of them, unless all retain it: who
    /// finds its values taken gets [`Error::Freed`](crate::Error::Freed). What takes a gradient and
    /// puts another one there (clipping, a step and [`Variable::zero_grad`] after it) belongs between
    /// the passes: what comes in its midst may be lost.
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

    /// Goes back from a value of any shape: `cotangent^T dy/dx` is added to [`Variable::grad`] of every leaf
    /// `x`, and the values that the graph saved are freed.
    ///
    /// # Errors
    /// If the cotangent has another shape than the variable, the variable has no history, or an earlier
    /// backward has freed the graph.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
    /// x.square().backward_with(&Tensor::from([1.0, 10.0]))?; // a variable as well
    /// assert_eq!(x.grad().unwrap().to_vec(), [2.0, 40.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn backward_with(&self, cotangent: &impl AsVariable<T>) -> Result<()> {
        self.backward_options(Some(&cotangent.as_variable()), &GradOptions::default())
    }

    /// [`Variable::backward`] with all its options; retained, the graph can be gone through again.
    ///
    /// # Errors
    /// If the variable is not a scalar and has no cotangent, the cotangent has another shape, the variable
    /// has no history, or an earlier backward has freed the graph.
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
        backward(&[self], &options)
    }

    /// [`Variable::backward`], and the names of those `parameters` that it brought no gradient: this value
    /// does not depend on them. Frozen ones expect none and are left out; see
    /// [`Parameter::without_gradient`] for the names.
    ///
    /// # Errors
    /// If the variable is not a scalar, has no history, or an earlier backward has freed the graph.
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
        backward_into(&[self], &GradOptions::default(), |leaf| {
            reached.insert(std::ptr::from_ref(leaf) as usize);
        })?;
        Ok(Parameter::lacking(parameters, |parameter| reached.contains(&parameter.id())))
    }
}
