//! Cross-entropy of logits of two classes.

use wengert_core::{AsVariable, Error, Float, Pointwise, Result, Tensor, Variable, pointwise};

use super::{loss_options, same_shape};
use crate::line::answered;

// The exponential of a number that is not positive, and no difference of large numbers; at 0 both branches
// have the same derivative.
pointwise! {
    struct BinaryCrossEntropyWithLogits;
    fn eval(x, t, positive) -> 1 {
        [{
            let (zero, below) = (0.0, x.lt(0.0));
            let bend = R::select(below, x, -x).exp().ln_1p();
            let miss = bend + R::select(below, zero, x);
            let hit = bend + R::select(below, -x, zero);
            t * positive * hit + (1.0 - t) * miss
        }]
    }
}

loss_options! {
    /// Options of [`binary_cross_entropy_with_logits`].
    ///
    /// PyTorch's `weight` of elements is the one that all losses here have, except that it broadcasts from
    /// the first axis, and that the mean divides by the sum of the weights, not by the number of elements.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::BceWithLogitsLoss;
    /// let of = |v: [f64; 2]| Variable::new(Tensor::from(v));
    /// let loss = BceWithLogitsLoss::default().pos_weight(&Tensor::scalar(3.0));
    /// let loss = loss.loss(&of([0.0, 0.0]), &of([1.0, 0.0]))?;
    /// assert!((loss.item()? - 2.0 * 2f64.ln()).abs() < 1e-12);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "BCEWithLogitsLoss")]
    pub struct BceWithLogitsLoss {}
    with { pos_weight: Option<Tensor<T>> }
}

impl<T: Float> BceWithLogitsLoss<T> {
    /// The weight of the loss of a positive example, broadcast to the input from its last axis, as (C) for
    /// inputs (N, C); default 1.
    pub fn pos_weight(mut self, pos_weight: &Tensor<T>) -> Self {
        self.pos_weight = Some(pos_weight.clone());
        self
    }

    /// The loss of these logits and targets.
    ///
    /// # Errors
    /// If [`binary_cross_entropy_with_logits`] refuses its inputs, or for a weight, a weight of positive
    /// examples or a mask that does not fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
        answered("binary_cross_entropy_with_logits", || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            let name = "binary_cross_entropy_with_logits";
            same_shape(name, "a target", input, target)?;
            let counted = self.common.over(name, input.shape())?;
            let positive = match &self.pos_weight {
                None => Tensor::scalar(T::from_f64(1.0)),
                Some(weight) => weight.expand(input.shape()).map_err(|_| {
                    let expected = format!("a pos_weight that broadcasts to {:?}", input.shape());
                    Error::shape(name, expected, format!("{:?}", weight.shape()))
                })?,
            };
            let (input, target) = (counted.filled(input, 0.0), counted.filled(target, 0.0));
            let losses = BinaryCrossEntropyWithLogits.apply1([&input, &target, &Variable::from(positive)]);
            Ok(counted.reduce(losses))
        })
    }
}

/// The mean of `-t ln s(x) - (1 - t) ln(1 - s(x))` for logits `x` and targets `t`, where `s` is the sigmoid
/// (`torch.nn.functional.binary_cross_entropy_with_logits`); [`BceWithLogitsLoss`] has options.
///
/// Neither sigmoid nor logarithm is computed by itself: logits of any size have their loss and gradient.
///
/// # Errors
/// If the shapes differ: nothing broadcasts here.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::binary_cross_entropy_with_logits;
/// let of = |v: [f64; 2]| Variable::new(Tensor::from(v));
/// assert_eq!(binary_cross_entropy_with_logits(&of([1e4, -1e4]), &of([1.0, 1.0]))?.item()?, 5e3);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "sigmoid_cross_entropy")]
#[track_caller]
pub fn binary_cross_entropy_with_logits<T: Float>(
    input: &impl AsVariable<T>,
    target: &impl AsVariable<T>,
) -> Result<Variable<T>> {
    BceWithLogitsLoss::default().loss(input, target)
}
