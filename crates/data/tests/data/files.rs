#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "npz")]
mod npz;

#[cfg(any(feature = "csv", feature = "npz"))]
use std::path::{Path, PathBuf};

/// A file that `fixtures/make.py` wrote with numpy.
#[cfg(any(feature = "csv", feature = "npz"))]
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fixtures").join(name)
}

/// An error without the path that it begins with.
#[cfg(any(feature = "csv", feature = "npz"))]
fn behind_path<T>(path: &Path, result: wengert_core::Result<T>) -> String {
    let text = super::refused(result);
    text.strip_prefix(&format!("{}: ", path.display())).expect("the path first").to_string()
}

/// The array of a name in `expected.txt`: kind, extents, and elements as whole numbers, floats by their bits.
#[cfg(any(feature = "csv", feature = "npz"))]
fn expected(name: &str) -> (String, Vec<usize>, Vec<i128>) {
    let text = std::fs::read_to_string(fixture("expected.txt")).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name}|"))).unwrap();
    let [_, kind, extents, elements] = line.split('|').collect::<Vec<_>>().try_into().unwrap();
    let extents = extents.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let elements = elements.split_whitespace().map(|n| n.parse().unwrap()).collect();
    (kind.to_string(), extents, elements)
}
