//! Tensors as text, to the character as PyTorch prints them.

mod number;
#[cfg(test)]
mod tests;

use std::sync::{PoisonError, RwLock};

use number::Formatter;

/// How tensors print, for the whole process: the settings of `torch.set_printoptions`.
///
/// ```
/// use wengert_core::PrintOptions;
/// let mut options = PrintOptions::default();
/// options.precision = 2;
/// assert_eq!((options.threshold, options.edge_items, options.line_width), (1000, 3, 80));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PrintOptions {
    /// Digits after the point.
    pub precision: usize,
    /// Tensors with more elements than this are summarised; `usize::MAX` shows everything.
    pub threshold: usize,
    /// Elements shown at each end of a summarised dimension.
    pub edge_items: usize,
    /// Characters in a line.
    pub line_width: usize,
    /// Scientific notation always, never, or (`None`) where the values span or need it.
    pub sci_mode: Option<bool>,
}

impl PrintOptions {
    const DEFAULT: PrintOptions =
        PrintOptions { precision: 4, threshold: 1000, edge_items: 3, line_width: 80, sci_mode: None };
}

impl Default for PrintOptions {
    fn default() -> Self {
        PrintOptions::DEFAULT
    }
}

static OPTIONS: RwLock<PrintOptions> = RwLock::new(PrintOptions::DEFAULT);

/// Sets how tensors print from now on, in every thread.
///
/// ```
/// use wengert_core::{PrintOptions, Tensor, set_print_options};
/// let mut options = PrintOptions::default();
/// options.precision = 2;
/// set_print_options(options);
/// assert_eq!(Tensor::from([1.12345f32]).to_string(), "tensor([1.12])");
/// set_print_options(PrintOptions::default());
/// ```
pub fn set_print_options(options: PrintOptions) {
    // A poisoned lock holds whole options all the same: they are only ever replaced.
    *OPTIONS.write().unwrap_or_else(PoisonError::into_inner) = options;
}

/// How tensors print now.
///
/// ```
/// use wengert_core::{PrintOptions, print_options};
/// assert_eq!(print_options(), PrintOptions::default());
/// ```
pub fn print_options() -> PrintOptions {
    OPTIONS.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// An element as printing sees it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Printed {
    /// A float of either width.
    Float(f64),
    /// An integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
}

/// The text of a tensor whose element at an index is `get(index)`: prefix, elements, then suffixes such
/// as `requires_grad=True`, and the closing parenthesis.
///
/// The size of an empty tensor is added here where PyTorch adds it.
pub(crate) fn format_tensor(
    prefix: &str,
    shape: &[usize],
    get: &dyn Fn(&[usize]) -> Printed,
    suffixes: &[String],
    options: &PrintOptions,
) -> String {
    let indent = prefix.chars().count();
    let empty = shape.contains(&0);
    let mut text = prefix.to_string();
    if empty {
        text.push_str("[]");
    } else {
        let count = shape.iter().fold(1usize, |count, extent| count.saturating_mul(*extent));
        let writer = Writer::new(shape, get, count > options.threshold, options);
        writer.write(indent, &mut Vec::with_capacity(shape.len()), &mut text);
    }
    let sized = if empty { shape.len() != 1 } else { options.edge_items == 0 };
    let size = sized.then(|| format!("size={}", tuple(shape)));
    append_suffixes(&mut text, size.iter().chain(suffixes), indent, options.line_width);
    text.push(')');
    text
}

struct Writer<'a> {
    shape: &'a [usize],
    get: &'a dyn Fn(&[usize]) -> Printed,
    summarised: bool,
    options: &'a PrintOptions,
    formatter: Formatter,
}

impl<'a> Writer<'a> {
    fn new(
        shape: &'a [usize],
        get: &'a dyn Fn(&[usize]) -> Printed,
        summarised: bool,
        options: &'a PrintOptions,
    ) -> Self {
        let formatter = Formatter::new(&[], options);
        let mut writer = Writer { shape, get, summarised, options, formatter };
        // Only what is shown decides the form.
        let mut values = Vec::new();
        writer.collect(&mut Vec::with_capacity(shape.len()), &mut values);
        writer.formatter = Formatter::new(&values, options);
        writer
    }

    fn is_cut(&self, extent: usize) -> bool {
        self.summarised && extent > self.options.edge_items.saturating_mul(2)
    }

    /// The positions shown along a dimension; `None` stands for the dots.
    fn shown(&self, extent: usize) -> impl Iterator<Item = Option<usize>> + use<> {
        let cut = self.is_cut(extent);
        let head = if cut { self.options.edge_items } else { extent };
        let tail = if cut { extent - self.options.edge_items } else { extent };
        (0..head).map(Some).chain(cut.then_some(None)).chain((tail..extent).map(Some))
    }

    fn collect(&self, index: &mut Vec<usize>, values: &mut Vec<Printed>) {
        let Some(&extent) = self.shape.get(index.len()) else {
            values.push((self.get)(index));
            return;
        };
        for position in self.shown(extent).flatten() {
            index.push(position);
            self.collect(index, values);
            index.pop();
        }
    }

    fn write(&self, indent: usize, index: &mut Vec<usize>, text: &mut String) {
        let left = &self.shape[index.len()..];
        match *left {
            [] => text.push_str(&self.formatter.format((self.get)(index))),
            [extent] => self.write_row(extent, indent, index, text),
            [extent, ..] => {
                // One line end between rows, blank lines between matrices and above.
                let separator = format!(",{}{}", "\n".repeat(left.len() - 1), " ".repeat(indent + 1));
                text.push('[');
                for (i, position) in self.shown(extent).enumerate() {
                    if i > 0 {
                        text.push_str(&separator);
                    }
                    match position {
                        None => text.push_str("..."),
                        Some(position) => {
                            index.push(position);
                            self.write(indent + 1, index, text);
                            index.pop();
                        }
                    }
                }
                text.push(']');
            }
        }
    }

    fn write_row(&self, extent: usize, indent: usize, index: &mut Vec<usize>, text: &mut String) {
        // With its comma and space.
        let width = self.formatter.width() + 2;
        let per_line = (self.options.line_width.saturating_sub(indent) / width).max(1);
        // The dots have a space of their own before them, unless they are alone.
        let dots = if self.options.edge_items == 0 { "..." } else { " ..." };
        text.push('[');
        for (i, position) in self.shown(extent).enumerate() {
            if i > 0 && i % per_line == 0 {
                text.push_str(",\n");
                text.push_str(&" ".repeat(indent + 1));
            } else if i > 0 {
                text.push_str(", ");
            }
            match position {
                None => text.push_str(dots),
                Some(position) => {
                    index.push(position);
                    text.push_str(&self.formatter.format((self.get)(index)));
                    index.pop();
                }
            }
        }
        text.push(']');
    }
}

/// A shape as Python writes a tuple.
fn tuple(shape: &[usize]) -> String {
    match shape {
        [extent] => format!("({extent},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn append_suffixes<'a>(
    text: &mut String,
    suffixes: impl Iterator<Item = &'a String>,
    indent: usize,
    line_width: usize,
) {
    // PyTorch counts two characters more than there are, and breaks lines by that count.
    let mut column = text.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 2;
    for suffix in suffixes {
        let length = suffix.chars().count();
        if column + length + 2 > line_width {
            text.push_str(",\n");
            text.push_str(&" ".repeat(indent));
            column = indent + length;
        } else {
            text.push_str(", ");
            column += length + 2;
        }
        text.push_str(suffix);
    }
}
