//! Dropout.

use crate::base::error::{Error, Result};
use crate::base::refusal::or_refused;
use crate::ops::formula::Pointwise;
use crate::ops::registry::{Listed, formula};
use crate::random::with_generator;
use crate::tape::Float;
use crate::tape::Variable;
use crate::tensor::Tensor;
use crate::tensor::memory;

/// The formula, named as it appears on the tape.
mod formula {
    use crate::pointwise;

    pointwise! { pub struct Dropout; fn eval(x, keep) -> 1 { [x * keep] } }
}

/// A mask of `1 / (1 - p)` with probability `1 - p`, else 0; all zeros for `p = 1`.
pub(crate) fn dropout_mask<T: Float>(shape: &[usize], p: f64) -> Tensor<T> {
    let kept = T::from_f64(if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 });
    let mut keep = Tensor::<bool>::unspecified(shape);
    with_generator(|generator| generator.fill_bernoulli(1.0 - p, keep.fresh_mut()));
    keep.map(|keep| if keep { kept } else { T::ZERO })
}

impl<T: Float> Variable<T> {
    /// Each element set to zero with probability `p`, the others scaled by `1 / (1 - p)`, with this
    /// thread's generator (`torch.nn.functional.dropout` in training).
    ///
    /// # Errors
    /// If `p` is not a probability, or there is no memory for mask and result.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::<f32>::ones([100])).dropout(0.5)?;
    /// assert!(x.to_vec().iter().all(|&v| v == 0.0 || v == 2.0));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn dropout(&self, p: f64) -> Result<Variable<T>> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::argument("dropout", "p", "in [0, 1]", p));
        }
        if p == 0.0 {
            return Ok(self.clone());
        }
        memory::room_for::<T>("dropout", self.shape())?;
        let mask = Variable::from(or_refused("dropout", || Ok(dropout_mask(self.shape(), p)))?);
        // The mask may have taken the last that there was.
        memory::room_for::<T>("dropout", self.shape())?;
        Ok(formula::Dropout.apply1([self, &mask]))
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![formula!(formula Dropout [Any Mask])]
}
