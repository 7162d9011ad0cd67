//! The macro that makes a formula out of what one would write on paper.

/// Defines a [`Pointwise`](crate::Pointwise) formula: a struct of its constants and its implementation.
///
/// The arguments and constants are numbers `R: Real`, literals become `R::lit`, and the body is an array of
/// the results. A branch is written `R::select(a.lt(b), then, otherwise)`. A formula of more than some
/// hundred tokens asks for a higher `#![recursion_limit]`.
///
/// ```
/// use wengert_core::{pointwise, Pointwise, Tensor, Variable};
///
/// pointwise! {
///     /// `h' = (1 - z) n + z h`, the last line of a gated unit.
///     pub struct Blend;
///     fn eval(z, n, h) -> 1 { [(1.0 - z) * n + z * h] }
/// }
///
/// pointwise! {
///     /// `x` where it is above `threshold`, else `slope x`.
///     pub struct Leaky { threshold, slope }
///     fn eval(x) -> 1 { [R::select(x.gt(threshold), x, slope * x)] }
/// }
///
/// let at = |v: f32| Variable::new(Tensor::from([v]));
/// let h = Blend.apply1([&at(0.25), &at(4.0), &at(8.0)]);
/// assert_eq!(h.value().to_vec(), vec![5.0]);
/// let y = Leaky { threshold: 0.0, slope: 0.5 }.apply1([&at(-2.0)]);
/// assert_eq!(y.value().to_vec(), vec![-1.0]);
/// ```
#[macro_export]
macro_rules! pointwise {
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident;
        fn eval($($x:ident),+ $(,)?) -> $outputs:literal { $($body:tt)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        $vis struct $name;
        $crate::pointwise!(@impl $name, [], [$($x),+], $outputs, [$($body)*], [
            // Without constants the answer is always the same.
            #[inline]
            fn dependence(&self) -> $crate::__private::Dependence<{ $crate::pointwise!(@count $($x)+) }> {
                static FOUND: ::std::sync::OnceLock<
                    $crate::__private::Dependence<{ $crate::pointwise!(@count $($x)+) }>,
                > = ::std::sync::OnceLock::new();
                *FOUND.get_or_init(|| self.dependence_found())
            }
        ]);
    };
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$cmeta:meta])* $constant:ident),+ $(,)? }
        fn eval($($x:ident),+ $(,)?) -> $outputs:literal { $($body:tt)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        $vis struct $name { $(
            #[doc = concat!("The constant `", stringify!($constant), "` of the formula.")]
            $(#[$cmeta])*
            pub $constant: f64,
        )+ }
        $crate::pointwise!(@impl $name, [$($constant),+], [$($x),+], $outputs, [$($body)*], [
            fn constants(&self) -> ::std::vec::Vec<(&'static str, f64)> {
                ::std::vec![$((stringify!($constant), self.$constant)),+]
            }
        ]);
    };
    (
        @impl $name:ident, [$($constant:ident),*], [$($x:ident),+], $outputs:literal,
        [$($body:tt)*], [$($more:tt)*]
    ) => {
        impl $crate::Pointwise<{ $crate::pointwise!(@count $($x)+) }, $outputs> for $name {
            const NAME: &'static str = stringify!($name);

            #[inline(always)]
            fn eval<R: $crate::Real>(
                &self,
                [$($x),+]: [R; $crate::pointwise!(@count $($x)+)],
            ) -> [R; $outputs] {
                $crate::__comparisons! { @all $($body)* }
                $(let $constant = R::lit(self.$constant);)*
                $crate::__literals!(@walk {} [$($body)*] {})
            }
            $($more)*
            fn dependence_found(
                &self,
            ) -> $crate::__private::Dependence<{ $crate::pointwise!(@count $($x)+) }> {
                $crate::__private::dependence(self)
            }
            fn trace(&self, absent: [bool; $outputs]) -> $crate::__private::Trace {
                $crate::__private::trace(self, absent)
            }
            fn forward_f32(
                &self,
                job: &$crate::__private::ForwardJob<'_, f32, { $crate::pointwise!(@count $($x)+) }, $outputs>,
            ) {
                job.forward(&$crate::__private::Of(self));
            }
            fn forward_f64(
                &self,
                job: &$crate::__private::ForwardJob<'_, f64, { $crate::pointwise!(@count $($x)+) }, $outputs>,
            ) {
                job.forward(&$crate::__private::Of(self));
            }
            fn backward_f32(
                &self,
                job: &$crate::__private::BackwardJob<
                    '_, f32, { $crate::pointwise!(@count $($x)+) }, $outputs
                >,
            ) {
                job.backward(&$crate::__private::Of(self));
            }
            fn backward_f64(
                &self,
                job: &$crate::__private::BackwardJob<
                    '_, f64, { $crate::pointwise!(@count $($x)+) }, $outputs
                >,
            ) {
                job.backward(&$crate::__private::Of(self));
            }
        }
    };
    (@count $($x:ident)+) => { <[()]>::len(&[$($crate::pointwise!(@unit $x)),+]) };
    (@unit $x:ident) => { () };
}

/// Turns the literals of a formula into `R::lit`, token by token.
///
/// State: what is written so far, what is still to be read, and the enclosing groups to return to,
/// innermost first.
#[doc(hidden)]
#[macro_export]
macro_rules! __literals {
    // All read: the formula is what was written.
    (@walk {$($out:tt)*} [] {}) => { { $($out)* } };
    // A group is read: back to the one around it.
    (@walk {$($out:tt)*} [] {($($up:tt)*) [$($rest:tt)*] $($stack:tt)*}) => {
        $crate::__literals!(@walk {$($up)* ($($out)*)} [$($rest)*] {$($stack)*})
    };
    (@walk {$($out:tt)*} [] {{$($up:tt)*} [$($rest:tt)*] $($stack:tt)*}) => {
        $crate::__literals!(@walk {$($up)* {$($out)*}} [$($rest)*] {$($stack)*})
    };
    (@walk {$($out:tt)*} [] {[$($up:tt)*] [$($rest:tt)*] $($stack:tt)*}) => {
        $crate::__literals!(@walk {$($up)* [$($out)*]} [$($rest)*] {$($stack)*})
    };
    // Into a group; an empty one is copied.
    (@walk {$($out:tt)*} [() $($rest:tt)*] $stack:tt) => {
        $crate::__literals!(@walk {$($out)* ()} [$($rest)*] $stack)
    };
    (@walk {$($out:tt)*} [($($in:tt)+) $($rest:tt)*] {$($stack:tt)*}) => {
        $crate::__literals!(@walk {} [$($in)+] {($($out)*) [$($rest)*] $($stack)*})
    };
    (@walk {$($out:tt)*} [{$($in:tt)*} $($rest:tt)*] {$($stack:tt)*}) => {
        $crate::__literals!(@walk {} [$($in)*] {{$($out)*} [$($rest)*] $($stack)*})
    };
    (@walk {$($out:tt)*} [[$($in:tt)*] $($rest:tt)*] {$($stack:tt)*}) => {
        $crate::__literals!(@walk {} [$($in)*] {[$($out)*] [$($rest)*] $($stack)*})
    };
    // A minus is not part of the literal behind it.
    (@walk {$($out:tt)*} [- $($rest:tt)*] $stack:tt) => {
        $crate::__literals!(@walk {$($out)* -} [$($rest)*] $stack)
    };
    (@walk {$($out:tt)*} [$literal:literal $($rest:tt)*] $stack:tt) => {
        $crate::__literals!(@walk {$($out)* R::lit($literal as f64)} [$($rest)*] $stack)
    };
    (@walk {$($out:tt)*} [$token:tt $($rest:tt)*] $stack:tt) => {
        $crate::__literals!(@walk {$($out)* $token} [$($rest)*] $stack)
    };
}

/// Refuses the branches and comparisons that a formula's numbers do not have, and says what to write;
/// expands to nothing where there are none.
///
/// Each token is looked at beside the two before it and the one behind it. What is a type (`f::<R>`,
/// `<R as Real>`, `let x: Option<R>`) passes.
#[doc(hidden)]
#[macro_export]
macro_rules! __comparisons {
    (@all $($token:tt)*) => {
        $crate::__comparisons! {
            @four [; ; ; $($token)*] [; ; $($token)* ;] [; $($token)* ; ;] [$($token)* ; ; ;]
        }
    };
    (@four [$($first:tt)*] [$($before:tt)*] [$($at:tt)*] [$($behind:tt)*]) => {
        $($crate::__comparisons! { $first $before $at $behind })*
    };
    (@say [$($compared:tt)*] $form:literal) => {
        ::core::compile_error!(::core::concat!(
            "in `", ::core::stringify!($($compared)*), "`: a formula compares by methods: write `", $form,
            "`, and for a branch `R::select(", $form, ", then, otherwise)`"
        ));
    };
    ($first:tt $before:tt ($($in:tt)*) $behind:tt) => { $crate::__comparisons! { @all $($in)* } };
    ($first:tt $before:tt [$($in:tt)*] $behind:tt) => { $crate::__comparisons! { @all $($in)* } };
    ($first:tt $before:tt {$($in:tt)*} $behind:tt) => { $crate::__comparisons! { @all $($in)* } };
    ($first:tt $before:tt if $behind:tt) => {
        ::core::compile_error!("a formula has no `if`: write `R::select(a.gt(b), then, otherwise)`");
    };
    // Types.
    ($first:tt :: < $behind:tt) => {};
    ($first:tt ; < $behind:tt) => {};
    ($first:tt , < $behind:tt) => {};
    ($first:tt = < $behind:tt) => {};
    ($first:tt : < $behind:tt) => {};
    (: $before:tt < $behind:tt) => {};
    (< $before:tt > $behind:tt) => {};
    ($first:tt $before:tt > ::) => {};
    ($first:tt $before:tt > ;) => {};
    ($first:tt $before:tt > ,) => {};
    ($first:tt $before:tt > =) => {};
    ($first:tt $before:tt < $behind:tt) => {
        $crate::__comparisons! { @say [$before < $behind] "a.lt(b)" }
    };
    ($first:tt $before:tt > $behind:tt) => {
        $crate::__comparisons! { @say [$before > $behind] "a.gt(b)" }
    };
    ($first:tt $before:tt <= $behind:tt) => {
        $crate::__comparisons! { @say [$before <= $behind] "a.le(b)" }
    };
    ($first:tt $before:tt >= $behind:tt) => {
        $crate::__comparisons! { @say [$before >= $behind] "a.ge(b)" }
    };
    ($first:tt $before:tt == $behind:tt) => {
        $crate::__comparisons! { @say [$before == $behind] "a.eq(b)" }
    };
    ($first:tt $before:tt != $behind:tt) => {
        $crate::__comparisons! { @say [$before != $behind] "!a.eq(b)" }
    };
    ($first:tt $before:tt $at:tt $behind:tt) => {};
}
