//! Arrays in `.npz` and `.npy` files.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::{NpzReader, ReadNpyError, ReadNpyExt, ReadNpzError, ReadableElement};
use wengert_core::{AnyTensor, Element, Error, Result, Tensor, TensorMap};

/// The arrays of a `.npz` file, as `numpy.savez` and `numpy.savez_compressed` write it.
///
/// Single and double precision and truth values stay what they are; integers of all widths become `i64`.
///
/// ```no_run
/// use wengert_core::Tensor;
/// use wengert_data::{Npz, TensorDataset};
/// let mut file = Npz::open("train.npz")?;
/// let data = TensorDataset::new((file.tensor::<f32>("x")?, file.tensor::<i64>("y")?))?;
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "load")]
pub struct Npz {
    path: PathBuf,
    reader: NpzReader<BufReader<File>>,
    names: Vec<String>,
}

impl Npz {
    /// Opens a file and reads the names of its arrays.
    ///
    /// # Errors
    /// If it can't be read, or is no such archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| Error::of_file(path, error))?;
        let failed = |error: ReadNpzError| Error::of_file(path, error);
        let mut reader = NpzReader::new(BufReader::new(file)).map_err(failed)?;
        let names = reader.names().map_err(failed)?;
        Ok(Npz { path: path.to_path_buf(), reader, names })
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
        Ok(self.get(name)?.cast())
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
        let mut source = Member { reader: &mut self.reader, name };
        any(&mut source).map_err(|error| refused(&self.path, &format!("array {name:?}: "), error))
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
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    read.map_err(|error| Error::of_file(path, error))?;
    any(&mut Whole(&bytes)).map_err(|error| refused(path, "", error))
}

fn refused(path: &Path, place: &str, error: ReadNpyError) -> Error {
    match error {
        ReadNpyError::WrongDescriptor(kind) => {
            let kind = kind.to_string();
            Error::file(path, format!("{place}expected numbers or truth values, got elements of type {kind}"))
        }
        error => Error::file(path, format!("{place}{error}")),
    }
}

/// What an array can be read from, again and again.
trait Source {
    fn read<T: ReadableElement>(&mut self) -> Result<ArrayD<T>, ReadNpyError>;
}

struct Whole<'a>(&'a [u8]);

impl Source for Whole<'_> {
    fn read<T: ReadableElement>(&mut self) -> Result<ArrayD<T>, ReadNpyError> {
        ArrayD::read_npy(self.0)
    }
}

struct Member<'a> {
    reader: &'a mut NpzReader<BufReader<File>>,
    name: &'a str,
}

impl Source for Member<'_> {
    fn read<T: ReadableElement>(&mut self) -> Result<ArrayD<T>, ReadNpyError> {
        let read = self.reader.by_name::<OwnedRepr<T>, IxDyn>(self.name);
        read.map_err(|error| match error {
            ReadNpzError::Npy(error) => error,
            ReadNpzError::Zip(error) => ReadNpyError::Io(std::io::Error::other(error)),
        })
    }
}

/// The array as the first type of elements that it has; to try one reads no more than the header.
fn any(source: &mut impl Source) -> Result<AnyTensor, ReadNpyError> {
    let mut tried = plain::<f32>(source);
    let is_other =
        |tried: &Result<AnyTensor, ReadNpyError>| matches!(tried, Err(ReadNpyError::WrongDescriptor(_)));
    macro_rules! then {
        ($($read:expr),*) => {$(
            if is_other(&tried) {
                tried = $read;
            }
        )*};
    }
    then!(plain::<f64>(source), plain::<i64>(source), plain::<bool>(source));
    then!(integers::<i32>(source), integers::<i16>(source), integers::<i8>(source));
    then!(integers::<u64>(source), integers::<u32>(source), integers::<u16>(source), integers::<u8>(source));
    tried
}

fn plain<T: Element + ReadableElement>(source: &mut impl Source) -> Result<AnyTensor, ReadNpyError> {
    source.read::<T>().map(|array| Tensor::from_ndarray(array).contiguous().into())
}

fn integers<T: ReadableElement + TryInto<i64> + Copy>(
    source: &mut impl Source,
) -> Result<AnyTensor, ReadNpyError> {
    let array = source.read::<T>()?;
    let outside = || std::io::Error::other(format!("an integer above {}", i64::MAX));
    let elements = array.iter().map(|&x| x.try_into().map_err(|_| outside()));
    let elements = elements.collect::<Result<Vec<i64>, _>>()?;
    Ok(Tensor::from_vec(elements, array.shape()).expect("as many as the array has").into())
}
