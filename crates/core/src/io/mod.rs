//! Named tensors in `.safetensors` files.

mod any;
mod format;
mod replace;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

pub use any::AnyTensor;

use crate::base::error::{Error, Result};
use crate::tensor::{Element, Tensor};

/// Tensors by name, with notes, in a `.safetensors` file: PyTorch's `state_dict` on disk.
///
/// ```
/// use wengert_core::{Tensor, TensorMap};
/// let mut map = TensorMap::new();
/// map.insert("weight", Tensor::from([[1.0f32, 2.0]]));
/// let copy = TensorMap::from_bytes(&map.to_bytes()?)?;
/// assert_eq!(copy.tensor::<f32>("weight")?, Tensor::from([[1.0f32, 2.0]]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorMap {
    tensors: BTreeMap<String, AnyTensor>,
    notes: BTreeMap<String, String>,
}

impl TensorMap {
    /// An empty map.
    pub fn new() -> Self {
        TensorMap::default()
    }

    /// Puts a tensor under a name; what was there is replaced.
    pub fn insert(&mut self, name: impl Into<String>, tensor: impl Into<AnyTensor>) {
        self.tensors.insert(name.into(), tensor.into());
    }

    /// Puts a number under a name, as a scalar.
    pub fn insert_number(&mut self, name: impl Into<String>, value: f64) {
        self.insert(name, Tensor::scalar(value));
    }

    /// Puts all tensors of another map here, their names behind `prefix`; notes stay where they are.
    ///
    /// ```
    /// # use wengert_core::{Tensor, TensorMap};
    /// let (mut model, mut all) = (TensorMap::new(), TensorMap::new());
    /// model.insert("bias", Tensor::from([1.0f32]));
    /// all.insert_all("model.", &model);
    /// assert_eq!(all.names().collect::<Vec<_>>(), ["model.bias"]);
    /// assert_eq!(all.prefixed("model."), model);
    /// ```
    pub fn insert_all(&mut self, prefix: &str, other: &TensorMap) {
        for (name, tensor) in &other.tensors {
            self.tensors.insert(format!("{prefix}{name}"), tensor.clone());
        }
    }

    /// The tensors whose names begin with `prefix`, named without it; no notes.
    pub fn prefixed(&self, prefix: &str) -> TensorMap {
        let own = self
            .tensors
            .iter()
            .filter_map(|(name, t)| Some((name.strip_prefix(prefix)?.to_string(), t.clone())));
        TensorMap { tensors: own.collect(), notes: BTreeMap::new() }
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&AnyTensor> {
        self.tensors.get(name)
    }

    /// The tensor of that name with elements of type `T`, cast if the file has another type, else bit for
    /// bit.
    ///
    /// # Errors
    /// If there is none.
    ///
    /// ```
    /// # use wengert_core::{Tensor, TensorMap};
    /// let mut map = TensorMap::new();
    /// map.insert("w", Tensor::from([0.5f32, -1.0]));
    /// assert_eq!(map.tensor::<f64>("w")?, Tensor::from([0.5f64, -1.0]));
    /// assert!(map.tensor::<f64>("v").unwrap_err().to_string().ends_with("missing: v"));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn tensor<T: Element>(&self, name: &str) -> Result<Tensor<T>> {
        match self.get(name) {
            Some(tensor) => Ok(tensor.cast()),
            None => Err(missing(name)),
        }
    }

    /// The number of that name.
    ///
    /// # Errors
    /// If there is none, or it is not a single element.
    pub fn number(&self, name: &str) -> Result<f64> {
        self.tensor::<f64>(name)?.item()
    }

    /// The bytes of that name.
    ///
    /// # Errors
    /// If there are none.
    pub fn bytes(&self, name: &str) -> Result<&[u8]> {
        match self.get(name) {
            Some(AnyTensor::Bytes(bytes)) => Ok(bytes),
            _ => Err(missing(name)),
        }
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Adds a note, a line of text beside the tensors.
    pub fn set_note(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.notes.insert(key.into(), text.into());
    }

    /// The note of that key.
    pub fn note(&self, key: &str) -> Option<&str> {
        self.notes.get(key).map(String::as_str)
    }

    /// The file's content, the same bytes for equal maps.
    ///
    /// # Errors
    /// If the format can't hold it: a tensor's name is `__metadata__`, under which it keeps the notes.
    ///
    /// ```
    /// # use wengert_core::{Tensor, TensorMap};
    /// let mut map = TensorMap::new();
    /// map.insert("__metadata__", Tensor::from([1.0f32]));
    /// assert!(map.to_bytes().unwrap_err().to_string().contains("reserves"));
    /// ```
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        format::write(&self.tensors, &self.notes)
            .map_err(|reason| Error::file(Path::new("safetensors"), reason))
    }

    /// A map from a file's content.
    ///
    /// # Errors
    /// If it is cut short, damaged, or holds elements of a type that is not supported.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        TensorMap::read(bytes, bytes.len() as u64)
            .map_err(|reason| Error::file(Path::new("safetensors"), reason))
    }

    fn read(source: impl Read, len: u64) -> Result<Self, String> {
        let (tensors, notes) = format::read(source, len)?;
        Ok(TensorMap { tensors, notes })
    }

    /// Writes the map beside `path` and renames it there, so that a reader finds the old file or the new one
    /// whole, also if several save to the same path at once or the process dies meanwhile.
    ///
    /// A symbolic link stays and its target is replaced; a file that is replaced hands on its permissions.
    /// What saves to `path` by processes that have died left beside it (`NAME.PID-N.part`) is removed.
    ///
    /// # Errors
    /// If it can't be written, or `path` is something else than a regular file; then what was at `path` is
    /// untouched and nothing is left beside it. As [`TensorMap::to_bytes`].
    ///
    /// ```
    /// # use wengert_core::{Tensor, TensorMap};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("model.safetensors");
    /// let mut map = TensorMap::new();
    /// map.insert("weight", Tensor::from([[1.0f32, 2.0]]));
    /// map.set_note("epoch", "3");
    /// map.save(&path)?;
    /// assert_eq!(TensorMap::load(&path)?, map);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let failed = |reason: String| Error::file(path, reason);
        let bytes = format::write(&self.tensors, &self.notes).map_err(failed)?;
        replace::replace(path, &bytes).map_err(|error| failed(error.to_string()))
    }

    /// Reads a map from a file: its header first, and the tensors only if that fits the file's length.
    ///
    /// # Errors
    /// If it can't be read or is no regular file (a pipe, a device), or as [`TensorMap::from_bytes`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (file, len) = open(path).map_err(|error| Error::file(path, error))?;
        TensorMap::read(BufReader::new(file), len).map_err(|reason| Error::file(path, reason))
    }
}

/// A regular file to be read, and its length.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let regular = |metadata: fs::Metadata| match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(io::Error::other("is not a regular file")),
    };
    // Asked before as well, since to open a pipe is to wait for its other end.
    regular(fs::metadata(path)?)?;
    let file = File::open(path)?;
    let len = regular(file.metadata()?)?;
    Ok((file, len))
}

fn missing(name: &str) -> Error {
    Error::Mismatch { missing: vec![name.to_string()], unexpected: Vec::new(), misshapen: Vec::new() }
}
