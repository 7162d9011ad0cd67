//! Precision, recall and F1.

use wengert_core::{Float, Result, Stateful, Tensor, TensorMap};

use super::confusion::ConfusionMatrix;
use super::counts::Counts;
use super::{Metric, print_metric};

/// How the scores of classes become one number (sklearn's `average`).
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{All, Average, Metric, Recall};
/// let mut recall = Recall::new(2)?.average(Average::Micro);
/// recall.update_classes(&Tensor::from([0i64, 0, 0, 1]), &Tensor::from([0i64, 0, 0, 0]), All)?;
/// assert_eq!(recall.to_string(), "micro recall 0.7500");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Average {
    /// The mean over the classes that were right or predicted at least once, each counting the same.
    #[default]
    Macro,
    /// The ratio of the sums over all classes: each row counts the same. Where each row has one class,
    /// precision, recall and F1 are then the accuracy.
    Micro,
}

/// The scores from how often a class was predicted rightly, was predicted, and was right; 0 where nothing was
/// to be divided by.
fn ratio(part: f64, of: f64) -> f64 {
    if of > 0.0 { part / of } else { 0.0 }
}

macro_rules! by_class {
    ($(
        $(#[$meta:meta])*
        $name:ident, $text:literal, |$hits:ident, $predicted:ident, $right:ident| $score:expr;
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name {
            average: Average,
            confusion: ConfusionMatrix,
        }

        impl $name {
            /// A score of so many classes that has seen nothing; the mean over classes.
            ///
            /// # Errors
            /// If [`ConfusionMatrix::new`] refuses that many classes.
            pub fn new(classes: usize) -> Result<Self> {
                Ok($name { average: Average::default(), confusion: ConfusionMatrix::new(classes)? })
            }

            /// Sets how the scores of classes become one; default [`Average::Macro`].
            #[must_use]
            pub fn average(mut self, average: Average) -> Self {
                self.average = average;
                self
            }

            /// Adds scores of classes (.., C), of which the first largest is predicted, and the classes (..)
            /// that are right.
            ///
            /// # Errors
            /// If [`ConfusionMatrix::update`] refuses them; then nothing was added.
            pub fn update<T: Float>(
                &mut self,
                scores: &Tensor<T>,
                targets: &Tensor<i64>,
                counts: impl Counts,
            ) -> Result<()> {
                self.confusion.update(scores, targets, counts)
            }

            /// Adds predicted classes and those that are right, of one shape.
            ///
            /// # Errors
            /// If [`ConfusionMatrix::update_classes`] refuses them; then nothing was added.
            pub fn update_classes(
                &mut self,
                predicted: &Tensor<i64>,
                targets: &Tensor<i64>,
                counts: impl Counts,
            ) -> Result<()> {
                self.confusion.update_classes(predicted, targets, counts)
            }

            /// The score of each class (sklearn's `average=None`); NaN for one that was neither right nor
            /// predicted.
            pub fn per_class(&self) -> Vec<f64> {
                let of = |class| self.confusion.of_class(class);
                let score = |[$hits, $predicted, $right]: [f64; 3]| match $predicted + $right > 0.0 {
                    true => $score,
                    false => f64::NAN,
                };
                (0..self.confusion.classes()).map(|class| score(of(class))).collect()
            }
        }

        impl Metric for $name {
            fn name(&self) -> String {
                format!("{} {}", format!("{:?}", self.average).to_lowercase(), $text)
            }

            fn value(&self) -> f64 {
                if self.average == Average::Micro {
                    return self.confusion.value();
                }
                let scores: Vec<f64> = self.per_class().into_iter().filter(|score| !score.is_nan()).collect();
                scores.iter().sum::<f64>() / scores.len() as f64
            }

            fn reset(&mut self) {
                self.confusion.reset();
            }
        }

        impl Stateful for $name {
            fn state_dict(&self) -> TensorMap {
                self.confusion.state_dict()
            }

            fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
                self.confusion.load_state_dict(map)
            }
        }

        print_metric!($name);
    )*};
}

by_class! {
    /// The part of what was predicted as a class that is of it (`sklearn.metrics.precision_score` with
    /// `zero_division=0`).
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_train::{All, Metric, Precision};
    /// let mut precision = Precision::new(2)?;
    /// precision.update_classes(&Tensor::from([0i64, 1, 1]), &Tensor::from([0i64, 0, 1]), All)?;
    /// assert_eq!((precision.per_class(), precision.value()), (vec![1.0, 0.5], 0.75));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    Precision, "precision", |hits, predicted, _right| ratio(hits, predicted);
    /// The part of what is of a class that was predicted as it (`sklearn.metrics.recall_score` with
    /// `zero_division=0`).
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_train::{All, Metric, Recall};
    /// let mut recall = Recall::new(2)?;
    /// recall.update_classes(&Tensor::from([0i64, 1, 1]), &Tensor::from([0i64, 0, 1]), All)?;
    /// assert_eq!((recall.per_class(), recall.value()), (vec![0.5, 1.0], 0.75));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    Recall, "recall", |hits, _predicted, right| ratio(hits, right);
    /// The harmonic mean of precision and recall of a class, `2 hits / (predicted + right)`
    /// (`sklearn.metrics.f1_score`).
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_train::{All, F1, Metric};
    /// let mut f1 = F1::new(2)?;
    /// f1.update_classes(&Tensor::from([0i64, 1, 1]), &Tensor::from([0i64, 0, 1]), All)?;
    /// assert_eq!(f1.to_string(), "macro F1 0.6667");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "F1Score")]
    F1, "F1", |hits, predicted, right| ratio(2.0 * hits, predicted + right);
}
