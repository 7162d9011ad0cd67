//! Functions of tensors of floats that are methods of variables: they give what those give, without history.

mod axes;
mod elements;
mod products;

/// Methods of variables as methods of tensors: arguments are handed on as they are, tensors in brackets as
/// constants.
macro_rules! functions {
    ($(
        $(#[$meta:meta])*
        $method:ident($($argument:ident: $type:ty),*) $([$($operand:ident),*])?;
    )*) => {
        impl<T: Float> Tensor<T> {$(
            $(#[$meta])*
            #[track_caller]
            pub fn $method(&self $(, $argument: $type)* $($(, $operand: &Tensor<T>)*)?) -> Tensor<T> {
                let _unrecorded = unrecorded();
                constant(self).$method($($argument,)* $($(&constant($operand)),*)?).value()
            }
        )*}
    };
}

use functions;
