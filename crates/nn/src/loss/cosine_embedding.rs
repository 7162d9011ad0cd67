//! How well the angle of two vectors says whether they belong together.

use wengert_core::{AsVariable, Error, Float, Pointwise, Result, Tensor, Variable, pointwise};

use super::{elements, loss_options, option_in, place};
use crate::line::answered;

/// The loss in messages.
const NAME: &str = "cosine_embedding_loss";

// Of the product and the squares of both lengths; PyTorch's constant keeps vectors of zeros from a division
// by 0.
pointwise! {
    struct CosineEmbedding { margin }
    fn eval(product, first, second, target) -> 1 {
        [{
            let cosine = product / ((first + 1e-12) * (second + 1e-12)).sqrt();
            let apart = (cosine - margin).relu();
            R::select(target.gt(0.0), 1.0 - cosine, apart)
        }]
    }
}

loss_options! {
    /// Options of [`cosine_embedding_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::CosineEmbeddingLoss;
    /// let x = Variable::new(Tensor::from([[1.0f64, 0.0]]));
    /// let loss = CosineEmbeddingLoss::default().margin(0.25).loss(&x, &x, &Tensor::from([-1i64]))?;
    /// assert!((loss.item()? - 0.75).abs() < 1e-9);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct CosineEmbeddingLoss {
        /// The cosine from which on vectors that do not belong together are too close; default 0.
        margin: f64 = 0.0;
    }
}

impl<T: Float> CosineEmbeddingLoss<T> {
    /// The loss of these vectors and targets.
    ///
    /// # Errors
    /// If [`cosine_embedding_loss`] refuses its inputs, for a margin that is no finite number, or for a
    /// weight or mask that does not fit.
    #[track_caller]
    pub fn loss(
        &self,
        input1: &impl AsVariable<T>,
        input2: &impl AsVariable<T>,
        target: &Tensor<i64>,
    ) -> Result<Variable<T>> {
        answered(NAME, || {
            let (input1, input2) = (&input1.as_variable(), &input2.as_variable());
            let margin = self.margin;
            option_in(NAME, "margin", margin, true, "finite")?;
            let leading = checked_shapes(input1.shape(), input2.shape(), target.shape())?;
            let counted = self.common.over(NAME, leading)?;
            check_target(&counted, target)?;
            let (a, b) = (counted.filled(input1, 1.0), counted.filled(input2, 1.0));
            let (product, first, second) =
                ((&a * &b).sum_dim(&[-1]), a.square().sum_dim(&[-1]), b.square().sum_dim(&[-1]));
            let target = Variable::from(target.cast());
            Ok(counted.reduce(CosineEmbedding { margin }.apply1([&product, &first, &second, &target])))
        })
    }
}

/// The axes of the samples.
fn checked_shapes<'s>(input1: &'s [usize], input2: &[usize], target: &[usize]) -> Result<&'s [usize]> {
    let fits = |leading: &[usize]| input1 == input2 && leading == target;
    match input1.split_last() {
        Some((_, leading)) if fits(leading) => Ok(leading),
        _ => {
            let expected = "vectors (N, D) or (D), twice, and targets (N) or ()";
            Err(Error::shape(NAME, expected, format!("{input1:?}, {input2:?} and {target:?}")))
        }
    }
}

/// Refuses targets other than 1 and -1 where they count.
fn check_target<T: Float>(counted: &super::counted::Counted<T>, target: &Tensor<i64>) -> Result<()> {
    let mut bad = None;
    elements(target, |all| {
        counted.weight_of(|weight| {
            bad = (0..all.len())
                .find(|&at| ![1, -1].contains(&all[at]) && weight(at) > 0.0)
                .map(|at| format!("{} at {}", all[at], place(target.shape(), at)));
        });
    });
    bad.map_or(Ok(()), |got| Err(Error::argument(NAME, "every target", "1 or -1", got)))
}

/// The mean of `1 - cos(a, b)` where the target is 1, and of `max(0, cos(a, b))` where it is -1, for pairs of
/// vectors (`torch.nn.functional.cosine_embedding_loss`); [`CosineEmbeddingLoss`] has options.
///
/// Vectors (N, D) or (D) with targets (N) or (); more leading axes, as (T, N, D) with (T, N), are samples
/// too.
///
/// # Errors
/// If the shapes don't fit or a target is neither 1 nor -1.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::cosine_embedding_loss;
/// let a = Variable::new(Tensor::from([[1.0f64, 0.0], [1.0, 0.0]]));
/// let b = Variable::new(Tensor::from([[0.0f64, 2.0], [3.0, 0.0]]));
/// let loss = cosine_embedding_loss(&a, &b, &Tensor::from([1i64, -1]))?;
/// assert!((loss.item()? - 1.0).abs() < 1e-9);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn cosine_embedding_loss<T: Float>(
    input1: &impl AsVariable<T>,
    input2: &impl AsVariable<T>,
    target: &Tensor<i64>,
) -> Result<Variable<T>> {
    CosineEmbeddingLoss::default().loss(input1, input2, target)
}
