//! Jacobians, and how they print.

/// A matrix of derivatives: rows are an output's elements, columns an input's.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Matrix {
    /// How many rows there are.
    pub rows: usize,
    /// How many columns there are.
    pub columns: usize,
    /// The elements, row after row.
    pub values: Vec<f64>,
}

/// At most this many rows and columns are shown.
const SHOWN_NUMBERS: usize = 5;

impl Matrix {
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Matrix { rows, columns, values: vec![0.0; rows * columns] }
    }

    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    pub(crate) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.columns + column] = value;
    }

    /// The largest absolute value that is finite; 0 if there is none.
    pub(crate) fn largest(&self) -> f64 {
        self.values.iter().filter(|x| x.is_finite()).fold(0.0, |m: f64, x| m.max(x.abs()))
    }

    /// Two matrices side by side, around one element, which gets a star.
    pub(crate) fn beside(analytical: &Matrix, numerical: &Matrix, (row, column): (usize, usize)) -> String {
        let rows = window(row, analytical.rows);
        let columns = window(column, analytical.columns);
        let part = |all: usize, shown: &std::ops::Range<usize>, what: &str| match shown.len() == all {
            true if all == 1 => format!("1 {what}"),
            true => format!("{all} {what}s"),
            false => format!("{what}s {}..{} of {all}", shown.start, shown.end),
        };
        let size = format!(
            "{}, {}",
            part(analytical.rows, &rows, "row"),
            part(analytical.columns, &columns, "column")
        );
        let block = |matrix: &Matrix| -> Vec<String> {
            let noise = 1e-13 * matrix.values.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let shown = |i, j| if matrix.at(i, j).abs() < noise { 0.0 } else { matrix.at(i, j) };
            let line = |i: usize| {
                let cells = columns.clone().map(|j| cell(shown(i, j), (i, j) == (row, column)));
                cells.collect::<Vec<_>>().join(" ")
            };
            rows.clone().map(line).collect()
        };
        let (left, right) = (block(analytical), block(numerical));
        let width = left.first().map_or(0, String::len).max("analytical".len());
        let mut lines = vec![format!("  Jacobian (outputs down, inputs across): {size}")];
        lines.push(format!("  {:<width$}   {}", "analytical", "numerical"));
        lines.extend(left.iter().zip(&right).map(|(l, r)| format!("  {l:<width$}   {r}")));
        lines.join("\n")
    }
}

/// The indices to show, around `at`.
fn window(at: usize, count: usize) -> std::ops::Range<usize> {
    let start = at.saturating_sub(SHOWN_NUMBERS / 2).min(count.saturating_sub(SHOWN_NUMBERS));
    start..(start + SHOWN_NUMBERS).min(count)
}

fn cell(value: f64, marked: bool) -> String {
    let size = value.abs();
    let text = match value == 0.0 || (5e-4..1e5).contains(&size) {
        true => format!("{value:.5}"),
        false => format!("{value:.2e}"),
    };
    format!("{:>11}", if marked { format!("*{text}") } else { text })
}
