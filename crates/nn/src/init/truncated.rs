//! Draws from a normal distribution inside bounds.

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};

/// Draws every element from N(mean, std^2) given that it lies in [low, high] (`torch.nn.init.trunc_normal_`,
/// whose defaults are 0, 1, -2 and 2).
///
/// # Errors
/// If `std` is not positive, `low` is not below `high`, or there is no memory for the new value.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_nn::init;
/// let w = Parameter::new(Tensor::<f32>::zeros([100]));
/// init::trunc_normal(&w, 0.0, 0.02, -0.04, 0.04)?;
/// assert!(w.to_vec().iter().all(|x| x.abs() <= 0.04));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "TruncatedNormal")]
pub fn trunc_normal<T: Float>(
    parameter: &Parameter<T>,
    mean: f64,
    std: f64,
    low: f64,
    high: f64,
) -> Result<()> {
    if !(std > 0.0 && std.is_finite()) {
        return Err(Error::argument("trunc_normal", "std", "a positive number", std));
    }
    if low.is_nan() || high.is_nan() || low >= high {
        return Err(Error::argument("trunc_normal", "low", format!("below high {high}"), low));
    }
    let draw = Truncated { mean, std, low, high };
    let value = or_refused("trunc_normal", || Ok(draw.fill(parameter.shape())));
    parameter.set_value(value?)
}

struct Truncated {
    mean: f64,
    std: f64,
    low: f64,
    high: f64,
}

impl Truncated {
    fn fill<T: Float>(&self, shape: &[usize]) -> Tensor<T> {
        let count = shape.iter().product();
        let mut values: Vec<T> = vec_of(count);
        let inside = |x: &T| x.to_f64() >= self.low && x.to_f64() <= self.high;
        // A representable number may be missing from a very narrow interval: a few rounds, then what is near.
        let mut rounds = 0;
        while values.len() < count {
            let drawn = self.round(count - values.len()).into_iter().map(T::from_f64);
            rounds += 1;
            let missing = count - values.len();
            match rounds < 1000 {
                true => values.extend(drawn.filter(inside).take(missing)),
                false => values.extend(drawn.take(missing)),
            }
        }
        Tensor::from_fn(shape, |i| values[i])
    }

    /// Some draws, of which not all are accepted: normal ones where much of the distribution lies inside,
    /// else uniform ones that are accepted as often as they are likely.
    fn round(&self, missing: usize) -> Vec<f64> {
        let count = missing + missing / 2 + 16;
        if self.mass() > 0.3 {
            let mut normal = Tensor::<f64>::randn([count]).to_vec();
            normal.iter_mut().for_each(|x| *x = self.mean + self.std * *x);
            return normal;
        }
        let log_density = |x: f64| -0.5 * ((x - self.mean) / self.std).powi(2);
        let peak = log_density(self.mean.clamp(self.low, self.high));
        let mut candidates = Tensor::<f64>::uniform([count], self.low, self.high).to_vec();
        let mut chances = Tensor::<f64>::rand([count]).to_vec().into_iter();
        let mut chance = || chances.next().expect("one for each");
        candidates.retain(|x| chance().ln() <= log_density(*x) - peak);
        candidates
    }

    /// The share of the distribution inside the bounds.
    fn mass(&self) -> f64 {
        let ends = [self.low, self.high].map(|end| (end - self.mean) / self.std);
        let below = Variable::<f64>::new(Tensor::from(ends)).ndtr().to_vec();
        below[1] - below[0]
    }
}
