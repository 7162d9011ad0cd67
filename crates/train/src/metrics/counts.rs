//! Which elements count, and how much.

use wengert_core::__private::vec_of;
use wengert_core::{Element, Error, Result, Tensor};

/// Counts every element once.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{All, Mean, Metric};
/// let mut mean = Mean::new();
/// mean.update(&Tensor::from([1.0f32, 3.0]), All)?;
/// assert_eq!(mean.value(), 2.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct All;

/// Counts the steps of padded sequences that are within their lengths: of elements (T, N, ..), those `[t, n]`
/// with `t < lengths[n]`.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{Lengths, Mean, Metric};
/// let mut mean = Mean::new();
/// mean.update(&Tensor::from([[1.0f32, 5.0], [9.0, 3.0]]), Lengths(&[1, 2]))?;
/// assert_eq!(mean.value(), 3.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lengths<'l>(pub &'l [usize]);

/// Elements that count, and by how much: [`All`], those where a `&Tensor<bool>` holds, each by its weight
/// in a `&Tensor<f32>` or `&Tensor<f64>`, or [`Lengths`].
///
/// A mask or weights may leave out trailing axes, as those of the losses may: of elements (T, N, F) a mask
/// (T, N) keeps or leaves out whole steps. What does not count is not looked at: it may be NaN, or a class
/// that there is not.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{Mean, Metric};
/// let losses = Tensor::from([[1.0f32, f32::NAN], [3.0, 5.0]]);
/// let mut mean = Mean::new();
/// mean.update(&losses, &Tensor::from([[true, false], [true, true]]))?;
/// assert_eq!(mean.value(), 3.0);
/// let mut weighted = Mean::new();
/// weighted.update(&losses, &Tensor::from([[1.0f64, 0.0], [0.5, 0.5]]))?;
/// assert_eq!(weighted.value(), 2.5);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Counts {
    /// The weight of each element of that shape, in row-major order; none where each counts once.
    ///
    /// # Errors
    /// If the shape does not fit, or a weight is negative or no finite number.
    fn weights(&self, shape: &[usize]) -> Result<Option<Vec<f64>>>;
}

impl Counts for All {
    fn weights(&self, _: &[usize]) -> Result<Option<Vec<f64>>> {
        Ok(None)
    }
}

impl Counts for &Tensor<bool> {
    fn weights(&self, shape: &[usize]) -> Result<Option<Vec<f64>>> {
        let kept = spread("mask", self, shape)?;
        Ok(Some(each(kept.len(), |at| f64::from(u8::from(kept[at])))))
    }
}

impl Counts for &Tensor<f32> {
    fn weights(&self, shape: &[usize]) -> Result<Option<Vec<f64>>> {
        let weights = spread("weight", self, shape)?;
        checked(each(weights.len(), |at| f64::from(weights[at])))
    }
}

impl Counts for &Tensor<f64> {
    fn weights(&self, shape: &[usize]) -> Result<Option<Vec<f64>>> {
        checked(spread("weight", self, shape)?)
    }
}

/// Refuses weights that are negative or no finite numbers.
fn checked(weights: Vec<f64>) -> Result<Option<Vec<f64>>> {
    match weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
        None => Ok(Some(weights)),
        Some(at) => {
            let got = format!("{} at element {at}", weights[at]);
            Err(Error::argument("update", "every weight", "finite and at least 0", got))
        }
    }
}

impl Counts for Lengths<'_> {
    fn weights(&self, shape: &[usize]) -> Result<Option<Vec<f64>>> {
        let Lengths(lengths) = self;
        let &[steps, batch, ..] = shape else {
            return Err(Error::shape("update", "elements (T, N, ..) for lengths", format!("{shape:?}")));
        };
        if lengths.len() != batch {
            let got = format!("{} lengths", lengths.len());
            return Err(Error::shape("update", format!("{batch} lengths, one for each sequence"), got));
        }
        if let Some(long) = lengths.iter().find(|length| **length > steps) {
            return Err(Error::argument("update", "every length", format!("at most {steps}"), long));
        }
        let width = shape[2..].iter().product::<usize>();
        let of = |at: usize| f64::from(u8::from(at / width / batch < lengths[at / width % batch]));
        Ok(Some(each(steps * batch * width, of)))
    }
}

/// A number for each of so many places.
pub(super) fn each(len: usize, of: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut numbers = vec_of(len);
    numbers.extend((0..len).map(of));
    numbers
}

/// The elements of a tensor over the leading axes of `shape`, for each element there.
fn spread<V: Element>(what: &str, tensor: &Tensor<V>, shape: &[usize]) -> Result<Vec<V>> {
    let own = tensor.shape();
    let fits = own.len() <= shape.len() && own.iter().zip(shape).all(|(&a, &b)| a == b || a == 1);
    if !fits {
        let expected = format!("a {what} over the leading axes of {shape:?}");
        return Err(Error::shape("update", expected, format!("{own:?}")));
    }
    let mut padded = own.to_vec();
    padded.resize(shape.len(), 1);
    Ok(tensor.reshape(&padded)?.expand(shape)?.to_vec())
}

/// Each element that counts, its place and its weight.
pub(super) fn counted(weights: &Option<Vec<f64>>, elements: usize) -> impl Iterator<Item = (usize, f64)> {
    let weight = |at| weights.as_ref().map_or(1.0, |weights| weights[at]);
    (0..elements).map(move |at| (at, weight(at))).filter(|(_, weight)| *weight > 0.0)
}

/// Refuses tensors that are not of one shape.
pub(super) fn same_shape(metric: &'static str, predicted: &[usize], targets: &[usize]) -> Result<()> {
    if predicted == targets {
        return Ok(());
    }
    let expected = format!("predictions of the targets' shape {targets:?}");
    Err(Error::shape(metric, expected, format!("{predicted:?}")))
}
