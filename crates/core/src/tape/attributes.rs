//! What an operation was called with beside its inputs, as data.

use std::borrow::Cow;
use std::fmt;

use crate::tensor::Tensor;

/// One argument of an operation.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Attribute {
    /// A whole number: an axis, an extent, a place.
    Int(i64),
    /// A number.
    Float(#[cfg_attr(feature = "serde", serde(with = "crate::tensor::serial::number"))] f64),
    /// A flag that holds.
    Flag,
    /// A list of whole numbers: axes, a shape.
    Ints(Vec<i64>),
    /// Indices, a class for each row.
    Indices(Tensor<i64>),
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Int(value) => write!(f, "{value}"),
            Attribute::Float(value) => write!(f, "{value}"),
            Attribute::Flag => f.write_str("true"),
            Attribute::Ints(values) => write!(f, "{values:?}"),
            Attribute::Indices(index) => write!(f, "i64{:?}", index.shape()),
        }
    }
}

/// The arguments of an operation by name, in the order in which they are written.
///
/// Names are those of PyTorch's function: `dim`, `keepdim`, `start`. An axis comes as its number from the
/// front; several as a list. A shape that a result is given is called `to`.
///
/// ```
/// use wengert_core::{Attribute, Attributes};
/// let attributes = Attributes::none().dims("dim", &[1]).flag("keepdim", true).flag("unbind", false);
/// assert_eq!(attributes.to_string(), "dim=1, keepdim=true");
/// assert_eq!(attributes.get("dim"), Some(&Attribute::Int(1)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Attributes(Vec<(Cow<'static, str>, Attribute)>);

impl Attributes {
    /// An empty list, of an operation without arguments.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds an argument of any kind.
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: Attribute) -> Self {
        self.0.push((name.into(), value));
        self
    }

    /// Adds a whole number.
    ///
    /// # Panics
    /// If the number is beyond `i64`.
    pub fn int(self, name: &'static str, value: impl TryInto<i64>) -> Self {
        let Ok(value) = value.try_into() else { panic!("attribute {name}: expected a number inside i64") };
        self.with(name, Attribute::Int(value))
    }

    /// Adds a number.
    pub fn float(self, name: &'static str, value: f64) -> Self {
        self.with(name, Attribute::Float(value))
    }

    /// Adds a flag if it holds; one that does not is left out.
    pub fn flag(self, name: &'static str, holds: bool) -> Self {
        if holds { self.with(name, Attribute::Flag) } else { self }
    }

    /// Adds a list of whole numbers: a shape.
    pub fn ints(self, name: &'static str, values: &[usize]) -> Self {
        self.with(name, Attribute::Ints(values.iter().map(|&value| value as i64).collect()))
    }

    /// Adds axes: one as a number, several as a list.
    pub fn dims(self, name: &'static str, axes: &[usize]) -> Self {
        if let [axis] = axes { self.int(name, *axis) } else { self.ints(name, axes) }
    }

    /// Adds indices.
    pub fn indices(self, name: &'static str, index: &Tensor<i64>) -> Self {
        self.with(name, Attribute::Indices(index.clone()))
    }

    /// The argument of a name.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Attribute)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[track_caller]
    fn expect(&self, name: &str, kind: &str) -> &Attribute {
        let Some(value) = self.get(name) else {
            panic!("expected an attribute {name}, {kind}; there is ({self})")
        };
        value
    }

    #[track_caller]
    pub(crate) fn get_int<N: TryFrom<i64>>(&self, name: &str) -> N {
        match self.expect(name, "a whole number") {
            Attribute::Int(value) if N::try_from(*value).is_ok() => {
                N::try_from(*value).unwrap_or_else(|_| unreachable!("it was tried"))
            }
            other => panic!("expected a whole number for the attribute {name}, got {other}"),
        }
    }

    #[track_caller]
    pub(crate) fn get_float(&self, name: &str) -> f64 {
        match self.expect(name, "a number") {
            Attribute::Float(value) => *value,
            other => panic!("expected a number for the attribute {name}, got {other}"),
        }
    }

    pub(crate) fn has_flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Attribute::Flag)
    }

    /// Axes, or a shape.
    #[track_caller]
    pub(crate) fn get_ints<N: TryFrom<i64>>(&self, name: &str) -> Vec<N> {
        let ints = match self.expect(name, "a list of whole numbers") {
            Attribute::Int(value) => vec![*value],
            Attribute::Ints(values) => values.clone(),
            other => panic!("expected whole numbers for the attribute {name}, got {other}"),
        };
        let misfit = || panic!("expected whole numbers that fit for the attribute {name}, got {ints:?}");
        ints.iter().map(|&value| N::try_from(value).unwrap_or_else(|_| misfit())).collect()
    }

    #[track_caller]
    pub(crate) fn get_indices(&self, name: &str) -> &Tensor<i64> {
        match self.expect(name, "indices") {
            Attribute::Indices(index) => index,
            other => panic!("expected indices for the attribute {name}, got {other}"),
        }
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name}={value}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
