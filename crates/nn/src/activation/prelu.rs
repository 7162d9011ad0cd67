//! A rectifier with a learned slope.

use std::fmt;

use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};

use crate::line::answered;
use crate::module;
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// `x` where it is positive, else `w x`, with one learned slope or one for each channel (`torch.nn.PReLU`; He
/// et al. 2015). The channels are axis 1, or axis 0 of a vector.
///
/// Parameter: `weight` (1) or (channels), each 0.25.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::Prelu;
/// let x = Variable::new(Tensor::from([[-2.0f32, 3.0]]));
/// assert_eq!(Prelu::new().forward(&x)?.to_vec(), vec![-0.5, 3.0]);
/// let error = Prelu::of_channels(3)?.forward(&x).unwrap_err();
/// assert_eq!(error.to_string(), "PReLU: expected an input of 3 channels, got [1, 2]");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "PReLU")]
#[derive(Clone, Debug)]
pub struct Prelu<T: Float = f32> {
    /// The slopes where the input is not positive.
    pub weight: Parameter<T>,
}

module!(Prelu<T> { weight });

impl Prelu {
    /// One slope for all channels, which starts at 0.25.
    #[allow(clippy::new_without_default, reason = "a default would not infer its element type")]
    #[must_use]
    pub fn new() -> Self {
        Prelu { weight: Parameter::new(Tensor::full([1], 0.25)) }
    }

    /// A slope for each of `num_parameters` channels, which start at 0.25.
    ///
    /// # Errors
    /// If there are no channels.
    pub fn of_channels(num_parameters: usize) -> Result<Self> {
        match num_parameters {
            0 => Err(Error::argument("PReLU", "num_parameters", "at least 1", 0)),
            count => Ok(Prelu { weight: Parameter::new(Tensor::full([count], 0.25)) }),
        }
    }
}

forward!(Prelu<T>);

impl<T: Float> Forward for Prelu<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let channels = self.weight.numel();
        let axis = 1.min(x.rank().saturating_sub(1));
        if channels != 1 && x.shape().get(axis) != Some(&channels) {
            let expected = format!("an input of {channels} channels");
            return Err(Error::shape("PReLU", expected, format!("{:?}", x.shape())));
        }
        Watch::of(self).output(answered("PReLU", || Ok(x.prelu(&self.weight)))?)
    }
}

impl<T: Float> fmt::Display for Prelu<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PReLU(num_parameters={})", self.weight.numel())
    }
}
