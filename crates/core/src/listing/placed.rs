//! A tape whose lines stand for those of another text.

use std::borrow::Cow;

use super::{Line, Tape, TapeEntry};

impl Tape {
    /// The tape with other places in the source, of a text that is no Rust: `place` gives line and column of
    /// each operation, from 1 on, and none where there is none.
    ///
    /// Whoever records operations for a language of his own says so where each stands in its text; as the
    /// steps of a loop have one place there, pictures fold by it.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
    /// let tape = Tape::of(&x.exp()).placed("my.formula", |_| Some((3, 5)));
    /// assert!(format!("{tape:#}").ends_with("# my.formula:3\n"));
    /// ```
    #[must_use]
    pub fn placed(mut self, file: &str, place: impl Fn(&TapeEntry) -> Option<(u32, u32)>) -> Tape {
        for entry in self.entries.iter_mut().filter(|entry| !entry.is_leaf()) {
            let line = |(line, column)| Line { file: Cow::Owned(file.to_string()), line, column };
            entry.location = place(entry).map(line);
        }
        self
    }
}
