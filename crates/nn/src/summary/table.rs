//! How a summary prints.

use std::fmt;

use super::{Summary, SummaryRow};

impl SummaryRow {
    /// The row's cells: the module, further right the deeper it is, then shape and numbers.
    fn cells(&self) -> [String; 6] {
        let own = self.name.rsplit('.').next().unwrap_or_default();
        let indent = "  ".repeat(self.depth);
        let called = match (self.depth, self.calls) {
            (0, _) => self.kind.clone(),
            (_, 0 | 1) => format!("{indent}{own}  {}", self.kind),
            (_, calls) => format!("{indent}{own}  {} x{calls}", self.kind),
        };
        [
            called,
            self.output.as_ref().map_or("-".to_string(), |shape| format!("{shape:?}")),
            self.parameters.to_string(),
            self.bytes.to_string(),
            self.flops.to_string(),
            self.kept_bytes.to_string(),
        ]
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["module", "output", "parameters", "bytes", "operations", "kept bytes"].map(String::from);
        let rows: Vec<_> = [head].into_iter().chain(self.rows().iter().map(SummaryRow::cells)).collect();
        let widths: [usize; 6] =
            std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0));
        for row in &rows {
            write!(f, "{:1$}  {2:3$}", row[0], widths[0], row[1], widths[1])?;
            row[2..].iter().zip(&widths[2..]).try_for_each(|(cell, width)| write!(f, "  {cell:>width$}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}
