//! Weights as a length and a direction.

use std::fmt;

use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};

use crate::line::answered;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// A module with weights `w = g v / |v|` (`torch.nn.utils.parametrizations.weight_norm`; Salimans and Kingma
/// 2016, arXiv 1602.07868): the length `g` and the direction `v` are parameters in the place of `w`. The norm
/// is taken over all axes but `dim`, which is 0 unless another is set: one length for each unit.
///
/// Parameters: the module's others, then for each such weight `parametrizations.NAME.original0`, which is
/// `g`, and `parametrizations.NAME.original1`, which is `v`. At first `w` is what it was.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{Linear, Lstm, Module, WeightNorm};
/// let linear = WeightNorm::new(Linear::new(3, 2)?, &["weight"])?;
/// assert_eq!(linear.parameter("parametrizations.weight.original0")?.shape(), &[2, 1]);
/// assert_eq!(linear.forward(&Tensor::ones([4, 3]))?.shape(), &[4, 2]);
///
/// // A module that is no `Forward`:
/// let lstm = WeightNorm::new(Lstm::new(3, 2)?, &["weight_ih_l0", "weight_hh_l0"])?;
/// let (out, _) = lstm.normed().forward(&Tensor::ones([5, 1, 3]), None)?;
/// out.sum().backward()?;
/// assert!(lstm.without_gradient().is_empty());
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WeightNorm<M, T: Float = f32> {
    module: M,
    weights: Vec<Normed<T>>,
}

/// A weight as length and direction.
#[derive(Clone, Debug)]
struct Normed<T: Float> {
    /// What the module has in the weight's place: zeros of its shape, which are never used.
    place: Parameter<T>,
    /// The path to the module that has the weight, and the weight's own name.
    name: (String, String),
    dim: Option<usize>,
    length: Parameter<T>,
    direction: Parameter<T>,
}

impl<M: Module<Element = T> + Clone, T: Float> WeightNorm<M, T> {
    /// The module with the parameters of these names normed along axis 0.
    ///
    /// # Errors
    /// If there is no parameter of a name, it stands for a computed value, or it has no axes.
    pub fn new(module: M, names: &[&str]) -> Result<Self> {
        WeightNorm::along(module, names, Some(0))
    }

    /// The module with the parameters of these names normed along `dim`, or as a whole (`dim=None`).
    ///
    /// # Errors
    /// If there is no parameter of a name, it stands for a computed value, or it has no such axis.
    pub fn along(module: M, names: &[&str], dim: Option<usize>) -> Result<Self> {
        let module = module.deep_clone();
        let weights = names.iter().map(|name| Normed::of(&module, name, dim)).collect::<Result<_>>()?;
        Ok(WeightNorm { module, weights })
    }

    /// The module with its weights as they are now, functions of lengths and directions: what is recorded
    /// with it has its gradients there.
    #[must_use]
    #[track_caller]
    pub fn normed(&self) -> M {
        let mut values = Vec::with_capacity(self.weights.len());
        for weight in &self.weights {
            values.push(weight.value());
        }
        let mut copy = self.module.clone();
        let mut replace = |parameter: &mut Parameter<T>| {
            let place = self.weights.iter().position(|weight| weight.place.id() == parameter.id());
            if let Some(place) = place {
                *parameter = Parameter::computed(values[place].clone());
            }
        };
        copy.visit_mut(&mut VisitorMut::new(&mut replace, None));
        copy
    }
}

impl<T: Float> Normed<T> {
    fn of<M: Module<Element = T>>(module: &M, name: &str, dim: Option<usize>) -> Result<Self> {
        let place = module.parameter(name)?;
        if place.is_computed() {
            return Err(Error::argument("WeightNorm", "the weight", "one that can be set", name));
        }
        if dim.is_some_and(|dim| dim >= place.rank()) {
            let expected = format!("an axis of {name}, which has shape {:?}", place.shape());
            return Err(Error::argument("WeightNorm", "dim", expected, dim.unwrap_or(0)));
        }
        let direction = Parameter::new(place.value().copy());
        let length = Parameter::new(norm(&direction, dim).value().copy());
        direction.set_requires_grad(place.requires_grad());
        length.set_requires_grad(place.requires_grad());
        place.set_value(Tensor::zeros(vec![1; place.rank()]).expand(place.shape())?)?;
        let name =
            name.rsplit_once('.').map_or((String::new(), name), |(path, own)| (format!("{path}."), own));
        Ok(Normed { place, name: (name.0, name.1.to_string()), dim, length, direction })
    }

    #[track_caller]
    fn value(&self) -> Variable<T> {
        &*self.direction * (&*self.length / norm(&self.direction, self.dim))
    }
}

/// The norm over all axes but `dim`, which stay with extent 1; over all of them, a number.
#[track_caller]
fn norm<T: Float>(x: &Variable<T>, dim: Option<usize>) -> Variable<T> {
    let axes: Vec<isize> =
        (0..x.rank()).filter(|axis| Some(*axis) != dim).map(|axis| axis as isize).collect();
    match (dim, axes.is_empty()) {
        (None, _) => x.norm(2.0, &axes),
        // No axes would be all of them.
        (Some(_), true) => x.abs(),
        (Some(_), false) => x.norm_keepdim(2.0, &axes),
    }
}

impl<M: Module<Element = T>, T: Float> Module for WeightNorm<M, T> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        let places: Vec<&Parameter<T>> = self.weights.iter().map(|weight| &weight.place).collect();
        visitor.hiding(&places, &self.module);
        for Normed { name: (path, own), length, direction, .. } in &self.weights {
            visitor.field(&format!("{path}parametrizations.{own}.original0"), length);
            visitor.field(&format!("{path}parametrizations.{own}.original1"), direction);
        }
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        let places: Vec<&Parameter<T>> = self.weights.iter().map(|weight| &weight.place).collect();
        visitor.hiding(&places, &mut self.module);
        for weight in &mut self.weights {
            weight.length.visit_mut(visitor);
            weight.direction.visit_mut(visitor);
        }
    }

    fn settings(&self) -> String {
        self.module.settings()
    }
}

impl<M: Cast, T: Float> Cast for WeightNorm<M, T> {
    type To<U: Float> = WeightNorm<M::To<U>, U>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Self::To<U> {
        let module = self.module.cast_with(memo);
        let normed = |weight: &Normed<T>, memo: &mut Memo<U>| Normed {
            place: weight.place.cast_with(memo),
            name: weight.name.clone(),
            dim: weight.dim,
            length: weight.length.cast_with(memo),
            direction: weight.direction.cast_with(memo),
        };
        let weights = self.weights.iter().map(|weight| normed(weight, memo)).collect();
        WeightNorm { module, weights }
    }
}

impl<M: Forward<Element = T> + Clone, T: Float> WeightNorm<M, T> {
    forward!(T);
}

impl<M: Forward<Element = T> + Clone, T: Float> Forward for WeightNorm<M, T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let watch = Watch::of(self);
        watch.output(answered("WeightNorm", || Ok(self.normed()))?.forward(x)?)
    }
}

impl<M: fmt::Display, T: Float> fmt::Display for WeightNorm<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.weights.iter().map(|w| format!("{}{}", w.name.0, w.name.1)).collect();
        write!(f, "WeightNorm({}, {})", self.module, names.join(", "))
    }
}
