//! What an optimizer is: its options and the update of one parameter.

use wengert_core::{Float, Result};

use crate::options::Options;

/// One parameter's turn: its elements, its gradient's, and the states that the rule asked for; only some of
/// its elements if the rule [is elementwise](Rule::is_elementwise).
#[non_exhaustive]
pub struct Update<'u, T> {
    /// How many steps this parameter has had, this one included.
    pub step: u64,
    /// The parameter's shape, also where only some of its elements are at hand.
    pub shape: &'u [usize],
    /// One for each of [`Rule::numbers`], as [`Rule::advance`] left them for this step.
    pub numbers: &'u [f64],
    /// The elements to change.
    pub value: &'u mut [T],
    /// The gradient's elements.
    pub grad: &'u [T],
    /// One slice for each name in [`Rule::states`], in that order.
    pub states: Vec<&'u mut [T]>,
    /// Whether one of the states begins with this step, as zeros.
    pub fresh: bool,
}

impl<'u, T> Update<'u, T> {
    /// The turn of the first `elements`, and that of the others.
    pub(crate) fn split_at(self, elements: usize) -> (Self, Self) {
        let Update { step, shape, numbers, value, grad, states, fresh } = self;
        let (value, grad) = (value.split_at_mut(elements), grad.split_at(elements));
        let (first, others) = states.into_iter().map(|state| state.split_at_mut(elements)).unzip();
        (
            Update { step, shape, numbers, value: value.0, grad: grad.0, states: first, fresh },
            Update { step, shape, numbers, value: value.1, grad: grad.1, states: others, fresh },
        )
    }
}

/// The update of one parameter by an optimizer's [`Options`]; [`RuleOptimizer`](crate::RuleOptimizer) makes
/// an optimizer of it.
///
/// ```
/// use wengert_core::{Float, Parameter, Tensor};
/// use wengert_optim::{Optimizer, Rule, RuleOptimizer, Update, options};
///
/// options! {
///     /// Options of Adagrad.
///     AdagradOptions, "Adagrad" {
///         /// Learning rate.
///         lr: f64 = 1e-2, at_least_zero;
///     }
/// }
///
/// /// `s += g^2`; `p -= lr g / sqrt(s)`.
/// type Adagrad<T> = RuleOptimizer<AdagradOptions, T>;
///
/// impl Rule for AdagradOptions {
///     fn states(&self) -> &'static [&'static str] {
///         &["sum"]
///     }
///     #[inline(always)]
///     fn update<T: Float>(&self, Update { value, grad, mut states, .. }: Update<'_, T>) {
///         let lr = T::from_f64(self.lr);
///         for ((p, g), s) in value.iter_mut().zip(grad).zip(states[0].iter_mut()) {
///             *s = *s + *g * *g;
///             *p = *p - lr * *g / s.sqrt();
///         }
///     }
/// }
///
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut adagrad = Adagrad::new([w.clone()], 0.5)?;
/// w.square().sum().backward()?;
/// adagrad.step()?;
/// assert_eq!(w.item()?, 0.5);
/// assert_eq!(adagrad.state_dict().number("state.0.sum")?, 4.0);
/// let error = Adagrad::new([w], -0.5).err().unwrap();
/// assert_eq!(error.to_string(), "Adagrad: lr must be at least 0, got -0.5");
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Rule: Options + Sync {
    /// The names of the states that a parameter has under these options, as PyTorch calls them; no others
    /// are kept.
    fn states(&self) -> &'static [&'static str] {
        &[]
    }

    /// The names of those [states](Self::states) that are never negative under these options, as means of
    /// squares are: a saved one that is will be refused. None unless a rule says so.
    fn non_negative_states(&self) -> &'static [&'static str] {
        &[]
    }

    /// The numbers that each parameter has besides its states, by PyTorch's name, each with its value before
    /// the first step. None unless a rule says so.
    fn numbers(&self) -> &'static [(&'static str, f64)] {
        &[]
    }

    /// Brings the [numbers](Self::numbers) to a step, before its update, which reads them.
    fn advance(&self, step: u64, numbers: &mut [f64]) {
        let _ = (step, numbers);
    }

    /// Refuses parameters of a shape that the rule has no update for; by default none.
    ///
    /// # Errors
    /// [`Error::Argument`](wengert_core::Error::Argument) says which shapes there may be.
    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        let _ = shape;
        Ok(())
    }

    /// Refuses options that do not go together; each one's range has been looked at.
    ///
    /// # Errors
    /// [`Error::Argument`](wengert_core::Error::Argument) names the option.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Whether no element's update looks at another element, so that threads may share a long parameter;
    /// false unless a rule says so.
    fn is_elementwise(&self) -> bool {
        false
    }

    /// Changes one parameter, in one pass over its elements.
    ///
    /// It is called from a [`Kernel`](wengert_core::Kernel): marked `#[inline(always)]`, as what it calls,
    /// a plain loop over the slices is compiled with the best instructions of the machine.
    fn update<T: Float>(&self, update: Update<'_, T>);
}

/// The gradient that a rule goes by: negated to maximise, with the weight decay's pull.
#[inline(always)]
pub(crate) fn pulled<T: Float>(grad: T, value: T, sign: T, decay: T) -> T {
    // Without decay the value has no say, or an infinite one would make a NaN.
    if decay == T::ZERO { sign * grad } else { sign * grad + decay * value }
}

/// What divides a running mean that began at zero: `1 - beta^step`.
#[inline(always)]
pub(crate) fn bias_correction(beta: f64, step: u64) -> f64 {
    1.0 - beta.powi(i32::try_from(step).unwrap_or(i32::MAX))
}

/// The nearest number of single precision, in which PyTorch keeps some numbers whatever the parameters are.
#[inline(always)]
pub(crate) fn in_f32(x: f64) -> f64 {
    f64::from(x as f32)
}

/// The pull that enters the gradient, and the factor of the value before its step: a decay goes into one of
/// them.
#[inline(always)]
pub(crate) fn decayed(lr: f64, weight_decay: f64, decoupled: bool) -> (f64, f64) {
    if decoupled { (0.0, 1.0 - lr * weight_decay) } else { (weight_decay, 1.0) }
}

/// 1, -1 or 0 as `x` is; a NaN stays.
#[inline(always)]
pub(crate) fn sign<T: Float>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        x
    }
}

/// A state that is there, for a pass that may also go [`without`].
#[inline(always)]
pub(crate) fn with<T>(state: &mut [T]) -> &mut [[T; 1]] {
    state.as_chunks_mut().0
}

/// A state that is not there: as many places as parameters, in no memory.
#[inline(always)]
pub(crate) fn without<T: Float>(len: usize) -> Vec<[T; 0]> {
    vec![[]; len]
}
