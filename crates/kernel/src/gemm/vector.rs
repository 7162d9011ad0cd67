//! The registers that the direct products compute in.

use std::arch::x86_64::*;

/// A register of numbers.
///
/// # Safety
/// Of every function: the machine has the implementing type's instructions (AVX2 and FMA for 256 bits,
/// AVX-512 F for 512), and the elements that it names may be read or written.
pub(super) trait Vector: Copy {
    /// What it holds.
    type Item: Copy + Default;
    /// Which lanes are meant.
    type Mask: Copy;
    /// How many it holds.
    const LANES: usize;
    /// How many of them side by side a micro-panel is wide (nr, in vectors), and a tile of C, before its
    /// sums no longer fit into the registers.
    const NR: usize;
    /// The steps along k of a tile that are written out one after the other. What is not arithmetic is then
    /// shared by all of them: where another hyperthread takes half of a core's instructions, these would
    /// take the place of arithmetic.
    const STEPS: usize;
    /// Whether a tile may end with half of one, which is faster where a machine computes 512 bits in two
    /// halves. That takes as many tiles again, so only `f32` has it.
    const HALVES: bool = false;
    /// The rows and columns that [`Vector::transpose`] takes.
    const SQUARE: usize;
    /// The first `count` lanes, at most all.
    unsafe fn mask(count: usize) -> Self::Mask;
    unsafe fn splat(value: Self::Item) -> Self;
    /// Touches only the memory of lanes in the mask; the others become 0.
    unsafe fn load(from: *const Self::Item, mask: Self::Mask) -> Self;
    /// Touches only the memory of lanes in the mask.
    unsafe fn store(self, to: *mut Self::Item, mask: Self::Mask);
    unsafe fn add(self, other: Self) -> Self;
    /// `self * b + c`, rounded once.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    /// [`Vector::mul_add`] of the lower half of the lanes; the upper one is then of no particular value.
    #[inline(always)]
    unsafe fn mul_add_half(self, b: Self, c: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { self.mul_add(b, c) }
    }
    /// The sum of the lanes of each, always in the same order.
    unsafe fn sums(four: [Self; 4]) -> [Self::Item; 4];
    /// Writes the transpose of a square of contiguous rows, `stride` apart, to rows that are `pitch` apart.
    unsafe fn transpose(from: *const Self::Item, stride: isize, to: *mut Self::Item, pitch: usize);
}

/// Set words followed by as many clear ones: a mask is a window into it.
static WORDS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

macro_rules! vector {
    (
        $register:ty, $item:ty, lanes $lanes:literal, side $nr:literal, steps $steps:literal,
        square $square:literal by $transpose:ident,
        mask |$count:ident| -> $mask_type:ty { $make:expr },
        load |$from:ident, $mask:ident| $load:expr,
        store |$vector:ident, $to:ident, $lanes_of:ident| $store:expr,
        sums |$four:ident| $sums:expr,
        $splat:ident, $add:ident, $mul_add:ident
        $(, half |$x:ident, $y:ident, $z:ident| $half:expr)?
    ) => {
        impl Vector for $register {
            type Item = $item;
            type Mask = $mask_type;
            const LANES: usize = $lanes;
            const NR: usize = $nr;
            const STEPS: usize = $steps;
            const SQUARE: usize = $square;

            #[inline(always)]
            unsafe fn mask($count: usize) -> $mask_type {
                debug_assert!($count <= $lanes);
                $make
            }

            #[inline(always)]
            unsafe fn splat(value: $item) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $splat(value) }
            }

            #[inline(always)]
            unsafe fn load($from: *const $item, $mask: $mask_type) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $load }
            }

            #[inline(always)]
            unsafe fn store(self, $to: *mut $item, $lanes_of: $mask_type) {
                let $vector = self;
                // SAFETY: the caller's promise.
                unsafe { $store }
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $add(self, other) }
            }

            #[inline(always)]
            unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $mul_add(self, b, c) }
            }

            $(
                const HALVES: bool = true;

                #[inline(always)]
                unsafe fn mul_add_half(self, $y: Self, $z: Self) -> Self {
                    let $x = self;
                    // SAFETY: the caller's promise.
                    unsafe { $half }
                }
            )?

            #[inline(always)]
            unsafe fn sums($four: [Self; 4]) -> [$item; 4] {
                // SAFETY: the caller's promise; the register of sums is as large as the array.
                unsafe { std::mem::transmute($sums) }
            }

            #[inline(always)]
            unsafe fn transpose(from: *const $item, stride: isize, to: *mut $item, pitch: usize) {
                // SAFETY: the caller's promise.
                unsafe { $transpose(from, stride, to, pitch) }
            }
        }
    };
}

vector!(
    __m512, f32, lanes 16, side 4, steps 4, square 8 by transpose_f32,
    mask |count| -> __mmask16 { ((1u32 << count) - 1) as __mmask16 },
    load |from, mask| _mm512_maskz_loadu_ps(mask, from),
    store |v, to, mask| _mm512_mask_storeu_ps(to, mask, v),
    sums |v| four_sums_f32(
        v.map(|v| _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v)))
    ),
    _mm512_set1_ps, _mm512_add_ps, _mm512_fmadd_ps,
    half |x, y, z| {
        let [x, y, z] = [x, y, z].map(|v| _mm512_castps512_ps256(v));
        _mm512_castps256_ps512(_mm256_fmadd_ps(x, y, z))
    }
);
vector!(
    __m512d, f64, lanes 8, side 4, steps 1, square 4 by transpose_f64,
    mask |count| -> __mmask8 { ((1u32 << count) - 1) as __mmask8 },
    load |from, mask| _mm512_maskz_loadu_pd(mask, from),
    store |v, to, mask| _mm512_mask_storeu_pd(to, mask, v),
    sums |v| four_sums_f64(
        v.map(|v| _mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v)))
    ),
    _mm512_set1_pd, _mm512_add_pd, _mm512_fmadd_pd
);
vector!(
    __m256, f32, lanes 8, side 2, steps 4, square 8 by transpose_f32,
    mask |count| -> (bool, __m256i) {
        // SAFETY: the caller's promise; a window that starts at or before the middle lies inside `WORDS`.
        unsafe { (count == 8, _mm256_loadu_si256(WORDS.as_ptr().add(8 - count).cast())) }
    },
    load |from, mask| if mask.0 { _mm256_loadu_ps(from) } else { _mm256_maskload_ps(from, mask.1) },
    store |v, to, mask| if mask.0 { _mm256_storeu_ps(to, v) } else { _mm256_maskstore_ps(to, mask.1, v) },
    sums |v| four_sums_f32(v),
    _mm256_set1_ps, _mm256_add_ps, _mm256_fmadd_ps
);
vector!(
    __m256d, f64, lanes 4, side 2, steps 1, square 4 by transpose_f64,
    mask |count| -> (bool, __m256i) {
        // SAFETY: as above; a number takes two words.
        unsafe { (count == 4, _mm256_loadu_si256(WORDS.as_ptr().add(8 - 2 * count).cast())) }
    },
    load |from, mask| if mask.0 { _mm256_loadu_pd(from) } else { _mm256_maskload_pd(from, mask.1) },
    store |v, to, mask| if mask.0 { _mm256_storeu_pd(to, v) } else { _mm256_maskstore_pd(to, mask.1, v) },
    sums |v| four_sums_f64(v),
    _mm256_set1_pd, _mm256_add_pd, _mm256_fmadd_pd
);

/// Four sums at once: transposing as it adds takes a third of the shuffles of one sum after the other.
#[inline]
#[target_feature(enable = "avx2")]
fn four_sums_f32([a, b, c, d]: [__m256; 4]) -> __m128 {
    let ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    let cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    let abcd =
        _mm256_add_ps(_mm256_shuffle_ps::<0b01_00_01_00>(ab, cd), _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd));
    _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps::<1>(abcd))
}

#[inline]
#[target_feature(enable = "avx2")]
fn four_sums_f64([a, b, c, d]: [__m256d; 4]) -> __m256d {
    let ab = _mm256_add_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
    let cd = _mm256_add_pd(_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
    _mm256_add_pd(_mm256_permute2f128_pd::<0x20>(ab, cd), _mm256_permute2f128_pd::<0x31>(ab, cd))
}

/// Eight rows of eight: pairs, then fours, then halves change places.
///
/// # Safety
/// As for [`Vector::transpose`].
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn transpose_f32(from: *const f32, stride: isize, to: *mut f32, pitch: usize) {
    // SAFETY: the caller's promise.
    let row = |i: isize| unsafe { _mm256_loadu_ps(from.offset(i * stride)) };
    let pairs = |i| (_mm256_unpacklo_ps(row(i), row(i + 1)), _mm256_unpackhi_ps(row(i), row(i + 1)));
    let fours = |i| {
        let ((a, b), (c, d)) = (pairs(i), pairs(i + 2));
        [
            _mm256_shuffle_ps::<0b01_00_01_00>(a, c),
            _mm256_shuffle_ps::<0b11_10_11_10>(a, c),
            _mm256_shuffle_ps::<0b01_00_01_00>(b, d),
            _mm256_shuffle_ps::<0b11_10_11_10>(b, d),
        ]
    };
    let (upper, lower) = (fours(0), fours(4));
    for j in 0..4 {
        let (low, high) = (
            _mm256_permute2f128_ps::<0x20>(upper[j], lower[j]),
            _mm256_permute2f128_ps::<0x31>(upper[j], lower[j]),
        );
        // SAFETY: as above.
        unsafe {
            _mm256_storeu_ps(to.add(j * pitch), low);
            _mm256_storeu_ps(to.add((j + 4) * pitch), high);
        }
    }
}

/// Four rows of four.
///
/// # Safety
/// As for [`Vector::transpose`].
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn transpose_f64(from: *const f64, stride: isize, to: *mut f64, pitch: usize) {
    // SAFETY: the caller's promise.
    let row = |i: isize| unsafe { _mm256_loadu_pd(from.offset(i * stride)) };
    let (a, b) = (_mm256_unpacklo_pd(row(0), row(1)), _mm256_unpackhi_pd(row(0), row(1)));
    let (c, d) = (_mm256_unpacklo_pd(row(2), row(3)), _mm256_unpackhi_pd(row(2), row(3)));
    let columns = [
        _mm256_permute2f128_pd::<0x20>(a, c),
        _mm256_permute2f128_pd::<0x20>(b, d),
        _mm256_permute2f128_pd::<0x31>(a, c),
        _mm256_permute2f128_pd::<0x31>(b, d),
    ];
    for (j, column) in columns.into_iter().enumerate() {
        // SAFETY: as above.
        unsafe { _mm256_storeu_pd(to.add(j * pitch), column) }
    }
}
