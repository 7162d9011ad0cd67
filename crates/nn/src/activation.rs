//! Activations as modules, for [`Sequential`](crate::Sequential).

use wengert_core::{Float, Result, Variable};

use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::sequential::Forward;

macro_rules! activation {
    ($(#[$doc:meta])* $name:ident $method:ident) => {
        $(#[$doc])*
        ///
        /// ```
        /// use wengert_core::{Tensor, Variable};
        #[doc = concat!("use wengert_nn::{Forward, ", stringify!($name), "};")]
        /// let x = Variable::new(Tensor::from([0.5f32]));
        #[doc = concat!("let expected = x.", stringify!($method), "().to_vec();")]
        #[doc = concat!("assert_eq!(", stringify!($name), "::new().forward(&x)?.to_vec(), expected);")]
        /// # Ok::<(), wengert_core::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug)]
        pub struct $name<T: Float = f32> {
            element: std::marker::PhantomData<T>,
        }

        impl $name {
            /// The activation.
            #[allow(clippy::new_without_default, reason = "a default would not infer its element type")]
            pub fn new() -> Self {
                $name { element: std::marker::PhantomData }
            }
        }

        impl<T: Float> Module for $name<T> {
            type Element = T;
            fn visit(&self, _: &mut Visitor<'_, T>) {}
            fn visit_mut(&mut self, _: &mut VisitorMut<'_, T>) {}
        }

        impl<T: Float> Cast for $name<T> {
            type To<U: Float> = $name<U>;
            fn cast_with<U: Float>(&self, _: &mut Memo<U>) -> $name<U> {
                $name { element: std::marker::PhantomData }
            }
        }

        impl<T: Float> Forward for $name<T> {
            #[track_caller]
            fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
                Ok(x.$method())
            }
        }
    };
}

activation! {
    /// `tanh(x)` (`torch.nn.Tanh`).
    Tanh tanh
}
activation! {
    /// `max(x, 0)` (`torch.nn.ReLU`).
    Relu relu
}
activation! {
    /// `1 / (1 + e^-x)` (`torch.nn.Sigmoid`).
    Sigmoid sigmoid
}
