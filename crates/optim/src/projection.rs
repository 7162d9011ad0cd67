//! Constraints that parameters are brought back to after a step.

use wengert_core::{Error, Float, Parameter, Result};

/// A set that parameters are brought back to after each step: projected gradient descent.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Optimizer, Projection, Sgd};
/// let w = Parameter::new(Tensor::from([0.1f32, 1.0]));
/// let mut sgd = Sgd::new([w.clone()], 0.5)?;
/// w.sum().backward()?;
/// sgd.step()?;
/// Projection::NonNegative.apply(&[w.clone()])?;
/// assert_eq!(w.to_vec(), [0.0, 0.5]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[doc(alias = "constraint")]
pub enum Projection {
    /// Each element between two numbers.
    Clamp {
        /// The least.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// Elements of 0 or more: those below become 0.
    NonNegative,
    /// Each row, along the last dimension, of 2-norm 1; a row of zeros stays.
    UnitNorm,
}

impl Projection {
    /// Brings the parameters back. A NaN stays.
    ///
    /// # Errors
    /// If `min` is not at most `max`, or a parameter stands for a computed value. Then none has changed.
    pub fn apply<T: Float>(self, parameters: &[Parameter<T>]) -> Result<()> {
        const NAME: &str = "Projection";
        if let Projection::Clamp { min, max } = self
            && (min > max || min.is_nan() || max.is_nan())
        {
            return Err(Error::argument(NAME, "min", format!("at most max, {max}"), min));
        }
        for parameter in parameters {
            if parameter.is_computed() {
                return Err(Error::argument(NAME, "parameters", "ones that can be set", "a computed one"));
            }
        }
        parameters.iter().try_for_each(|parameter| {
            let width = parameter.shape().last().copied().unwrap_or(1).max(1);
            parameter.update(NAME, |values| self.project(values, width))
        })
    }

    fn project<T: Float>(self, values: &mut [T], width: usize) {
        match self {
            Projection::Clamp { min, max } => clamp(values, T::from_f64(min), T::from_f64(max)),
            Projection::NonNegative => clamp(values, T::ZERO, T::from_f64(f64::INFINITY)),
            Projection::UnitNorm => values.chunks_mut(width).for_each(normalize),
        }
    }
}

fn clamp<T: Float>(values: &mut [T], min: T, max: T) {
    for x in values {
        // A NaN is on neither side and stays.
        if *x < min {
            *x = min;
        } else if *x > max {
            *x = max;
        }
    }
}

fn normalize<T: Float>(row: &mut [T]) {
    let squares: f64 = row.iter().map(|x| x.to_f64() * x.to_f64()).sum();
    if squares > 0.0 {
        let norm = squares.sqrt();
        row.iter_mut().for_each(|x| *x = T::from_f64(x.to_f64() / norm));
    }
}
