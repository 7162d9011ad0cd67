//! Which loop a product takes, and the one of dot products, which reads A and B where they lie.
//!
//! Packing pays when each element is used many times. A recurrent step has few rows (the batch), and there
//! packing the weights costs more than multiplying by them.

use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};
use std::ops::Add;

use super::Backend;
use super::product::{Extents, Product};
use super::vector::Vector;
use crate::run::level::{Level, level};

/// Rows and, in elements, columns of a tile of dot products: each register holds sums of one element.
const DOT_MR: usize = 4;
/// How much of k one pass of dot products takes, in bytes: four rows of A and four columns of B stay in the
/// cache.
const DOT_KC_BYTES: usize = 4096;

/// Calls the method for a tile of the given extents, at most four each.
macro_rules! of_extents {
    ($rows:expr, $cols:expr, $self:ident.$method:ident($($arg:expr),*)) => {
        match ($rows, $cols) {
            (1, 1) => $self.$method::<V, 1, 1>($($arg),*),
            (1, 2) => $self.$method::<V, 1, 2>($($arg),*),
            (1, 3) => $self.$method::<V, 1, 3>($($arg),*),
            (1, _) => $self.$method::<V, 1, 4>($($arg),*),
            (2, 1) => $self.$method::<V, 2, 1>($($arg),*),
            (2, 2) => $self.$method::<V, 2, 2>($($arg),*),
            (2, 3) => $self.$method::<V, 2, 3>($($arg),*),
            (2, _) => $self.$method::<V, 2, 4>($($arg),*),
            (3, 1) => $self.$method::<V, 3, 1>($($arg),*),
            (3, 2) => $self.$method::<V, 3, 2>($($arg),*),
            (3, 3) => $self.$method::<V, 3, 3>($($arg),*),
            (3, _) => $self.$method::<V, 3, 4>($($arg),*),
            (_, 1) => $self.$method::<V, 4, 1>($($arg),*),
            (_, 2) => $self.$method::<V, 4, 2>($($arg),*),
            (_, 3) => $self.$method::<V, 4, 3>($($arg),*),
            _ => $self.$method::<V, 4, 4>($($arg),*),
        }
    };
}

/// How many of the rows that are left the next tile takes: 5 go as 3 + 2 rather than 4 + 1.
#[inline(always)]
fn share(left: usize) -> usize {
    if left >= 2 * DOT_MR || left <= DOT_MR { left.min(DOT_MR) } else { left.div_ceil(2) }
}

/// Bytes of all operands up to which a product without packing wins: they stay in the caches near the core.
const CACHED: usize = 2 << 20;
/// The same for a single row, which uses each element of B once: then it counts how fast B comes.
const CACHED_ROW: usize = CACHED / 4;
/// Rows from which on packing B pays for one product.
const MANY_ROWS: usize = 16;
/// The same if B comes from further away, so that what counts is how often it is read.
const MANY_ROWS_FAR: usize = 64;

impl<T> Product<T> {
    /// Whether rows of B and C are contiguous.
    pub(super) fn allows_rows(&self) -> bool {
        self.b.2 == 1 && self.c.2 == 1
    }

    /// Whether rows of A and C and columns of B are contiguous.
    pub(super) fn allows_dots(&self) -> bool {
        self.a.2 == 1 && self.b.1 == 1 && self.c.2 == 1
    }

    /// The loop that adds as one with a pack of B does.
    pub(super) fn like_packed(&self) -> Backend {
        let few = self.extents.m < MANY_ROWS_FAR;
        if self.allows_rows() && few { Backend::Rows } else { Backend::Panels }
    }

    /// The fastest loop for the product's shape, by measurement.
    pub(super) fn fastest(&self) -> Backend {
        let Extents { m, k, n } = self.extents;
        if level() == Level::Portable || self.c.2 != 1 {
            return Backend::Baseline;
        }
        let elements =
            m.saturating_mul(k).saturating_add(k.saturating_mul(n)).saturating_add(m.saturating_mul(n));
        let near = elements <= if m == 1 { CACHED_ROW } else { CACHED } / size_of::<T>();
        let wide = level() == Level::Avx512;
        // A single column is contiguous in name only.
        if self.allows_rows() && n > 1 && near && (wide || m < MANY_ROWS) {
            return Backend::Rows;
        }
        // Adding up the lanes costs little beside a long k.
        let few = m <= k / 3 && m < if near { MANY_ROWS } else { MANY_ROWS_FAR };
        if self.allows_dots() && few {
            return Backend::Dots;
        }
        Backend::Panels
    }
}

/// # Safety
/// Of every function: the product is as [`Product`] says, C's rows are contiguous, and the machine has V's
/// instructions.
#[allow(clippy::needless_range_loop, reason = "an index says which register")]
impl<T: Copy + Default + Add<Output = T>> Product<T> {
    /// A's rows and B's columns are contiguous: the innermost loop runs along both.
    #[inline(always)]
    unsafe fn dots<V: Vector<Item = T>>(&self) {
        let Extents { m, k, n } = self.extents;
        let mut from = 0;
        while from < k {
            let depth = (k - from).min(DOT_KC_BYTES / size_of::<T>());
            let pass = Product {
                extents: Extents { m, k: depth, n },
                // SAFETY: `from` lies inside k.
                a: unsafe { (self.a.0.add(from), self.a.1, 1) },
                // SAFETY: as above.
                b: unsafe { (self.b.0.add(from), 1, self.b.2) },
                start: if from == 0 { self.start } else { Some((self.c.0.cast_const(), self.c.1, 1)) },
                ..*self
            };
            let mut j = 0;
            while j < n {
                let side = (n - j).min(V::NR);
                let mut i = 0;
                while i < m {
                    let height = share(m - i);
                    // SAFETY: rows i .. i + height and columns j .. j + side lie inside C.
                    unsafe { of_extents!(height, side, pass.dot_tile(i, j)) };
                    i += height;
                }
                j += side;
            }
            from += depth;
        }
    }

    /// R rows, S columns.
    #[inline(always)]
    unsafe fn dot_tile<V: Vector<Item = T>, const R: usize, const S: usize>(&self, i: usize, j: usize) {
        // SAFETY: i + R <= m, j + S <= n; p and the lanes of its mask lie inside k.
        unsafe {
            let k = self.extents.k;
            let full = V::mask(V::LANES);
            let mut sums = [[V::splat(T::default()); S]; R];
            let a = self.a.0.offset(i as isize * self.a.1);
            let b = self.b.0.offset(j as isize * self.b.2);
            let mut p = 0;
            while p < k {
                let lanes = if k - p >= V::LANES { full } else { V::mask(k - p) };
                let mut y = [V::splat(T::default()); S];
                for s in 0..S {
                    y[s] = V::load(b.offset(s as isize * self.b.2).add(p), lanes);
                }
                for r in 0..R {
                    let x = V::load(a.offset(r as isize * self.a.1).add(p), lanes);
                    for s in 0..S {
                        sums[r][s] = x.mul_add(y[s], sums[r][s]);
                    }
                }
                p += V::LANES;
            }
            for q in (0..R * S).step_by(4) {
                let mut four = [V::splat(T::default()); 4];
                for l in 0..(R * S - q).min(4) {
                    four[l] = sums[(q + l) / S][(q + l) % S];
                }
                let four = V::sums(four);
                for l in 0..(R * S - q).min(4) {
                    let (r, s) = ((q + l) / S, (q + l) % S);
                    let mut value = four[l];
                    if let Some(start) = self.start {
                        value = value + *start.0.offset((i + r) as isize * start.1).add(j + s);
                    }
                    self.c.0.offset((i + r) as isize * self.c.1).add(j + s).write(value);
                }
            }
        }
    }
}

macro_rules! versions {
    ($type:ty, $avx2:ty, $avx512:ty) => {
        /// # Safety
        /// Of every function: as for the loop that it compiles.
        impl Product<$type> {
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            unsafe fn dots_avx512(&self) {
                // SAFETY: the caller's promise.
                unsafe { self.dots::<$avx512>() }
            }

            #[target_feature(enable = "avx2,fma")]
            unsafe fn dots_avx2(&self) {
                // SAFETY: the caller's promise.
                unsafe { self.dots::<$avx2>() }
            }

            /// The product at a level above the portable one, by dot products.
            pub(super) unsafe fn by_dots(&self, level: Level) {
                // SAFETY: the caller's promise; the machine has the level's instructions.
                unsafe { if level == Level::Avx512 { self.dots_avx512() } else { self.dots_avx2() } }
            }
        }
    };
}

versions!(f32, __m256, __m512);
versions!(f64, __m256d, __m512d);
