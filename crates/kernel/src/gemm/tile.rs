//! A tile of C in registers, which goes along rows of B.

use std::ops::Add;

use super::product::Product;
use super::sizes::MR;
use super::vector::Vector;
use crate::memory::prefetch::{CACHE_LINE, fetch, fetch_second};

/// The rows of a tile from which on it has time to fetch what is for later: with fewer, B must come as fast
/// as it can.
const FETCHING: usize = 4;

/// Calls the method for a tile of the given extents, A's rows contiguous or its columns, the last register
/// whole or half. Registers of 256 bits are two side by side at most, and have no halves.
macro_rules! of_extents {
    ($rows:expr, $cols:expr, $along:expr, $half:expr, $self:ident.micro_kernel::<$padded:ident>$args:tt) => {
        match $rows {
            1 => of_extents!(1, $cols, $along, $half => $self, $padded, $args),
            2 => of_extents!(2, $cols, $along, $half => $self, $padded, $args),
            3 => of_extents!(3, $cols, $along, $half => $self, $padded, $args),
            4 => of_extents!(4, $cols, $along, $half => $self, $padded, $args),
            5 => of_extents!(5, $cols, $along, $half => $self, $padded, $args),
            _ => of_extents!(6, $cols, $along, $half => $self, $padded, $args),
        }
    };
    ($rows:literal, $cols:literal, $along:expr, $half:expr => $self:ident, $padded:ident, $args:tt) => {
        match ($along, $half) {
            (true, true) if V::HALVES => $self.micro_kernel::<V, $rows, $cols, true, $padded, true>$args,
            (false, true) if V::HALVES => $self.micro_kernel::<V, $rows, $cols, false, $padded, true>$args,
            (true, _) => $self.micro_kernel::<V, $rows, $cols, true, $padded, false>$args,
            (false, _) => $self.micro_kernel::<V, $rows, $cols, false, $padded, false>$args,
        }
    };
    ($rows:literal, $cols:expr, $along:expr, $half:expr => $self:ident, $padded:ident, $args:tt) => {
        match $cols {
            1 => of_extents!($rows, 1, $along, $half => $self, $padded, $args),
            3 if V::NR > 2 => of_extents!($rows, 3, $along, $half => $self, $padded, $args),
            4 if V::NR > 2 => of_extents!($rows, 4, $along, $half => $self, $padded, $args),
            _ => of_extents!($rows, 2, $along, $half => $self, $padded, $args),
        }
    };
}
pub(super) use of_extents;

/// The same pointer, of which the compiler does not know where it comes from: it stays in a register of its
/// own and is not computed from others again and again.
#[allow(clippy::pointers_in_nomem_asm_block, reason = "what it points to is not touched")]
#[inline(always)]
fn opaque<T>(mut pointer: *const T) -> *const T {
    // SAFETY: the instruction is empty.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}

/// The lines of the next panel that a tile fetches in a turn of its loop: so that some six of them fetch
/// all.
const fn next_lines<V: Vector>() -> usize {
    (V::NR * size_of::<V>() * V::STEPS / CACHE_LINE).div_ceil(MR)
}

/// Adds the outer product of a column of A and a row of B, of whose registers the last has the lanes
/// `last`, none of them in its upper half if it is HALF.
///
/// # Safety
/// Those lanes may be read, the machine has V's instructions.
#[allow(clippy::needless_range_loop, reason = "an index says which register")]
#[inline(always)]
unsafe fn add_outer<V: Vector, const R: usize, const S: usize, const HALF: bool>(
    sums: &mut [[V; S]; R],
    x: impl Fn(usize) -> *const V::Item,
    b: *const V::Item,
    last: V::Mask,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut y = [V::splat(V::Item::default()); S];
        for s in 0..S {
            let lanes = if s + 1 == S { last } else { V::mask(V::LANES) };
            y[s] = V::load(b.add(s * V::LANES), lanes);
        }
        for r in 0..R {
            let x = V::splat(*x(r));
            for s in 0..S {
                sums[r][s] = if HALF && s + 1 == S {
                    x.mul_add_half(y[s], sums[r][s])
                } else {
                    x.mul_add(y[s], sums[r][s])
                };
            }
        }
    }
}

/// # Safety
/// The product is as [`Product`] says, the rows of C and of the start are contiguous, the machine has V's
/// instructions.
#[allow(clippy::needless_range_loop, reason = "an index says which register")]
impl<T: Copy + Default + Add<Output = T>> Product<T> {
    /// R rows from row `i` on, S registers wide from column `j` on, of which the last has the lanes `last`,
    /// and they are in its lower half if it is HALF.
    ///
    /// A's rows are contiguous if ALONG says so, else its columns, or it takes longer. B's rows begin at
    /// `b`, where they lie or, if they are PADDED, one behind the other in whole registers. Meanwhile
    /// come lines from `ahead` on, each a step behind the other, and those of the panel after this one
    /// from `next` on.
    #[inline(always)]
    pub(super) unsafe fn micro_kernel<
        V: Vector<Item = T>,
        const R: usize,
        const S: usize,
        const ALONG: bool,
        const PADDED: bool,
        const HALF: bool,
    >(
        &self,
        (i, j): (usize, usize),
        mut b: *const T,
        last: V::Mask,
        (mut ahead, step): (*const T, isize),
        mut next: *const T,
    ) {
        // SAFETY: i + R <= m, j and the lanes lie inside n, p + u inside k.
        unsafe {
            let (a, down, across) = (self.a.0.offset(i as isize * self.a.1), self.a.1, self.a.2);
            let (pitch, read) =
                if PADDED { ((S * V::LANES) as isize, V::mask(V::LANES)) } else { (self.b.1, last) };
            let k = self.extents.k;
            let written_out = if ALONG || down == 1 { k - k % V::STEPS } else { 0 };
            // One register for where each row or each of some columns begins, and one for how far they are
            // gone through.
            let mut begin = [a; MR];
            for i in 0..if ALONG { R } else { V::STEPS } {
                begin[i] = opaque(a.wrapping_offset(i as isize * if ALONG { down } else { across }));
            }
            let mut sums = [[V::splat(T::default()); S]; R];
            let (mut p, mut gone) = (0, 0);
            // A row in a turn: more lines at once would keep those of A and B waiting.
            let to_come = if self.extents.m > MR { R * V::STEPS } else { 0 };
            while p < written_out {
                if p < to_come {
                    self.fetch_row::<V, S>((i + p / V::STEPS, j));
                }
                if R >= FETCHING {
                    fetch(ahead);
                    ahead = ahead.wrapping_offset(step);
                    if PADDED {
                        for _ in 0..next_lines::<V>() {
                            fetch_second(next);
                            next = next.wrapping_add(CACHE_LINE / size_of::<T>());
                        }
                    }
                }
                for u in 0..V::STEPS {
                    let x = |r: usize| {
                        let (begin, at) = if ALONG { (begin[r], u) } else { (begin[u], r) };
                        begin.wrapping_offset(gone).wrapping_add(at)
                    };
                    add_outer::<V, R, S, HALF>(&mut sums, x, b, read);
                    b = b.wrapping_offset(pitch);
                }
                gone += V::STEPS as isize * if ALONG { 1 } else { across };
                p += V::STEPS;
            }
            while p < k {
                let x = |r: usize| a.wrapping_offset(p as isize * across + r as isize * down);
                add_outer::<V, R, S, HALF>(&mut sums, x, b, read);
                b = b.wrapping_offset(pitch);
                p += 1;
            }
            for r in 0..R {
                for s in 0..S {
                    let (i, j) = ((i + r) as isize, j + s * V::LANES);
                    let lanes = if s + 1 == S { last } else { V::mask(V::LANES) };
                    let mut value = sums[r][s];
                    if let Some(start) = self.start {
                        value = value.add(V::load(start.0.offset(i * start.1).add(j), lanes));
                    }
                    value.store(self.c.0.offset(i * self.c.1).add(j), lanes);
                }
            }
        }
    }

    /// What is read and stored there at a tile's end comes meanwhile.
    #[inline(always)]
    fn fetch_row<V: Vector<Item = T>, const S: usize>(&self, (i, j): (usize, usize)) {
        for s in 0..S {
            let at = |(from, down): (*const T, isize)| {
                from.wrapping_offset(i as isize * down).wrapping_add(j + s * V::LANES)
            };
            fetch(at((self.c.0.cast_const(), self.c.1)));
            if let Some((from, down, _)) = self.start {
                fetch(at((from, down)));
            }
        }
    }
}
