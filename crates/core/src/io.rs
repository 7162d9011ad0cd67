//! Named tensors in `.safetensors` files.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::element::Element;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// A tensor of one of the element types that files hold.
///
/// ```
/// use wengert_core::{AnyTensor, Tensor};
/// let any = AnyTensor::from(Tensor::from([[1i64, 2]]));
/// assert!(matches!(&any, AnyTensor::I64(tensor) if tensor.shape() == [1, 2]));
/// assert_eq!(any.shape(), [1, 2]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum AnyTensor {
    /// Single precision.
    F32(Tensor<f32>),
    /// Double precision.
    F64(Tensor<f64>),
    /// Indices.
    I64(Tensor<i64>),
    /// Masks.
    Bool(Tensor<bool>),
    /// Bytes without meaning to this crate, such as a generator's state; in one row, whatever shape a file gives them.
    Bytes(Vec<u8>),
}

impl<T: Element> From<Tensor<T>> for AnyTensor {
    fn from(tensor: Tensor<T>) -> Self {
        T::any(tensor)
    }
}

impl AnyTensor {
    /// The extents of the axes.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            AnyTensor::F32(tensor) => tensor.shape().to_vec(),
            AnyTensor::F64(tensor) => tensor.shape().to_vec(),
            AnyTensor::I64(tensor) => tensor.shape().to_vec(),
            AnyTensor::Bool(tensor) => tensor.shape().to_vec(),
            AnyTensor::Bytes(bytes) => vec![bytes.len()],
        }
    }

    /// The name of the element type.
    pub fn kind(&self) -> &'static str {
        match self {
            AnyTensor::F32(_) => f32::NAME,
            AnyTensor::F64(_) => f64::NAME,
            AnyTensor::I64(_) => i64::NAME,
            AnyTensor::Bool(_) => bool::NAME,
            AnyTensor::Bytes(_) => "u8",
        }
    }

    /// The tensor with elements of type `T`, cast if need be.
    pub fn cast<T: Element>(&self) -> Tensor<T> {
        match self {
            AnyTensor::F32(tensor) => converted(tensor),
            AnyTensor::F64(tensor) => converted(tensor),
            AnyTensor::I64(tensor) => converted(tensor),
            AnyTensor::Bool(tensor) => converted(tensor),
            AnyTensor::Bytes(bytes) => Tensor::from_fn([bytes.len()], |i| T::from_f64(f64::from(bytes[i]))),
        }
    }

    fn dtype(&self) -> Dtype {
        match self {
            AnyTensor::F32(_) => Dtype::F32,
            AnyTensor::F64(_) => Dtype::F64,
            AnyTensor::I64(_) => Dtype::I64,
            AnyTensor::Bool(_) => Dtype::BOOL,
            AnyTensor::Bytes(_) => Dtype::U8,
        }
    }

    /// The elements' bytes in row-major order, little-endian.
    fn bytes(&self) -> Vec<u8> {
        match self {
            AnyTensor::F32(tensor) => tensor.to_vec().into_iter().flat_map(f32::to_le_bytes).collect(),
            AnyTensor::F64(tensor) => tensor.to_vec().into_iter().flat_map(f64::to_le_bytes).collect(),
            AnyTensor::I64(tensor) => tensor.to_vec().into_iter().flat_map(i64::to_le_bytes).collect(),
            AnyTensor::Bool(tensor) => tensor.to_vec().into_iter().map(u8::from).collect(),
            AnyTensor::Bytes(bytes) => bytes.clone(),
        }
    }

    fn parse(view: &TensorView<'_>) -> Result<Self, String> {
        let (shape, data) = (view.shape(), view.data());
        Ok(match view.dtype() {
            Dtype::F32 => AnyTensor::F32(parsed(data, shape, f32::from_le_bytes)?),
            Dtype::F64 => AnyTensor::F64(parsed(data, shape, f64::from_le_bytes)?),
            Dtype::I64 => AnyTensor::I64(parsed(data, shape, i64::from_le_bytes)?),
            Dtype::BOOL => AnyTensor::Bool(parsed(data, shape, |[byte]: [u8; 1]| byte != 0)?),
            Dtype::U8 => AnyTensor::Bytes(data.to_vec()),
            other => {
                return Err(format!(
                    "elements of type {other:?} are not supported; F32, F64, I64, BOOL and U8 are"
                ));
            }
        })
    }
}

/// A tensor of its own, cast only if the type differs: a cast goes by way of f64 and rounds an i64 beyond 2^53.
fn converted<T: Element, U: Element>(tensor: &Tensor<T>) -> Tensor<U> {
    match (tensor as &dyn Any).downcast_ref::<Tensor<U>>() {
        Some(same) => same.copy(),
        None => tensor.cast(),
    }
}

fn parsed<T: Element, const B: usize>(
    data: &[u8],
    shape: &[usize],
    from_bytes: impl Fn([u8; B]) -> T,
) -> Result<Tensor<T>, String> {
    let (elements, rest) = data.as_chunks::<B>();
    if !rest.is_empty() {
        return Err("its data is cut".to_string());
    }
    // An extent of 0 makes any others fit the data, but strides are products of them.
    if shape.iter().try_fold(1, |product: usize, &extent| product.checked_mul(extent.max(1))).is_none() {
        return Err(format!("the extents {shape:?} are too large"));
    }
    Tensor::from_vec(elements.iter().map(|bytes| from_bytes(*bytes)).collect(), shape)
        .map_err(|e| e.to_string())
}

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
    notes: HashMap<String, String>,
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
        TensorMap { tensors: own.collect(), notes: HashMap::new() }
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&AnyTensor> {
        self.tensors.get(name)
    }

    /// The tensor of that name with elements of type `T`, cast if the file has another type, else bit for bit.
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

    /// The file's content.
    ///
    /// # Errors
    /// If the format can't hold it.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let data: Vec<(&String, &AnyTensor, Vec<u8>)> =
            self.tensors.iter().map(|(n, t)| (n, t, t.bytes())).collect();
        let failed = |error: safetensors::SafeTensorError| Error::file(Path::new("safetensors"), error);
        let views = data.iter().map(|(name, tensor, bytes)| {
            Ok((name.as_str(), TensorView::new(tensor.dtype(), tensor.shape(), bytes).map_err(failed)?))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        let notes = if self.notes.is_empty() { None } else { Some(self.notes.clone()) };
        safetensors::serialize(views, notes).map_err(failed)
    }

    /// A map from a file's content.
    ///
    /// # Errors
    /// If it is cut short, damaged, or holds elements of a type that is not supported.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        TensorMap::parse(bytes).map_err(|reason| Error::file(Path::new("safetensors"), reason))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let damaged =
            |error: safetensors::SafeTensorError| format!("no safetensors file, or damaged: {error}");
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut map =
            TensorMap { notes: metadata.metadata().clone().unwrap_or_default(), ..TensorMap::new() };
        for (name, view) in file.iter() {
            map.tensors.insert(
                name.to_string(),
                AnyTensor::parse(&view).map_err(|reason| format!("{name}: {reason}"))?,
            );
        }
        Ok(map)
    }

    /// Writes the map beside `path` and renames it there, so that a reader finds the old file or the new one whole,
    /// also if several save to the same path at once.
    ///
    /// # Errors
    /// If it can't be written; then what was at `path` is untouched and nothing is left beside it.
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
        replace(path, &self.to_bytes()?).map_err(|error| Error::file(path, error))
    }

    /// Reads a map from a file.
    ///
    /// # Errors
    /// If it can't be read, or as [`TensorMap::from_bytes`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|error| Error::file(path, error))?;
        TensorMap::parse(&bytes).map_err(|reason| Error::file(path, reason))
    }
}

fn missing(name: &str) -> Error {
    Error::Mismatch { missing: vec![name.to_string()], unexpected: Vec::new(), misshapen: Vec::new() }
}

/// Puts `bytes` in the place of the file at `path`, by way of one beside it.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let (mut file, beside) = create_beside(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    // Closed before it is renamed, which some systems ask for.
    drop(file);
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // Nothing is left behind; if even that fails, the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    })
}

/// A new file in the same folder; its name is nobody else's, neither another thread's nor left over from a crash.
fn create_beside(path: &Path) -> std::io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or_else(|| std::io::Error::other("the path names no file"))?;
    loop {
        let mut name = name.to_os_string();
        name.push(format!(".{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let beside = path.with_file_name(name);
        match File::create_new(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return Ok((made?, beside)),
        }
    }
}

#[cfg(test)]
mod tests;
