//! How a schedule is declared.

/// Declares a schedule: its name, what its `new` takes (none is written without a comment there), the options
/// with their defaults that methods set, and what it keeps between steps. A number has a range, of those that
/// an optimizer's options have; a `Formula` says what the values mean.
macro_rules! schedule {
    (
        $(#[$meta:meta])* pub struct $name:ident, $text:literal,
        $(#[$new:meta])* ($($argument:ident: $argument_type:ty $(, $argument_range:ident)?;)*)
        { $($(#[$doc:meta])* $option:ident: $type:ty = $default:expr $(, $range:ident)?;)* }
        { $($held:ident: $held_type:ty = $start:expr;)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $($argument: $argument_type,)*
            $($option: $type,)*
            $($held: $held_type,)*
        }

        impl $name {
            const NAME: &'static str = $text;

            fn made($($argument: $argument_type),*) -> wengert_core::Result<Self> {
                $name { $($argument,)* $($option: $default,)* $($held: $start,)* }.checked()
            }

            fn checked(self) -> wengert_core::Result<Self> {
                $($(crate::options::range::$argument_range(
                    Self::NAME,
                    stringify!($argument),
                    crate::options::OptionValue::number(self.$argument),
                )?;)?)*
                $($(crate::options::range::$range(
                    Self::NAME,
                    stringify!($option),
                    crate::options::OptionValue::number(self.$option),
                )?;)?)*
                crate::schedule::Formula::check(&self)?;
                Ok(self)
            }

            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// If it is out of its range.
                pub fn $option(mut self, value: $type) -> wengert_core::Result<Self> {
                    self.$option = value;
                    self.checked()
                }
            )*
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let values = [
                    $((stringify!($argument), crate::schedule::field::Field::show(&self.$argument)),)*
                    $((stringify!($option), crate::schedule::field::Field::show(&self.$option)),)*
                    $((stringify!($held), crate::schedule::field::Field::show(&self.$held)),)*
                ];
                let values = values.map(|(name, value)| format!("{name}: {value}"));
                write!(f, "{}({})", Self::NAME, values.join(", "))
            }
        }

        impl crate::schedule::Schedule for $name {
            fn lr(&self, step: u64) -> f64 {
                crate::schedule::Formula::at(self, step)
            }

            fn end(&self) -> Option<u64> {
                crate::schedule::Formula::ends(self)
            }

            fn observe(&mut self, metric: f64) {
                crate::schedule::Formula::note(self, metric);
            }

            fn depends_on_metric(&self) -> bool {
                crate::schedule::Formula::takes_note(self)
            }

            fn state_dict(&self) -> wengert_core::TensorMap {
                let mut map = wengert_core::TensorMap::new();
                $(crate::schedule::field::Field::save(&self.$argument, stringify!($argument), &mut map);)*
                $(crate::schedule::field::Field::save(&self.$option, stringify!($option), &mut map);)*
                $(crate::schedule::field::Field::save(&self.$held, stringify!($held), &mut map);)*
                map
            }

            fn settings(&self) -> wengert_core::TensorMap {
                let mut map = wengert_core::TensorMap::new();
                $(if !crate::schedule::Formula::falls(self, stringify!($argument)) {
                    crate::schedule::field::Field::set_up(&self.$argument, stringify!($argument), &mut map);
                })*
                $(crate::schedule::field::Field::set_up(&self.$option, stringify!($option), &mut map);)*
                map
            }

            fn load_state_dict(&mut self, map: &wengert_core::TensorMap) -> wengert_core::Result<()> {
                use crate::schedule::field::Field;
                map.check_names(self.state_dict().names())?;
                let mut loaded = self.clone();
                $(Field::load(&mut loaded.$argument, Self::NAME, stringify!($argument), map)?;)*
                $(Field::load(&mut loaded.$option, Self::NAME, stringify!($option), map)?;)*
                $(Field::load(&mut loaded.$held, Self::NAME, stringify!($held), map)?;)*
                *self = loaded.checked()?;
                Ok(())
            }

            fn boxed(&self) -> ::std::boxed::Box<dyn crate::schedule::Schedule> {
                ::std::boxed::Box::new(self.clone())
            }
        }

        schedule!(@new $name, $(#[$new])* ($($argument: $argument_type),*));
    };
    (@new $name:ident, ($($argument:ident: $type:ty),*)) => {};
    (@new $name:ident, $(#[$new:meta])+ ($($argument:ident: $type:ty),*)) => {
        impl $name {
            $(#[$new])*
            ///
            /// # Errors
            /// If one of them is out of its range.
            pub fn new($($argument: $type),*) -> wengert_core::Result<Self> {
                Self::made($($argument),*)
            }
        }
    };
}
