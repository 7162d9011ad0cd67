//! Maps as `.safetensors` files.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::{TensorMap, format, replace};
use crate::base::error::{Error, Result};
use crate::base::refusal::or_refused;

impl TensorMap {
    /// The file's content, the same bytes for equal maps.
    ///
    /// # Errors
    /// If the format can't hold it: a tensor's name is `__metadata__`, under which it keeps the notes. If
    /// there is no memory for it.
    ///
    /// ```
    /// # use wengert_core::{Tensor, TensorMap};
    /// let mut map = TensorMap::new();
    /// map.insert("__metadata__", Tensor::from([1.0f32]));
    /// assert!(map.to_bytes().unwrap_err().to_string().contains("reserves"));
    /// ```
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.written("TensorMap::to_bytes", Path::new("safetensors"))
    }

    fn written(&self, operation: &'static str, path: &Path) -> Result<Vec<u8>> {
        or_refused(operation, || {
            format::write(&self.tensors, &self.notes).map_err(|reason| Error::file(path, reason))
        })
    }

    /// A map from a file's content.
    ///
    /// # Errors
    /// If it is cut short, damaged, or holds elements of a type that is not supported.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        TensorMap::read(bytes, bytes.len() as u64)
            .map_err(|reason| Error::file(Path::new("safetensors"), reason))
    }

    pub(super) fn read(source: impl Read, len: u64) -> Result<Self, String> {
        let (tensors, notes) = format::read(source, len)?;
        Ok(TensorMap { tensors, notes })
    }

    /// Writes the map beside `path` and renames it there, so that a reader finds the old file or the new
    /// one whole, also if several save to the same path at once or the process dies meanwhile.
    ///
    /// A symbolic link stays and its target is replaced; a file that is replaced hands on its permissions.
    /// What saves to `path` by processes that have died left beside it (`NAME.PID-N.part`) is removed.
    ///
    /// # Errors
    /// If it can't be written, or `path` is something else than a regular file; then what was at `path` is
    /// untouched and nothing is left beside it. If a tensor's name is `__metadata__`, which the format can't
    /// hold, or there is no memory for the file's content.
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
        self.save_at(path.as_ref())
    }

    // Not generic, as `load_at`: compiled once, here.
    fn save_at(&self, path: &Path) -> Result<()> {
        let bytes = self.written("TensorMap::save", path)?;
        replace::replace(path, &bytes).map_err(|error| Error::of_file(path, error))
    }

    /// Reads a map from a file: its header first, and the tensors only if that fits the file's length.
    ///
    /// # Errors
    /// If the file can't be read or is no regular file (a pipe, a device), is cut short, damaged, or holds
    /// elements of a type that is not supported.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_at(path.as_ref())
    }

    fn load_at(path: &Path) -> Result<Self> {
        let (file, len) = open(path).map_err(|error| Error::of_file(path, error))?;
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
