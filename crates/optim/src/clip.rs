//! Keeping gradients in bounds.

use std::collections::HashSet;

use wengert_core::__private::{filled, or_refused};
use wengert_core::{
    Divisible, Error, Float, Kernel, Lane, Parameter, Result, Tensor, Variable, dispatch_shared,
};

const NORM: &str = "clip_grad_norm";

/// Scales all gradients by `min(1, max_norm / (norm + 1e-6))`, where `norm` is the 2-norm of all of them
/// together; gives that norm (`torch.nn.utils.clip_grad_norm_`). [`ClipGradNorm`] has its other arguments.
///
/// # Errors
/// If `max_norm` is negative or NaN, or there is no memory for a copy of a gradient that others hold; then no
/// gradient has changed.
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
#[doc(alias = "global_clipnorm")]
#[doc(alias = "clip_grad_norm_")]
#[doc(alias = "clipnorm")]
pub fn clip_grad_norm<T: Float>(parameters: &[Parameter<T>], max_norm: f64) -> Result<f64> {
    ClipGradNorm::new(max_norm).clip(parameters)
}

/// Clipping of gradients by any norm, or with an error where the norm is not finite
/// (`torch.nn.utils.clip_grad_norm_`).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::ClipGradNorm;
/// let w = Parameter::new(Tensor::from([3.0f64, f64::NAN]));
/// w.square().sum().backward()?;
/// let clip = ClipGradNorm::new(1.0).norm_type(f64::INFINITY).error_if_nonfinite(true);
/// let error = clip.clip(&[w]).unwrap_err();
/// assert_eq!(error.to_string(), "clip_grad_norm: the gradients' norm must be finite, got NaN");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "gradients are scaled by `clip`"]
pub struct ClipGradNorm {
    max_norm: f64,
    norm_type: f64,
    error_if_nonfinite: bool,
}

impl ClipGradNorm {
    /// Clipping to a 2-norm of at most `max_norm`.
    pub fn new(max_norm: f64) -> Self {
        ClipGradNorm { max_norm, norm_type: 2.0, error_if_nonfinite: false }
    }

    /// Clips by the `p`-norm, the `p`-th root of the sum of `|g|^p` (infinity: the largest `|g|`).
    pub fn norm_type(mut self, p: f64) -> Self {
        self.norm_type = p;
        self
    }

    /// Whether a norm that is infinite or NaN is an error, and no gradient changes; default no.
    pub fn error_if_nonfinite(mut self, on: bool) -> Self {
        self.error_if_nonfinite = on;
        self
    }

    /// Scales the gradients and gives the norm that they had.
    ///
    /// # Errors
    /// If `max_norm` is negative or NaN, `norm_type` is not above 0, the norm is not finite and that is an
    /// error, or there is no memory for a copy of a gradient that others hold; then no gradient has changed.
    pub fn clip<T: Float>(self, parameters: &[Parameter<T>]) -> Result<f64> {
        let ClipGradNorm { max_norm, norm_type, error_if_nonfinite } = self;
        if max_norm.is_nan() || max_norm < 0.0 {
            return Err(Error::argument(NORM, "max_norm", "at least 0", max_norm));
        }
        if norm_type.is_nan() || norm_type <= 0.0 {
            return Err(Error::argument(NORM, "norm_type", "above 0", norm_type));
        }
        let grads = distinct(parameters).filter_map(|parameter| parameter.grad());
        let norms = grads.map(|grad| norm(&grad, norm_type));
        let total = or_refused(NORM, || Ok(norm_of(norms, norm_type)))?;
        if error_if_nonfinite && !total.is_finite() {
            return Err(Error::argument(NORM, "the gradients' norm", "finite", total));
        }
        let scale = max_norm / (total + 1e-6);
        // As in PyTorch a norm that is not finite spoils the gradients visibly, rather than silently passing.
        if scale < 1.0 || scale.is_nan() {
            let scale = T::from_f64(scale);
            change(NORM, parameters, |x| x * scale)?;
        }
        Ok(total)
    }
}

/// Holds every element of every gradient inside `[-value, value]` (`torch.nn.utils.clip_grad_value_`);
/// a NaN stays.
///
/// # Panics
/// If `value` is negative or NaN, or there is no memory for a copy of a gradient that others hold; then no
/// gradient has changed.
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
#[doc(alias = "clip_grad_value_")]
#[doc(alias = "clipvalue")]
#[track_caller]
pub fn clip_grad_value<T: Float>(parameters: &[Parameter<T>], value: f64) {
    assert!(value >= 0.0, "clip_grad_value: value must be at least 0, got {value}");
    let [min, max] = [-value, value].map(T::from_f64);
    // A NaN is on neither side and stays.
    let inside = |x| {
        if x < min {
            min
        } else if x > max {
            max
        } else {
            x
        }
    };
    if let Err(error) = change("clip_grad_value", parameters, inside) {
        panic!("{error}");
    }
}

/// The parameters, tied ones once.
fn distinct<T: Float>(parameters: &[Parameter<T>]) -> impl Iterator<Item = &Parameter<T>> {
    let mut seen = HashSet::new();
    parameters.iter().filter(move |parameter| seen.insert(parameter.id()))
}

/// Changes the elements of each gradient, in place if nobody else holds it. All memory comes before anything
/// changes.
fn change<T: Float>(
    operation: &'static str,
    parameters: &[Parameter<T>],
    f: impl Fn(T) -> T + Sync,
) -> Result<()> {
    let mut gradients: Vec<_> = distinct(parameters).filter_map(Taken::of).collect();
    gradients.iter_mut().try_for_each(|gradient| gradient.hold_alone(operation))?;
    gradients.iter_mut().for_each(|gradient| gradient.change(&f));
    Ok(())
}

/// A gradient away from its parameter, to be changed; dropped, it is back.
struct Taken<'p, T: Float> {
    parameter: &'p Parameter<T>,
    values: Tensor<T>,
    /// The gradient as it was, if it has a history, which the changed one has not.
    recorded: Option<Variable<T>>,
}

impl<'p, T: Float> Taken<'p, T> {
    fn of(parameter: &'p Parameter<T>) -> Option<Self> {
        let gradient = parameter.grad()?;
        parameter.zero_grad();
        let values = gradient.value();
        let recorded = gradient.requires_grad().then_some(gradient);
        Some(Taken { parameter, values, recorded })
    }

    /// Copies values that others hold too.
    fn hold_alone(&mut self, operation: &'static str) -> Result<()> {
        if self.values.data_mut().is_err() {
            self.values = or_refused(operation, || Ok(self.values.copy()))?;
        }
        Ok(())
    }

    fn change(&mut self, f: &(impl Fn(T) -> T + Sync)) {
        let elements = self.values.data_mut().expect("nobody else holds them");
        dispatch_shared(Each { elements, f });
        self.recorded = None;
    }
}

impl<T: Float> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let gradient = self.recorded.take().unwrap_or_else(|| Variable::from(self.values.clone()));
        self.parameter.set_grad(Some(gradient));
    }
}

/// `f` of each element in its place.
struct Each<'e, T, F> {
    elements: &'e mut [T],
    f: &'e F,
}

impl<T: Float, F: Fn(T) -> T> Kernel<T> for Each<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        for x in self.elements {
            *x = (self.f)(*x);
        }
    }
}

impl<T: Float, F: Fn(T) -> T + Sync> Divisible for Each<'_, T, F> {
    fn rows(&self) -> usize {
        self.elements.len()
    }

    fn numbers(&self) -> usize {
        2 * self.elements.len()
    }

    fn split_at(self, elements: usize) -> (Self, Self) {
        let (first, others) = self.elements.split_at_mut(elements);
        (Each { elements: first, f: self.f }, Each { elements: others, f: self.f })
    }
}

fn norm<T: Float>(grad: &Variable<T>, norm_type: f64) -> f64 {
    let grad = grad.value().contiguous();
    let elements = grad.as_slice().expect("contiguous");
    if norm_type == 2.0 {
        in_lanes::<T, SQUARES>(elements).sqrt()
    } else if norm_type == 1.0 {
        in_lanes::<T, MAGNITUDES>(elements)
    } else if norm_type == f64::INFINITY {
        in_lanes::<T, LARGEST_MAGNITUDE>(elements)
    } else {
        norm_of(elements.iter().map(|x| x.to_f64()), norm_type)
    }
}

const SQUARES: u8 = 0;
const MAGNITUDES: u8 = 1;
const LARGEST_MAGNITUDE: u8 = 2;

/// What [`Lanes`] makes of the magnitudes or squares of elements.
#[inline(always)]
fn combined<const KIND: u8>(sum: f64, x: f64) -> f64 {
    match KIND {
        // `f64::max` would pass over a NaN.
        LARGEST_MAGNITUDE => {
            if sum.is_nan() | (x <= sum) {
                sum
            } else {
                x
            }
        }
        _ => sum + x,
    }
}

/// The sum of squares, the sum of magnitudes or the largest magnitude of elements, in f64, where no square
/// of an f32 overflows. It runs in chunks, and in lanes within them: the order depends on the length alone.
fn in_lanes<T: Float, const KIND: u8>(elements: &[T]) -> f64 {
    let mut found = filled(0.0, elements.len().div_ceil(NORM_CHUNK));
    dispatch_shared(Lanes::<T, KIND> { elements, found: &mut found });
    found.into_iter().fold(0.0, combined::<KIND>)
}

struct Lanes<'l, T, const KIND: u8> {
    elements: &'l [T],
    /// One for each chunk.
    found: &'l mut [f64],
}

/// So many that the compiler takes vectors of them, rather than unroll the loop into single elements.
const NORM_LANES: usize = 128;
const NORM_CHUNK: usize = 1 << 15;

impl<T: Float, const KIND: u8> Kernel<T> for Lanes<'_, T, KIND> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        for (found, elements) in self.found.iter_mut().zip(self.elements.chunks(NORM_CHUNK)) {
            *found = chunk_in_lanes::<T, KIND>(elements);
        }
    }
}

impl<T: Float, const KIND: u8> Divisible for Lanes<'_, T, KIND> {
    fn rows(&self) -> usize {
        self.found.len()
    }

    fn numbers(&self) -> usize {
        self.elements.len()
    }

    fn split_at(self, chunks: usize) -> (Self, Self) {
        let (elements, found) =
            (self.elements.split_at(chunks * NORM_CHUNK), self.found.split_at_mut(chunks));
        (Lanes { elements: elements.0, found: found.0 }, Lanes { elements: elements.1, found: found.1 })
    }
}

#[inline(always)]
fn chunk_in_lanes<T: Float, const KIND: u8>(elements: &[T]) -> f64 {
    let mut lanes = [0.0; NORM_LANES];
    for chunk in elements.chunks(NORM_LANES) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            let x = x.to_f64();
            *lane = combined::<KIND>(*lane, if KIND == SQUARES { x * x } else { x.abs() });
        }
    }
    let mut width = NORM_LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] = combined::<KIND>(lanes[l], lanes[l + width]);
        }
        width /= 2;
    }
    lanes[0]
}

fn norm_of(values: impl Iterator<Item = f64>, norm_type: f64) -> f64 {
    if norm_type == f64::INFINITY {
        return values.fold(0.0, |max, x| combined::<LARGEST_MAGNITUDE>(max, x.abs()));
    }
    if norm_type == 2.0 {
        return from_zero(values.map(|x| x * x)).sqrt();
    }
    from_zero(values.map(|x| x.abs().powf(norm_type))).powf(1.0 / norm_type)
}

/// The sum, which of nothing is 0; an iterator's own would be -0.
fn from_zero(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, x| sum + x)
}
