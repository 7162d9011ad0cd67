//! Writing a value straight to where it stays.

use std::mem::MaybeUninit;
use std::sync::Arc;

/// `Arc::new(make())`, but the memory comes first, so that the value is not made elsewhere and moved there.
#[inline(always)]
pub(crate) fn arc_with<V>(make: impl FnOnce() -> V) -> Arc<V> {
    let place = Arc::<V>::new_uninit();
    // SAFETY: nobody else has a handle yet, and the memory is that of a `V`, written here.
    unsafe {
        Arc::as_ptr(&place).cast_mut().write(MaybeUninit::new(make()));
        place.assume_init()
    }
}
