//! Cross-entropy of logits and classes, or probabilities of classes.

use std::borrow::Cow;

use wengert_core::{AsVariable, Error, Float, Result, Tensor, Variable};

use super::classes::{CountedRows, check_class_weight, check_input};
use super::counted::{in_units, unit_of};
use super::{IGNORE, Reduction, loss_options, option_in};
use crate::line::answered;

/// The loss in messages.
const NAME: &str = "cross_entropy";

loss_options! {
    /// Options of [`cross_entropy`].
    ///
    /// With weights of classes `w` and smoothing `s`, a row with target `y` among C classes has the loss
    /// `-(1 - s) w[y] ln p[y] - s / C sum_c w[c] ln p[c]`, and counts by `w[y]` in the mean. A row whose
    /// target is probabilities `q` has `-sum_c w[c] ((1 - s) q[c] + s / C) ln p[c]`, and counts by 1.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::CrossEntropyLoss;
    /// let logits = Variable::new(Tensor::<f64>::zeros([3, 4]));
    /// let targets = Tensor::from([0i64, 3, -1]);
    /// let loss = CrossEntropyLoss::default().label_smoothing(0.1).ignore_index(-1).loss(&logits, &targets)?;
    /// assert!((loss.item()? - 4f64.ln()).abs() < 1e-12);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct CrossEntropyLoss {
        /// The target that does not count; default [`IGNORE`], -100. Probabilities have none.
        ignore_index: i64 = IGNORE;
        /// The part of each target that all classes share evenly, in [0, 1]; default 0.
        label_smoothing: f64 = 0.0;
        /// The axis of the classes; default -1, the last one. With 1 the layout is PyTorch's, logits
        /// (N, C, d1, ..) and targets (N, d1, ..).
        class_dim: isize = -1;
    }
    with { class_weight: Option<Tensor<T>> }
}

/// Targets that [`cross_entropy`] compares logits with: classes, a `Tensor<i64>` with an element for each
/// row, or probabilities of all classes, a `Variable` of the logits' shape.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::cross_entropy;
/// let logits = Variable::new(Tensor::from([[1.0f64, 2.0]]));
/// let class = cross_entropy(&logits, &Tensor::from([1i64]))?;
/// let sure = cross_entropy(&logits, &Variable::new(Tensor::from([[0.0, 1.0]])))?;
/// assert!((class.item()? - sure.item()?).abs() < 1e-15);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Targets<T: Float>: sealed::Sealed {
    /// The loss with these options, of logits whose last axis is that of the classes.
    #[doc(hidden)]
    #[track_caller]
    fn cross_entropy(&self, options: &CrossEntropyLoss<T>, logits: &Variable<T>) -> Result<Variable<T>>;
}

mod sealed {
    use wengert_core::{Float, Tensor, Variable};

    pub trait Sealed {}
    impl Sealed for Tensor<i64> {}
    impl<T: Float> Sealed for Variable<T> {}
}

impl<T: Float> CrossEntropyLoss<T> {
    /// The weight of each class, of shape (C), PyTorch's `weight`; default 1.
    pub fn class_weight(mut self, class_weight: &Tensor<T>) -> Self {
        self.class_weight = Some(class_weight.clone());
        self
    }

    /// The loss of these logits and targets.
    ///
    /// # Errors
    /// If [`cross_entropy`] refuses its inputs, for a smoothing outside [0, 1], an axis that the logits have
    /// not, or a weight, a weight of classes or a mask that does not fit.
    #[track_caller]
    pub fn loss(&self, logits: &impl AsVariable<T>, targets: &impl Targets<T>) -> Result<Variable<T>> {
        answered(NAME, || {
            let logits = &logits.as_variable();
            let smoothing = self.label_smoothing;
            let fits = (0.0..=1.0).contains(&smoothing);
            option_in(NAME, "label_smoothing", smoothing, fits, "in [0, 1]")?;
            targets.cross_entropy(self, &self.classes_last(logits)?)
        })
    }

    /// With the axis of the classes moved to the end.
    #[track_caller]
    fn classes_last(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let rank = x.rank() as isize;
        if self.class_dim == -1 || self.class_dim == rank - 1 {
            return Ok(x.clone());
        }
        if !(-rank..rank).contains(&self.class_dim) {
            let expected = format!("an axis of {:?}", x.shape());
            return Err(Error::argument(NAME, "class_dim", expected, self.class_dim));
        }
        let dim = self.class_dim.rem_euclid(rank);
        let order: Vec<isize> = (0..rank).filter(|&axis| axis != dim).chain([dim]).collect();
        Ok(x.permute(&order))
    }

    /// The same mean with weights of classes whose sums and reciprocals are numbers.
    fn in_units(&self) -> Cow<'_, Self> {
        match &self.class_weight {
            Some(weight) if self.common.reduction == Reduction::Mean && unit_of(weight) != 1.0 => {
                Cow::Owned(self.clone().class_weight(&in_units(weight, unit_of(weight))))
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// `sum_c w[c] ln p[c]` of each row, or without weights.
    #[track_caller]
    fn weighted(&self, log_p: Variable<T>) -> Variable<T> {
        match &self.class_weight {
            None => log_p,
            Some(weight) => log_p * weight,
        }
    }
}

impl<T: Float> Targets<T> for Tensor<i64> {
    #[track_caller]
    fn cross_entropy(&self, options: &CrossEntropyLoss<T>, logits: &Variable<T>) -> Result<Variable<T>> {
        let options = &options.in_units();
        let settings = (options.class_weight.as_ref(), options.ignore_index);
        let rows = CountedRows::of((NAME, "logits"), &options.common, settings, logits.shape(), self)?;
        let CountedRows { mut counted, targets, by_class } = rows;
        // 0, whatever the logits are, where the target is ignored.
        let losses = logits.cross_entropy(&targets, IGNORE)?;
        if options.label_smoothing == 0.0 {
            if let Some(by_class) = by_class {
                counted.weigh(by_class)?;
            }
            return Ok(counted.reduce(losses));
        }
        let log_p = counted.filled(logits, 0.0).log_softmax(-1);
        let share = options.label_smoothing / *logits.shape().last().expect("an axis of classes") as f64;
        let shared = options.weighted(log_p).sum_dim(&[-1]) * share;
        let losses = match by_class {
            None => losses,
            Some(by_class) => {
                let losses = losses * &by_class;
                counted.divide_by_weighted(&by_class);
                losses
            }
        };
        Ok(counted.reduce(losses * (1.0 - options.label_smoothing) - shared))
    }
}

impl<T: Float> Targets<T> for Variable<T> {
    #[track_caller]
    fn cross_entropy(&self, options: &CrossEntropyLoss<T>, logits: &Variable<T>) -> Result<Variable<T>> {
        let shape = logits.shape();
        let classes = check_input(NAME, "logits", shape)?;
        check_class_weight(NAME, options.class_weight.as_ref(), classes)?;
        let targets = options.classes_last(self)?;
        if targets.shape() != shape {
            let expected = format!("probabilities of shape {shape:?}, as the logits (classes last)");
            return Err(Error::shape(NAME, expected, format!("{:?}", targets.shape())));
        }
        let counted = options.common.over(NAME, &shape[..shape.len() - 1])?;
        let (logits, targets) = (counted.filled(logits, 0.0), counted.filled(&targets, 0.0));
        let smoothing = options.label_smoothing;
        let targets = match smoothing {
            0.0 => targets,
            _ => targets * (1.0 - smoothing) + smoothing / classes as f64,
        };
        let log_p = options.weighted(logits.log_softmax(-1));
        Ok(counted.reduce(-(log_p * targets).sum_dim(&[-1])))
    }
}

/// `-ln softmax(x)[target]`, the mean over all targets but those equal to [`IGNORE`]
/// (`torch.nn.functional.cross_entropy`); [`CrossEntropyLoss`] has options.
///
/// `logits` (N, C) or (C) with targets (N) or (); more leading axes, as (T, N, C) with (T, N), are samples
/// too, where PyTorch has the classes on axis 1 ([`CrossEntropyLoss::class_dim`]). Targets may also be
/// [probabilities](Targets). Where nothing counts the mean is 0.
///
/// # Errors
/// If the shapes don't fit or a target is no class.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::cross_entropy;
/// let logits = Variable::new(Tensor::<f64>::zeros([2, 4]));
/// let loss = cross_entropy(&logits, &Tensor::from([1i64, 3]))?;
/// assert!((loss.item()? - 4f64.ln()).abs() < 1e-12);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "categorical_crossentropy")]
#[track_caller]
pub fn cross_entropy<T: Float>(
    logits: &impl AsVariable<T>,
    targets: &impl Targets<T>,
) -> Result<Variable<T>> {
    CrossEntropyLoss::default().loss(logits, targets)
}
