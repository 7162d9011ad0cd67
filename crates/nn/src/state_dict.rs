//! Saving and loading a module's parameters and buffers.

use std::collections::{HashMap, HashSet};
#[cfg(feature = "safetensors")]
use std::path::Path;

use wengert_core::__private::or_refused;
use wengert_core::{AnyTensor, Error, Float, Parameter, Result, Tensor, TensorMap};

use crate::module::Module;

/// Parameters and buffers by name, to and from `.safetensors` files with PyTorch's names.
///
/// ```
/// use wengert_nn::{Gru, Module, Persist};
/// # let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("gru.safetensors");
/// let gru = Gru::new(2, 3)?;
/// gru.save(&path)?;
/// let other = Gru::new(2, 3)?;
/// other.load(&path)?;
/// assert_eq!(gru.parameter("weight_ih_l0")?.to_vec(), other.parameter("weight_ih_l0")?.to_vec());
///
/// let error = Gru::new(2, 4)?.load(&path).unwrap_err();
/// assert!(error.to_string().contains("of another shape: weight_ih_l0 expected [12, 2], got [9, 2]"));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Persist: Module {
    /// The values of parameters and buffers by name; a tied one stands under each of its names, as in
    /// PyTorch.
    fn state_dict(&self) -> TensorMap {
        let parameters = self.named_parameters().into_iter();
        let buffers = self.named_buffers().into_iter();
        let values = parameters.map(|(name, parameter)| (name, parameter.value().into()));
        values.chain(buffers.map(|(name, buffer)| (name, buffer.value()))).collect()
    }

    /// Sets every parameter and buffer from the map.
    ///
    /// # Errors
    /// One error lists all names that are missing, unexpected or of another shape. Another names the
    /// parameters that stand for a computed value ([`Parameter::computed`]) and so can't be set, or two
    /// names of one tied parameter under which the map has different values. Then nothing has changed.
    #[doc(alias = "set_weights")]
    fn load_state_dict(&self, map: &TensorMap) -> Result<()> {
        or_refused("load_state_dict", || load(self, map))
    }

    /// Writes the state dict beside `path` and renames it there.
    ///
    /// # Errors
    /// If the file can't be written; then what was there is untouched.
    #[doc(alias = "save_weights")]
    #[cfg(feature = "safetensors")]
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.state_dict().save(path)
    }

    /// Reads a state dict from a file.
    ///
    /// # Errors
    /// If the file can't be read or is damaged, names are missing, unexpected or of another shape, or a
    /// parameter can't be set; then nothing has changed.
    #[doc(alias = "load_weights")]
    #[cfg(feature = "safetensors")]
    fn load(&self, path: impl AsRef<Path>) -> Result<()> {
        self.load_state_dict(&TensorMap::load(path)?)
    }
}

impl<M: Module + ?Sized> Persist for M {}

/// [`Persist::load_state_dict`]; what the allocator refuses unwinds before anything has changed.
fn load<M: Module + ?Sized>(module: &M, map: &TensorMap) -> Result<()> {
    let parameters = module.named_parameters();
    refuse_computed("load_state_dict", &parameters)?;
    let (mut missing, mut misshapen, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (name, parameter) in &parameters {
        let Some(entry) = map.get(name) else {
            missing.push(name.clone());
            continue;
        };
        let (expected, got) = (parameter.shape(), entry.shape());
        match entry {
            AnyTensor::F32(_) | AnyTensor::F64(_) if got == expected => {
                values.push((name.as_str(), parameter, entry.cast()));
            }
            AnyTensor::F32(_) | AnyTensor::F64(_) => {
                misshapen.push(format!("{name} expected {expected:?}, got {got:?}"));
            }
            _ => misshapen.push(format!("{name} expected {expected:?} of f32 or f64, got {}", entry.kind())),
        }
    }
    let buffers = module.named_buffers();
    let mut settings = Vec::new();
    for (name, buffer) in &buffers {
        match map.get(name).map(|entry| (entry, buffer.accepts(entry))) {
            None => missing.push(name.clone()),
            Some((entry, Ok(()))) => settings.push((buffer, entry)),
            Some((_, Err((expected, got)))) => {
                misshapen.push(format!("{name} expected {expected}, got {got}"));
            }
        }
    }
    let of_buffers = buffers.iter().map(|(name, _)| name.as_str());
    let known: HashSet<&str> = parameters.iter().map(|(name, _)| name.as_str()).chain(of_buffers).collect();
    let unexpected: Vec<String> =
        map.names().filter(|name| !known.contains(name)).map(str::to_string).collect();
    if !(missing.is_empty() && unexpected.is_empty() && misshapen.is_empty()) {
        return Err(Error::Mismatch { missing, unexpected, misshapen });
    }
    refuse_untied(&values)?;
    values.into_iter().try_for_each(|(_, parameter, value)| parameter.set_value(value))?;
    settings.into_iter().try_for_each(|(buffer, entry)| buffer.set(entry.clone()))
}

/// Refuses what can't be set, before anything is.
pub(crate) fn refuse_computed<T: Float>(
    operation: &'static str,
    parameters: &[(String, Parameter<T>)],
) -> Result<()> {
    let computed = parameters.iter().filter(|(_, parameter)| parameter.is_computed());
    let names: Vec<&str> = computed.map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let got = format!("computed values in the place of {}", names.join(", "));
    Err(Error::argument(operation, "a module's parameters", "ones that can be set", got))
}

/// Refuses different values for one parameter that has several names.
fn refuse_untied<T: Float>(values: &[(&str, &Parameter<T>, Tensor<T>)]) -> Result<()> {
    let mut first = HashMap::new();
    for (name, parameter, value) in values {
        let (known, same) = *first.entry(parameter.id()).or_insert((name, value));
        if known != name && !equal_bits(same, value) {
            let expected = format!("the same under {known} and {name}, which are one parameter");
            return Err(Error::argument("load_state_dict", "the values", expected, "different ones"));
        }
    }
    Ok(())
}

/// Whether the elements are the same, where NaN is NaN.
fn equal_bits<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> bool {
    let bits = |tensor: &Tensor<T>| tensor.to_vec().into_iter().map(|x| x.to_f64().to_bits());
    bits(a).eq(bits(b))
}
