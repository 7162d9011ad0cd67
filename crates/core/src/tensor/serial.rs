//! Tensors as data for `serde`: shape and elements in rows.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Element, Tensor};

#[derive(Serialize, Deserialize)]
struct Data<E> {
    shape: Vec<usize>,
    data: Vec<E>,
}

/// A number of a format that may have no infinities and NaN, as JSON: these are texts.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Float {
    Finite(f64),
    Special(String),
}

impl From<f64> for Float {
    fn from(value: f64) -> Self {
        if value.is_finite() { Float::Finite(value) } else { Float::Special(value.to_string()) }
    }
}

impl TryFrom<Float> for f64 {
    type Error = String;

    fn try_from(value: Float) -> Result<Self, String> {
        match value {
            Float::Finite(value) => Ok(value),
            Float::Special(text) => match text.parse::<f64>() {
                Ok(value) if !value.is_finite() => Ok(value),
                _ => Err(format!("expected a number, NaN, inf or -inf, got {text:?}")),
            },
        }
    }
}

/// Single numbers, for `serde(with)`.
pub(crate) mod number {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Float;

    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Float::from(*value).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Float::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// An element, as what stands for it.
trait Serial: Element {
    type As: Serialize + for<'d> Deserialize<'d>;
    fn written(self) -> Self::As;
    fn read(written: Self::As) -> Result<Self, String>;
}

impl Serial for f32 {
    type As = Float;
    fn written(self) -> Float {
        f64::from(self).into()
    }
    fn read(written: Float) -> Result<Self, String> {
        f64::try_from(written).map(|value| value as f32)
    }
}

impl Serial for f64 {
    type As = Float;
    fn written(self) -> Float {
        self.into()
    }
    fn read(written: Float) -> Result<Self, String> {
        written.try_into()
    }
}

macro_rules! as_they_are {
    ($($type:ty),*) => {$(
        impl Serial for $type {
            type As = Self;
            fn written(self) -> Self {
                self
            }
            fn read(written: Self) -> Result<Self, String> {
                Ok(written)
            }
        }
    )*};
}
as_they_are!(i64, bool);

macro_rules! serial {
    ($($type:ty),*) => {$(
        impl Serialize for Tensor<$type> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let data = self.to_vec().into_iter().map(Serial::written).collect();
                Data { shape: self.shape().to_vec(), data }.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for Tensor<$type> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let Data { shape, data } = Data::<<$type as Serial>::As>::deserialize(deserializer)?;
                let data: Result<Vec<$type>, String> = data.into_iter().map(Serial::read).collect();
                Tensor::from_vec(data.map_err(D::Error::custom)?, shape).map_err(D::Error::custom)
            }
        }
    )*};
}
serial!(f32, f64, i64, bool);
