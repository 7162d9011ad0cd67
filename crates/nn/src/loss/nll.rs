//! Negative log-likelihood of classes.

use wengert_core::{AsVariable, Float, Result, Tensor, Variable};

use super::classes::CountedRows;
use super::{IGNORE, loss_options};
use crate::line::answered;

loss_options! {
    /// Options of [`nll_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::NllLoss;
    /// let logp = Variable::new(Tensor::from([[-1.0f64, -2.0], [-3.0, -4.0]]));
    /// let loss = NllLoss::default().class_weight(&Tensor::from([1.0, 3.0]));
    /// assert_eq!(loss.loss(&logp, &Tensor::from([0i64, 1]))?.item()?, (1.0 + 3.0 * 4.0) / 4.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "NLLLoss")]
    pub struct NllLoss {
        /// The target that does not count; default [`IGNORE`], -100.
        ignore_index: i64 = IGNORE;
    }
    with { class_weight: Option<Tensor<T>> }
}

impl<T: Float> NllLoss<T> {
    /// The weight of each class, of shape (C), PyTorch's `weight`; default 1.
    pub fn class_weight(mut self, class_weight: &Tensor<T>) -> Self {
        self.class_weight = Some(class_weight.clone());
        self
    }

    /// The loss of these log-probabilities and classes.
    ///
    /// # Errors
    /// If [`nll_loss`] refuses its inputs, or for a weight, a weight of classes or a mask that does not fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, targets: &Tensor<i64>) -> Result<Variable<T>> {
        answered("nll_loss", || {
            let input = &input.as_variable();
            let settings = (self.class_weight.as_ref(), self.ignore_index);
            let rows = CountedRows::of(
                ("nll_loss", "log-probabilities"),
                &self.common,
                settings,
                input.shape(),
                targets,
            )?;
            let CountedRows { mut counted, targets, by_class } = rows;
            let mut column = targets.shape().to_vec();
            let index = targets.map(|class| class.max(0));
            column.push(1);
            let index = index.reshape(&column)?;
            let losses = -counted.filled(input, 0.0).gather(-1, &index).reshape(targets.shape());
            if let Some(by_class) = by_class {
                counted.weigh(by_class)?;
            }
            Ok(counted.reduce(losses))
        })
    }
}

/// `-input[target]`, the mean over all targets but those equal to [`IGNORE`], for log-probabilities as
/// `log_softmax` gives them (`torch.nn.functional.nll_loss`); [`NllLoss`] has options.
///
/// `input` (N, C) or (C) with targets (N) or (); more leading axes, as (T, N, C) with (T, N), are samples
/// too. Where nothing counts the mean is 0.
///
/// # Errors
/// If the shapes don't fit or a target is no class.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::nll_loss;
/// let logp = Variable::new(Tensor::from([[-1.0f64, -2.0], [-3.0, -4.0]]));
/// assert_eq!(nll_loss(&logp, &Tensor::from([0i64, 1]))?.item()?, 2.5);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn nll_loss<T: Float>(input: &impl AsVariable<T>, targets: &Tensor<i64>) -> Result<Variable<T>> {
    NllLoss::default().loss(input, targets)
}
