//! Tensors in a sentence.

use wengert_core::{Attributes, Tensor};

use crate::text::{number, shape};

/// The most elements that are written out.
const FEW: usize = 6;

/// A tensor of few elements by its numbers, of many by shape, mean and norm.
pub(super) fn told(value: &Tensor<f64>) -> String {
    match value.numel() {
        0 => format!("{}, without elements", shape(value.shape())),
        1..=FEW => nested(value.shape(), &value.to_vec()),
        count => {
            let values = value.to_vec();
            let mean = values.iter().sum::<f64>() / count as f64;
            format!("{}, mean {}, norm {}", shape(value.shape()), number(mean), number(norm(&values)))
        }
    }
}

/// The norm, by the largest magnitude so that squares don't overflow.
pub(super) fn norm(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |norm: f64, value| norm.hypot(*value))
}

fn nested(shape: &[usize], values: &[f64]) -> String {
    let Some((&extent, inner)) = shape.split_first() else {
        return number(values[0]);
    };
    let step = values.len() / extent.max(1);
    let parts: Vec<String> = values.chunks(step.max(1)).map(|part| nested(inner, part)).collect();
    format!("[{}]", parts.join(", "))
}

/// A tensor as an operand of a formula: numbers if there are few, else the shape.
fn operand(value: &Tensor<f64>) -> String {
    if !(1..=FEW).contains(&value.numel()) {
        return shape(value.shape());
    }
    let text = nested(value.shape(), &value.to_vec());
    if text.starts_with('-') { format!("({text})") } else { text }
}

/// What the symbols of a formula stand for.
pub(super) struct Symbols<'a> {
    pub(super) g: Option<&'a Tensor<f64>>,
    pub(super) y: Option<&'a Tensor<f64>>,
    pub(super) inputs: &'a [Tensor<f64>],
    pub(super) attributes: &'a Attributes,
}

impl Symbols<'_> {
    fn value(&self, symbol: &str) -> Option<String> {
        match symbol {
            "g" => self.g.map(operand),
            "y" => self.y.map(operand),
            _ => match symbol.strip_prefix('x').and_then(|place| place.parse::<usize>().ok()) {
                Some(place) => self.inputs.get(place).map(operand),
                None => self.attributes.get(symbol).map(ToString::to_string),
            },
        }
    }

    /// The formula with values for symbols; none if nothing was replaced.
    pub(super) fn put_into(&self, formula: &str) -> Option<String> {
        put_into(formula, &|symbol| self.value(symbol))
    }
}

/// The formula with other texts for symbols; none if nothing was replaced.
pub(super) fn put_into(formula: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(2 * formula.len());
    let mut symbol = String::new();
    let mut is_changed = false;
    for c in formula.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || c == '_' {
            symbol.push(c);
            continue;
        }
        match value(&symbol).filter(|_| !symbol.is_empty()) {
            Some(value) => {
                is_changed = true;
                out.push_str(&value);
            }
            None => out.push_str(&symbol),
        }
        symbol.clear();
        out.push(c);
    }
    is_changed.then(|| out.trim_end().to_string())
}
