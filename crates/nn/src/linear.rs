//! The affine layer.

use std::fmt;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};

use crate::line::answered;
use crate::module;
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// `x W^T + b` (`torch.nn.Linear`): input (.., in), output (.., out).
///
/// Parameters: `weight` (out, in) and `bias` (out), both from U(-1/sqrt(in), 1/sqrt(in)).
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::Linear;
/// let linear = Linear::new(3, 2)?;
/// assert_eq!(linear.forward(&Tensor::zeros([4, 5, 3]))?.shape(), &[4, 5, 2]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "Dense")]
#[derive(Clone, Debug)]
pub struct Linear<T: Float = f32> {
    /// The weight `W` (out, in).
    pub weight: Parameter<T>,
    /// The bias `b` (out), if there is one.
    pub bias: Option<Parameter<T>>,
}

module!(Linear<T> { weight, bias });

impl Linear {
    /// A layer from inputs of width `in_features` to outputs of width `out_features`, with bias.
    ///
    /// # Errors
    /// If `in_features` is zero, or there is no memory for so many weights.
    pub fn new(in_features: usize, out_features: usize) -> Result<Self> {
        Linear::with_bias(in_features, out_features, true)
    }

    /// A layer from inputs of width `in_features` to outputs of width `out_features`, without bias
    /// (`bias=False`).
    ///
    /// # Errors
    /// If `in_features` is zero, or there is no memory for so many weights.
    pub fn without_bias(in_features: usize, out_features: usize) -> Result<Self> {
        Linear::with_bias(in_features, out_features, false)
    }

    fn with_bias(in_features: usize, out_features: usize, bias: bool) -> Result<Self> {
        if in_features == 0 {
            return Err(Error::argument("Linear", "in_features", "at least 1", in_features));
        }
        let bound = 1.0 / (in_features as f64).sqrt();
        let initial = |shape: &[usize]| Parameter::new(Tensor::uniform(shape, -bound, bound));
        or_refused("Linear", || {
            Ok(Linear {
                weight: initial(&[out_features, in_features]),
                bias: bias.then(|| initial(&[out_features])),
            })
        })
    }
}

forward!(Linear<T>);

impl<T: Float> Forward for Linear<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let width = self.weight.shape()[1];
        if x.shape().last() != Some(&width) {
            return Err(Error::shape(
                "Linear",
                format!("an input whose last axis is {width}"),
                format!("{:?}", x.shape()),
            ));
        }
        let affine = || Ok(x.linear(&self.weight, self.bias.as_deref()));
        Watch::of(self).output(answered("Linear", affine)?)
    }
}

impl<T: Float> fmt::Display for Linear<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [outputs, inputs] = [0, 1].map(|axis| self.weight.shape()[axis]);
        let bias = if self.bias.is_some() { "True" } else { "False" };
        write!(f, "Linear(in_features={inputs}, out_features={outputs}, bias={bias})")
    }
}
