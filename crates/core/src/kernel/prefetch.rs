//! Asking for memory before it is needed.

use std::cell::Cell;
use std::ops::Range;

/// Bytes that come at once.
pub(crate) const LINE: usize = 64;
/// How many pieces of memory are announced at most.
const MOST: usize = 8;
/// The bytes of a piece at most: what the second cache holds beside the product's own.
const LONGEST: usize = 512 << 10;

/// Fetches the cache lines of a value that will be read soon; does nothing where there is no such instruction.
#[inline(always)]
pub(crate) fn prefetch<V>(value: &V) {
    let start = std::ptr::from_ref(value).cast::<i8>();
    for line in 0..size_of::<V>().div_ceil(LINE) {
        fetch(start.wrapping_add(line * LINE));
    }
}

/// Fetches the line of an address, which may be any.
#[inline(always)]
pub(crate) fn fetch<V>(at: *const V) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing, and an address of nothing does no harm.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// Addresses of memory that will be read after what is at work, each with its end.
///
/// A product computes from what is near and leaves the way to memory idle; what reads a lot of it and computes little comes next. So the one
/// who knows what comes [announces](announce) it, and the product asks for [one piece](next_announced) after the other and fetches a line now
/// and then.
#[derive(Clone, Copy)]
pub(crate) struct Soon {
    pieces: [(usize, usize); MOST],
    count: usize,
}

thread_local! {
    static PIECES: [Cell<(usize, usize)>; MOST] = const { [const { Cell::new((0, 0)) }; MOST] };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

impl Soon {
    pub(crate) const NOTHING: Self = Soon { pieces: [(0, 0); MOST], count: 0 };

    /// Adds a piece, or makes one of it and another that it overlaps.
    pub(crate) fn add<T>(&mut self, memory: &[T]) {
        let Range { start, end } = memory.as_ptr_range();
        let (start, end) = (start.addr(), end.addr());
        for piece in &mut self.pieces[..self.count] {
            if start <= piece.1 && piece.0 <= end {
                *piece = (piece.0.min(start), piece.1.max(end));
                return;
            }
        }
        if self.count < MOST {
            self.pieces[self.count] = (start, end);
            self.count += 1;
        }
    }
}

/// Announces what this thread will read after its next product, in place of what was announced before.
pub(crate) fn announce(soon: &Soon) {
    COUNT.set(soon.count);
    if soon.count > 0 {
        PIECES.with(|pieces| {
            for (to, (start, end)) in pieces.iter().zip(soon.pieces) {
                to.set((start, end.min(start + LONGEST)));
            }
        });
    }
}

/// A piece that was announced on this thread, once.
#[cfg_attr(
    any(miri, not(target_arch = "x86_64")),
    allow(dead_code, reason = "only the products of some machines fetch ahead")
)]
#[inline(always)]
pub(crate) fn next_announced() -> Option<Range<usize>> {
    let left = COUNT.get().checked_sub(1)?;
    COUNT.set(left);
    let (start, end) = PIECES.with(|pieces| pieces[left].get());
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_overlap_are_one() {
        let memory = [0.0f32; 100];
        let address = memory.as_ptr().addr();
        let mut soon = Soon::NOTHING;
        soon.add(&memory[10..30]);
        soon.add(&memory[60..70]);
        soon.add(&memory[20..40]);
        announce(&soon);
        assert_eq!(next_announced(), Some(address + 240..address + 280));
        assert_eq!(next_announced(), Some(address + 40..address + 160));
        assert_eq!(next_announced(), None);
    }

    #[test]
    fn pieces_beyond_the_most_are_left_out() {
        let memory = [0u8; 100];
        let mut soon = Soon::NOTHING;
        (0..20).for_each(|i| soon.add(&memory[5 * i..5 * i + 1]));
        announce(&soon);
        assert_eq!(std::iter::from_fn(next_announced).count(), MOST);
    }

    #[test]
    fn a_piece_is_cut_and_what_was_announced_before_is_forgotten() {
        let memory = vec![0u8; 2 * LONGEST];
        let mut soon = Soon::NOTHING;
        soon.add(&memory);
        announce(&soon);
        assert_eq!(next_announced().map(|piece| piece.len()), Some(LONGEST));
        announce(&soon);
        announce(&Soon::NOTHING);
        assert_eq!(next_announced(), None);
    }
}
