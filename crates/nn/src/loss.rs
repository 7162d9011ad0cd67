//! Losses.

use wengert_core::__private::room_for;
use wengert_core::{Error, Float, Result, Tensor, Variable};

/// The target that does not count in [`cross_entropy`], PyTorch's `ignore_index`.
pub const IGNORE: i64 = -100;

/// `-ln softmax(x)[target]`, the mean over all targets but those equal to [`IGNORE`]
/// (`torch.nn.functional.cross_entropy`).
///
/// `logits` (N, C) or (C) with targets (N) or (); more leading axes, as (T, N, C) with (T, N), are samples
/// too.
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
#[doc(alias = "CrossEntropyLoss")]
#[doc(alias = "categorical_crossentropy")]
#[track_caller]
pub fn cross_entropy<T: Float>(logits: &Variable<T>, targets: &Tensor<i64>) -> Result<Variable<T>> {
    let losses = logits.cross_entropy(targets, IGNORE)?;
    let in_order = targets.contiguous();
    let count = in_order.as_slice().expect("contiguous").iter().filter(|&&target| target != IGNORE).count();
    Ok(losses.sum() * (1.0 / count as f64))
}

/// The mean of `(input - target)^2` (`torch.nn.functional.mse_loss`).
///
/// # Errors
/// If the shapes differ: nothing broadcasts here.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::mse_loss;
/// let of = |v: [f32; 2]| Variable::new(Tensor::from(v));
/// assert_eq!(mse_loss(&of([1.0, 2.0]), &of([1.0, 4.0]))?.item()?, 2.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "MSELoss")]
#[doc(alias = "mean_squared_error")]
#[track_caller]
pub fn mse_loss<T: Float>(input: &Variable<T>, target: &Variable<T>) -> Result<Variable<T>> {
    if input.shape() != target.shape() {
        let expected = format!("a target of the input's shape {:?}", input.shape());
        return Err(Error::shape("mse_loss", expected, format!("{:?}", target.shape())));
    }
    room_for::<T>("mse_loss", input.shape())?;
    Ok((input - target).square().mean())
}
