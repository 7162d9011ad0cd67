//! Values of a model's predictions, gathered over batches.

mod accuracy;
mod by_class;
mod confusion;
mod counts;
mod error_rate;
mod loss;
mod r2;
mod regression;
mod tally;

use std::fmt::Display;

use wengert_core::Stateful;

pub use accuracy::Accuracy;
pub use by_class::{Average, F1, Precision, Recall};
pub use confusion::ConfusionMatrix;
pub use counts::{All, Counts, Lengths};
pub use error_rate::ErrorRate;
pub use loss::{BitsPerCharacter, Mean, Perplexity};
pub use r2::R2;
pub use regression::{Mae, Mape, Rmse};

/// A value gathered over batches; it prints itself with its name, and saves and loads.
///
/// Each has an `update` of its own, for what it is computed from; all take last which elements count
/// ([`Counts`]). Elements are added one after the other in `f64`, so the bits of the value do not depend on
/// where one batch ends and the next begins.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{Accuracy, All, Mae, Metric};
/// let (mut accuracy, mut error) = (Accuracy::new(), Mae::new());
/// accuracy.update(&Tensor::from([[0.1f32, 0.9], [0.8, 0.2]]), &Tensor::from([1i64, 1]), All)?;
/// error.update(&Tensor::from([1.0f32, 2.0]), &Tensor::from([1.5f32, 2.5]), All)?;
/// let all: [&dyn Metric; 2] = [&accuracy, &error];
/// let text: Vec<String> = all.iter().map(|metric| metric.to_string()).collect();
/// assert_eq!(text.join(", "), "accuracy 0.5000, MAE 0.5000");
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Metric: Stateful + Display {
    /// The name, as it is printed and may head a column.
    fn name(&self) -> String;

    /// The value so far; NaN before anything has counted.
    fn value(&self) -> f64;

    /// Forgets all that was seen.
    #[doc(alias = "reset_states")]
    fn reset(&mut self);
}

/// Prints a metric: its name and its value, to four digits if not asked for others.
macro_rules! print_metric {
    ($name:ident) => {
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let digits = f.precision().unwrap_or(4);
                let (name, value) = (crate::Metric::name(self), crate::Metric::value(self));
                write!(f, "{name} {value:.digits$}")
            }
        }
    };
}

/// Declares a metric that is a function of a [`Tally`](tally::Tally): its name, and the function.
macro_rules! tally_metric {
    ($(#[$meta:meta])* pub struct $name:ident, $text:literal, |$tally:ident| $value:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            tally: crate::metrics::tally::Tally,
        }

        impl $name {
            /// A metric that has seen nothing.
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl crate::Metric for $name {
            fn name(&self) -> String {
                $text.to_string()
            }

            fn value(&self) -> f64 {
                let $tally = &self.tally;
                $value
            }

            fn reset(&mut self) {
                self.tally = Default::default();
            }
        }

        impl wengert_core::Stateful for $name {
            fn state_dict(&self) -> wengert_core::TensorMap {
                self.tally.saved()
            }

            fn load_state_dict(&mut self, map: &wengert_core::TensorMap) -> wengert_core::Result<()> {
                self.tally = crate::metrics::tally::Tally::loaded($text, map)?;
                Ok(())
            }
        }

        crate::metrics::print_metric!($name);
    };
}

use {print_metric, tally_metric};
