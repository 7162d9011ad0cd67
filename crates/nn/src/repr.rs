//! How cells and the layers over them print.

use std::fmt;

use crate::cell_with::CellWith;

/// A cell's own arguments as PyTorch prints them: widths, arguments that follow them, and switches, which in
/// a layer stand behind the number of layers. What is the default is left out.
///
/// ```
/// use wengert_nn::Repr;
/// let repr = Repr::of(&[10, 20]).argument("proj_size", 5).switch("bias", false);
/// assert_eq!(repr.to_string(), "10, 20, proj_size=5, bias=False");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Repr {
    own: String,
    switches: String,
}

impl Repr {
    /// The arguments that are `widths` and nothing else.
    pub fn of(widths: &[usize]) -> Self {
        let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
        Repr { own: widths.join(", "), switches: String::new() }
    }

    /// Adds an argument behind the widths.
    pub fn argument(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.own += &format!(", {name}={value}");
        self
    }

    /// Adds a switch, as Python writes truth values.
    pub fn switch(self, name: &str, on: bool) -> Self {
        self.setting(name, if on { "True" } else { "False" })
    }

    /// Adds a setting among the switches.
    pub fn setting(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.switches += &format!(", {name}={value}");
        self
    }

    /// Adds a switch that is on by default: only if it is off, as `bias=False`.
    pub fn unless(self, name: &str, on: bool) -> Self {
        if on { self } else { self.switch(name, false) }
    }

    /// The arguments of a layer, whose own stand between those of its cells.
    pub(crate) fn around(&self, layer: impl FnOnce(&str) -> String) -> String {
        format!("{}{}", self.own, layer(&self.switches))
    }
}

impl fmt::Display for Repr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.own, self.switches)
    }
}

/// A type's name without its path and arguments.
fn type_name<C>() -> &'static str {
    let name = std::any::type_name::<C>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}

/// The name of the layer over a cell in messages: the cell's, or the type's.
pub(crate) fn layer_name<C: CellWith>() -> &'static str {
    if C::NAME.is_empty() { type_name::<C>() } else { C::NAME }
}

/// The layer over a cell as it prints: `LSTM(..)`, `Recurrent<Mgu>(..)`.
pub(crate) fn print_layer<C: CellWith>(arguments: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match C::NAME {
        "" => write!(f, "Recurrent<{}>({arguments})", type_name::<C>()),
        name => write!(f, "{name}({arguments})"),
    }
}

/// Writes a cell as it prints: `LSTMCell(10, 20)`, `Mgu(10, 20)`.
pub fn print_cell<C: CellWith>(cell: &C, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match C::NAME {
        "" => write!(f, "{}({})", type_name::<C>(), cell.repr()),
        name => write!(f, "{name}Cell({})", cell.repr()),
    }
}

/// A number as Python writes it: `1.0`, `1e-05`.
pub(crate) fn python(number: f64) -> String {
    // Python signs every exponent and writes two digits of it at least; of one digit are -5 to -9 alone.
    match number.abs() {
        size if size.is_nan() => "nan".to_string(),
        size if size == 0.0 || size.is_infinite() || (1e-4..1e16).contains(&size) => format!("{number:?}"),
        size if size >= 1e16 => format!("{number:e}").replace('e', "e+"),
        size if size >= 1e-9 => format!("{number:e}").replace("e-", "e-0"),
        _ => format!("{number:e}"),
    }
}

/// Sizes as Python writes a tuple: `(3,)`, `(2, 3)`.
pub(crate) fn tuple(sizes: &[usize]) -> String {
    match sizes {
        [one] => format!("({one},)"),
        sizes => format!("({})", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::python;

    /// Numbers around all bounds, and Python's `repr` of them.
    const OF_PYTHON: [(f64, &str); 24] = [
        (1e-5, "1e-05"),
        (1.5e-5, "1.5e-05"),
        (9.999999999999999e-5, "9.999999999999999e-05"),
        (1e-4, "0.0001"),
        (1e-9, "1e-09"),
        (9.999999999999999e-10, "9.999999999999999e-10"),
        (1e-10, "1e-10"),
        (2.5e-12, "2.5e-12"),
        (1e16, "1e+16"),
        (9999999999999998.0, "9999999999999998.0"),
        (1.5e22, "1.5e+22"),
        (1e23, "1e+23"),
        (1e100, "1e+100"),
        (-1e-5, "-1e-05"),
        (-2e17, "-2e+17"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "nan"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (0.1, "0.1"),
        (3.0, "3.0"),
    ];

    #[test]
    fn numbers_print_as_in_python() {
        for (number, text) in OF_PYTHON {
            assert_eq!(python(number), text);
        }
    }
}
