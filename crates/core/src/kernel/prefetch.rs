//! Asking for memory before it is needed.

/// Fetches the cache lines of a value that will be read soon; does nothing where there is no such instruction.
#[inline(always)]
pub(crate) fn prefetch<V>(value: &V) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = std::ptr::from_ref(value).cast::<i8>();
        for line in 0..size_of::<V>().div_ceil(64) {
            // SAFETY: a prefetch reads nothing; the address is inside the value.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line * 64)) };
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = value;
}
