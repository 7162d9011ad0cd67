//! Draws of a class that a gradient goes through.

use wengert_core::{
    AsVariable, Cotangents, Error, Float, Gradients, Operation, Outputs, Result, Saved, Tensor, Variable,
};

use crate::line::answered;

/// A relaxed draw of a class: `softmax((logits + g) / tau)` along axis `dim`, with `g = -ln(-ln u)`, `u` from
/// U(0, 1) by this thread's generator (`torch.nn.functional.gumbel_softmax`, whose defaults are tau 1 and the
/// last axis; Jang et al. 2016, arXiv 1611.01144, Maddison et al. 2016, arXiv 1611.00712). The largest
/// element is at a class with the probability that the softmax of the logits gives it; a smaller `tau` brings
/// the others nearer to 0. It is drawn in evaluation too.
///
/// # Errors
/// If `tau` is not positive and finite, or there is no memory for the draws.
///
/// # Panics
/// If there is no axis `dim`.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::gumbel_softmax;
/// let logits = Tensor::<f64>::zeros([4, 3]);
/// let drawn = gumbel_softmax(&logits, 0.5, -1)?;
/// assert!(drawn.sum_dim(&[-1]).to_vec().iter().all(|sum| (sum - 1.0).abs() < 1e-12));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "RelaxedOneHotCategorical")]
#[track_caller]
pub fn gumbel_softmax<T: Float>(logits: &impl AsVariable<T>, tau: f64, dim: isize) -> Result<Variable<T>> {
    let logits = logits.as_variable();
    if !(tau > 0.0 && tau.is_finite()) {
        return Err(Error::argument("gumbel_softmax", "tau", "above 0 and finite", tau));
    }
    answered("gumbel_softmax", || {
        let gumbel = |u: f64| -(-u.max(f64::MIN_POSITIVE).ln()).ln();
        let noise = Tensor::<f64>::rand(logits.shape()).map(gumbel).cast::<T>();
        Ok(((logits + Variable::from(noise)) / tau).softmax(dim))
    })
}

/// A draw of a class as a row of zeros and a one along axis `dim`, with the derivative of the relaxed draw
/// [`gumbel_softmax`] that it is made of (`torch.nn.functional.gumbel_softmax` with `hard=True`; the
/// straight-through estimator of Jang et al. 2016, arXiv 1611.01144). The one is at the first largest
/// element.
///
/// # Errors
/// If `tau` is not positive and finite, or there is no memory for the draws.
///
/// # Panics
/// If there is no axis `dim`.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::gumbel_softmax_hard;
/// let logits = Variable::new(Tensor::from([0.0f32, 90.0, 0.0])).requires_grad_(true);
/// let drawn = gumbel_softmax_hard(&logits, 1.0, -1)?;
/// assert_eq!(drawn.to_vec(), [0.0, 1.0, 0.0]);
/// drawn.select(0, 1).backward()?;
/// assert!(logits.grad().is_some());
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "OneHotCategoricalStraightThrough")]
#[track_caller]
pub fn gumbel_softmax_hard<T: Float>(
    logits: &impl AsVariable<T>,
    tau: f64,
    dim: isize,
) -> Result<Variable<T>> {
    let relaxed = gumbel_softmax(logits, tau, dim)?;
    answered("gumbel_softmax_hard", || Ok(StraightThrough(largest(&relaxed, dim)).apply1(&[&relaxed])))
}

/// A one at the first largest element along an axis, zeros elsewhere.
#[track_caller]
fn largest<T: Float>(x: &Variable<T>, dim: isize) -> Tensor<T> {
    let (places, axis) = (x.argmax(dim).to_vec(), dim.rem_euclid(x.rank() as isize) as usize);
    let (extent, inner) = (x.shape()[axis], x.shape()[axis + 1..].iter().product::<usize>());
    Tensor::from_fn(x.shape(), |i| {
        let (row, at) = (i / (extent * inner) * inner + i % inner, i / inner % extent);
        if places[row] == at as i64 { T::ONE } else { T::ZERO }
    })
}

/// A value in the place of another, with that one's derivative.
struct StraightThrough<T: Float>(Tensor<T>);

impl<T: Float> Operation<T> for StraightThrough<T> {
    const NAME: &'static str = "StraightThrough";

    fn forward(&self, _: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [self.0.clone()].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, cotangents.only().clone());
    }
}
