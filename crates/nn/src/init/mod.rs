//! Initialisers: new values for a parameter, from this thread's generator (`torch.nn.init`).
//!
//! ```
//! use wengert_core::manual_seed;
//! use wengert_nn::{init, Linear};
//! manual_seed(0);
//! let linear = Linear::new(64, 32)?;
//! init::orthogonal(&linear.weight, 1.0)?;
//! let w = linear.weight.value().cast::<f64>();
//! let w = wengert_core::Variable::from(w);
//! let off = (w.matmul(&w.t()) - wengert_core::Variable::from(wengert_core::Tensor::eye(32))).abs().max();
//! assert!(off.item()? < 1e-5);
//! # Ok::<(), wengert_core::Error>(())
//! ```

mod recurrent;
mod structured;
mod truncated;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, Tensor};

pub use self::recurrent::{chrono, forget_gate_bias, identity_rnn, orthogonal_gates};
pub use self::structured::{dirac, eye, sparse};
pub use self::truncated::trunc_normal;
use crate::recurrent::Nonlinearity;

/// The fan that [`kaiming_uniform`] and [`kaiming_normal`] divide by, and so the pass that keeps its
/// variance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FanMode {
    /// The number of inputs of a unit: the forward pass keeps its variance.
    #[default]
    FanIn,
    /// The number of outputs of a unit: the backward pass keeps its variance.
    FanOut,
}

/// The recommended factor for a nonlinearity: 5/3 for tanh, sqrt 2 for relu
/// (`torch.nn.init.calculate_gain`).
pub fn gain(nonlinearity: Nonlinearity) -> f64 {
    calculate_gain(match nonlinearity {
        Nonlinearity::Tanh => Gain::Tanh,
        Nonlinearity::Relu => Gain::Relu,
    })
}

/// A function that comes behind a weight, for [`calculate_gain`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Gain {
    /// The identity: no nonlinearity, or a convolution.
    Linear,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// `x` where it is positive, else this slope times `x`.
    LeakyRelu(f64),
    /// The scaled exponential linear unit.
    Selu,
}

/// The recommended factor for the deviation of a weight in front of a function: 1 for none and for sigmoid,
/// 5/3 for tanh, `sqrt(2)` for relu, `sqrt(2 / (1 + slope^2))` for leaky relu, 3/4 for selu
/// (`torch.nn.init.calculate_gain`).
///
/// ```
/// use wengert_nn::init::{Gain, calculate_gain};
/// assert_eq!(calculate_gain(Gain::LeakyRelu(0.2)), 1.3867504905630728);
/// ```
pub fn calculate_gain(function: Gain) -> f64 {
    match function {
        Gain::Linear | Gain::Sigmoid => 1.0,
        Gain::Tanh => 5.0 / 3.0,
        Gain::Relu => std::f64::consts::SQRT_2,
        Gain::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
        Gain::Selu => 0.75,
    }
}

/// Draws every element from U(low, high) (`torch.nn.init.uniform_`).
///
/// # Errors
/// If there is no memory for the new value.
#[doc(alias = "RandomUniform")]
pub fn uniform<T: Float>(parameter: &Parameter<T>, low: f64, high: f64) -> Result<()> {
    parameter.set_value(or_refused("uniform", || Ok(Tensor::uniform(parameter.shape(), low, high)))?)
}

/// Draws every element from N(mean, std^2) (`torch.nn.init.normal_`).
///
/// # Errors
/// If there is no memory for the new value.
#[doc(alias = "RandomNormal")]
pub fn normal<T: Float>(parameter: &Parameter<T>, mean: f64, std: f64) -> Result<()> {
    let drawn = or_refused("normal", || {
        let draws = Tensor::<T>::randn(parameter.shape());
        Ok(draws.map(|x| T::from_f64(mean + std * x.to_f64())))
    });
    parameter.set_value(drawn?)
}

/// Sets every element to `value` (`torch.nn.init.constant_`).
///
/// # Errors
/// If there is no memory for the new value.
pub fn constant<T: Float>(parameter: &Parameter<T>, value: f64) -> Result<()> {
    parameter.set_value(or_refused("constant", || Ok(Tensor::full(parameter.shape(), T::from_f64(value))))?)
}

/// Sets every element to 1 (`torch.nn.init.ones_`).
///
/// # Errors
/// If there is no memory for the new value.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_nn::init;
/// let scale = Parameter::new(Tensor::<f32>::zeros([2]));
/// init::ones(&scale)?;
/// assert_eq!(scale.to_vec(), [1.0, 1.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "ones_")]
pub fn ones<T: Float>(parameter: &Parameter<T>) -> Result<()> {
    constant(parameter, 1.0)
}

/// Sets every element to 0 (`torch.nn.init.zeros_`).
///
/// # Errors
/// If there is no memory for the new value.
///
/// ```
/// use wengert_nn::{Linear, init};
/// let linear = Linear::new(3, 2)?;
/// init::zeros(&linear.weight)?;
/// assert_eq!(linear.weight.to_vec(), [0.0; 6]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "zeros_")]
pub fn zeros<T: Float>(parameter: &Parameter<T>) -> Result<()> {
    constant(parameter, 0.0)
}

/// (fan in, fan out) of a weight (out, in, ..).
fn fans<T: Float>(operation: &'static str, parameter: &Parameter<T>) -> Result<(f64, f64)> {
    match parameter.shape() {
        [out, input, rest @ ..] => {
            let field: f64 = rest.iter().map(|&extent| extent as f64).product();
            Ok((*input as f64 * field, *out as f64 * field))
        }
        shape => Err(Error::shape(operation, "a parameter of two axes or more", format!("{shape:?}"))),
    }
}

/// Draws every element from U(-a, a) with `a = gain sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010;
/// `torch.nn.init.xavier_uniform_`).
///
/// # Errors
/// If the parameter has fewer than two axes, or there is no memory for the new value.
#[doc(alias = "GlorotUniform")]
pub fn xavier_uniform<T: Float>(parameter: &Parameter<T>, gain: f64) -> Result<()> {
    let (input, output) = fans("xavier_uniform", parameter)?;
    let bound = gain * (6.0 / (input + output)).sqrt();
    uniform(parameter, -bound, bound)
}

/// Draws every element from N(0, std^2) with `std = gain sqrt(2 / (fan_in + fan_out))` (Glorot and Bengio
/// 2010; `torch.nn.init.xavier_normal_`).
///
/// # Errors
/// If the parameter has fewer than two axes, or there is no memory for the new value.
#[doc(alias = "GlorotNormal")]
pub fn xavier_normal<T: Float>(parameter: &Parameter<T>, gain: f64) -> Result<()> {
    let (input, output) = fans("xavier_normal", parameter)?;
    normal(parameter, 0.0, gain * (2.0 / (input + output)).sqrt())
}

fn kaiming_std<T: Float>(
    operation: &'static str,
    parameter: &Parameter<T>,
    mode: FanMode,
    gain: f64,
) -> Result<f64> {
    let (input, output) = fans(operation, parameter)?;
    let fan = if mode == FanMode::FanIn { input } else { output };
    Ok(gain / fan.sqrt())
}

/// Draws every element from U(-a, a) with `a = gain sqrt(3 / fan)` (He et al. 2015;
/// `torch.nn.init.kaiming_uniform_`).
///
/// # Errors
/// If the parameter has fewer than two axes, or there is no memory for the new value.
#[doc(alias = "HeUniform")]
pub fn kaiming_uniform<T: Float>(parameter: &Parameter<T>, mode: FanMode, gain: f64) -> Result<()> {
    let bound = 3f64.sqrt() * kaiming_std("kaiming_uniform", parameter, mode, gain)?;
    uniform(parameter, -bound, bound)
}

/// Draws every element from N(0, std^2) with `std = gain / sqrt(fan)` (He et al. 2015;
/// `torch.nn.init.kaiming_normal_`).
///
/// # Errors
/// If the parameter has fewer than two axes, or there is no memory for the new value.
#[doc(alias = "HeNormal")]
pub fn kaiming_normal<T: Float>(parameter: &Parameter<T>, mode: FanMode, gain: f64) -> Result<()> {
    normal(parameter, 0.0, kaiming_std("kaiming_normal", parameter, mode, gain)?)
}

/// Draws a random matrix with orthonormal rows or columns, whichever are fewer, times `gain` (Saxe et al.
/// 2013, arXiv 1312.6120; `torch.nn.init.orthogonal_`).
///
/// Axes behind the first count as one.
///
/// # Errors
/// If the parameter has fewer than two axes, or there is no memory for the new value.
pub fn orthogonal<T: Float>(parameter: &Parameter<T>, gain: f64) -> Result<()> {
    fans("orthogonal", parameter)?;
    if parameter.numel() == 0 {
        return Ok(());
    }
    let (rows, cols) = (parameter.shape()[0], parameter.shape()[1..].iter().product::<usize>());
    let (count, width) = (rows.min(cols), rows.max(cols));
    let drawn = or_refused("orthogonal", || {
        let vectors = orthonormal(count, width);
        let at = |r: usize, c: usize| if rows <= cols { vectors[r][c] } else { vectors[c][r] };
        Ok(Tensor::from_fn(parameter.shape(), |i| T::from_f64(gain * at(i / cols, i % cols))))
    });
    parameter.set_value(drawn?)
}

/// `count <= width` random orthonormal vectors, by Gram and Schmidt, each step twice for accuracy.
fn orthonormal(count: usize, width: usize) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut vector = Tensor::<f64>::randn([width]).to_vec();
        for _ in 0..2 {
            for known in &basis {
                let along = dot(&vector, known);
                vector.iter_mut().zip(known).for_each(|(x, k)| *x -= along * k);
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        // A draw inside the span of the others, all but impossible, is drawn again.
        if norm > 1e-6 {
            vector.iter_mut().for_each(|x| *x /= norm);
            basis.push(vector);
        }
    }
    basis
}
