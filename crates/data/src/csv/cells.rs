//! The cells of a table, one behind the other.

use csv::{Position, StringRecord};
use wengert_core::__private::{append, reserve};

/// Rows of as many cells each.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    columns: usize,
    text: String,
    /// Where each cell ends in the text.
    ends: Vec<usize>,
    /// Each row's first line in the file.
    lines: Vec<u64>,
}

impl Cells {
    /// Adds a row, of as many cells as the others. What the allocator refuses unwinds.
    pub(super) fn push(&mut self, record: &StringRecord) {
        self.columns = record.len();
        reserve(&mut self.ends, self.columns);
        reserve(&mut self.lines, 1);
        append(&mut self.text, record.as_slice());
        let (mut end, ends) = (self.text.len() - record.as_slice().len(), &mut self.ends);
        ends.extend(record.iter().map(|cell| {
            end += cell.len();
            end
        }));
        self.lines.push(record.position().map_or(0, Position::line));
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn at(&self, row: usize, column: usize) -> &str {
        let place = row * self.columns + column;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[place]]
    }

    /// The line of the file that a row begins in.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }
}
