//! How far numbers are from their targets.

use wengert_core::__private::or_refused;
use wengert_core::{Float, Result, Tensor};

use super::counts::{Counts, counted, same_shape};
use super::tally_metric;

tally_metric! {
    /// The mean absolute error, `mean |p - y|` (`sklearn.metrics.mean_absolute_error`).
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_train::{All, Mae, Metric};
    /// let mut error = Mae::new();
    /// error.update(&Tensor::from([1.0f32, 4.0]), &Tensor::from([2.0f32, 2.0]), All)?;
    /// assert_eq!(error.value(), 1.5);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "MeanAbsoluteError")]
    pub struct Mae, "MAE", |tally| tally.mean()
}

tally_metric! {
    /// The root of the mean squared error, `sqrt(mean (p - y)^2)`
    /// (`sklearn.metrics.root_mean_squared_error`).
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_train::{All, Metric, Rmse};
    /// let mut error = Rmse::new();
    /// error.update(&Tensor::from([1.0f32, 5.0]), &Tensor::from([1.0f32, 1.0]), All)?;
    /// assert_eq!(error.value(), 8f64.sqrt());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "MeanSquaredError")]
    pub struct Rmse, "RMSE", |tally| tally.mean().sqrt()
}

tally_metric! {
    /// The mean absolute error as a part of the target, `mean |p - y| / max(|y|, 2^-52)`, 1 for 100 %
    /// (`sklearn.metrics.mean_absolute_percentage_error`).
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_train::{All, Mape, Metric};
    /// let mut error = Mape::new();
    /// error.update(&Tensor::from([1.0f32, 5.0]), &Tensor::from([2.0f32, 4.0]), All)?;
    /// assert_eq!(error.value(), 0.375);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "MeanAbsolutePercentageError")]
    pub struct Mape, "MAPE", |tally| tally.mean()
}

macro_rules! of_numbers {
    ($($name:ident, $text:literal, |$p:ident, $y:ident| $error:expr;)*) => {$(
        impl $name {
            /// Adds predictions and their targets, of one shape.
            ///
            /// # Errors
            /// If their shapes differ or `counts` does not fit them; then nothing was added.
            pub fn update<T: Float>(
                &mut self,
                predictions: &Tensor<T>,
                targets: &Tensor<T>,
                counts: impl Counts,
            ) -> Result<()> {
                same_shape($text, predictions.shape(), targets.shape())?;
                let (weights, predictions, targets) = or_refused($text, || {
                    Ok((counts.weights(targets.shape())?, predictions.to_vec(), targets.to_vec()))
                })?;
                for (at, weight) in counted(&weights, targets.len()) {
                    let ($p, $y) = (predictions[at].to_f64(), targets[at].to_f64());
                    self.tally.add($error, weight);
                }
                Ok(())
            }
        }
    )*};
}

of_numbers! {
    Mae, "MAE", |p, y| (p - y).abs();
    Rmse, "RMSE", |p, y| (p - y) * (p - y);
    Mape, "MAPE", |p, y| (p - y).abs() / y.abs().max(f64::EPSILON);
}
