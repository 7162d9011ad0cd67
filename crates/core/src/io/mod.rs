//! Named tensors in `.safetensors` files.

mod any;
#[cfg(feature = "safetensors")]
mod bytes;
#[cfg(feature = "safetensors")]
mod file;
#[cfg(feature = "safetensors")]
mod format;
mod reader;
mod replace;
mod stateful;
#[cfg(all(test, feature = "safetensors"))]
mod tests;

use std::collections::BTreeMap;

pub use any::AnyTensor;
pub use reader::StateReader;
pub use replace::{remove_left_in, replace};
pub use stateful::Stateful;

use crate::base::error::{Error, Result};
use crate::base::refusal::or_refused;
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
    /// If there is no tensor of that name, or no memory for it.
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
            Some(tensor) => or_refused("TensorMap::tensor", || Ok(tensor.cast())),
            None => Err(missing(name)),
        }
    }

    /// The number of that name.
    ///
    /// # Errors
    /// If there is no tensor of that name, or it is not a single element.
    pub fn number(&self, name: &str) -> Result<f64> {
        self.tensor::<f64>(name)?.item()
    }

    /// The bytes of that name.
    ///
    /// # Errors
    /// If there are no bytes of that name.
    pub fn bytes(&self, name: &str) -> Result<&[u8]> {
        match self.get(name) {
            Some(AnyTensor::Bytes(bytes)) => Ok(bytes),
            _ => Err(missing(name)),
        }
    }

    /// Refuses a map whose names are not exactly these.
    ///
    /// # Errors
    /// [`Error::Mismatch`] lists the names that are missing, and those that are unexpected.
    ///
    /// ```
    /// # use wengert_core::TensorMap;
    /// let mut map = TensorMap::new();
    /// map.insert_number("bias", 1.0);
    /// map.check_names(["bias"])?;
    /// assert!(map.check_names(["bias", "weight"]).unwrap_err().to_string().ends_with("missing: weight"));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn check_names<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<()> {
        let mut reader = StateReader::new("the map", self);
        for name in names {
            reader.entry(name);
        }
        reader.finish()
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The names with their tensors, in alphabetical order of the names.
    ///
    /// ```
    /// # use wengert_core::{Tensor, TensorMap};
    /// let map = TensorMap::from_iter([("w", Tensor::from([0.5f32])), ("b", Tensor::from([0.0f32]))]);
    /// let sizes: Vec<_> = map.iter().map(|(name, tensor)| (name, tensor.shape().to_vec())).collect();
    /// assert_eq!(sizes, [("b", vec![1]), ("w", vec![1])]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AnyTensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
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

    /// All notes with their keys, in alphabetical order of these.
    ///
    /// ```
    /// use wengert_core::TensorMap;
    /// let mut map = TensorMap::new();
    /// map.set_note("epoch", "3");
    /// assert_eq!(map.notes().collect::<Vec<_>>(), [("epoch", "3")]);
    /// ```
    pub fn notes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.notes.iter().map(|(key, text)| (key.as_str(), text.as_str()))
    }
}

/// Puts tensors under names, as [`insert`](TensorMap::insert) does with one.
impl<N: Into<String>, V: Into<AnyTensor>> Extend<(N, V)> for TensorMap {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, tensors: I) {
        self.tensors.extend(tensors.into_iter().map(|(name, tensor)| (name.into(), tensor.into())));
    }
}

/// A map of these tensors, faster than one after the other; of several with one name the last is kept.
impl<N: Into<String>, V: Into<AnyTensor>> FromIterator<(N, V)> for TensorMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(tensors: I) -> Self {
        let tensors = tensors.into_iter().map(|(name, tensor)| (name.into(), tensor.into()));
        TensorMap { tensors: tensors.collect(), notes: BTreeMap::new() }
    }
}

fn missing(name: &str) -> Error {
    Error::Mismatch { missing: vec![name.to_string()], unexpected: Vec::new(), misshapen: Vec::new() }
}
