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

    /// With the switch only if it is off, as `bias=False`.
    pub(crate) fn unless(self, name: &str, on: bool) -> Self {
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
    let size = number.abs();
    if size != 0.0 && number.is_finite() && !(1e-4..1e16).contains(&size) {
        // The shortest digits that read back are the formatter's; the exponent alone is written anew.
        let written = format!("{number:e}");
        let (digits, exponent) = written.split_once('e').expect("an exponent was asked for");
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    format!("{number:?}").replace("NaN", "nan")
}

/// Sizes as Python writes a tuple: `(3,)`, `(2, 3)`.
pub(crate) fn tuple(sizes: &[usize]) -> String {
    match sizes {
        [one] => format!("({one},)"),
        sizes => format!("({})", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}
