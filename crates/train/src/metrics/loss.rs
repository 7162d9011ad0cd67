//! Mean losses, and what they say of text.

use std::f64::consts::LN_2;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Result, Tensor};

use super::counts::{Counts, counted};
use super::tally_metric;

tally_metric! {
    /// The mean of losses, `sum w l / sum w` (`torchmetrics.MeanMetric`).
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_train::{All, Mean, Metric};
    /// let mut mean = Mean::new();
    /// mean.update(&Tensor::from([0.5f32, 1.5]), All)?;
    /// mean.add(2.0, 2.0)?;
    /// assert_eq!((mean.value(), mean.to_string().as_str()), (1.5, "mean 1.5000"));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "MeanMetric")]
    pub struct Mean, "mean", |tally| tally.mean()
}

tally_metric! {
    /// Perplexity: `exp` of the mean of losses in nats (`torchmetrics.text.Perplexity`).
    ///
    /// ```
    /// use wengert_train::{Metric, Perplexity};
    /// let mut perplexity = Perplexity::new();
    /// perplexity.add(8f64.ln(), 64.0)?;
    /// assert!((perplexity.value() - 8.0).abs() < 1e-12);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct Perplexity, "perplexity", |tally| tally.mean().exp()
}

tally_metric! {
    /// Bits per character: the mean of losses in nats, over `ln 2`.
    ///
    /// ```
    /// use wengert_train::{BitsPerCharacter, Metric};
    /// let mut bits = BitsPerCharacter::new();
    /// bits.add(8f64.ln(), 64.0)?;
    /// assert!((bits.value() - 3.0).abs() < 1e-12);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct BitsPerCharacter, "bits per character", |tally| tally.mean() / LN_2
}

macro_rules! of_losses {
    ($($name:ident),*) => {$(
        impl $name {
            /// Adds losses of single elements (`Reduction::None`), of any shape.
            ///
            /// # Errors
            /// If `counts` does not fit the losses; then nothing was added.
            pub fn update<T: Float>(&mut self, losses: &Tensor<T>, counts: impl Counts) -> Result<()> {
                let (weights, losses) = or_refused(stringify!($name), || {
                    Ok((counts.weights(losses.shape())?, losses.to_vec()))
                })?;
                for (at, weight) in counted(&weights, losses.len()) {
                    self.tally.add(losses[at].to_f64(), weight);
                }
                Ok(())
            }

            /// Adds the mean of a batch that counts by `weight`: how many elements the mean is over.
            ///
            /// # Errors
            /// If the weight is negative or no finite number.
            pub fn add(&mut self, mean: f64, weight: f64) -> Result<()> {
                if !(weight >= 0.0 && weight.is_finite()) {
                    return Err(Error::argument("add", "weight", "finite and at least 0", weight));
                }
                if weight > 0.0 {
                    self.tally.add(mean, weight);
                }
                Ok(())
            }
        }
    )*};
}

of_losses!(Mean, Perplexity, BitsPerCharacter);
