//! What an optimizer is: its options and the update of one parameter.

use wengert_core::{Error, Float, Result};

/// One parameter's turn: its elements, its gradient's, and the states that the rule asked for; only some of
/// its elements if the rule [is elementwise](Rule::is_elementwise).
pub struct Update<'u, T> {
    /// How many steps this parameter has had, this one included.
    pub step: u64,
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
        let Update { step, value, grad, states, fresh } = self;
        let (value, grad) = (value.split_at_mut(elements), grad.split_at(elements));
        let (first, others) = states.into_iter().map(|state| state.split_at_mut(elements)).unzip();
        (
            Update { step, value: value.0, grad: grad.0, states: first, fresh },
            Update { step, value: value.1, grad: grad.1, states: others, fresh },
        )
    }
}

/// An optimizer's options and its update of one parameter; [`Stepper`](crate::Stepper) makes an optimizer of
/// it.
///
/// ```
/// use wengert_core::{Float, Parameter, Result, Tensor};
/// use wengert_optim::{OptionMut, Optimizer, Rule, Stepper, Update};
///
/// /// `s += g^2`; `p -= lr g / sqrt(s)`.
/// #[derive(Clone)]
/// struct Adagrad {
///     lr: f64,
/// }
///
/// impl Rule for Adagrad {
///     const NAME: &'static str = "Adagrad";
///     fn states(&self) -> &'static [&'static str] {
///         &["sum"]
///     }
///     fn check(&self) -> Result<()> {
///         Ok(())
///     }
///     fn options(&mut self) -> Vec<(&'static str, OptionMut<'_>)> {
///         vec![("lr", OptionMut::Number(&mut self.lr))]
///     }
///     fn lr(&mut self) -> &mut f64 {
///         &mut self.lr
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
/// let mut adagrad = Stepper::with([w.clone()], Adagrad { lr: 0.5 })?;
/// w.square().sum().backward()?;
/// adagrad.step()?;
/// assert_eq!(w.item()?, 0.5);
/// assert_eq!(adagrad.state_dict().number("state.0.sum")?, 4.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Rule: Clone + Sync {
    /// The name in messages.
    const NAME: &'static str;

    /// The names of the states that a parameter has under these options, as PyTorch calls them; no others are
    /// kept.
    fn states(&self) -> &'static [&'static str];

    /// Those of the [states](Self::states) that are never negative under these options, as means of squares
    /// are: a saved one that is will be refused. None unless a rule says so.
    fn non_negative_states(&self) -> &'static [&'static str] {
        &[]
    }

    /// Refuses options outside their ranges.
    ///
    /// # Errors
    /// [`Error::Argument`] names the option.
    fn check(&self) -> Result<()>;

    /// Every option by name, to be saved as a number. A truth value is 0 or 1.
    fn options(&mut self) -> Vec<(&'static str, OptionMut<'_>)>;

    /// The learning rate.
    fn lr(&mut self) -> &mut f64;

    /// Whether no element's update looks at another element, so that threads may share a long parameter;
    /// false unless a rule says so.
    fn is_elementwise(&self) -> bool {
        false
    }

    /// Changes one parameter, in one pass over its elements.
    ///
    /// It is called from a [`Kernel`](wengert_core::Kernel): marked `#[inline(always)]`, as what it calls, a
    /// plain loop over the slices is compiled with the best instructions of the machine.
    fn update<T: Float>(&self, update: Update<'_, T>);
}

/// An option, to read or to set.
pub enum OptionMut<'o> {
    /// A number.
    Number(&'o mut f64),
    /// A truth value.
    Flag(&'o mut bool),
}

impl OptionMut<'_> {
    pub(crate) fn get(&self) -> f64 {
        match self {
            OptionMut::Number(value) => **value,
            OptionMut::Flag(on) => f64::from(u8::from(**on)),
        }
    }

    pub(crate) fn set(&mut self, value: f64) {
        match self {
            OptionMut::Number(number) => **number = value,
            OptionMut::Flag(on) => **on = value != 0.0,
        }
    }
}

/// The gradient that a rule goes by: negated to maximise, with the weight decay's pull.
#[inline(always)]
pub(crate) fn pulled<T: Float>(grad: T, value: T, sign: T, decay: T) -> T {
    // Without decay the value has no say, or an infinite one would make a NaN.
    if decay == T::ZERO { sign * grad } else { sign * grad + decay * value }
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

/// Refuses an option that is negative, infinite or no number.
pub(crate) fn at_least_zero(rule: &'static str, option: &'static str, value: f64) -> Result<()> {
    in_range(rule, option, value, value >= 0.0, "at least 0")?;
    finite(rule, option, value)
}

/// Refuses an option that is infinite or no number.
pub(crate) fn finite(rule: &'static str, option: &'static str, value: f64) -> Result<()> {
    in_range(rule, option, value, value.is_finite(), "finite")
}

/// Refuses a decay rate outside [0, 1).
pub(crate) fn below_one(rule: &'static str, option: &'static str, value: f64) -> Result<()> {
    in_range(rule, option, value, (0.0..1.0).contains(&value), "in [0, 1)")
}

fn in_range(rule: &'static str, option: &'static str, value: f64, fits: bool, expected: &str) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::argument(rule, option, expected, value)) }
}

/// Writes an options struct: public fields, a setter for each, and the list for saving.
macro_rules! options {
    (
        $(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $option:ident: $kind:ident $type:ty = $default:expr;)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$doc])* pub $option: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $($option: $default,)* }
            }
        }

        impl $name {
            $(
                #[doc = concat!("Sets `", stringify!($option), "`.")]
                pub fn $option(mut self, value: $type) -> Self {
                    self.$option = value;
                    self
                }
            )*

            fn list(&mut self) -> Vec<(&'static str, crate::rule::OptionMut<'_>)> {
                vec![$((stringify!($option), crate::rule::OptionMut::$kind(&mut self.$option)),)*]
            }
        }
    };
}
pub(crate) use options;
