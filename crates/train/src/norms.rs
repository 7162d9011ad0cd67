//! How large gradients are, and where.

use wengert_core::{Float, Tensor};
use wengert_nn::Module;

/// The Euclidean norm of each parameter's gradient, under its name, those without a gradient left out.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::Linear;
/// use wengert_train::norms_by_parameter;
/// let model = Linear::new(2, 1)?;
/// model.forward(&Tensor::from([[3.0f32, 4.0]]))?.sum().backward()?;
/// let norms = norms_by_parameter(&model);
/// assert_eq!(norms, [("weight".to_string(), 5.0), ("bias".to_string(), 1.0)]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn norms_by_parameter<M: Module + ?Sized>(module: &M) -> Vec<(String, f64)> {
    let named = module.named_parameters().into_iter();
    named.filter_map(|(name, parameter)| Some((name, norm(parameter.grad()?.value().to_vec())))).collect()
}

/// The Euclidean norm of each step of a gradient (T, ..), such as that of a recurrent layer's input or
/// output; where it falls from one step to those before says how far back a network learns.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::norms_by_step;
/// let gradient = Tensor::from([[3.0f32, 4.0], [0.0, 0.0]]);
/// assert_eq!(norms_by_step(&gradient), [5.0, 0.0]);
/// ```
pub fn norms_by_step<T: Float>(gradient: &Tensor<T>) -> Vec<f64> {
    let steps = gradient.shape().first().copied().unwrap_or(1);
    let (elements, width) = (gradient.to_vec(), gradient.numel() / steps.max(1));
    (0..steps).map(|step| norm(elements[step * width..][..width].to_vec())).collect()
}

fn norm<T: Float>(elements: Vec<T>) -> f64 {
    elements.into_iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>().sqrt()
}
