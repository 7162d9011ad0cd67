//! Text as numbers: reading, the alphabet, streams of windows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wengert::prelude::*;

/// Text as indices into its alphabet, cut into what is learnt from and what is held out.
pub struct Corpus {
    pub alphabet: Vec<char>,
    pub train: Vec<i64>,
    pub validation: Vec<i64>,
}

impl Corpus {
    /// The text of a file, or of the project itself; the last tenth is held out.
    pub fn read(path: Option<&Path>) -> Result<Corpus> {
        let text = match path {
            Some(path) => read(path)?,
            None => own_text()?,
        };
        let alphabet: Vec<char> = text.chars().collect::<BTreeSet<_>>().into_iter().collect();
        let indices: Vec<i64> = text.chars().filter_map(|c| index_of(&alphabet, c)).collect();
        let (train, validation) = indices.split_at(indices.len() / 10 * 9);
        if validation.len() < 2 {
            return Err(Error::argument(
                "char_rnn",
                "the text",
                "at least 20 characters long",
                indices.len(),
            ));
        }
        Ok(Corpus { train: train.to_vec(), validation: validation.to_vec(), alphabet })
    }
}

/// A character's place in the alphabet, if it is in it.
pub fn index_of(alphabet: &[char], c: char) -> Option<i64> {
    alphabet.binary_search(&c).ok().map(|index| index as i64)
}

fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|error| Error::of_file(path, error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The project's own sources and documents, one behind the other.
fn own_text() -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["crates", "examples", "docs", "tests", "benches"] {
        collect(&root.join(folder), &mut files);
    }
    files.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]
            .map(|name| root.join(name))
            .into_iter()
            .filter(|p| p.exists()),
    );
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            files.push(path);
        }
    }
}

/// A text as parallel streams, read window by window.
pub struct Streams<'t> {
    text: &'t [i64],
    batch: usize,
    length: usize,
    window: usize,
}

impl<'t> Streams<'t> {
    /// At most `batch` streams of equal length, read `window` characters at a time.
    pub fn new(text: &'t [i64], batch: usize, window: usize) -> Self {
        let batch = batch.min(text.len() / 2).max(1);
        let length = (text.len() - 1) / batch;
        Streams { text, batch, length, window: window.min(length) }
    }

    pub fn batch(&self) -> usize {
        self.batch
    }

    /// How many windows a pass has; the last may be shorter.
    pub fn windows(&self) -> usize {
        self.length.div_ceil(self.window)
    }

    /// The characters of window `w`, (L, N), and those that follow each.
    pub fn window(&self, w: usize) -> (Tensor<i64>, Tensor<i64>) {
        let start = w * self.window;
        let length = self.window.min(self.length - start);
        let at = |ahead: usize| {
            Tensor::from_fn([length, self.batch], |i| {
                let (t, n) = (i / self.batch, i % self.batch);
                self.text[n * self.length + start + t + ahead]
            })
        };
        (at(0), at(1))
    }
}
