//! Normalisation by the root mean square.

use std::fmt;

use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};

use crate::line::answered;
use crate::module;
use crate::repr::{python, tuple};
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// `x / sqrt(E[x^2] + eps) * weight` over the last axes (`torch.nn.RMSNorm`; Zhang and Sennrich 2019, arXiv
/// 1910.07467).
///
/// Parameter: `weight` (ones) of the normalised shape; eps is the distance from 1 to the next number of the
/// element type, unless another is set.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::RmsNorm;
/// let norm = RmsNorm::new([2]);
/// let y = norm.forward(&Tensor::from([[3.0f32, 4.0]]))?;
/// assert!((y.to_vec()[0] - 3.0 / 12.5f32.sqrt()).abs() < 1e-6);
/// assert_eq!(norm.to_string(), "RMSNorm((2,), eps=None, elementwise_affine=True)");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "RMSNorm")]
#[doc(alias = "RMSNormalization")]
#[derive(Clone, Debug)]
pub struct RmsNorm<T: Float = f32> {
    /// The factor of each normalised element, of the normalised shape, if there is one.
    pub weight: Option<Parameter<T>>,
    shape: Vec<usize>,
    eps: Option<f64>,
}

module!(RmsNorm<T> { weight } keep { shape, eps } settings to_string);

impl RmsNorm {
    /// Normalisation over the last axes, which have the extents `normalized_shape`.
    #[must_use]
    pub fn new(normalized_shape: impl AsRef<[usize]>) -> Self {
        let shape = normalized_shape.as_ref().to_vec();
        RmsNorm { weight: Some(Parameter::new(Tensor::ones(&shape))), shape, eps: None }
    }

    /// Normalisation without a weight (`elementwise_affine=False`).
    #[must_use]
    pub fn without_weight(normalized_shape: impl AsRef<[usize]>) -> Self {
        RmsNorm { weight: None, shape: normalized_shape.as_ref().to_vec(), eps: None }
    }

    /// Sets `eps`, which is added to the mean square.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = Some(eps);
        self
    }
}

forward!(RmsNorm<T>);

impl<T: Float> Forward for RmsNorm<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        if self.shape.is_empty() || !x.shape().ends_with(&self.shape) {
            let expected = format!("an input whose last axes are {:?}", self.shape);
            return Err(Error::shape("RMSNorm", expected, format!("{:?}", x.shape())));
        }
        let own = if T::NAME == "f32" { f64::from(f32::EPSILON) } else { f64::EPSILON };
        let axes: Vec<isize> = (1..=self.shape.len() as isize).map(|back| -back).collect();
        let norm = || {
            let scale = (x.square().mean_keepdim(&axes) + self.eps.unwrap_or(own)).rsqrt();
            let normed = x * scale;
            Ok(match &self.weight {
                Some(weight) => normed * &**weight,
                None => normed,
            })
        };
        Watch::of(self).output(answered("RMSNorm", norm)?)
    }
}

impl<T: Float> fmt::Display for RmsNorm<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let eps = self.eps.map_or("None".to_string(), python);
        let affine = if self.weight.is_some() { "True" } else { "False" };
        write!(f, "RMSNorm({}, eps={eps}, elementwise_affine={affine})", tuple(&self.shape))
    }
}
