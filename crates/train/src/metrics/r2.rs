//! How much of the targets' variance is explained.

use wengert_core::__private::or_refused;
use wengert_core::{Float, Result, StateReader, Stateful, Tensor, TensorMap};

use super::counts::{Counts, counted, same_shape};
use super::tally::Tally;
use super::{Metric, print_metric};

/// The coefficient of determination, `1 - sum w (p - y)^2 / sum w (y - mean y)^2`
/// (`sklearn.metrics.r2_score`), over all elements.
///
/// The squares about the mean are those of West's update (1979), Welford's with weights: no difference of
/// large sums is taken. Where all targets are the same it is what the division gives: `-inf`, or NaN if the
/// predictions are right.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{All, Metric, R2};
/// let mut r2 = R2::new();
/// r2.update(&Tensor::from([1.0f32, 2.0, 4.0]), &Tensor::from([1.0f32, 2.0, 3.0]), All)?;
/// assert_eq!(r2.value(), 0.5);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "R2Score")]
#[derive(Clone, Debug, Default)]
pub struct R2 {
    /// Squares of the errors.
    errors: Tally,
    mean: f64,
    /// Squares of the targets about their mean.
    about: f64,
}

impl R2 {
    /// A metric that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

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
        same_shape("R2", predictions.shape(), targets.shape())?;
        let (weights, predictions, targets) = or_refused("R2", || {
            Ok((counts.weights(targets.shape())?, predictions.to_vec(), targets.to_vec()))
        })?;
        for (at, weight) in counted(&weights, targets.len()) {
            let (p, y) = (predictions[at].to_f64(), targets[at].to_f64());
            self.errors.add((p - y) * (p - y), weight);
            let from_mean = y - self.mean;
            self.mean += from_mean * weight / self.errors.weight();
            self.about += weight * from_mean * (y - self.mean);
        }
        Ok(())
    }
}

impl Metric for R2 {
    fn name(&self) -> String {
        "R2".to_string()
    }

    fn value(&self) -> f64 {
        1.0 - self.errors.sum() / self.about
    }

    fn reset(&mut self) {
        *self = R2::new();
    }
}

impl Stateful for R2 {
    fn state_dict(&self) -> TensorMap {
        let mut map = self.errors.saved();
        map.insert_number("mean", self.mean);
        map.insert_number("about", self.about);
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new("R2", map);
        let errors = Tally::read(&mut reader);
        let loaded = R2 { errors, mean: reader.number("mean"), about: reader.number("about") };
        reader.finish()?;
        *self = loaded;
        Ok(())
    }
}

print_metric!(R2);
