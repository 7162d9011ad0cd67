//! Asking for memory before it is needed.

use std::cell::Cell;
use std::ops::Range;

use crate::memory::view::View;

/// Bytes that come at once.
pub const CACHE_LINE: usize = 64;
/// How many pieces of memory are announced at most.
const MOST_ANNOUNCED: usize = 8;
/// The bytes of a piece at most: what the second cache holds beside the product's own.
const LONGEST: usize = 512 << 10;

/// Fetches the cache lines of a value that will be read soon; does nothing where there is no such
/// instruction.
#[inline(always)]
pub fn prefetch<V>(value: &V) {
    let start = std::ptr::from_ref(value).cast::<i8>();
    for line in 0..size_of::<V>().div_ceil(CACHE_LINE) {
        fetch(start.wrapping_add(line * CACHE_LINE));
    }
}

/// Fetches the line of an address, which may be any.
#[inline(always)]
pub fn fetch<V>(at: *const V) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing, and an address of nothing does no harm.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// [`fetch`] to the second cache, for what would push out of the first what is at work there.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
pub fn fetch_second<V>(at: *const V) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    // SAFETY: as above.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) };
}

thread_local! {
    /// Addresses of memory that will be read after what is at work, each with its end.
    static PIECES: [Cell<(usize, usize)>; MOST_ANNOUNCED] =
        const { [const { Cell::new((0, 0)) }; MOST_ANNOUNCED] };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Announces memory that this thread will read after its next product.
///
/// A product computes from what is near and leaves the way to memory idle; what reads a lot of it and
/// computes little comes next. So the one who knows what comes announces it, and the product asks for [one
/// piece](next_announced) after the other and fetches a line now and then. Pieces that overlap become one.
pub fn announce<T>(view: View<'_, T>) {
    let start = view.start().addr();
    announce_bytes(start..start + view.layout().reach() * size_of::<T>());
}

fn announce_bytes(Range { start, end }: Range<usize>) {
    let cut = |start: usize, end: usize| (start, end.min(start + LONGEST));
    PIECES.with(|pieces| {
        let count = COUNT.get();
        for piece in &pieces[..count] {
            let (first, last) = piece.get();
            if start <= last && first <= end {
                return piece.set(cut(first.min(start), last.max(end)));
            }
        }
        if count < MOST_ANNOUNCED {
            pieces[count].set(cut(start, end));
            COUNT.set(count + 1);
        }
    });
}

/// Forgets what was announced before: it was for another product.
#[inline(always)]
pub fn forget_announced() {
    COUNT.set(0);
}

/// A piece that was announced on this thread, once.
#[cfg_attr(
    any(miri, not(target_arch = "x86_64")),
    allow(dead_code, reason = "only the products of some machines fetch ahead")
)]
#[inline(always)]
pub fn next_announced() -> Option<Range<usize>> {
    let left = COUNT.get().checked_sub(1)?;
    COUNT.set(left);
    let (start, end) = PIECES.with(|pieces| pieces[left].get());
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announce<T>(memory: &[T]) {
        let Range { start, end } = memory.as_ptr_range();
        announce_bytes(start.addr()..end.addr());
    }

    #[test]
    fn pieces_that_overlap_are_one() {
        let memory = [0.0f32; 100];
        let address = memory.as_ptr().addr();
        announce(&memory[10..30]);
        announce(&memory[60..70]);
        announce(&memory[20..40]);
        assert_eq!(next_announced(), Some(address + 240..address + 280));
        assert_eq!(next_announced(), Some(address + 40..address + 160));
        assert_eq!(next_announced(), None);
    }

    #[test]
    fn pieces_beyond_the_most_are_left_out() {
        let memory = [0u8; 100];
        (0..20).for_each(|i| announce(&memory[5 * i..5 * i + 1]));
        assert_eq!(std::iter::from_fn(next_announced).count(), MOST_ANNOUNCED);
    }

    #[test]
    fn a_piece_is_cut_and_what_was_announced_before_is_forgotten() {
        let memory = vec![0u8; 2 * LONGEST];
        announce(&memory);
        assert_eq!(next_announced().map(|piece| piece.len()), Some(LONGEST));
        announce(&memory);
        forget_announced();
        assert_eq!(next_announced(), None);
    }
}
