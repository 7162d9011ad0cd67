//! Tensors print as PyTorch's do.

use std::fmt;

use super::print::{format_tensor, print_options};
use super::{Printed, Tensor};
use crate::tensor::Element;

impl<T: Element> Tensor<T> {
    /// The printed form with what PyTorch puts after the elements, such as `requires_grad=True`.
    pub(crate) fn print_with(&self, suffixes: &[String]) -> String {
        let get = |index: &[usize]| -> Printed { self.at(index).printed() };
        let mut all = Vec::new();
        if T::NAME == "f64" {
            all.push("dtype=f64".to_string());
        }
        all.extend_from_slice(suffixes);
        format_tensor("tensor(", self.shape(), &get, &all, &print_options())
    }
}

impl<T: Element> fmt::Display for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print_with(&[]))
    }
}

impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
