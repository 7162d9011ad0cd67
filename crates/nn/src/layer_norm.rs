//! Layer normalisation as a module.

use std::fmt;

use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};

use crate::line::answered;
use crate::module;
use crate::repr::{python, tuple};
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// `(x - E[x]) / sqrt(Var[x] + eps) * weight + bias` over the last axes (`torch.nn.LayerNorm`; Ba et al.
/// 2016).
///
/// Parameters: `weight` (ones) and `bias` (zeros), both of the normalised shape; eps 1e-5.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::LayerNorm;
/// let norm = LayerNorm::new([2]);
/// let y = norm.forward(&Tensor::from([[1.0f32, 3.0]]))?;
/// assert!((y.to_vec()[1] - 1.0).abs() < 1e-4);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "LayerNormalization")]
#[derive(Clone, Debug)]
pub struct LayerNorm<T: Float = f32> {
    /// The factor of each normalised element, of the normalised shape.
    pub weight: Parameter<T>,
    /// The summand of each normalised element, of the normalised shape.
    pub bias: Parameter<T>,
    eps: f64,
}

module!(LayerNorm<T> { weight, bias } keep { eps } settings to_string);

impl LayerNorm {
    /// Normalisation over the last axes, which have the extents `normalized_shape`.
    pub fn new(normalized_shape: impl AsRef<[usize]>) -> Self {
        let shape = normalized_shape.as_ref();
        LayerNorm {
            weight: Parameter::new(Tensor::ones(shape)),
            bias: Parameter::new(Tensor::zeros(shape)),
            eps: 1e-5,
        }
    }

    /// Sets `eps`, which is added to the variance; default 1e-5.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }
}

forward!(LayerNorm<T>);

impl<T: Float> Forward for LayerNorm<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let normalized = self.weight.shape();
        if normalized.is_empty() || !x.shape().ends_with(normalized) {
            let expected = format!("an input whose last axes are {normalized:?}");
            return Err(Error::shape("LayerNorm", expected, format!("{:?}", x.shape())));
        }
        let norm = || Ok(x.layer_norm(normalized, Some(&self.weight), Some(&self.bias), self.eps));
        Watch::of(self).output(answered("LayerNorm", norm)?)
    }
}

impl<T: Float> fmt::Display for LayerNorm<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shape, eps) = (tuple(self.weight.shape()), python(self.eps));
        write!(f, "LayerNorm({shape}, eps={eps}, elementwise_affine=True, bias=True)")
    }
}
