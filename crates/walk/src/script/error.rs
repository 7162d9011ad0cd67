//! What is wrong with a program, and where.

use std::fmt;

/// A place in a program's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A mistake in the text of a [`Script`](crate::Script): what was expected and what was got, and where.
///
/// ```
/// use wengert_walk::Script;
/// let error = Script::parse("w: [2] = ones\nloss = sum(w").unwrap_err();
/// assert_eq!((error.line, error.column), (2, 13));
/// assert_eq!(error.to_string(), "line 2, column 13: expected `,` or `)`, got the end of the line");
/// assert_eq!(format!("{error:?}"), error.to_string());
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScriptError {
    /// The message: what was expected and what was got.
    pub message: String,
    /// The line, from 1 on.
    pub line: usize,
    /// The column, a character each, from 1 on.
    pub column: usize,
}

impl ScriptError {
    pub(crate) fn new(at: Place, message: impl Into<String>) -> Self {
        ScriptError { message: message.into(), line: at.line, column: at.column }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl fmt::Debug for ScriptError {
    /// The message: what `main` and `unwrap` print is to be read by people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ScriptError {}

pub(crate) type Result<T> = std::result::Result<T, ScriptError>;

/// What to say of a name that there is not: the nearest that there is, if one is near.
pub(crate) fn did_you_mean<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let far = |other: &str| distance(&name.to_lowercase(), &other.to_lowercase());
    let nearest = known.map(|other| (far(other), other)).min();
    match nearest {
        Some((off, other)) if off <= 1 + name.chars().count() / 4 => format!(": did you mean `{other}`?"),
        _ => String::new(),
    }
}

/// How many characters have to be put in, left out or changed to make one name of the other, two exchanged
/// ones counting as one change.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
