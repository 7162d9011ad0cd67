//! Cross-entropy of probabilities of two classes.

use wengert_core::{AsVariable, Float, Pointwise, Result, Variable, pointwise};

use super::{elements, loss_options, same_shape};
use crate::line::answered;

// PyTorch's logarithms end at -100.
pointwise! {
    struct BinaryCrossEntropy;
    fn eval(p, t) -> 1 {
        [(t - 1.0) * (-p).ln_1p().clamp(-100.0, 0.0) - t * p.ln().clamp(-100.0, 0.0)]
    }
}

// 0 at `at`, the probability itself as a constant, with the gradient that PyTorch's ends at.
pointwise! {
    struct Bounded;
    fn eval(p, t, at) -> 1 { [0.5 * ((p - t) * (p - t) - (at - t) * (at - t)) / 1e-12] }
}

/// The losses, whose gradient `(p - t) / (p (1 - p))` divides by at least 1e-12.
#[track_caller]
fn losses<T: Float>(p: &Variable<T>, t: &Variable<T>) -> Variable<T> {
    let regular = p.value().map(|p| p.to_f64() * (1.0 - p.to_f64()) >= 1e-12);
    if elements(&regular, |all| all.iter().all(|&regular| regular)) {
        return BinaryCrossEntropy.apply1([p, t]);
    }
    let at = p.detach();
    let bounded = Bounded.apply1([p, t, &at]).masked_fill(&regular, 0.0);
    BinaryCrossEntropy.apply1([&p.where_(&regular, &at), t]) + bounded
}

loss_options! {
    /// Options of [`binary_cross_entropy`].
    ///
    /// PyTorch's `weight` of elements is the one that all losses here have, except that it broadcasts from
    /// the first axis, and that the mean divides by the sum of the weights, not by the number of elements.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::BceLoss;
    /// let of = |v: [f64; 2]| Variable::new(Tensor::from(v));
    /// let mask = Tensor::from([true, false]);
    /// let loss = BceLoss::default().mask(&mask).loss(&of([0.5, f64::NAN]), &of([1.0, 0.0]))?;
    /// assert_eq!(loss.item()?, 2f64.ln());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "BCELoss")]
    pub struct BceLoss {}
}

impl<T: Float> BceLoss<T> {
    /// The loss of these probabilities and targets.
    ///
    /// # Errors
    /// If [`binary_cross_entropy`] refuses its inputs, or for a weight or mask that does not fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
        let name = "binary_cross_entropy";
        answered(name, || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            same_shape(name, "a target", input, target)?;
            let counted = self.common.over(name, input.shape())?;
            counted.check(name, "every probability", "in [0, 1]", input, |p| (0.0..=1.0).contains(&p))?;
            let (input, target) = (counted.filled(input, 0.5), counted.filled(target, 0.0));
            Ok(counted.reduce(losses(&input, &target)))
        })
    }
}

/// The mean of `-t ln p - (1 - t) ln(1 - p)` for probabilities `p` and targets `t`
/// (`torch.nn.functional.binary_cross_entropy`); [`BceLoss`] has options.
///
/// A logarithm is at least -100, so the loss is finite at probabilities of 0 and 1; the gradient,
/// `(p - t) / (p (1 - p))`, divides by at least 1e-12, as PyTorch's. The target's gradient is that of
/// the bounded logarithms, where PyTorch's is infinite at 0 and 1. Logits are better left to
/// [`binary_cross_entropy_with_logits`](super::binary_cross_entropy_with_logits).
///
/// # Errors
/// If the shapes differ, or what is to be a probability lies outside [0, 1].
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::binary_cross_entropy;
/// let of = |v: [f64; 2]| Variable::new(Tensor::from(v));
/// assert_eq!(binary_cross_entropy(&of([0.5, 0.0]), &of([1.0, 1.0]))?.item()?, (2f64.ln() + 100.0) / 2.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "binary_crossentropy")]
#[doc(alias = "log_loss")]
#[track_caller]
pub fn binary_cross_entropy<T: Float>(
    input: &impl AsVariable<T>,
    target: &impl AsVariable<T>,
) -> Result<Variable<T>> {
    BceLoss::default().loss(input, target)
}
