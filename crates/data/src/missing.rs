//! Series with missing values.

use wengert_core::__private::{filled, or_refused, vec_of};
use wengert_core::{Error, Float, Result, Tensor};

use crate::fingerprint::in_order;

/// How [`observations`] fills a series.
///
/// ```
/// use wengert_data::ObservationOptions;
/// let options = ObservationOptions::default().times(vec![0.0, 0.5, 4.0]).initial(vec![20.0]);
/// assert_ne!(options, ObservationOptions::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct ObservationOptions {
    times: Option<Vec<f64>>,
    initial: Option<Vec<f64>>,
}

impl ObservationOptions {
    /// The time of each step; by default 0, 1, 2, ..
    pub fn times(mut self, times: Vec<f64>) -> Self {
        self.times = Some(times);
        self
    }

    /// The value of each column before its first observation, such as the mean of the training part
    /// ([`Scaler::center`](crate::Scaler::center)); default 0.
    pub fn initial(mut self, values: Vec<f64>) -> Self {
        self.initial = Some(values);
        self
    }
}

/// A series without gaps, and where it had some, from [`observations`]; each of the series' shape.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Observations<T: Float> {
    /// The last value that was observed; before the first, the initial one.
    pub values: Tensor<T>,
    /// Whether the value was observed at this step.
    pub mask: Tensor<bool>,
    /// The time since the observation before this step; at the first step 0.
    pub gaps: Tensor<T>,
}

/// A series (T, .., C) whose missing values are NaN as values, a mask, and the time since the last
/// observation, as recurrent networks take it (GRU-D, Che et al. 2018).
///
/// With times `s` and mask `m`, the gap of a column is `d[0] = 0`, and behind that
/// `d[t] = s[t] - s[t-1]` if `m[t-1]`, else `d[t] = s[t] - s[t-1] + d[t-1]`.
///
/// # Errors
/// If the series has no axis, there is not one time for each step, times fall or are not finite, or there is
/// not one initial value for each column, or there is no memory for what it gives.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{ObservationOptions, observations};
/// let series = Tensor::from([[f32::NAN], [3.0], [f32::NAN], [f32::NAN], [5.0]]);
/// let seen = observations(&series, ObservationOptions::default().initial(vec![1.0]))?;
/// assert_eq!(seen.values.to_vec(), [1.0, 3.0, 3.0, 3.0, 5.0]);
/// assert_eq!(seen.mask.to_vec(), [false, true, false, false, true]);
/// assert_eq!(seen.gaps.to_vec(), [0.0, 1.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "GRU-D")]
#[doc(alias = "ffill")]
pub fn observations<T: Float>(series: &Tensor<T>, options: ObservationOptions) -> Result<Observations<T>> {
    let shape = series.shape();
    let (Some(&steps), Some(&columns)) =
        (shape.first(), shape.last().filter(|_| shape.len() > 1).or(Some(&1)))
    else {
        return Err(Error::shape(NAME, "a series of at least 1 axis", "a scalar"));
    };
    or_refused(NAME, || {
        let times = options.times.unwrap_or_else(|| by_place(steps, |t| t as f64));
        check_times(&times, steps)?;
        let initial = options.initial.unwrap_or_else(|| filled(0.0, columns));
        if initial.len() != columns {
            let expected = format!("{columns} values, one for each column");
            return Err(Error::argument(NAME, "initial", expected, initial.len()));
        }
        filled_up(series, &times, &initial)
    })
}

/// The observations of a series whose times and initial values fit it.
fn filled_up<T: Float>(series: &Tensor<T>, times: &[f64], initial: &[f64]) -> Result<Observations<T>> {
    let shape = series.shape();
    let source = series.contiguous();
    let source = in_order(&source);
    let row: usize = shape[1..].iter().product();
    let mask = by_place(source.len(), |i| !source[i].to_f64().is_nan());
    let (mut values, mut gaps) = (vec_of(source.len()), filled(0.0, source.len()));
    for (i, &x) in source.iter().enumerate() {
        let before = i.checked_sub(row);
        values.push(match before {
            _ if mask[i] => x,
            Some(before) => values[before],
            None => T::from_f64(initial[i % initial.len()]),
        });
        if let Some(before) = before {
            let since = times[i / row] - times[i / row - 1];
            gaps[i] = if mask[before] { since } else { since + gaps[before] };
        }
    }
    Ok(Observations {
        values: Tensor::from_vec(values, shape)?,
        mask: Tensor::from_vec(mask, shape)?,
        gaps: Tensor::from_vec(by_place(gaps.len(), |i| T::from_f64(gaps[i])), shape)?,
    })
}

/// A vector of so many values, each by its place.
fn by_place<V>(len: usize, value: impl Fn(usize) -> V) -> Vec<V> {
    let mut values = vec_of(len);
    values.extend((0..len).map(value));
    values
}

const NAME: &str = "observations";

fn check_times(times: &[f64], steps: usize) -> Result<()> {
    if times.len() != steps {
        return Err(Error::argument(NAME, "times", format!("{steps}, one for each step"), times.len()));
    }
    if let Some(time) = times.iter().find(|time| !time.is_finite()) {
        return Err(Error::argument(NAME, "every time", "finite", time));
    }
    match times.windows(2).position(|pair| pair[1] < pair[0]) {
        None => Ok(()),
        Some(step) => {
            let got = format!("{} behind {} at step {}", times[step + 1], times[step], step + 1);
            Err(Error::argument(NAME, "times", "not falling", got))
        }
    }
}
