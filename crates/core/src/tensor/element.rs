//! What a tensor can hold.

use std::cell::RefCell;
use std::thread::LocalKey;

use wengert_kernel::number::Number;

use super::pool::Pool;
use super::print::Printed;

/// A type that a tensor can hold: `f32`, `f64`, `i64` (indices) or `bool` (masks).
///
/// ```
/// use wengert_core::{Element, Tensor};
/// fn first<T: Element>(t: &Tensor<T>) -> T { t.to_vec()[0] }
/// assert_eq!(first(&Tensor::from([3i64, 4])), 3);
/// ```
#[diagnostic::on_unimplemented(
    message = "a tensor can't hold `{Self}`",
    label = "expected `f32`, `f64`, `i64` or `bool`"
)]
pub trait Element: Number {
    #[doc(hidden)]
    fn printed(self) -> Printed;
    #[doc(hidden)]
    fn pool() -> &'static LocalKey<RefCell<Pool<Self>>>;
}

macro_rules! element {
    ($type:ty, $printed:ident) => {
        impl Element for $type {
            fn printed(self) -> Printed {
                Printed::$printed(self.into())
            }
            #[inline]
            fn pool() -> &'static LocalKey<RefCell<Pool<Self>>> {
                thread_local!(static POOL: RefCell<Pool<$type>> = const { RefCell::new(Pool::new()) });
                &POOL
            }
        }
    };
}

element!(f32, Float);
element!(f64, Float);
element!(i64, Int);
element!(bool, Bool);
