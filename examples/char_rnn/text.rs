//! Text as numbers: reading, and streams of windows.

use std::fs;
use std::path::{Path, PathBuf};

use wengert::data::{Dataset, Map, TruncatedWindow, TruncatedWindows, Vocabulary, Zip};
use wengert::prelude::*;

/// Text as numbers of its characters, cut into what is learnt from and what is held out.
pub struct Corpus {
    pub alphabet: Vocabulary,
    pub train: Tensor<i64>,
    pub validation: Tensor<i64>,
    /// What tells the text from another of the same characters.
    pub fingerprint: String,
}

impl Corpus {
    /// The text of a file, or of the project itself; the last tenth is held out.
    pub fn read(path: Option<&Path>) -> Result<Corpus> {
        let text = match path {
            Some(path) => read(path)?,
            None => own_text()?,
        };
        let length = text.chars().count();
        let learnt = length / 10 * 9;
        if length - learnt < 2 {
            return Err(Error::argument("char_rnn", "the text", "at least 20 characters long", length));
        }
        let alphabet = Vocabulary::characters(&text)?;
        let numbers = alphabet.encode(&text)?;
        let (train, validation) =
            (numbers.narrow(0, 0, learnt)?, numbers.narrow(0, learnt, length - learnt)?);
        Ok(Corpus { train, validation, alphabet, fingerprint: fingerprint(&text) })
    }
}

/// The length of a text and its hash by FNV-1a, of 64 bits.
fn fingerprint(text: &str) -> String {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{} bytes, {:016x}", text.len(), text.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
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

/// How many streams a text is read in: as many as wished for, where each has a character and the next.
pub fn streams_of(text: &Tensor<i64>, wished: usize) -> usize {
    wished.min(text.numel() / 2).max(1)
}

/// The characters of a window of each stream, (L, N), and those that follow each.
type Window = (Tensor<i64>, Tensor<i64>);
type Windows = TruncatedWindows<i64>;

/// Parallel streams of a text, window by window.
pub type Streams =
    Map<Zip<Windows, Windows>, fn((TruncatedWindow<i64>, TruncatedWindow<i64>)) -> Result<Window>>;

/// A text as that many streams of equal length, read `steps` characters at a time; the last window may be
/// shorter.
pub fn streams(text: &Tensor<i64>, streams: usize, steps: usize) -> Result<Streams> {
    let last = text.numel() - 1;
    let windows = |from: usize| {
        let documents = TruncatedWindows::pieces(&text.narrow(0, from, last)?, streams)?;
        TruncatedWindows::builder(documents).lanes(streams).steps(steps.min(last / streams)).build()
    };
    let without_filling: fn(_) -> _ = |(now, next): (TruncatedWindow<i64>, TruncatedWindow<i64>)| {
        // All streams end with the same window.
        let length = now.lengths[0];
        Ok((now.data.narrow(0, 0, length)?, next.data.narrow(0, 0, length)?))
    };
    Ok(windows(0)?.zip(windows(1)?)?.map(without_filling))
}
