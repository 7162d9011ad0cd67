//! What a function under check may return.

use std::fmt::Display;

use wengert_core::Variable;

/// A variable, an array, a list or a (nested) tuple of variables, or a result of one of these.
pub trait IntoOutputs {
    /// The variables, in order.
    ///
    /// # Errors
    /// The text of the error that the function gave in place of variables.
    fn into_outputs(self) -> Result<Vec<Variable<f64>>, String>;
}

impl IntoOutputs for Variable<f64> {
    fn into_outputs(self) -> Result<Vec<Variable<f64>>, String> {
        Ok(vec![self])
    }
}

impl IntoOutputs for Vec<Variable<f64>> {
    fn into_outputs(self) -> Result<Vec<Variable<f64>>, String> {
        Ok(self)
    }
}

impl<const N: usize> IntoOutputs for [Variable<f64>; N] {
    fn into_outputs(self) -> Result<Vec<Variable<f64>>, String> {
        Ok(self.into())
    }
}

impl<A: IntoOutputs, B: IntoOutputs> IntoOutputs for (A, B) {
    fn into_outputs(self) -> Result<Vec<Variable<f64>>, String> {
        Ok([self.0.into_outputs()?, self.1.into_outputs()?].concat())
    }
}

impl<A: IntoOutputs, B: IntoOutputs, C: IntoOutputs> IntoOutputs for (A, B, C) {
    fn into_outputs(self) -> Result<Vec<Variable<f64>>, String> {
        ((self.0, self.1), self.2).into_outputs()
    }
}

impl<O: IntoOutputs, E: Display> IntoOutputs for Result<O, E> {
    fn into_outputs(self) -> Result<Vec<Variable<f64>>, String> {
        self.map_err(|error| error.to_string())?.into_outputs()
    }
}
