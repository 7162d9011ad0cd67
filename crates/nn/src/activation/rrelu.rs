//! A rectifier whose slopes are drawn.

use std::fmt;

use wengert_core::{AsVariable, Error, Float, Result, Tensor, Variable};

use crate::line::answered;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::repr::python;
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

fn check(operation: &'static str, lower: f64, upper: f64) -> Result<()> {
    if !(lower.is_finite() && upper.is_finite() && lower <= upper) {
        let got = format!("{lower} and {upper}");
        return Err(Error::argument(operation, "lower and upper", "finite, lower at most upper", got));
    }
    Ok(())
}

/// `x` where it is positive, else `a x`, with a slope `a` of each element's own, drawn from U(lower, upper)
/// by this thread's generator (`torch.nn.functional.rrelu` with `training=True`; Xu et al. 2015, arXiv
/// 1505.00853). The derivative at 0 is `a`. To evaluate, every slope is the mean, which is
/// `x.leaky_relu((lower + upper) / 2.0)`; [`Rrelu`] does either.
///
/// # Errors
/// If the bounds are not finite or `lower` is above `upper`, or there is no memory for the draws.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::rrelu;
/// let y = rrelu(&Tensor::from([-1.0f32, 3.0]), 0.125, 0.25)?.to_vec();
/// assert!((-0.25..=-0.125).contains(&y[0]) && y[1] == 3.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn rrelu<T: Float>(x: &impl AsVariable<T>, lower: f64, upper: f64) -> Result<Variable<T>> {
    let x = x.as_variable();
    check("rrelu", lower, upper)?;
    answered("rrelu", || {
        let drawn = Variable::from(Tensor::uniform(x.shape(), lower, upper));
        Ok(&x * drawn.masked_fill(&x.gt(0.0), 1.0))
    })
}

/// `x` where it is positive, else `a x` (`torch.nn.RReLU`; Xu et al. 2015, arXiv 1505.00853): in training
/// with a slope `a` of each element's own, drawn from U(lower, upper), in evaluation with `(lower + upper) /
/// 2`.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{Module, Rrelu};
/// let mut layer = Rrelu::with_bounds(0.25, 0.75)?;
/// let x = Variable::new(Tensor::from([-2.0f32, 3.0]));
/// assert!((-1.5..=-0.5).contains(&layer.forward(&x)?.to_vec()[0]));
/// layer.eval();
/// assert_eq!(layer.forward(&x)?.to_vec(), vec![-1.0, 3.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "RReLU")]
#[derive(Clone, Debug)]
pub struct Rrelu<T: Float = f32> {
    lower: f64,
    upper: f64,
    training: bool,
    element: std::marker::PhantomData<T>,
}

impl Rrelu {
    /// The activation with slopes between 1/8 and 1/3, in training mode.
    #[allow(clippy::new_without_default, reason = "a default would not infer its element type")]
    #[must_use]
    pub fn new() -> Self {
        Rrelu { lower: 1.0 / 8.0, upper: 1.0 / 3.0, training: true, element: std::marker::PhantomData }
    }

    /// The activation with slopes between these bounds, in training mode.
    ///
    /// # Errors
    /// If the bounds are not finite or `lower` is above `upper`.
    pub fn with_bounds(lower: f64, upper: f64) -> Result<Self> {
        check("RReLU", lower, upper)?;
        Ok(Rrelu { lower, upper, ..Rrelu::new() })
    }
}

impl<T: Float> Module for Rrelu<T> {
    type Element = T;

    fn visit(&self, _: &mut Visitor<'_, T>) {}

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        visitor.mode(&mut self.training);
    }

    fn settings(&self) -> String {
        self.to_string()
    }
}

impl<T: Float> Cast for Rrelu<T> {
    type To<U: Float> = Rrelu<U>;

    fn cast_with<U: Float>(&self, _: &mut Memo<U>) -> Rrelu<U> {
        let Rrelu { lower, upper, training, .. } = *self;
        Rrelu { lower, upper, training, element: std::marker::PhantomData }
    }
}

forward!(Rrelu<T>);

impl<T: Float> Forward for Rrelu<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        Watch::of(self).output(match self.training {
            true => rrelu(x, self.lower, self.upper)?,
            false => answered("RReLU", || Ok(x.leaky_relu((self.lower + self.upper) / 2.0)))?,
        })
    }
}

impl<T: Float> fmt::Display for Rrelu<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RReLU(lower={}, upper={})", python(self.lower), python(self.upper))
    }
}
