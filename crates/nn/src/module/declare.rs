//! The macros that make a module, and a cell, of a struct.

/// Makes a struct a [`Module`](crate::Module): `module!(Model { embedding, rnn, head })`.
///
/// Every field is named, in the order that the parameters shall have: a forgotten one does not compile, and
/// the compiler says which.
/// What is no module goes behind `keep`; the parameters of a field in `flatten` join under their own names,
/// before the others. A struct generic over its element (`Model<T>`) becomes [`Cast`](crate::Cast) as well.
/// Behind `settings` may stand, at the end, the method that gives its
/// [settings](crate::Module::settings).
///
/// ```
/// use wengert_core::{Float, Parameter, Tensor};
/// use wengert_nn::{module, Cast, Linear, Module};
///
/// #[derive(Clone)]
/// struct Gated<T: Float> { gate: Linear<T>, scale: Option<Parameter<T>>, width: usize }
/// module!(Gated<T> { gate, scale } keep { width } settings wide);
///
/// impl<T: Float> Gated<T> {
///     fn wide(&self) -> String { format!("width={}", self.width) }
/// }
///
/// let gated = Gated { gate: Linear::new(2, 2)?, scale: Some(Parameter::new(Tensor::ones([2]))), width: 2 };
/// assert_eq!(gated.num_parameters(), 8);
/// assert_eq!((gated.cast::<f64>().width, gated.settings()), (2, "width=2".to_string()));
///
/// // With the parameters of a part under their own names:
/// struct Shifted { linear: Linear, shift: Parameter }
/// module!(Shifted flatten { linear } { shift });
/// let shifted = Shifted { linear: Linear::new(2, 2)?, shift: Parameter::new(Tensor::zeros([2])) };
/// let names: Vec<String> = shifted.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["weight", "bias", "shift"]);
///
/// // Generic over something else, with the element type named:
/// use wengert_nn::{Cell, Recurrent};
/// struct Tagger<C> { rnn: Recurrent<C>, head: Linear }
/// module!(impl[C: Cell<Element = f32>] Tagger[C] as f32 { rnn, head });
/// struct Layer<C> { rnn: Recurrent<C>, head: Linear }
/// module!(impl[C: Cell<Element = f32>] Layer[C] flatten { rnn } as f32 { head });
/// let layer = Layer { rnn: wengert_nn::Gru::new(2, 3)?, head: Linear::new(3, 1)? };
/// assert_eq!(layer.named_parameters()[0].0, "weight_ih_l0");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[macro_export]
macro_rules! module {
    (
        $name:ident $(flatten { $($flat:ident),* $(,)? })? { $($field:ident),* $(,)? }
        $(keep { $($keep:ident),* $(,)? })? $(settings $settings:ident)?
    ) => {
        impl $crate::Module for $name {
            type Element = f32;
            $crate::module!(@walk $name { $($($flat),*)? } { $($field),* } { $($($keep),*)? });
            $($crate::module!(@settings $settings);)?
        }
    };
    (
        $name:ident<$t:ident> $(flatten { $($flat:ident),* $(,)? })? { $($field:ident),* $(,)? }
        $(keep { $($keep:ident),* $(,)? })? $(settings $settings:ident)?
    ) => {
        impl<$t: $crate::__private::Float> $crate::Module for $name<$t> {
            type Element = $t;
            $crate::module!(@walk $name { $($($flat),*)? } { $($field),* } { $($($keep),*)? });
            $($crate::module!(@settings $settings);)?
        }

        impl<$t: $crate::__private::Float> $crate::Cast for $name<$t> {
            type To<U: $crate::__private::Float> = $name<U>;

            fn cast_with<U: $crate::__private::Float>(&self, memo: &mut $crate::Memo<U>) -> $name<U> {
                $name {
                    $($($flat: $crate::Cast::cast_with(&self.$flat, memo),)*)?
                    $($field: $crate::Cast::cast_with(&self.$field, memo),)*
                    $($($keep: ::core::clone::Clone::clone(&self.$keep),)*)?
                }
            }
        }
    };
    (
        impl[$($generics:tt)*] $name:ident[$($arguments:tt)*] $(flatten { $($flat:ident),* $(,)? })?
        as $element:ty { $($field:ident),* $(,)? }
        $(keep { $($keep:ident),* $(,)? })? $(settings $settings:ident)?
    ) => {
        impl<$($generics)*> $crate::Module for $name<$($arguments)*> {
            type Element = $element;
            $crate::module!(@walk $name { $($($flat),*)? } { $($field),* } { $($($keep),*)? });
            $($crate::module!(@settings $settings);)?
        }
    };
    (@settings $settings:ident) => {
        fn settings(&self) -> ::std::string::String {
            self.$settings()
        }
    };
    (@walk $name:ident { $($flat:ident),* } { $($field:ident),* } { $($keep:ident),* }) => {
        fn visit(&self, visitor: &mut $crate::Visitor<'_, Self::Element>) {
            // Never called: a forgotten field is missing here, and the compiler names it.
            let _ = || -> Self {
                $name {
                    $($flat: $crate::__private::any(),)*
                    $($field: $crate::__private::any(),)*
                    $($keep: $crate::__private::any(),)*
                }
            };
            let $name { $($flat,)* $($field,)* .. } = self;
            $($crate::Module::visit($flat, visitor);)*
            $(visitor.field(stringify!($field), $field);)*
        }

        fn visit_mut(&mut self, visitor: &mut $crate::VisitorMut<'_, Self::Element>) {
            let $name { $($flat,)* $($field,)* .. } = self;
            $($crate::Module::visit_mut($flat, visitor);)*
            $($crate::Module::visit_mut($field, visitor);)*
        }
    };
}

/// Makes a struct a module, as [`module!`](crate::module!) does and in its words, that prints as the
/// [`Cell`](crate::Cell) that it is; what it prints is its settings.
///
/// ```
/// use wengert_core::{Float, Parameter, Tensor, Variable};
/// use wengert_nn::{Cell, cell};
///
/// /// `h' = d h + x` with a decay for each unit.
/// #[derive(Clone)]
/// struct Leaky<T: Float = f32> { decay: Parameter<T> }
/// cell!(Leaky<T> { decay });
///
/// impl<T: Float> Cell for Leaky<T> {
///     type State = Variable<T>;
///     fn input_size(&self) -> usize { self.decay.numel() }
///     fn output_size(&self) -> usize { self.decay.numel() }
///     fn zero_state(&self, batch: usize) -> Variable<T> {
///         Tensor::zeros([batch, self.decay.numel()]).into()
///     }
///     fn step(&self, x: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
///         let h = &self.decay * h + x;
///         (h.clone(), h)
///     }
/// }
/// assert_eq!(Leaky { decay: Parameter::new(Tensor::<f32>::ones([3])) }.to_string(), "Leaky(3, 3)");
/// ```
#[macro_export]
macro_rules! cell {
    (impl[$($generics:tt)*] $name:ident[$($arguments:tt)*] $($rest:tt)*) => {
        $crate::module!(impl[$($generics)*] $name[$($arguments)*] $($rest)* settings to_string);
        $crate::cell!(@display [$($generics)*] $name<$($arguments)*>);
    };
    ($name:ident<$t:ident> $($rest:tt)*) => {
        $crate::module!($name<$t> $($rest)* settings to_string);
        $crate::cell!(@display [$t: $crate::__private::Float] $name<$t>);
    };
    ($name:ident $($rest:tt)*) => {
        $crate::module!($name $($rest)* settings to_string);
        $crate::cell!(@display [] $name);
    };
    (@display [$($generics:tt)*] $cell:ty) => {
        impl<$($generics)*> ::core::fmt::Display for $cell {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::__private::print_cell(self, f)
            }
        }
    };
}
