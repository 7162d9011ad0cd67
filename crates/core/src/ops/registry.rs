//! The registry of operations: what there is, what each is called with, and how it is built again from
//! that.
//!
//! An operation's own file says its entries, beside forward and rule; `ops/mod.rs` puts the files together.

use std::fmt;
use std::panic::RefUnwindSafe;

use crate::tape::{Attributes, Float, Variable};
use crate::tensor::Tensor;

/// Numbers that an input of an operation is sensible for: where it has a derivative, and one that
/// differences can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Domain {
    /// All numbers.
    Any,
    /// Numbers that are not near 0.
    NonZero,
    /// Numbers above 0, not near it.
    Positive,
    /// Numbers of which no two are near each other.
    Distinct,
    /// Zeros and ones, constants to the operation.
    Mask,
}

/// Inputs and arguments that an operation fits.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fitted {
    /// The shape of each input.
    pub shapes: Vec<Vec<usize>>,
    /// The arguments that the operation is called with beside its inputs.
    pub attributes: Attributes,
}

impl Fitted {
    pub(crate) fn new(shapes: Vec<Vec<usize>>, attributes: Attributes) -> Self {
        Fitted { shapes, attributes }
    }

    /// One input of this shape.
    pub(crate) fn one(shape: &[usize], attributes: Attributes) -> Option<Self> {
        Some(Fitted::new(vec![shape.to_vec()], attributes))
    }
}

/// A source of choices: a whole number below the one given, which is at least 1.
pub type Choose<'c> = dyn FnMut(usize) -> usize + 'c;

#[cfg(not(feature = "small"))]
type Fit = dyn Fn(&mut Choose<'_>, &[usize]) -> Option<Fitted> + Sync + RefUnwindSafe;
type Apply<T> = dyn Fn(&Attributes, &[&Variable<T>]) -> Vec<Variable<T>> + Sync + RefUnwindSafe;

/// What a list of operations is made of: the registry's entries, or [`Name`]s alone, for which nothing that
/// applies an operation is compiled.
pub(crate) trait Listed<T: Float>: Sized {
    /// An operation of this name. `domains` has one for each input, the last one also for all behind it.
    /// `fit` gives the shapes of all inputs and arguments for a first input of some shape, choosing where
    /// there is a choice, and none if no such input will do. `apply` applies the operation.
    fn new(
        name: &'static str,
        domains: &'static [Domain],
        fit: &'static (impl Fn(&mut Choose<'_>, &[usize]) -> Option<Fitted> + Sync + RefUnwindSafe),
        apply: &'static (impl Fn(&Attributes, &[&Variable<T>]) -> Vec<Variable<T>> + Sync + RefUnwindSafe),
    ) -> Self;

    /// An operation whose results, and whose cotangents, are the same to the bit however they are computed:
    /// it moves numbers, or rounds once.
    #[must_use]
    fn exact(self) -> Self;
}

/// The name of an operation.
pub(crate) struct Name(pub(crate) &'static str);

impl<T: Float> Listed<T> for Name {
    fn new(
        name: &'static str,
        _: &'static [Domain],
        _: &'static (impl Fn(&mut Choose<'_>, &[usize]) -> Option<Fitted> + Sync + RefUnwindSafe),
        _: &'static (impl Fn(&Attributes, &[&Variable<T>]) -> Vec<Variable<T>> + Sync + RefUnwindSafe),
    ) -> Self {
        Name(name)
    }

    fn exact(self) -> Self {
        self
    }
}

/// An operation that there is: its name on the tape, how inputs and arguments for it are found, and how it
/// is applied to them.
///
/// ```
/// use wengert_core::{operations, Attributes, Tensor, Variable};
/// let all = operations::<f64>();
/// let sum = all.iter().find(|operation| operation.name() == "Sum").unwrap();
/// let x = Variable::new(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
/// let y = sum.apply(&Attributes::none().dims("dim", &[1]), &[&x]);
/// assert_eq!(y[0].to_vec(), vec![3.0, 7.0]);
/// ```
pub struct OperationEntry<T: Float> {
    name: &'static str,
    domains: &'static [Domain],
    exact: bool,
    #[cfg(not(feature = "small"))]
    fit: &'static Fit,
    apply: &'static Apply<T>,
}

impl<T: Float> Clone for OperationEntry<T> {
    fn clone(&self) -> Self {
        OperationEntry { ..*self }
    }
}

impl<T: Float> fmt::Debug for OperationEntry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationEntry").field("name", &self.name).field("domains", &self.domains).finish()
    }
}

impl<T: Float> Listed<T> for OperationEntry<T> {
    #[cfg_attr(feature = "small", allow(unused_variables, reason = "nobody asks what fits"))]
    fn new(
        name: &'static str,
        domains: &'static [Domain],
        fit: &'static (impl Fn(&mut Choose<'_>, &[usize]) -> Option<Fitted> + Sync + RefUnwindSafe),
        apply: &'static (impl Fn(&Attributes, &[&Variable<T>]) -> Vec<Variable<T>> + Sync + RefUnwindSafe),
    ) -> Self {
        OperationEntry {
            name,
            domains,
            exact: false,
            #[cfg(not(feature = "small"))]
            fit,
            apply,
        }
    }

    fn exact(mut self) -> Self {
        self.exact = true;
        self
    }
}

impl<T: Float> OperationEntry<T> {
    /// The name on the tape.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The numbers that input `i` is sensible for.
    pub fn domain(&self, i: usize) -> Domain {
        self.domains.get(i).or(self.domains.last()).copied().unwrap_or(Domain::Any)
    }

    /// Whether every way to compute it gives the same bits.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Shapes of all inputs and arguments, for a first input of this shape; none if it does not fit.
    /// `choose` decides between several, 0 being the simplest.
    pub fn fit(&self, choose: &mut Choose<'_>, shape: &[usize]) -> Option<Fitted> {
        #[cfg(not(feature = "small"))]
        return (self.fit)(choose, shape);
        #[cfg(feature = "small")]
        {
            let _ = (choose, shape);
            None
        }
    }

    /// Applies the operation.
    ///
    /// # Panics
    /// If arguments are missing, or don't fit the inputs.
    #[track_caller]
    pub fn apply(&self, attributes: &Attributes, inputs: &[&Variable<T>]) -> Vec<Variable<T>> {
        (self.apply)(attributes, inputs)
    }
}

/// An axis, if there is one.
pub(crate) fn axis(choose: &mut Choose<'_>, shape: &[usize]) -> Option<usize> {
    (!shape.is_empty()).then(|| choose(shape.len()))
}

/// Some axes; an empty list stands for all.
pub(crate) fn axes(choose: &mut Choose<'_>, shape: &[usize]) -> Vec<usize> {
    if choose(3) == 0 {
        return Vec::new();
    }
    (0..shape.len()).filter(|_| choose(2) == 0).collect()
}

/// A shape that broadcasts to this one: axes of extent 1, or missing in front.
pub(crate) fn broadcastable(choose: &mut Choose<'_>, shape: &[usize]) -> Vec<usize> {
    let from = if choose(4) == 3 { choose(shape.len() + 1) } else { 0 };
    shape[from..].iter().map(|&extent| if choose(4) == 3 { 1 } else { extent }).collect()
}

/// Inputs of an operation on single elements, of which the first has this shape.
pub(crate) fn elementwise(choose: &mut Choose<'_>, shape: &[usize], inputs: usize) -> Vec<Vec<usize>> {
    let mut shapes = vec![shape.to_vec()];
    for _ in 1..inputs {
        let mut other = broadcastable(choose, shape);
        // Now and then it is the first that is stretched.
        if choose(6) == 5 && other.len() == shape.len() {
            other.insert(0, 2);
        }
        shapes.push(other);
    }
    shapes
}

/// Numbers below an extent, in a tensor of some shape.
pub(crate) fn indices(choose: &mut Choose<'_>, shape: &[usize], extent: usize) -> Tensor<i64> {
    Tensor::from_fn(shape, |_| choose(extent) as i64)
}

/// The entry of a formula: its constants with values to choose from, and the domains of its inputs.
macro_rules! formula {
    (
        $module:ident $name:ident $({ $($constant:ident: $values:expr),+ })?
        [$($domain:ident)+] $($exact:ident)?
    ) => {
        L::new(
            stringify!($name),
            &[$($crate::ops::registry::Domain::$domain),+],
            &|choose, shape| {
                let inputs = [$($crate::ops::registry::Domain::$domain),+].len();
                let shapes = $crate::ops::registry::elementwise(choose, shape, inputs);
                let attributes = $crate::tape::Attributes::none();
                $($(let attributes = {
                    let values = $values;
                    attributes.float(stringify!($constant), values[choose(values.len())])
                };)+)?
                Some($crate::ops::registry::Fitted::new(shapes, attributes))
            },
            &|_attributes, inputs| {
                let formula = $module::$name {
                    $($($constant: _attributes.get_float(stringify!($constant))),+)?
                };
                let Ok(inputs) = inputs.try_into() else {
                    panic!("{}: expected another number of inputs than {}", stringify!($name), inputs.len())
                };
                $crate::ops::formula::apply_one_of_many(formula, inputs)
            },
        )$(.$exact())?
    };
}
pub(crate) use formula;
