//! Modules one behind the other.

use std::fmt;

use wengert_core::{Float, Result, Variable};

use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::watch::Watch;

/// A module that maps one variable to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no forward from one variable to one",
    label = "expected a `Forward`",
    note = "a struct has one by `impl Forward for Name {{ fn forward(&self, x: &Variable) -> \
            Result<Variable> {{ .. }} }}`",
    note = "a recurrent layer gives its state beside the output: a struct around it whose `forward` gives \
            the output alone can stand in a `Sequential`",
    note = "a `Sequential` is of a tuple of one to eight modules; a `Sequential` in it is one of them"
)]
pub trait Forward: Module {
    /// The module's value at `x`.
    ///
    /// # Errors
    /// If the shape of `x` does not fit.
    fn forward(&self, x: &Variable<Self::Element>) -> Result<Variable<Self::Element>>;
}

/// The forward of a module `Name<T>`, or in an `impl` of its own of one of elements `T`, without the trait in
/// scope: of a variable, or of what stands for one.
macro_rules! forward {
    ($module:ident<$element:ident>) => {
        impl<$element: Float> $module<$element> {
            $crate::sequential::forward!($element);
        }
    };
    ($element:ty) => {
        /// The module's value at `x`, a variable, or a tensor, which is a constant; see
        /// [`Forward::forward`](crate::Forward::forward).
        ///
        /// # Errors
        /// If the shape of `x` does not fit.
        #[track_caller]
        pub fn forward(&self, x: &impl wengert_core::AsVariable<$element>) -> Result<Variable<$element>> {
            Forward::forward(self, &x.as_variable())
        }
    };
}
pub(crate) use forward;

/// A tuple of modules, each fed with the one before (`torch.nn.Sequential`); their names are `0`, `1`, ...
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{Linear, Module, Sequential, Tanh};
/// let model = Sequential::new((Linear::new(4, 8)?, Tanh::new(), Linear::new(8, 2)?));
/// assert_eq!(model.forward(&Tensor::zeros([5, 4]))?.shape(), &[5, 2]);
/// assert_eq!(model.parameter("2.weight")?.shape(), &[2, 8]);
/// assert_eq!(model.to_string(), "Sequential(
///   (0): Linear(in_features=4, out_features=8, bias=True)
///   (1): Tanh()
///   (2): Linear(in_features=8, out_features=2, bias=True)
/// )");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "ModuleList")]
#[derive(Clone, Debug)]
pub struct Sequential<L> {
    layers: L,
}

impl<L> Sequential<L> {
    /// The modules of a tuple, in order.
    pub fn new(layers: L) -> Self
    where
        Self: Forward,
    {
        Sequential { layers }
    }
}

impl<L, T: Float> Sequential<L>
where
    Self: Forward<Element = T>,
{
    forward!(T);
}

/// A layer of a sequence in a line of its own, what is in it further to the right.
fn print_layer(f: &mut fmt::Formatter<'_>, name: &str, layer: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "  ({name}): {}", layer.to_string().replace('\n', "\n  "))
}

macro_rules! tuple {
    ($($layer:ident $index:tt),+) => {
        impl<T: Float, $($layer: Forward<Element = T>),+> Module for Sequential<($($layer,)+)> {
            type Element = T;

            fn visit(&self, visitor: &mut Visitor<'_, T>) {
                $(visitor.field(stringify!($index), &self.layers.$index);)+
            }

            fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
                $(self.layers.$index.visit_mut(visitor);)+
            }
        }

        impl<T: Float, $($layer: Forward<Element = T>),+> Forward for Sequential<($($layer,)+)> {
            #[track_caller]
            fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
                let watch = Watch::of(self);
                let x = x.clone();
                $(
                    let layer = Watch::of(&self.layers.$index);
                    let x = layer.output(self.layers.$index.forward(&x)?)?;
                )+
                watch.output(x)
            }
        }

        impl<$($layer: fmt::Display),+> fmt::Display for Sequential<($($layer,)+)> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("Sequential(\n")?;
                $(print_layer(f, stringify!($index), &self.layers.$index)?;)+
                f.write_str(")")
            }
        }

        impl<$($layer: Cast),+> Cast for Sequential<($($layer,)+)> {
            type To<U: Float> = Sequential<($($layer::To<U>,)+)>;

            fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Self::To<U> {
                Sequential { layers: ($(self.layers.$index.cast_with(memo),)+) }
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
