//! Columns brought to one scale.

mod fit;

use wengert_core::__private::or_refused;
use wengert_core::{Element, Error, Float, Result, Stateful, Tensor, TensorMap, Variable};

use crate::state::doubles;

/// A scale for each column, the last axis: `(x - center) / scale`, fitted on some values and then used on
/// others (`sklearn.preprocessing`).
///
/// Missing values, NaN, are not counted and stay. A column of one value only has scale 1.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::Scaler;
/// let series = Tensor::from([[1.0f32, 10.0], [3.0, f32::NAN], [9.0, 30.0]]);
/// let scaler = Scaler::standard(&series.narrow(0, 0, 2)?)?; // the part to train on, alone
/// let scaled = scaler.transform(&series)?;
/// assert_eq!(scaled.select(0, 2)?, Tensor::from([7.0f32, 20.0]));
/// assert_eq!(scaler.inverse_transform(&scaled)?.at(&[2, 1]), 30.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "Normalization")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaler {
    center: Vec<f64>,
    scale: Vec<f64>,
}

impl Scaler {
    /// Columns of mean 0 and variance 1 (`sklearn.preprocessing.StandardScaler`).
    ///
    /// # Errors
    /// If there are no columns, or one has no value, or an infinite one, or there is no memory for a copy.
    #[doc(alias = "StandardScaler")]
    #[doc(alias = "normalize")]
    pub fn standard<T: Float>(values: &Tensor<T>) -> Result<Self> {
        fit::columns(values, fit::standard)
    }

    /// Columns from 0 to 1 (`sklearn.preprocessing.MinMaxScaler`).
    ///
    /// # Errors
    /// If there are no columns, or one has no value, or an infinite one, or there is no memory for a copy.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_data::Scaler;
    /// let scaler = Scaler::min_max(&Tensor::from([[2.0f64], [6.0], [4.0]]))?;
    /// assert_eq!(scaler.transform(&Tensor::from([[3.0f64]]))?.item()?, 0.25);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "MinMaxScaler")]
    pub fn min_max<T: Float>(values: &Tensor<T>) -> Result<Self> {
        fit::columns(values, fit::min_max)
    }

    /// Columns of median 0 and an interquartile range of 1, which outliers do not move
    /// (`sklearn.preprocessing.RobustScaler`).
    ///
    /// # Errors
    /// If there are no columns, or one has no value, or an infinite one, or there is no memory for a copy.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_data::Scaler;
    /// let scaler = Scaler::robust(&Tensor::from([[1.0f64], [2.0], [3.0], [4.0], [1000.0]]))?;
    /// assert_eq!((scaler.center(), scaler.scale()), (&[3.0][..], &[2.0][..]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "RobustScaler")]
    pub fn robust<T: Float>(values: &Tensor<T>) -> Result<Self> {
        fit::columns(values, fit::robust)
    }

    /// A scaler of given centers and scales.
    ///
    /// # Errors
    /// If there is not one scale for each center, a number is not finite, or a scale is 0.
    ///
    /// ```
    /// use wengert_data::Scaler;
    /// let error = Scaler::new(vec![0.0], vec![0.0]).unwrap_err().to_string();
    /// assert_eq!(error, "Scaler: every scale must be finite and not 0, got [0.0]");
    /// ```
    pub fn new(center: Vec<f64>, scale: Vec<f64>) -> Result<Self> {
        if center.len() != scale.len() {
            return Err(Error::shape(
                NAME,
                format!("{} scales, one for each center", center.len()),
                scale.len(),
            ));
        }
        if center.iter().any(|x| !x.is_finite()) {
            return Err(Error::argument(NAME, "every center", "finite", format!("{center:?}")));
        }
        if scale.iter().any(|x| !x.is_finite() || *x == 0.0) {
            return Err(Error::argument(NAME, "every scale", "finite and not 0", format!("{scale:?}")));
        }
        Ok(Scaler { center, scale })
    }

    /// The value of each column that becomes 0.
    pub fn center(&self) -> &[f64] {
        &self.center
    }

    /// The distance of each column that becomes 1.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// A scaler of some of the columns, in the order given, as of those that are forecast.
    ///
    /// # Errors
    /// If there is no such column.
    ///
    /// ```
    /// use wengert_data::Scaler;
    /// let scaler = Scaler::new(vec![1.0, 2.0], vec![3.0, 4.0])?;
    /// assert_eq!(scaler.columns(&[1])?, Scaler::new(vec![2.0], vec![4.0])?);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn columns(&self, columns: &[usize]) -> Result<Self> {
        let count = self.center.len();
        if let Some(column) = columns.iter().find(|column| **column >= count) {
            return Err(Error::argument(NAME, "every column", format!("in 0..{count}"), column));
        }
        let of = |values: &[f64]| columns.iter().map(|&column| values[column]).collect();
        Ok(Scaler { center: of(&self.center), scale: of(&self.scale) })
    }

    /// Values (.., C) of a tensor or a variable, scaled. Of a variable it is recorded.
    ///
    /// # Errors
    /// If the last axis is not the scaler's columns, or there is no memory for the result.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_data::Scaler;
    /// let scaler = Scaler::new(vec![1.0, 2.0], vec![3.0, 4.0])?;
    /// let error = scaler.transform(&Tensor::<f32>::zeros([5, 3])).unwrap_err().to_string();
    /// assert_eq!(error, "Scaler: expected a last axis of 2, the columns, got shape [5, 3]");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn transform<X: Scalable>(&self, values: &X) -> Result<X> {
        self.check(values.extents())?;
        or_refused(NAME, || Ok(values.scaled(&self.center, &self.scale)))
    }

    /// Scaled values (.., C) as they were, such as a model's forecasts. Of a variable it is recorded.
    ///
    /// # Errors
    /// If the last axis is not the scaler's columns, or there is no memory for the result.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_data::Scaler;
    /// let scaler = Scaler::new(vec![1.0], vec![3.0])?;
    /// let x = Variable::new(Tensor::from([[2.0f32]])).requires_grad_(true);
    /// scaler.inverse_transform(&x)?.sum().backward()?;
    /// assert_eq!(x.grad().unwrap().item()?, 3.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn inverse_transform<X: Scalable>(&self, values: &X) -> Result<X> {
        self.check(values.extents())?;
        or_refused(NAME, || Ok(values.unscaled(&self.center, &self.scale)))
    }

    fn check(&self, shape: &[usize]) -> Result<()> {
        match shape.last() {
            Some(&last) if last == self.center.len() => Ok(()),
            _ => {
                let expected = format!("a last axis of {}, the columns", self.center.len());
                Err(Error::shape(NAME, expected, format!("shape {shape:?}")))
            }
        }
    }
}

const NAME: &str = "Scaler";

/// A tensor or a variable, as a [`Scaler`] takes it.
pub trait Scalable: Sized {
    /// The shape.
    fn extents(&self) -> &[usize];

    /// The values (.., C) minus `center`, divided by `scale`.
    fn scaled(&self, center: &[f64], scale: &[f64]) -> Self;

    /// The values (.., C) times `scale`, plus `center`.
    fn unscaled(&self, center: &[f64], scale: &[f64]) -> Self;
}

impl<T: Float> Scalable for Tensor<T> {
    fn extents(&self) -> &[usize] {
        self.shape()
    }

    fn scaled(&self, center: &[f64], scale: &[f64]) -> Self {
        by_column(self, |x, column| (x - center[column]) / scale[column])
    }

    fn unscaled(&self, center: &[f64], scale: &[f64]) -> Self {
        by_column(self, |x, column| x * scale[column] + center[column])
    }
}

/// Each value through a function of it and its column, in double precision.
fn by_column<T: Element>(values: &Tensor<T>, f: impl Fn(f64, usize) -> f64) -> Tensor<T> {
    let columns = values.shape().last().copied().unwrap_or(1);
    let source = values.contiguous();
    let source = crate::fingerprint::in_order(&source);
    Tensor::from_fn(values.shape(), |i| T::from_f64(f(source[i].to_f64(), i % columns)))
}

impl<T: Float> Scalable for Variable<T> {
    fn extents(&self) -> &[usize] {
        self.shape()
    }

    fn scaled(&self, center: &[f64], scale: &[f64]) -> Self {
        match rests::<T>(center) {
            Some(rests) => (self - row(center) - row(&rests)) / row(scale),
            None => (self - row(center)) / row(scale),
        }
    }

    fn unscaled(&self, center: &[f64], scale: &[f64]) -> Self {
        match rests::<T>(center) {
            Some(rests) => self * row(scale) + row(&rests) + row(center),
            None => self * row(scale) + row(center),
        }
    }
}

/// What rounding to `T` takes from values, if it takes any: beside a small scale it is not little.
fn rests<T: Float>(values: &[f64]) -> Option<Vec<f64>> {
    let rest = |&x: &f64| Some(x - T::from_f64(x).to_f64()).filter(|rest| rest.is_finite()).unwrap_or(0.0);
    let rests: Vec<f64> = values.iter().map(rest).collect();
    rests.iter().any(|rest| *rest != 0.0).then_some(rests)
}

fn row<T: Float>(values: &[f64]) -> Variable<T> {
    Variable::new(values.iter().map(|&x| T::from_f64(x)).collect::<Vec<_>>().into())
}

/// Saves center and scale in double precision.
///
/// ```
/// use wengert_core::Stateful;
/// use wengert_data::Scaler;
/// let (fitted, mut loaded) = (Scaler::new(vec![1.0], vec![3.0])?, Scaler::default());
/// loaded.load_state_dict(&fitted.state_dict())?;
/// assert_eq!(loaded, fitted);
/// # Ok::<(), wengert_core::Error>(())
/// ```
impl Stateful for Scaler {
    fn state_dict(&self) -> TensorMap {
        let mut map = TensorMap::new();
        map.insert("center", Tensor::from(self.center.clone()));
        map.insert("scale", Tensor::from(self.scale.clone()));
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        map.check_names(["center", "scale"])?;
        *self = Scaler::new(doubles(map, "center")?.to_vec(), doubles(map, "scale")?.to_vec())?;
        Ok(())
    }
}
