//! A case: what to run, on what, and what PyTorch made of it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use wengert::{Element, Float, GradOptions, Tensor, TensorMap, Variable, grad};

/// Why a case did not pass.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("unsupported: {0}")]
    Unsupported(String),
    #[error("{tensor}: expected shape {expected:?}, got {got:?}")]
    Shape { tensor: String, expected: Vec<usize>, got: Vec<usize> },
    #[error("{tensor}: off by {absolute:.3e} absolute, {relative:.3e} relative")]
    Value { tensor: String, absolute: f64, relative: f64 },
    #[error(transparent)]
    Refused(#[from] wengert::Error),
    #[error("not a case: {0}")]
    Malformed(String),
}

/// Variables by name.
pub type Named<T> = BTreeMap<String, Variable<T>>;

/// One file.
pub struct Case {
    says: Value,
    tensors: TensorMap,
}

impl Case {
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let tensors = TensorMap::load(path)?;
        let says = tensors.note("case").ok_or_else(|| Failure::Malformed("no `case`".to_string()))?;
        let says = serde_json::from_str(says).map_err(|error| Failure::Malformed(error.to_string()))?;
        Ok(Case { says, tensors })
    }

    /// What the case says under `key`.
    pub fn text(&self, key: &str) -> Result<&str, Failure> {
        self.says[key].as_str().ok_or_else(|| Failure::Malformed(format!("no `{key}`")))
    }

    /// The sizes under `key`, if it is there.
    pub fn sizes(&self, key: &str) -> Option<Vec<usize>> {
        let sizes = self.says[key].as_array()?.iter();
        sizes.map(|size| size.as_u64().map(|size| size as usize)).collect()
    }

    /// The number under `key`.
    pub fn number(&self, key: &str) -> Result<f64, Failure> {
        self.says[key].as_f64().ok_or_else(|| Failure::Malformed(format!("no `{key}`")))
    }

    /// The whole number under `key`.
    pub fn count(&self, key: &str) -> Result<u64, Failure> {
        self.says[key].as_u64().ok_or_else(|| Failure::Malformed(format!("no `{key}`")))
    }

    /// The tensor of this name, if it is there.
    pub fn given<T: Element>(&self, name: &str) -> Option<Tensor<T>> {
        self.tensors.tensor(name).ok()
    }

    pub fn arguments(&self) -> Arguments<'_> {
        Arguments(&self.says["args"])
    }

    /// The inputs and parameters that get gradients.
    pub fn leaves<T: Float>(&self) -> Result<Named<T>, Failure> {
        let names = self.names_after("expect.grad.");
        names.map(|name| Ok((name.clone(), leaf(self.tensors.tensor(&name)?)))).collect()
    }

    /// Indices, which have no gradient.
    pub fn index(&self, name: &str) -> Result<Tensor<i64>, Failure> {
        Ok(self.tensors.tensor(&format!("idx.{name}"))?)
    }

    /// The tensors whose names begin with `prefix`, under what comes after.
    pub fn parameters(&self) -> TensorMap {
        self.tensors.prefixed("param.")
    }

    /// The tensors whose names begin with `prefix`, under what comes after.
    pub fn all_given(&self, prefix: &str) -> TensorMap {
        self.tensors.prefixed(prefix)
    }

    /// Whether the layer trains; true if the case does not say.
    pub fn is_training(&self) -> bool {
        self.says["training"].as_bool().unwrap_or(true)
    }

    fn names_after(&self, prefix: &str) -> impl Iterator<Item = String> {
        let names = self.tensors.names().filter_map(|name| name.strip_prefix(prefix));
        names.map(str::to_string).collect::<Vec<_>>().into_iter()
    }

    /// Compares outputs, first gradients and, where the case has them, second gradients.
    pub fn judge<T: Float>(&self, leaves: &Named<T>, outputs: &Named<T>) -> Result<(), Failure> {
        let double = self.says["double"].as_bool().unwrap_or(false);
        let first = Tolerance::first::<T>();
        for (name, output) in outputs {
            self.compare_within(&format!("expect.{name}"), &output.value(), first)?;
        }
        let gradients = self.gradients("cotangent.", outputs, leaves, double)?;
        for (name, gradient) in &gradients {
            self.compare_within(&format!("expect.grad.{name}"), &gradient.value(), first)?;
        }
        if double {
            for (name, second) in &self.gradients("cotangent.grad.", &gradients, leaves, false)? {
                self.compare_within(
                    &format!("expect.second.{name}"),
                    &second.value(),
                    Tolerance::second::<T>(),
                )?;
            }
        }
        Ok(())
    }

    /// The gradients, in all leaves, of the sum over the outputs of output times cotangent.
    fn gradients<T: Float>(
        &self,
        cotangents: &str,
        outputs: &Named<T>,
        leaves: &Named<T>,
        record: bool,
    ) -> Result<Named<T>, Failure> {
        let mut given = Vec::new();
        let mut recorded = Vec::new();
        for (name, output) in outputs.iter().filter(|(_, output)| output.requires_grad()) {
            if let Some(cotangent) = self.tensors.get(&format!("{cotangents}{name}")) {
                given.push(Variable::from(cotangent.cast()));
                recorded.push(output);
            }
        }
        let inputs: Vec<&Variable<T>> = leaves.values().collect();
        let found = match recorded.is_empty() {
            true => inputs.iter().map(|leaf| Variable::from(Tensor::zeros(leaf.shape()))).collect(),
            false => {
                let options = GradOptions::default().create_graph(record).retain_graph(true);
                grad(&recorded, &inputs, options.allow_unused(true).cotangents(given))?
            }
        };
        Ok(leaves.keys().cloned().zip(found).collect())
    }

    /// Compares one tensor with what the case has under the name.
    pub fn compare<T: Float>(&self, tensor: &str, got: &Tensor<T>) -> Result<(), Failure> {
        self.compare_within(tensor, got, Tolerance::first::<T>())
    }

    fn compare_within<T: Float>(
        &self,
        tensor: &str,
        got: &Tensor<T>,
        within: Tolerance,
    ) -> Result<(), Failure> {
        let expected = self.tensors.tensor::<f64>(tensor)?;
        let tensor = tensor.to_string();
        if expected.shape() != got.shape() {
            let (expected, got) = (expected.shape().to_vec(), got.shape().to_vec());
            return Err(Failure::Shape { tensor, expected, got });
        }
        let (mut absolute, mut relative, mut good) = (0.0f64, 0.0f64, true);
        for (got, expected) in got.to_vec().into_iter().map(T::to_f64).zip(expected.to_vec()) {
            // Equal infinities are equal, and so are two NaN.
            if got == expected || got.is_nan() && expected.is_nan() {
                continue;
            }
            let apart = (got - expected).abs();
            absolute = absolute.max(apart);
            relative = relative.max(apart / expected.abs());
            good &= apart <= within.absolute + within.relative * expected.abs();
        }
        if good { Ok(()) } else { Err(Failure::Value { tensor, absolute, relative }) }
    }
}

pub fn leaf<T: Float>(value: Tensor<T>) -> Variable<T> {
    Variable::new(value).requires_grad_(true)
}

#[derive(Clone, Copy)]
struct Tolerance {
    absolute: f64,
    relative: f64,
}

impl Tolerance {
    fn first<T: Float>() -> Self {
        match T::NAME {
            "f32" => Tolerance { absolute: 1e-5, relative: 1e-4 },
            _ => Tolerance { absolute: 1e-9, relative: 1e-7 },
        }
    }

    fn second<T: Float>() -> Self {
        match T::NAME {
            "f32" => Self::first::<T>(),
            _ => Tolerance { absolute: 1e-8, relative: 1e-6 },
        }
    }
}

/// PyTorch's keyword arguments.
pub struct Arguments<'c>(&'c Value);

impl Arguments<'_> {
    fn get<'v, V>(&'v self, name: &str, read: impl Fn(&'v Value) -> Option<V>) -> Result<V, Failure> {
        read(&self.0[name]).ok_or_else(|| Failure::Malformed(format!("no argument `{name}`")))
    }

    pub fn number(&self, name: &str) -> Result<f64, Failure> {
        self.get(name, Value::as_f64)
    }

    /// A number, or what it is if it is not given.
    pub fn number_or(&self, name: &str, default: f64) -> f64 {
        self.0[name].as_f64().unwrap_or(default)
    }

    /// All arguments as numbers, those that are lists with several; a truth value is 0 or 1, and a text is a
    /// switch of that name, which is on.
    pub fn numbers(&self) -> Result<Vec<(&str, Vec<f64>)>, Failure> {
        let one = |value: &Value| value.as_f64().or(value.as_bool().map(|on| f64::from(u8::from(on))));
        let all = |value: &Value| match value {
            Value::Array(values) => values.iter().map(one).collect(),
            value => one(value).map(|number| vec![number]),
        };
        let object = self.0.as_object().into_iter().flatten();
        let read = |(name, value)| match (Value::as_str(value), all(value)) {
            (Some(switch), _) => Ok((switch, vec![1.0])),
            (None, Some(numbers)) => Ok((String::as_str(name), numbers)),
            (None, None) => Err(Failure::Malformed(format!("no numbers in `{name}`"))),
        };
        object.map(read).collect()
    }

    pub fn size(&self, name: &str) -> Result<usize, Failure> {
        Ok(self.get(name, Value::as_u64)? as usize)
    }

    pub fn axis(&self, name: &str) -> Result<isize, Failure> {
        Ok(self.get(name, Value::as_i64)? as isize)
    }

    /// One axis or several.
    pub fn axes(&self, name: &str) -> Result<Vec<isize>, Failure> {
        match &self.0[name] {
            Value::Array(axes) => {
                Ok(axes.iter().filter_map(Value::as_i64).map(|axis| axis as isize).collect())
            }
            _ => Ok(vec![self.axis(name)?]),
        }
    }

    /// A list of sizes.
    pub fn sizes(&self, name: &str) -> Result<Vec<usize>, Failure> {
        Ok(self.axes(name)?.into_iter().map(|size| size as usize).collect())
    }

    /// A flag; false if it is not given.
    pub fn flag(&self, name: &str) -> bool {
        self.0[name].as_bool().unwrap_or(false)
    }

    /// A flag, or what it is if it is not given.
    pub fn flag_or(&self, name: &str, default: bool) -> bool {
        self.0[name].as_bool().unwrap_or(default)
    }

    /// Whether a flag is given as false.
    pub fn is_off(&self, name: &str) -> bool {
        self.0[name].as_bool() == Some(false)
    }

    /// Whether an argument is given, be it as none.
    pub fn has(&self, name: &str) -> bool {
        self.0.as_object().is_some_and(|arguments| arguments.contains_key(name))
    }

    /// A text; none if it is not given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0[name].as_str()
    }

    /// A list of pairs of a name and its own arguments.
    pub fn named(&self, name: &str) -> Result<Vec<(&str, Arguments<'_>)>, Failure> {
        let pairs = self.get(name, Value::as_array)?.iter();
        let named = pairs.map(|pair| Some((pair[0].as_str()?, Arguments(&pair[1])))).collect::<Option<_>>();
        named.ok_or_else(|| Failure::Malformed(format!("no names in `{name}`")))
    }

    /// The first argument that is not one of `known`.
    pub fn refuse_others(&self, known: &[&str]) -> Result<(), Failure> {
        let names = self.0.as_object().into_iter().flat_map(|object| object.keys());
        match names.into_iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Failure::Unsupported(format!("argument {name}"))),
            None => Ok(()),
        }
    }
}
