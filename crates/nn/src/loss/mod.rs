//! Losses.
//!
//! Each is a function with PyTorch's defaults, as [`mse_loss`], and a struct of its options, as [`MseLoss`],
//! whose `loss` takes the same arguments. Every struct has, beside its own options:
//!
//! - `reduction`: a [`Reduction`], the mean if nothing is said;
//! - `weight`: a number that each loss counts by, at least 0;
//! - `mask`: whether a loss counts at all.
//!
//! Weights and masks have the leading axes of the losses, so a mask (T, N) of the steps of sequences fits
//! losses (T, N) and (T, N, D). Each extent is that of the losses or 1. A loss of weight 0 or outside the
//! mask is 0, its inputs get no gradient, and they and the target may be anything, NaN and no class included.
//! That holds for the loss; what its inputs are computed by, such as a `log_softmax` of NaN, may still turn a
//! gradient of 0 into NaN, and is masked by itself.
//! The mean is the sum divided by the sum of the weights that counted, which is the number of elements where
//! there are none. PyTorch's losses of classes divide by that sum as well; its `weight` of the elements of
//! `binary_cross_entropy` and `mse_loss` leaves the number of elements as what the mean divides by: such a
//! mean is the sum here, over that number. Where nothing counts the mean is 0, and so are the gradients;
//! PyTorch's is NaN.
//!
//! ```
//! use wengert_core::{Tensor, Variable};
//! use wengert_nn::loss::MseLoss;
//! // The second sequence ends after one step.
//! let x = Variable::new(Tensor::from([[1.0f64, 2.0], [3.0, f64::NAN]])).requires_grad_(true);
//! let target = Variable::from(Tensor::from([[0.0, 0.0], [0.0, 0.0]]));
//! let mask = Tensor::from([[true, true], [true, false]]);
//! let loss = MseLoss::default().mask(&mask).loss(&x, &target)?;
//! assert!((loss.item()? - 14.0 / 3.0).abs() < 1e-12);
//! loss.backward()?;
//! assert_eq!(x.grad().unwrap().to_vec()[3], 0.0);
//! # Ok::<(), wengert_core::Error>(())
//! ```

mod binary;
mod binary_with_logits;
mod classes;
mod cosine_embedding;
mod counted;
mod cross_entropy;
mod crps;
mod ctc;
mod gaussian_nll;
mod huber;
mod kl_div;
mod l1;
mod mixture_nll;
mod mse;
mod nll;
mod poisson_nll;
mod quantile;
mod smooth_l1;

pub use binary::{BceLoss, binary_cross_entropy};
pub use binary_with_logits::{BceWithLogitsLoss, binary_cross_entropy_with_logits};
pub use cosine_embedding::{CosineEmbeddingLoss, cosine_embedding_loss};
pub use cross_entropy::{CrossEntropyLoss, Targets, cross_entropy};
pub use crps::{CrpsNormalLoss, crps_normal_loss};
pub use ctc::{CtcLoss, ctc_loss};
pub use gaussian_nll::{GaussianNllLoss, gaussian_nll_loss};
pub use huber::{HuberLoss, huber_loss};
pub use kl_div::{KlDivLoss, kl_div};
pub use l1::{L1Loss, l1_loss};
pub use mixture_nll::{MixtureNllLoss, mixture_nll_loss};
pub use mse::{MseLoss, mse_loss};
pub use nll::{NllLoss, nll_loss};
pub use poisson_nll::{PoissonNllLoss, poisson_nll_loss};
pub use quantile::{QuantileLoss, quantile_loss};
pub use smooth_l1::{SmoothL1Loss, smooth_l1_loss};

use wengert_core::{Error, Float, Result, Tensor, Variable};

use counted::Common;

/// The target that does not count unless another one is named, PyTorch's `ignore_index`.
pub const IGNORE: i64 = -100;

/// How the losses of the elements or samples become what is given back.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::loss::{L1Loss, Reduction};
/// let (x, y) = (Variable::new(Tensor::from([1.0f64, 5.0])), Variable::new(Tensor::from([0.0, 2.0])));
/// let l1 = |how| L1Loss::default().reduction(how).loss(&x, &y);
/// assert_eq!(l1(Reduction::None)?.to_vec(), [1.0, 3.0]);
/// assert_eq!(l1(Reduction::Mean)?.item()?, 2.0);
/// assert_eq!(l1(Reduction::Sum)?.item()?, 4.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reduction {
    /// A loss for each, times its weight: no reduction.
    None,
    /// The weighted mean of the losses, 0 where nothing counts.
    #[default]
    Mean,
    /// The weighted sum of the losses.
    Sum,
}

/// Declares the options of a loss: a struct with what all of them have and those of its own, of which a line
/// is a name, a type and the default; `with` those whose methods are written by hand.
macro_rules! loss_options {
    (
        $(#[$meta:meta])* pub struct $name:ident {
            $($(#[$doc:meta])* $option:ident: $type:ty = $default:expr;)*
        }
        $(with { $($given:ident: $given_type:ty),* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        #[must_use]
        pub struct $name<T: ::wengert_core::Float = f32> {
            pub(super) common: $crate::loss::Common<T>,
            $(pub(super) $option: $type,)*
            $($(pub(super) $given: $given_type,)*)?
        }

        impl<T: ::wengert_core::Float> ::std::default::Default for $name<T> {
            fn default() -> Self {
                $name {
                    common: ::std::default::Default::default(),
                    $($option: $default,)*
                    $($($given: None,)*)?
                }
            }
        }

        impl<T: ::wengert_core::Float> $name<T> {
            $(
                $(#[$doc])*
                pub fn $option(mut self, value: $type) -> Self {
                    self.$option = value;
                    self
                }
            )*

            /// How the losses become one; default [`Reduction::Mean`](crate::loss::Reduction::Mean).
            pub fn reduction(mut self, reduction: $crate::loss::Reduction) -> Self {
                self.common.reduction = reduction;
                self
            }

            /// The weight of each loss, at least 0, over the leading axes of the losses
            /// ([how](crate::loss)); default 1.
            pub fn weight(mut self, weight: &::wengert_core::Tensor<T>) -> Self {
                self.common.weight = Some(weight.clone());
                self
            }

            /// The losses that count, over their leading axes ([how](crate::loss)); default all.
            pub fn mask(mut self, mask: &::wengert_core::Tensor<bool>) -> Self {
                self.common.mask = Some(mask.clone());
                self
            }
        }
    };
}
use loss_options;

/// Refuses two variables of different shapes.
fn same_shape<T: Float>(
    loss: &'static str,
    what: &str,
    input: &Variable<T>,
    other: &Variable<T>,
) -> Result<()> {
    if input.shape() == other.shape() {
        return Ok(());
    }
    let expected = format!("{what} of the input's shape {:?}", input.shape());
    Err(Error::shape(loss, expected, format!("{:?}", other.shape())))
}

/// Refuses an option that is no finite number in its range.
fn option_in(loss: &'static str, option: &'static str, value: f64, fits: bool, expected: &str) -> Result<()> {
    if fits && value.is_finite() { Ok(()) } else { Err(Error::argument(loss, option, expected, value)) }
}

/// The index of the element that is the `flat`-th in row-major order, as messages name it.
fn place(shape: &[usize], flat: usize) -> String {
    let mut index = vec![0; shape.len()];
    let mut rest = flat;
    for (at, extent) in index.iter_mut().zip(shape).rev() {
        (*at, rest) = (rest % extent, rest / extent);
    }
    format!("{index:?}")
}

/// A tensor's elements in row-major order.
fn elements<T: wengert_core::Element, R>(tensor: &Tensor<T>, read: impl FnOnce(&[T]) -> R) -> R {
    read(tensor.contiguous().as_slice().expect("contiguous"))
}
