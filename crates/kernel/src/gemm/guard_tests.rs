//! Products of all small extents, and of those around a block, whose operands end where a page begins that
//! must not be touched.

use super::sizes::{MR, kc};
use super::*;
use crate::guarded::{Guarded, SIDES, Side, at_lesser_levels};

/// One more than twice the rows and columns of the largest tile.
const MOST_GUARDED_ROWS: usize = 2 * MR + 1;
const MOST_COLUMNS: usize = 2 * 64 + 1;

/// Whole numbers, so small that sums of their products are exact in every order.
fn number(i: usize, j: usize) -> f64 {
    ((i * 7 + j * 3) % 5) as f64 - 2.0
}

/// Elements of a matrix in row-major order, or column-major.
fn matrix<T: From<f32>>(
    rows: usize,
    cols: usize,
    by_columns: bool,
    at: impl Fn(usize, usize) -> f64,
) -> Vec<T> {
    let (outer, inner) = if by_columns { (cols, rows) } else { (rows, cols) };
    let place = |n: usize| if by_columns { (n % inner, n / inner) } else { (n / inner, n % inner) };
    (0..outer * inner).map(|n| T::from(at(place(n).0, place(n).1) as f32)).collect()
}

fn strides(rows: usize, cols: usize, by_columns: bool) -> (usize, usize) {
    if by_columns { (1, rows.max(1)) } else { (cols.max(1), 1) }
}

fn lying<T>(data: &[T], rows: usize, cols: usize, by_columns: bool) -> MatRef<'_, T> {
    MatRef::of(data, 0, (rows, cols), strides(rows, cols, by_columns))
}

/// A product by each way there is, all operands at guard pages.
fn every_way<T: Gemm + From<f32> + Into<f64>>(
    (m, k, n): (usize, usize, usize),
    side: Side,
    b: [&Guarded<T>; 2],
    pack_of: &[Option<Guarded<T>>; 2],
    expected: &[f64],
) {
    let blank = Guarded::of(&vec![T::from(f32::NAN); m * n], side);
    let verify = |got: &[T], way: &str| {
        for (q, &got) in got.iter().enumerate() {
            let want = expected[q / n * MOST_COLUMNS + q % n];
            assert!(got.into() == want, "{way} of {m} x {k} x {n}: {} for {want}", got.into());
        }
    };
    for a_by_columns in [false, true] {
        let a = Guarded::of(&matrix::<T>(m, k, a_by_columns, number), side);
        let a = lying(&a, m, k, a_by_columns);
        for b_by_columns in [false, true] {
            let right = lying(b[usize::from(b_by_columns)], k, n, b_by_columns);
            let mut got = blank.clone();
            gemm(a, right, Start::Zero, MatMut::rows(&mut got, m, n));
            verify(&got, "gemm");
            let Some(pack) = &pack_of[usize::from(b_by_columns)] else { continue };
            let mut got = blank.clone();
            gemm_packed(a, pack, Start::Zero, MatMut::rows(&mut got, m, n));
            verify(&got, "gemm_packed");
            let mut got = blank.clone();
            gemm_like_packed(a, right, Start::Zero, MatMut::rows(&mut got, m, n));
            verify(&got, "gemm_like_packed");
        }
    }
}

fn small_products<T: Gemm + From<f32> + Into<f64>>() {
    let deep = kc::<T>();
    // Optimised, all; else every seventh, each extent among them.
    let thin = if cfg!(debug_assertions) { 7 } else { 1 };
    let mut turn = 0;
    for k in [0, 1, 2, 3, 4, 5, deep - 1, deep, deep + 1] {
        let sum = |i, j| (0..k).map(|p| number(i, p) * number(p, j)).sum();
        let expected: Vec<f64> =
            (0..MOST_GUARDED_ROWS * MOST_COLUMNS).map(|q| sum(q / MOST_COLUMNS, q % MOST_COLUMNS)).collect();
        for n in 0..=MOST_COLUMNS {
            let side = SIDES[n % 2];
            let b = [false, true].map(|by_columns| Guarded::of(&matrix::<T>(k, n, by_columns, number), side));
            let packs = [0, 1].map(|which| {
                let mut to = Guarded::of(&vec![T::from(f32::NAN); pack_len::<T>(k, n)?], side);
                pack(lying(&b[which], k, n, which == 1), &mut to);
                Some(to)
            });
            for m in 0..=MOST_GUARDED_ROWS {
                turn += 1;
                if turn % thin == 0 {
                    every_way((m, k, n), side, [&b[0], &b[1]], &packs, &expected);
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "it takes hours")]
fn small_products_stay_inside_their_operands() {
    small_products::<f32>();
    small_products::<f64>();
    at_lesser_levels("gemm::guard_tests::small_products_stay_inside_their_operands");
}
