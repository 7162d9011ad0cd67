//! Properties in one line each.

/// Properties in one line each: for everything that is drawn, the body has the derivatives of differences,
/// first and second order.
///
/// An argument is drawn from a strategy of this crate, [`tensor`](crate::tensor()) or
/// [`draws`](crate::draws), or from a range; a later one may depend on an earlier one. A drawn
/// `Tensor<f64>` reaches the body as a `Variable<f64>` and is differentiated in; so are the parameters of a
/// drawn module; anything else is passed on as it is. The body gives whatever
/// [`IntoOutputs`](crate::IntoOutputs) takes. What comes out is an ordinary `#[test]` that runs proptest.
///
/// ```
/// use wengert_check::{check_gradient, tensor};
///
/// check_gradient! {
///     fn gated_sum(n in 1..4, x in tensor([n, 3]), h in tensor([n, 3])) {
///         x.sigmoid() * h.tanh() + 1.0
///     }
/// }
///
/// // A function off its kinks, to first order, on fewer cases.
/// check_gradient! {
///     #![property(wengert_check::Property::new().order(1).cases(50))]
///     fn relu(x in tensor((0..4, 3)).away_from(&[0.0], 0.1)) { x.relu() }
/// }
/// ```
#[macro_export]
macro_rules! check_gradient {
    (#![property($property:expr)] $($tests:tt)*) => { $crate::__check_gradient! { ($property) $($tests)* } };
    ($($tests:tt)*) => { $crate::__check_gradient! { ($crate::Property::new()) $($tests)* } };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __check_gradient {
    (($property:expr) $($(#[$meta:meta])* fn $name:ident($($arguments:tt)*) $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            let found = $crate::Property::of($property, stringify!($name), file!()).run_with(
                |case| {
                    #[allow(unused_imports)]
                    use $crate::__private::argument::{AsGiven as _, AsInput as _, AsModule as _};
                    $crate::__check_gradient!(@draw case $($arguments)*)
                },
                |entered, inputs| $crate::__check_gradient!(@call entered inputs $body $($arguments)*),
            );
            if let Err(text) = found {
                panic!("{text}");
            }
        }
    )*};
    (@draw $case:ident) => { () };
    (@draw $case:ident $argument:ident in $strategy:expr $(, $($rest:tt)*)?) => {{
        let $argument = $case.draw($strategy);
        let entered = (&$crate::__private::argument::Argument(&$argument))
            .enter(stringify!($argument), $case);
        (entered, $crate::__check_gradient!(@draw $case $($($rest)*)?))
    }};
    (@call $entered:ident $inputs:ident $body:block) => {{
        let () = $entered;
        $body
    }};
    (
        @call $entered:ident $inputs:ident $body:block
        $argument:ident in $strategy:expr $(, $($rest:tt)*)?
    ) => {{
        let (first, rest) = $entered;
        let $argument = first.get($inputs);
        $crate::__check_gradient!(@call rest $inputs $body $($($rest)*)?)
    }};
}
