//! Comparisons, which give masks, and the choices that masks make.

use crate::base::dims::broadcast;
use crate::base::error::expect;
use crate::ops::formula::Pointwise;
use crate::ops::registry::{Listed, formula};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tensor::{Element, Tensor};

/// The formulas, named as they appear on the tape; a mask comes as zeros and ones.
mod formula {
    use crate::pointwise;

    pointwise! { pub struct Where; fn eval(mask, a, b) -> 1 { [R::select(mask.eq(0.0), b, a)] } }
    pointwise! {
        pub struct MaskedFill { value }
        fn eval(mask, x) -> 1 { [R::select(mask.eq(0.0), x, value)] }
    }
}

/// An operand of a comparison: a number, or the elements of a variable or a tensor that broadcast.
///
/// A number is `f64`, `f32` or `i32` beside floats, `i64` or `i32` beside `i64`, and `bool` beside masks.
pub trait Operand<T: Element> {
    /// The elements.
    fn tensor(&self) -> Tensor<T>;
}

macro_rules! rounded {
    ($($number:ty)*) => {$(
        impl<T: Float> Operand<T> for $number {
            fn tensor(&self) -> Tensor<T> {
                Tensor::scalar(T::from_f64((*self).into()))
            }
        }
    )*};
}

rounded!(f64 f32 i32);

macro_rules! exact {
    ($($number:ty, of $element:ty;)*) => {$(
        impl Operand<$element> for $number {
            fn tensor(&self) -> Tensor<$element> {
                Tensor::scalar((*self).into())
            }
        }
    )*};
}

exact! {
    i32, of i64;
    i64, of i64;
    bool, of bool;
}

impl<T: Element> Operand<T> for Tensor<T> {
    fn tensor(&self) -> Tensor<T> {
        self.clone()
    }
}

impl<T: Float> Operand<T> for Variable<T> {
    fn tensor(&self) -> Tensor<T> {
        self.value()
    }
}

impl<T: Element, O: Operand<T>> Operand<T> for &O {
    fn tensor(&self) -> Tensor<T> {
        (*self).tensor()
    }
}

macro_rules! comparison {
    ($($(#[$doc:meta])* $method:ident $operator:tt;)*) => {
        impl<T: Float> Variable<T> {$(
            $(#[$doc])*
            #[track_caller]
            #[allow(
                clippy::should_implement_trait,
                reason = "a mask of elements, as in PyTorch, not one truth value"
            )]
            pub fn $method(&self, other: impl Operand<T>) -> Tensor<bool> {
                self.peek().$method(other)
            }
        )*}

        impl<T: Element> Tensor<T> {$(
            #[doc = concat!(
                "Where `self ", stringify!($operator), " other`, broadcasting; of masks true is above false."
            )]
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            ///
            /// ```
            /// # use wengert_core::Tensor;
            #[doc = concat!(
                "assert_eq!(Tensor::from([1i64, 3]).", stringify!($method), "(2).to_vec(), [1 ",
                stringify!($operator), " 2, 3 ", stringify!($operator), " 2]);"
            )]
            /// ```
            #[track_caller]
            #[allow(
                clippy::should_implement_trait,
                reason = "a mask of elements, as in PyTorch, not one truth value"
            )]
            pub fn $method(&self, other: impl Operand<T>) -> Tensor<bool> {
                expect(self.zipped(stringify!($method), &other.tensor(), |a, b| a $operator b))
            }
        )*}
    };
}

comparison! {
    /// Mask of the elements where `self < other`, broadcasting (`torch.lt`). Masks are never differentiated.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0]));
    /// assert_eq!(x.lt(1.5).to_vec(), vec![true, false]);
    /// assert_eq!(x.lt(&(&x * 2)).to_vec(), vec![true, true]);
    /// ```
    #[doc(alias = "less")]
    lt <;
    /// Mask of the elements where `self <= other`, broadcasting (`torch.le`).
    #[doc(alias = "less_equal")]
    le <=;
    /// Mask of the elements where `self > other`, broadcasting (`torch.gt`).
    #[doc(alias = "greater")]
    gt >;
    /// Mask of the elements where `self >= other`, broadcasting (`torch.ge`).
    #[doc(alias = "greater_equal")]
    ge >=;
    /// Mask of the elements where `self == other`, broadcasting (`torch.eq`).
    eq ==;
    /// Mask of the elements where `self != other`, broadcasting (`torch.ne`).
    #[doc(alias = "not_equal")]
    ne !=;
}

impl<T: Float> Variable<T> {
    /// `self` where `mask` holds, else `other`, broadcasting (`torch.where`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let (a, b) = (Variable::new(Tensor::from([1.0f32, 2.0])), Variable::new(Tensor::from([-1.0f32])));
    /// assert_eq!(a.where_(&Tensor::from([true, false]), &b).to_vec(), vec![1.0, -1.0]);
    /// ```
    #[doc(alias = "where")]
    #[doc(alias = "select")]
    #[track_caller]
    pub fn where_(&self, mask: &Tensor<bool>, other: &Variable<T>) -> Variable<T> {
        formula::Where.apply1([&Variable::from(mask.cast()), self, other])
    }

    /// `value` where `mask` holds, else `self` (`torch.Tensor.masked_fill`).
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: f64) -> Variable<T> {
        formula::MaskedFill { value }.apply1([&Variable::from(mask.cast()), self])
    }
}

impl<T: Element> Tensor<T> {
    /// `self` where `mask` holds, else `other`, broadcasting (`torch.where`).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (tokens, unknown) = (Tensor::from([[7i64, 2], [9, 1]]), Tensor::from([-1i64]));
    /// assert_eq!(tokens.where_(&tokens.lt(8), &unknown), Tensor::from([[7i64, 2], [-1, 1]]));
    /// ```
    #[doc(alias = "where")]
    #[doc(alias = "select")]
    #[track_caller]
    pub fn where_(&self, mask: &Tensor<bool>, other: &Tensor<T>) -> Tensor<T> {
        let both = expect(broadcast("where", self.shape(), other.shape()));
        let shape = expect(broadcast("where", mask.shape(), &both));
        let mask = expect(mask.expand(&shape)).contiguous();
        let [a, b] = [self, other].map(|x| expect(x.expand(&shape)).contiguous());
        let (mask, a, b) = (mask.in_order(), a.in_order(), b.in_order());
        Tensor::build(shape, |out| {
            out.iter_mut().enumerate().for_each(|(i, x)| *x = if mask[i] { a[i] } else { b[i] });
        })
    }

    /// `value` where `mask` holds, else `self`, broadcasting (`torch.Tensor.masked_fill`). The value is cast
    /// as [`Tensor::cast`] does.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let targets = Tensor::from([[4i64, 0], [3, 5]]);
    /// assert_eq!(targets.masked_fill(&targets.eq(0), -100).to_vec(), [4, -100, 3, 5]);
    /// ```
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: impl Into<f64>) -> Tensor<T> {
        let value = T::from_f64(value.into());
        expect(mask.zipped("masked_fill", self, |holds, x| if holds { value } else { x }))
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        formula!(formula Where [Mask Any Any] exact),
        formula!(formula MaskedFill { value: [0.0, -1.5] } [Mask Any] exact),
    ]
}
