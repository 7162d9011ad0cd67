//! Variables and parameters print as PyTorch's do.

use std::fmt;

use super::{Parameter, Variable};
use crate::tape::Float;

impl<T: Float> fmt::Display for Variable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.leaf().is_some_and(|leaf| leaf.is_parameter()) {
            f.write_str("Parameter containing:\n")?;
        }
        let suffix = match self.grad_fn() {
            Some(name) => vec![format!("grad_fn=<{name}>")],
            None if self.requires_grad() => vec!["requires_grad=True".to_string()],
            None => Vec::new(),
        };
        f.write_str(&self.peek().print_with(&suffix))
    }
}

impl<T: Float> fmt::Debug for Variable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Float> fmt::Display for Parameter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl<T: Float> fmt::Debug for Parameter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
