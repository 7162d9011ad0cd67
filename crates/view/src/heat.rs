//! A matrix in colours.

use std::fmt::Write as _;

use wengert_core::{AnyTensor, Element, Tensor};

use crate::svg;
use crate::text::{counted, number, pixel, shape};

/// Colours that a terminal is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colours {
    /// Characters without colours, which are the fuller, the larger a number is; a line of signs is not
    /// needed, as those below zero have characters of their own.
    Plain,
    /// The 256 colours of ANSI, two rows of a matrix to a line.
    Ansi,
}

impl Colours {
    /// Colours, unless the variable `NO_COLOR` is set or `TERM` is `dumb`.
    pub fn from_environment() -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if is_set("NO_COLOR") || is_dumb { Colours::Plain } else { Colours::Ansi }
    }
}

/// A matrix to be shown in colours around 0: blue below, red above, paler the nearer.
///
/// The largest magnitude has the full colour. What is not finite stands out: `?` in plain characters, magenta
/// in colours. A matrix of more rows or columns than fit is reduced to blocks, each shown as its number of
/// largest magnitude.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_view::{Colours, HeatMap};
/// let map = HeatMap::of(&Tensor::from([[1.0f32, 0.5], [-1.0, 0.0]]));
/// assert_eq!(map.to_terminal(Colours::Plain), "\
/// [2, 2], from -1 to 1
/// #+
/// @.
/// ");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    title: String,
    extents: Vec<usize>,
    rows: usize,
    columns: usize,
    values: Vec<f64>,
    /// The most rows and columns that are shown.
    most: (usize, usize),
}

/// Characters by magnitude, of numbers above and below zero.
const OF_POSITIVE: [char; 5] = ['.', '-', '+', '*', '#'];
const OF_NEGATIVE: [char; 5] = ['.', '~', 'o', '0', '@'];

impl HeatMap {
    /// The heat map of a matrix. A vector is one row, a scalar one element; of more axes than two all but
    /// the last are rows.
    pub fn of<T: Element>(matrix: &Tensor<T>) -> Self {
        let extents = matrix.shape().to_vec();
        let columns = extents.last().copied().unwrap_or(1);
        let rows = extents.split_last().map_or(1, |(_, leading)| leading.iter().product());
        let values = matrix.cast::<f64>().to_vec();
        HeatMap { title: String::new(), extents, rows, columns, values, most: (64, 96) }
    }

    /// The heat map of a value or gradient on a tape.
    pub fn of_any(value: &AnyTensor) -> Self {
        HeatMap::of(&value.cast::<f64>())
    }

    /// A title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The most rows and columns that are shown, each at least 1; 64 and 96 unless said otherwise.
    #[must_use]
    pub fn at_most(mut self, rows: usize, columns: usize) -> Self {
        self.most = (rows.max(1), columns.max(1));
        self
    }

    /// What the numbers are, in words.
    fn summary(&self) -> String {
        let title = if self.title.is_empty() { String::new() } else { format!("{}: ", self.title) };
        let extents = shape(&self.extents);
        if self.values.is_empty() {
            return format!("{title}{extents} has no elements");
        }
        let finite = self.values.iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        let others = self.values.iter().filter(|value| !value.is_finite()).count();
        let others =
            if others > 0 { format!("; {} not finite", counted(others, "element")) } else { String::new() };
        match low <= high {
            true => format!("{title}{extents}, from {} to {}{others}", number(low), number(high)),
            false => format!("{title}{extents}{others}"),
        }
    }

    /// The rows that are shown, each a number from -1 to 1, or none where it is not finite.
    fn shown(&self) -> Vec<Vec<Option<f64>>> {
        let finite = self.values.iter().filter(|value| value.is_finite());
        let scale = finite.fold(0.0f64, |scale, value| scale.max(value.abs()));
        let (rows, columns) = (self.rows.min(self.most.0), self.columns.min(self.most.1));
        let block = |row: usize, column: usize| {
            let part = |at: usize, shown: usize, of: usize| at * of / shown..(at + 1) * of / shown;
            let mut largest = Some(0.0f64);
            for r in part(row, rows, self.rows) {
                for c in part(column, columns, self.columns) {
                    let value = self.values[r * self.columns + c];
                    let larger = largest.filter(|_| value.is_finite());
                    largest = larger.map(|known| if value.abs() > known.abs() { value } else { known });
                }
            }
            // A scale of no size has nothing but zeros.
            largest.map(|value| if scale > 0.0 { value / scale } else { 0.0 })
        };
        (0..rows).map(|row| (0..columns).map(|column| block(row, column)).collect()).collect()
    }

    /// The heat map for a terminal, with a line of words above.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_view::{Colours, HeatMap};
    /// let text = HeatMap::of(&Tensor::from([[1.0f64], [-1.0]])).to_terminal(Colours::Ansi);
    /// assert!(text.ends_with("\u{1b}[38;5;196;48;5;21m\u{2580}\u{1b}[0m\n"), "{text:?}");
    /// ```
    pub fn to_terminal(&self, colours: Colours) -> String {
        let mut out = crate::text::visible(&self.summary()) + "\n";
        if self.values.is_empty() {
            return out;
        }
        let shown = self.shown();
        match colours {
            Colours::Plain => {
                for row in &shown {
                    out.extend(row.iter().map(|value| character(*value)));
                    out.push('\n');
                }
            }
            Colours::Ansi => shown.chunks(2).for_each(|rows| write_halves(rows, &mut out)),
        }
        out
    }

    /// The heat map as a document of SVG.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_view::HeatMap;
    /// let svg = HeatMap::of(&Tensor::from([[1.0f64], [-1.0]])).title("w & u").to_svg();
    /// assert!(svg.contains("w &amp; u: [2, 1], from -1 to 1"));
    /// ```
    pub fn to_svg(&self) -> String {
        let summary = self.summary();
        if self.values.is_empty() {
            return svg::words("Heat map", &summary);
        }
        let shown = self.shown();
        let (rows, columns) = (shown.len() as f64, shown[0].len() as f64);
        let side = (640.0 / columns.max(rows)).clamp(4.0, 32.0);
        let lines = svg::wrapped(&crate::text::visible(&summary), 70);
        let words = lines.iter().map(|line| crate::text::columns(line)).max().unwrap_or(0) as f64 * 7.4;
        let (width, top) = ((columns * side).max(words) + 40.0, 20.0 + 16.0 * lines.len() as f64);
        let mut out = svg::begin(width, top + rows * side + 20.0, "Heat map", &summary);
        for (place, line) in lines.iter().enumerate() {
            svg::text_at(width / 2.0, 24.0 + 16.0 * place as f64, "", line, &mut out);
        }
        let left = (width - columns * side) / 2.0;
        let _ = writeln!(out, "<g shape-rendering=\"crispEdges\">");
        for (row, values) in shown.iter().enumerate() {
            for (column, value) in values.iter().enumerate() {
                let [x, y] = [left + column as f64 * side, top + row as f64 * side].map(pixel);
                let (fill, side) = (colour(*value), pixel(side));
                let _ = writeln!(
                    out,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" fill=\"{fill}\"/>"
                );
            }
        }
        out.push_str("</g>\n</svg>\n");
        out
    }
}

fn character(value: Option<f64>) -> char {
    let Some(value) = value else { return '?' };
    if value == 0.0 {
        return OF_POSITIVE[0];
    }
    // What is not 0 is not shown as if it were.
    let level = ((value.abs() * 4.0).round() as usize).clamp(1, 4);
    if value < 0.0 { OF_NEGATIVE[level] } else { OF_POSITIVE[level] }
}

/// Two rows in one line: the upper half of each character has the first one's colour.
fn write_halves(rows: &[Vec<Option<f64>>], out: &mut String) {
    for (column, above) in rows[0].iter().enumerate() {
        let _ = write!(out, "\u{1b}[38;5;{}", ansi(*above));
        if let Some(below) = rows.get(1) {
            let _ = write!(out, ";48;5;{}", ansi(below[column]));
        }
        out.push_str("m\u{2580}\u{1b}[0m");
    }
    out.push('\n');
}

/// A colour of the cube of 6 by 6 by 6: white at 0.
fn ansi(value: Option<f64>) -> usize {
    let Some(value) = value else { return 201 };
    let pale = 5 - (value.abs().sqrt() * 5.0).round() as usize;
    let (red, green, blue) = if value < 0.0 { (pale, pale, 5) } else { (5, pale, pale) };
    16 + 36 * red + 6 * green + blue
}

/// A colour between blue, white and red.
fn colour(value: Option<f64>) -> String {
    let Some(value) = value else { return "#c026d3".to_string() };
    let (full, part) = (if value < 0.0 { [33, 102, 172] } else { [178, 24, 43] }, value.abs().sqrt());
    let channel = |full: i32| (247.0 + (f64::from(full) - 247.0) * part).round() as i32;
    let [red, green, blue] = full.map(channel);
    format!("#{red:02x}{green:02x}{blue:02x}")
}
