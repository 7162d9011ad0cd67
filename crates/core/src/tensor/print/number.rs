//! How one element prints, given all that are shown with it.

use super::{PrintOptions, Printed};

/// Beyond these, fixed point would waste digits or lose them.
const LARGEST_RATIO: f64 = 1000.0;
const LARGEST_FIXED: f64 = 1.0e8;
const SMALLEST_FIXED: f64 = 1.0e-4;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    /// Integers and booleans, as they are.
    Plain,
    /// Floats that are all whole: `3.`
    Whole,
    Fixed,
    Scientific,
}

/// The form that all elements of one tensor share, so that columns align.
#[derive(Debug)]
pub(super) struct Formatter {
    style: Style,
    precision: usize,
    width: usize,
}

impl Formatter {
    /// Chooses the form that suits the values that will be shown.
    pub(super) fn new(values: &[Printed], options: &PrintOptions) -> Self {
        let style = choose_style(values, options);
        let mut formatter = Formatter { style, precision: options.precision, width: 1 };
        // Zeros and non-finite floats don't count towards the width, as in PyTorch: NaN may stick out.
        let counted = values.iter().filter(|value| match value {
            Printed::Float(v) => is_ordinary(*v),
            _ => true,
        });
        formatter.width = counted.map(|v| formatter.bare(*v).len()).max().unwrap_or(1).max(1);
        formatter
    }

    /// The width that elements are padded to.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The element, padded on the left.
    pub(super) fn format(&self, value: Printed) -> String {
        format!("{:>1$}", self.bare(value), self.width)
    }

    fn bare(&self, value: Printed) -> String {
        match value {
            Printed::Int(v) => v.to_string(),
            Printed::Bool(v) => if v { "True" } else { "False" }.to_string(),
            Printed::Float(v) if v.is_nan() => "nan".to_string(),
            Printed::Float(v) if v.is_infinite() => if v > 0.0 { "inf" } else { "-inf" }.to_string(),
            Printed::Float(v) => match self.style {
                Style::Plain | Style::Whole => format!("{v:.0}."),
                Style::Fixed => format!("{v:.*}", self.precision),
                Style::Scientific => scientific(v, self.precision),
            },
        }
    }
}

fn is_ordinary(value: f64) -> bool {
    value.is_finite() && value != 0.0
}

fn choose_style(values: &[Printed], options: &PrintOptions) -> Style {
    if !values.iter().any(|value| matches!(value, Printed::Float(_))) {
        return Style::Plain;
    }
    let (mut smallest, mut largest, mut whole) = (f64::INFINITY, 0.0f64, true);
    for value in values {
        if let Printed::Float(v) = *value
            && is_ordinary(v)
        {
            smallest = smallest.min(v.abs());
            largest = largest.max(v.abs());
            whole &= v == v.trunc();
        }
    }
    if largest == 0.0 {
        // Nothing but zeros and non-finite values, whatever the options ask for.
        return Style::Whole;
    }
    let wide = largest / smallest > LARGEST_RATIO || largest > LARGEST_FIXED || smallest < SMALLEST_FIXED;
    match (options.sci_mode.unwrap_or(wide), whole) {
        (true, _) => Style::Scientific,
        (false, true) => Style::Whole,
        (false, false) => Style::Fixed,
    }
}

/// Rust writes `1.5e-5` where C and Python write `1.5e-05`.
fn scientific(value: f64, precision: usize) -> String {
    let written = format!("{value:.precision$e}");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}
