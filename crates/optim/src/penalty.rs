//! Penalties on the distance of parameters from where they are expected.

use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};

/// A term of the loss that grows with the distance of parameters from a prior:
/// `sum(l1 |p - q| + l2 (p - q)^2)`, where `q` is 0, or the values at a moment
/// (as fine-tuning from a starting point does, L2-SP, Li et al. 2018).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::Penalty;
/// let w = Parameter::new(Tensor::from([1.0f64, -2.0]));
/// let penalty = Penalty::new([w.clone()], 0.5, 0.25)?;
/// assert_eq!(penalty.loss().item()?, 0.5 * 3.0 + 0.25 * 5.0);
/// let from_here = Penalty::from_values([w.clone()], 0.5, 0.25)?;
/// assert_eq!(from_here.loss().item()?, 0.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "regularizer")]
pub struct Penalty<T: Float = f32> {
    parameters: Vec<(Parameter<T>, Option<Tensor<T>>)>,
    l1: f64,
    l2: f64,
}

impl<T: Float> Penalty<T> {
    /// A penalty on the distance from 0.
    ///
    /// # Errors
    /// If a factor is negative or not finite.
    pub fn new(parameters: impl IntoIterator<Item = Parameter<T>>, l1: f64, l2: f64) -> Result<Self> {
        Self::around(parameters.into_iter().map(|parameter| (parameter, None)), l1, l2)
    }

    /// A penalty on the distance from the values that the parameters have now.
    ///
    /// # Errors
    /// If a factor is negative or not finite.
    pub fn from_values(parameters: impl IntoIterator<Item = Parameter<T>>, l1: f64, l2: f64) -> Result<Self> {
        let around = parameters.into_iter().map(|parameter| {
            let value = parameter.value();
            (parameter, Some(value))
        });
        Self::around(around, l1, l2)
    }

    fn around(
        parameters: impl Iterator<Item = (Parameter<T>, Option<Tensor<T>>)>,
        l1: f64,
        l2: f64,
    ) -> Result<Self> {
        for (name, factor) in [("l1", l1), ("l2", l2)] {
            if !(0.0..f64::INFINITY).contains(&factor) {
                return Err(Error::argument("Penalty", name, "at least 0 and finite", factor));
            }
        }
        Ok(Penalty { parameters: parameters.collect(), l1, l2 })
    }

    /// The penalty at the parameters' values, recorded, to be added to the loss.
    #[must_use]
    pub fn loss(&self) -> Variable<T> {
        let mut sum = Variable::from(Tensor::scalar(T::ZERO));
        for (parameter, prior) in &self.parameters {
            let distance = match prior {
                Some(prior) => &**parameter - &Variable::from(prior.clone()),
                None => (**parameter).clone(),
            };
            if self.l1 > 0.0 {
                sum = &sum + &(distance.abs().sum() * self.l1);
            }
            if self.l2 > 0.0 {
                sum = &sum + &(distance.square().sum() * self.l2);
            }
        }
        sum
    }
}
