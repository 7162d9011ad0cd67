//! L-BFGS (Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization).

mod history;
mod line_search;
mod objective;
mod saved;
mod sums;

use std::collections::HashSet;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, Variable};

use crate::options;
use crate::options::Options;
use history::History;
use line_search::Point;
use objective::Objective;
use sums::largest;

options! {
    /// Options of [`Lbfgs`]; the defaults are `torch.optim.LBFGS`'s: lr 1, 20 iterations a step and 5/4 as
    /// many evaluations, tolerances 1e-7 and 1e-9, a history of 100, no line search.
    LbfgsOptions, "LBFGS" {
        /// Learning rate: the length of a step, or with a line search the first one tried.
        lr: f64 = 1.0, at_least_zero;
        /// How many iterations a step has at most.
        max_iter: u64 = 20, at_least_one;
        /// How many evaluations of the loss a step has at most, or one more where a line search ends it; 0,
        /// the default, for 5/4 of `max_iter`.
        max_eval: u64 = 0;
        /// A step ends where no element of the gradient is larger.
        tolerance_grad: f64 = 1e-7, at_least_zero;
        /// A step ends where neither the loss nor an element changes by more.
        tolerance_change: f64 = 1e-9, at_least_zero;
        /// How many changes are remembered.
        history_size: u64 = 100, at_least_one;
        /// Whether the length of each iteration is found by a line search for the strong Wolfe conditions.
        strong_wolfe: bool = false;
    }
}

/// The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno (`torch.optim.LBFGS`), for losses
/// without noise.
///
/// Each iteration goes in the direction `-H g`, where `H`, an estimate of the inverse Hessian, is made of the
/// last changes of parameters and gradient. Products and sums are in double precision; for each change it
/// remembers it keeps two vectors of all parameters, of their type. As the loss is evaluated several times, a
/// step takes a closure that gives it, which is why it is no [`Optimizer`](crate::Optimizer); the backward
/// pass is its own. It is [`Stateful`](wengert_core::Stateful), a part of a checkpoint like any other.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Lbfgs, LbfgsOptions};
/// let x = Parameter::new(Tensor::from([-1.2f64, 1.0]));
/// let mut lbfgs = Lbfgs::with([x.clone()], LbfgsOptions::default().strong_wolfe(true))?;
/// // Rosenbrock's valley.
/// let loss = || {
///     let (a, b) = (x.narrow(0, 0, 1), x.narrow(0, 1, 1));
///     Ok(((1.0 - &a).square() + (&b - &a.square()).square() * 100.0).sum())
/// };
/// for _ in 0..5 {
///     lbfgs.step(loss)?;
/// }
/// assert!(x.to_vec().iter().all(|x| (x - 1.0).abs() < 1e-3));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "LBFGS")]
#[doc(alias = "torch.optim.LBFGS")]
pub struct Lbfgs<T: Float = f32> {
    /// The options, which may be changed between steps.
    pub options: LbfgsOptions,
    parameters: Vec<Parameter<T>>,
    history: History<T>,
}

impl<T: Float> Lbfgs<T> {
    /// The optimizer with default options and this learning rate.
    ///
    /// # Errors
    /// If there is no parameter, or the learning rate is out of its range.
    pub fn new(parameters: impl IntoIterator<Item = Parameter<T>>, lr: f64) -> Result<Self> {
        Self::with(parameters, LbfgsOptions::default().lr(lr))
    }

    /// The optimizer with options; a tied parameter counts once.
    ///
    /// # Errors
    /// If there are no parameters or an option is out of its range.
    pub fn with(parameters: impl IntoIterator<Item = Parameter<T>>, options: LbfgsOptions) -> Result<Self> {
        options.check_ranges()?;
        let mut seen = HashSet::new();
        let parameters: Vec<_> = parameters.into_iter().filter(|p| seen.insert(p.id())).collect();
        if parameters.is_empty() {
            return Err(Error::argument(LbfgsOptions::NAME, "parameters", "at least one", "none"));
        }
        Ok(Lbfgs { options, parameters, history: History::default() })
    }

    /// The parameters, each once.
    pub fn parameters(&self) -> &[Parameter<T>] {
        &self.parameters
    }

    /// The learning rate: the length of a step, or with a line search the first one tried.
    pub fn lr(&self) -> f64 {
        self.options.lr
    }

    /// Sets the learning rate, as a [`Schedule`](crate::schedule::Schedule) gives it; the next step checks
    /// it.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::Lbfgs;
    /// let mut lbfgs = Lbfgs::new([Parameter::new(Tensor::from([0.0f32]))], 1.0)?;
    /// lbfgs.set_lr(0.5);
    /// assert_eq!((lbfgs.lr(), lbfgs.options.lr), (0.5, 0.5));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn set_lr(&mut self, lr: f64) {
        self.options.lr = lr;
    }

    /// Does some iterations; gives the loss before them. `closure` gives the loss at the parameters' values,
    /// of one element, recorded; what else it does happens at each evaluation.
    ///
    /// # Errors
    /// If the closure or its backward pass fails; the parameters stay where it was called. If the allocator
    /// refuses memory; they stay there too, or where an iteration began if it was for their new values. Or if
    /// an option was set out of its range; then nothing has changed.
    pub fn step(&mut self, closure: impl FnMut() -> Result<Variable<T>>) -> Result<f64> {
        self.options.check_ranges()?;
        or_refused(LbfgsOptions::NAME, || self.iterate(closure))
    }

    fn iterate(&mut self, mut closure: impl FnMut() -> Result<Variable<T>>) -> Result<f64> {
        let Lbfgs { options, parameters, history } = self;
        let mut objective = Objective { parameters, closure: &mut closure };
        let mut point = Point::new(0.0, objective.evaluate()?, &history.direction);
        let first_loss = point.loss;
        let most = match options.max_eval {
            0 => options.max_iter.saturating_mul(5) / 4,
            most => most,
        };
        let mut evaluations = 1;
        if largest(&point.grad) <= options.tolerance_grad {
            return Ok(first_loss);
        }
        for iteration in 1..=options.max_iter {
            history.learn(&point.grad, options.history_size);
            let direction = &history.direction;
            let start = Point::new(0.0, (point.loss, point.grad), direction);
            let is_first = history.iterations == 1;
            let sum: f64 = start.grad.iter().map(|g| g.abs()).sum();
            let length = if is_first { options.lr * (1.0 / sum).min(1.0) } else { options.lr };
            history.length = length;
            if start.slope > -options.tolerance_change {
                break;
            }
            let (loss_before, is_last) = (start.loss, iteration == options.max_iter);
            let asked;
            let left = most.saturating_sub(evaluations);
            (point, asked) = objective.go(start, length, direction, (is_last, left), options)?;
            history.length = point.at;
            evaluations += asked;
            if is_last || evaluations >= most {
                break;
            }
            let tolerance = options.tolerance_change;
            if largest(&point.grad) <= options.tolerance_grad
                || largest(direction) * point.at.abs() <= tolerance
                || (point.loss - loss_before).abs() < tolerance
            {
                break;
            }
        }
        Ok(first_loss)
    }
}

fn count<T: Float>(parameter: &Parameter<T>) -> usize {
    parameter.shape().iter().product()
}
