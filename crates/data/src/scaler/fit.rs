//! Centers and scales of columns.

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Error, Float, Result, Tensor};

use super::{NAME, Scaler};
use crate::fingerprint::in_order;

/// The scaler whose columns `fit` says a center and a scale for, from the values there are.
pub(super) fn columns<T: Float>(values: &Tensor<T>, fit: fn(&mut [f64]) -> (f64, f64)) -> Result<Scaler> {
    let Some(&count) = values.shape().last().filter(|count| **count > 0) else {
        let got = format!("shape {:?}", values.shape());
        return Err(Error::shape(NAME, "values of at least 1 column, the last axis", got));
    };
    or_refused(NAME, || fitted(values, count, fit))
}

/// The scaler of values of so many columns.
fn fitted<T: Float>(values: &Tensor<T>, count: usize, fit: fn(&mut [f64]) -> (f64, f64)) -> Result<Scaler> {
    let source = values.contiguous();
    let source = in_order(&source);
    let (mut center, mut scale) = (vec_of(count), vec_of(count));
    let mut there: Vec<f64> = vec_of(source.len() / count);
    for column in 0..count {
        let all = source.iter().skip(column).step_by(count).map(|x| x.to_f64());
        there.clear();
        there.extend(all.filter(|x| !x.is_nan()));
        if there.is_empty() {
            let got = format!("none in column {column}");
            return Err(Error::shape(NAME, "at least 1 value in every column that is not missing", got));
        }
        if let Some(infinite) = there.iter().find(|x| x.is_infinite()) {
            let got = format!("{infinite} in column {column}");
            return Err(Error::argument(NAME, "every value", "finite or missing", got));
        }
        let (middle, spread) = fit(&mut there);
        center.push(middle);
        scale.push(if spread > 0.0 { spread } else { 1.0 });
    }
    Scaler::new(center, scale)
}

/// Mean and standard deviation, of the values as a population.
pub(super) fn standard(values: &mut [f64]) -> (f64, f64) {
    let count = values.len() as f64;
    // From the first one, so that equal values have a deviation of exactly 0.
    let first = values[0];
    let mean = first + values.iter().map(|x| x - first).sum::<f64>() / count;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// The smallest value and the range.
pub(super) fn min_max(values: &mut [f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (least, most - least)
}

/// The median and the range between the quartiles.
pub(super) fn robust(values: &mut [f64]) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    (quantile(values, 0.5), quantile(values, 0.75) - quantile(values, 0.25))
}

/// A quantile of sorted values, between two of them by a straight line (`numpy.quantile`).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
