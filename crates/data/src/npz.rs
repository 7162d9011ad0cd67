//! Arrays in `.npz` and `.npy` files.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use wengert_core::__private::or_refused;
use wengert_core::{AnyTensor, Element, Error, Result, Tensor, TensorMap};
use zip::ZipArchive;

use crate::npy;

/// The arrays of a `.npz` file, as `numpy.savez` and `numpy.savez_compressed` write it.
///
/// Single and double precision and truth values stay what they are; integers of all widths become `i64`.
///
/// ```no_run
/// use wengert_data::{Npz, TensorDataset};
/// let mut file = Npz::open("train.npz")?;
/// let data = TensorDataset::new((file.tensor::<f32>("x")?, file.tensor::<i64>("y")?))?;
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "load")]
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    names: Vec<String>,
}

/// What the archive calls an array, behind its name.
const ENDING: &str = ".npy";

impl Npz {
    /// Opens a file and reads the names of its arrays.
    ///
    /// # Errors
    /// If it can't be read, or is no such archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_at(path.as_ref())
    }

    // Not generic: compiled once, here.
    fn open_at(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::of_file(path, error))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| Error::of_file(path, error))?;
        let mut names = Vec::new();
        for name in archive.file_names() {
            let name = name.map_err(|error| Error::of_file(path, error))?;
            names.extend(name.strip_suffix(ENDING).map(String::from));
        }
        Ok(Npz { path: path.to_path_buf(), archive, names })
    }

    /// The names of the arrays.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The array of that name with elements of type `T`, cast if the file has others.
    ///
    /// # Errors
    /// If there is none, it is cut short, or its elements are neither numbers nor truth values.
    pub fn tensor<T: Element>(&mut self, name: &str) -> Result<Tensor<T>> {
        let tensor = self.get(name)?;
        or_refused("Npz::tensor", || Ok(tensor.cast()))
    }

    /// The array of that name.
    ///
    /// # Errors
    /// If there is none, it is cut short, or its elements are neither numbers nor truth values.
    pub fn get(&mut self, name: &str) -> Result<AnyTensor> {
        if !self.names.iter().any(|known| known == name) {
            let reason = format!("there is no array {name:?}; there are {:?}", self.names);
            return Err(Error::file(&self.path, reason));
        }
        let mut member = self
            .archive
            .by_name(&format!("{name}{ENDING}"))
            .map_err(|error| Error::of_file(&self.path, error))?;
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).map_err(|error| Error::of_file(&self.path, error))?;
        let failed = |reason| Error::file(&self.path, format!("array {name:?}: {reason}"));
        or_refused("Npz::get", || npy::parse(&bytes).map_err(failed))
    }

    /// All arrays by name.
    ///
    /// # Errors
    /// If one can't be read.
    pub fn tensors(&mut self) -> Result<TensorMap> {
        let mut map = TensorMap::new();
        for name in self.names.clone() {
            let tensor = self.get(&name)?;
            map.insert(name, tensor);
        }
        Ok(map)
    }
}

/// The array of a `.npy` file, as `numpy.save` writes it.
///
/// # Errors
/// If it can't be read, is no such file, or its elements are neither numbers nor truth values.
///
/// ```no_run
/// let x = wengert_data::load_npy("x.npy")?.cast::<f32>();
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "load")]
pub fn load_npy(path: impl AsRef<Path>) -> Result<AnyTensor> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|error| Error::of_file(path, error))?;
    or_refused("load_npy", || npy::parse(&bytes).map_err(|reason| Error::file(path, reason)))
}
