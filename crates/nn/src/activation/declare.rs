//! The macro that makes a module of an activation.

/// Declares an activation: its constants with their defaults (`[name: type = default]`) or, where there are
/// none, with values for the example (`(name: type = value)`), the value, and how it prints.
macro_rules! activation {
    (
        $(#[$doc:meta])* $name:ident $([$($field:ident: $type:ty = $default:expr),+])?,
        $x:ident => $value:expr, $shown:literal
    ) => {
        $crate::activation::declare::activation! {
            @struct $(#[$doc])* $name [$($($field: $type = $default),+)?],
            "::new()", $x => $value, $shown
        }

        impl $name {
            /// The activation, with PyTorch's defaults.
            #[allow(clippy::new_without_default, reason = "a default would not infer its element type")]
            #[must_use]
            pub fn new() -> Self {
                $name { $($($field: $default,)+)? element: std::marker::PhantomData }
            }

            $($(
                #[doc = concat!("Sets `", stringify!($field), "`; default ", stringify!($default), ".")]
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )+)?
        }
    };
    (
        $(#[$doc:meta])* $name:ident($($field:ident: $type:ty = $example:expr),+),
        $x:ident => $value:expr, $shown:literal
    ) => {
        $crate::activation::declare::activation! {
            @struct $(#[$doc])* $name [$($field: $type = $example),+],
            concat!("::new(", stringify!($($field),+), ")"), $x => $value, $shown
        }

        impl $name {
            /// The activation with these constants.
            #[must_use]
            pub fn new($($field: $type),+) -> Self {
                $name { $($field,)+ element: std::marker::PhantomData }
            }
        }
    };
    (
        @struct $(#[$doc:meta])* $name:ident [$($field:ident: $type:ty = $example:expr),*],
        $new:expr, $x:ident => $value:expr, $shown:literal
    ) => {
        $(#[$doc])*
        ///
        /// ```
        /// use wengert_core::{Tensor, Variable};
        #[doc = concat!("use wengert_nn::", stringify!($name), ";")]
        $(#[doc = concat!("let ", stringify!($field), " = ", stringify!($example), ";")])*
        #[doc = concat!("let layer = ", stringify!($name), $new, ";")]
        #[doc = concat!("let ", stringify!($x), " = Variable::new(Tensor::from([0.75f32, -0.5]));")]
        #[doc = concat!("let expected = ", stringify!($value), ".to_vec();")]
        #[doc = concat!("assert_eq!(layer.forward(&", stringify!($x), ")?.to_vec(), expected);")]
        /// # Ok::<(), wengert_core::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug)]
        pub struct $name<T: Float = f32> {
            $($field: $type,)*
            element: std::marker::PhantomData<T>,
        }

        impl<T: Float> Module for $name<T> {
            type Element = T;
            fn visit(&self, _: &mut Visitor<'_, T>) {}
            fn visit_mut(&mut self, _: &mut VisitorMut<'_, T>) {}
            fn settings(&self) -> String {
                self.to_string()
            }
        }

        impl<T: Float> Cast for $name<T> {
            type To<U: Float> = $name<U>;
            fn cast_with<U: Float>(&self, _: &mut Memo<U>) -> $name<U> {
                $name { $($field: self.$field,)* element: std::marker::PhantomData }
            }
        }

        forward!($name<T>);

        impl<T: Float> Forward for $name<T> {
            #[track_caller]
            fn forward(&self, $x: &Variable<T>) -> Result<Variable<T>> {
                let $name { $($field,)* .. } = *self;
                $(Constant::check($field, stringify!($name), stringify!($field), $x)?;)*
                Watch::of(self).output($crate::line::answered(stringify!($name), || Ok($value))?)
            }
        }

        impl<T: Float> fmt::Display for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $shown, $(self.$field.shown()),*)
            }
        }
    };
}
pub(super) use activation;
