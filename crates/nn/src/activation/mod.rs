//! Activations as modules, for [`Sequential`](crate::Sequential).

mod declare;
mod gelu;
mod plain;
mod prelu;
mod rrelu;
mod shaped;

pub use gelu::Gelu;
pub use plain::{
    Celu, Elu, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LeakyRelu, LogSigmoid, Mish, Relu, Relu6, Selu,
    Sigmoid, Silu, Softplus, Softshrink, Softsign, Tanh, Tanhshrink, Threshold,
};
pub use prelu::Prelu;
pub use rrelu::{Rrelu, rrelu};
pub use shaped::{Glu, LogSoftmax, Softmax, Softmin};

use wengert_core::{Error, Float, Result, Variable};

use crate::repr::python;

/// A constant of an activation.
trait Constant: Copy {
    /// The constant as Python writes it.
    fn shown(self) -> String;

    /// Whether it fits the input.
    fn check<T: Float>(self, activation: &'static str, name: &'static str, x: &Variable<T>) -> Result<()>;
}

impl Constant for f64 {
    fn shown(self) -> String {
        python(self)
    }

    fn check<T: Float>(self, activation: &'static str, name: &'static str, _: &Variable<T>) -> Result<()> {
        match self.is_nan() || (name == "lambda" && self < 0.0) {
            false => Ok(()),
            true => Err(Error::argument(activation, name, "a number that is not negative", self)),
        }
    }
}

/// An axis.
impl Constant for isize {
    fn shown(self) -> String {
        self.to_string()
    }

    fn check<T: Float>(self, activation: &'static str, name: &'static str, x: &Variable<T>) -> Result<()> {
        let rank = x.rank() as isize;
        match (-rank..rank).contains(&self) {
            true => Ok(()),
            false => {
                let expected = format!("in {}..{rank} for an input of shape {:?}", -rank, x.shape());
                Err(Error::argument(activation, name, expected, self))
            }
        }
    }
}
