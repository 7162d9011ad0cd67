//! Keeping gradients in bounds.

use wengert_core::{Error, Float, Parameter, Result, Variable, no_grad};

/// Scales all gradients by `min(1, max_norm / (norm + 1e-6))`, where `norm` is the 2-norm of all of them together; gives
/// that norm (`torch.nn.utils.clip_grad_norm_`).
///
/// # Errors
/// None without `error_if_nonfinite`; see [`clip_grad_norm_with`].
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::clip_grad_norm;
/// let w = Parameter::new(Tensor::from([3.0f64, 4.0]));
/// (w.square().sum() * 0.5).backward()?;
/// assert_eq!(clip_grad_norm(&[w.clone()], 1.0)?, 5.0);
/// assert!((w.grad().unwrap().to_vec()[1] - 0.8).abs() < 1e-6);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn clip_grad_norm<T: Float>(parameters: &[Parameter<T>], max_norm: f64) -> Result<f64> {
    clip_grad_norm_with(parameters, max_norm, 2.0, false)
}

/// [`clip_grad_norm`] with the `norm_type`-norm (infinity for the largest element).
///
/// # Errors
/// If `error_if_nonfinite` and the norm is infinite or NaN; then no gradient has changed.
pub fn clip_grad_norm_with<T: Float>(
    parameters: &[Parameter<T>],
    max_norm: f64,
    norm_type: f64,
    error_if_nonfinite: bool,
) -> Result<f64> {
    let grads: Vec<Variable<T>> = parameters.iter().filter_map(|parameter| parameter.grad()).collect();
    let norms: Vec<f64> = grads.iter().map(|grad| norm(grad, norm_type)).collect();
    let total = norm_of(norms.into_iter(), norm_type);
    if error_if_nonfinite && !total.is_finite() {
        return Err(Error::argument("clip_grad_norm", "the gradients' norm", "finite", total));
    }
    let scale = max_norm / (total + 1e-6);
    // As in PyTorch a norm that is not finite spoils the gradients visibly, rather than silently passing.
    if scale < 1.0 || scale.is_nan() {
        change(parameters, |grad| no_grad(|| grad * scale));
    }
    Ok(total)
}

/// Holds every element of every gradient inside `[-value, value]` (`torch.nn.utils.clip_grad_value_`).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::clip_grad_value;
/// let w = Parameter::new(Tensor::from([3.0f64, -4.0]));
/// w.square().sum().backward()?;
/// clip_grad_value(&[w.clone()], 1.0);
/// assert_eq!(w.grad().unwrap().to_vec(), vec![1.0, -1.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn clip_grad_value<T: Float>(parameters: &[Parameter<T>], value: f64) {
    change(parameters, |grad| no_grad(|| grad.clamp(-value, value)));
}

/// Each gradient replaced; a parameter that comes twice is changed once.
fn change<T: Float>(parameters: &[Parameter<T>], f: impl Fn(&Variable<T>) -> Variable<T>) {
    let mut seen = std::collections::HashSet::new();
    for parameter in parameters.iter().filter(|parameter| seen.insert(parameter.id())) {
        if let Some(grad) = parameter.grad() {
            parameter.set_grad(Some(f(&grad)));
        }
    }
}

fn norm<T: Float>(grad: &Variable<T>, norm_type: f64) -> f64 {
    let grad = grad.value().contiguous();
    norm_of(grad.as_slice().expect("contiguous").iter().map(|x| x.to_f64()), norm_type)
}

fn norm_of(values: impl Iterator<Item = f64>, norm_type: f64) -> f64 {
    if norm_type == f64::INFINITY {
        // `max` alone would pass over a NaN.
        return values.fold(0.0, |max, x| if x.is_nan() { x } else { x.abs().max(max) });
    }
    if norm_type == 2.0 {
        return values.map(|x| x * x).sum::<f64>().sqrt();
    }
    values.map(|x| x.abs().powf(norm_type)).sum::<f64>().powf(1.0 / norm_type)
}
