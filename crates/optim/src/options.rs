//! What an optimizer can be told: declared once, and so set, listed, checked, saved and loaded.

use wengert_core::{Error, Result};

/// The options of an optimizer by name, as [`options!`](crate::options!) writes them.
pub trait Options: Clone {
    /// The optimizer's name in messages.
    const NAME: &'static str;

    /// The learning rate.
    fn lr(&self) -> f64;

    /// Sets the learning rate.
    fn set_lr(&mut self, lr: f64);

    /// Every option as a number; a truth value is 0 or 1.
    fn list(&self) -> Vec<(&'static str, f64)>;

    /// Sets the option of this name, which [`Options::list`] has.
    ///
    /// # Errors
    /// If there is none, or it is a truth value or a count and the number is none.
    fn set(&mut self, option: &str, value: f64) -> Result<()>;

    /// Refuses options outside their ranges.
    ///
    /// # Errors
    /// [`Error::Argument`] names the option.
    fn check_ranges(&self) -> Result<()>;
}

/// A value that an option can have: a number or a truth value.
#[doc(hidden)]
pub trait OptionValue: Copy {
    /// The values that it can have, in words.
    const KIND: &'static str;
    fn number(self) -> f64;
    fn of_number(number: f64) -> Option<Self>;
}

impl OptionValue for f64 {
    const KIND: &'static str = "a number";

    fn number(self) -> f64 {
        self
    }

    fn of_number(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl OptionValue for bool {
    const KIND: &'static str = "0 or 1";

    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }

    fn of_number(number: f64) -> Option<Self> {
        [false, true].into_iter().find(|on| on.number() == number)
    }
}

impl OptionValue for u64 {
    const KIND: &'static str = "a whole number";

    fn number(self) -> f64 {
        self as f64
    }

    fn of_number(number: f64) -> Option<Self> {
        let whole = number as u64;
        (whole as f64 == number).then_some(whole)
    }
}

/// The ranges that options name.
#[doc(hidden)]
pub mod range {
    use super::{Error, Result};

    type Checked = Result<()>;

    fn within(rule: &'static str, option: &'static str, value: f64, fits: bool, expected: &str) -> Checked {
        if fits { Ok(()) } else { Err(Error::argument(rule, option, expected, value)) }
    }

    /// Refuses a number that is infinite or NaN.
    ///
    /// # Errors
    /// [`Error::Argument`] names the option.
    pub fn finite(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, value.is_finite(), "finite")
    }

    /// Refuses a number that is negative, infinite or NaN.
    ///
    /// # Errors
    /// [`Error::Argument`] names the option.
    pub fn at_least_zero(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, value >= 0.0, "at least 0")?;
        finite(rule, option, value)
    }

    /// Positive and finite.
    pub fn above_zero(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, value > 0.0, "above 0")?;
        finite(rule, option, value)
    }

    /// A share.
    pub fn up_to_one(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, (0.0..=1.0).contains(&value), "in [0, 1]")
    }

    /// A factor that shrinks, and leaves something.
    pub fn shrinking(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, value > 0.0 && value < 1.0, "in (0, 1)")
    }

    /// A factor that grows.
    pub fn above_one(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, value > 1.0, "above 1")?;
        finite(rule, option, value)
    }

    /// A count of one or more.
    pub fn at_least_one(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, value >= 1.0, "at least 1")?;
        finite(rule, option, value)
    }

    /// A number of iterations.
    pub fn below_hundred(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, (0.0..100.0).contains(&value), "below 100")
    }

    /// A decay rate.
    pub fn below_one(rule: &'static str, option: &'static str, value: f64) -> Checked {
        within(rule, option, value, (0.0..1.0).contains(&value), "in [0, 1)")
    }
}

/// Declares the options of an optimizer: a struct of public fields with its defaults, a method that sets
/// each, and [`Options`](crate::Options).
///
/// A line is a name, `f64`, `u64` or `bool`, the default, and of a number the range: `at_least_zero`,
/// `above_zero`, `at_least_one`, `above_one`, `below_one` (in [0, 1)), `up_to_one` (in [0, 1]), `shrinking`
/// (in (0, 1)), `below_hundred` or `finite`. One of them is `lr`. See [`Rule`](crate::Rule) for an optimizer
/// made of them.
///
/// ```
/// use wengert_optim::{Options, options};
/// options! {
///     /// Options of an optimizer.
///     MyOptions, "Mine" {
///         /// Learning rate.
///         lr: f64 = 0.1, at_least_zero;
///         /// Whether the objective is to be maximised.
///         maximize: bool = false;
///     }
/// }
/// let options = MyOptions::default().lr(0.5).maximize(true);
/// assert_eq!(options.list(), [("lr", 0.5), ("maximize", 1.0)]);
/// assert!(options.lr(f64::NAN).check_ranges().is_err());
/// ```
#[macro_export]
macro_rules! options {
    (
        $(#[$meta:meta])* $name:ident, $text:literal {
            $($(#[$doc:meta])* $option:ident: $type:ty = $default:expr $(, $range:ident)?;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$doc])* pub $option: $type,)*
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                $name { $($option: $default,)* }
            }
        }

        impl $name {
            $(
                #[doc = concat!("Sets `", stringify!($option), "`.")]
                #[must_use]
                pub fn $option(mut self, value: $type) -> Self {
                    self.$option = value;
                    self
                }
            )*
        }

        impl $crate::Options for $name {
            const NAME: &'static str = $text;

            fn lr(&self) -> f64 {
                self.lr
            }

            fn set_lr(&mut self, lr: f64) {
                self.lr = lr;
            }

            fn list(&self) -> ::std::vec::Vec<(&'static str, f64)> {
                ::std::vec![$((stringify!($option), $crate::__private::OptionValue::number(self.$option)),)*]
            }

            fn set(&mut self, option: &str, value: f64) -> $crate::__private::Result<()> {
                match option {
                    $(stringify!($option) => {
                        self.$option = $crate::__private::option(Self::NAME, stringify!($option), value)?;
                    })*
                    _ => return $crate::__private::unknown_option(self, option),
                }
                Ok(())
            }

            fn check_ranges(&self) -> $crate::__private::Result<()> {
                $($($crate::__private::range::$range(
                    Self::NAME,
                    stringify!($option),
                    $crate::__private::OptionValue::number(self.$option),
                )?;)?)*
                Ok(())
            }
        }
    };
}

/// The value of an option from a number.
///
/// # Errors
/// If the option is a truth value and the number is neither 0 nor 1.
#[doc(hidden)]
pub fn option<V: OptionValue>(rule: &'static str, option: &'static str, number: f64) -> Result<V> {
    V::of_number(number).ok_or_else(|| Error::argument(rule, option, V::KIND, number))
}

/// Refuses an option that there is not.
///
/// # Errors
/// Always: the error lists the options that there are.
#[doc(hidden)]
pub fn unknown_option<O: Options>(options: &O, option: &str) -> Result<()> {
    let names: Vec<&str> = options.list().into_iter().map(|(name, _)| name).collect();
    Err(Error::argument(O::NAME, "option", format!("one of {}", names.join(", ")), option))
}
