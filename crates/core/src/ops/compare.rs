//! Comparisons, which give masks, and the choices that masks make.

use crate::base::error::expect;
use crate::ops::formula::Pointwise;
use crate::ops::registry::{OperationEntry, formula};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tensor::Tensor;

/// The formulas, named as they appear on the tape; a mask comes as zeros and ones.
mod formula {
    use crate::pointwise;

    pointwise! { pub struct Where; fn eval(mask, a, b) -> 1 { [R::select(mask.eq(0.0), b, a)] } }
    pointwise! {
        pub struct MaskedFill { value }
        fn eval(mask, x) -> 1 { [R::select(mask.eq(0.0), x, value)] }
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
            pub fn $method(&self, other: &Variable<T>) -> Tensor<bool> {
                expect(self.peek().zip(&other.peek(), |a, b| a $operator b))
            }
        )*}
    };
}

comparison! {
    /// Where `self < other`, broadcasting. Masks are never differentiated.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0]));
    /// assert_eq!(x.lt(&(&x * 0.0 + 1.5)).to_vec(), vec![true, false]);
    /// ```
    lt <;
    /// Where `self <= other`, broadcasting.
    le <=;
    /// Where `self > other`, broadcasting.
    gt >;
    /// Where `self >= other`, broadcasting.
    ge >=;
    /// Where `self == other`, broadcasting.
    eq ==;
    /// Where `self != other`, broadcasting.
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

pub(super) fn operations<T: Float>() -> Vec<OperationEntry<T>> {
    vec![
        formula!(formula Where [Mask Any Any] exact),
        formula!(formula MaskedFill { value: [0.0, -1.5] } [Mask Any] exact),
    ]
}
