//! Arithmetic, sums and extremes of whole numbers: what [`Calculated`](super::numeric::Calculated) asks for.
//! What is beyond an `i64` wraps round, as in PyTorch, and does in every profile.

use crate::base::dims::{axes_of, axis_of, product};
use crate::base::error::expect;
use crate::tensor::Tensor;

type Whole = Tensor<i64>;

macro_rules! pairs {
    ($($operation:literal $pair:ident $number:ident $function:path;)*) => {$(
        #[track_caller]
        pub(super) fn $pair(a: &Whole, b: &Whole) -> Whole {
            expect(a.zipped($operation, b, $function))
        }

        #[track_caller]
        pub(super) fn $number(a: &Whole, b: i64) -> Whole {
            a.map(|a| $function(a, b))
        }
    )*};
}

pairs! {
    "Add" add add_number i64::wrapping_add;
    "Sub" sub sub_number i64::wrapping_sub;
    "Mul" mul mul_number i64::wrapping_mul;
    "Maximum" maximum at_least Ord::max;
    "Minimum" minimum at_most Ord::min;
}

#[track_caller]
pub(super) fn neg(x: &Whole) -> Whole {
    x.map(i64::wrapping_neg)
}

#[track_caller]
pub(super) fn abs(x: &Whole) -> Whole {
    x.map(i64::wrapping_abs)
}

#[track_caller]
pub(super) fn clamp(x: &Whole, min: i64, max: i64) -> Whole {
    at_most(&at_least(x, min), max)
}

fn sum_of(row: &[i64]) -> i64 {
    row.iter().fold(0, |sum, &x| sum.wrapping_add(x))
}

fn product_of(row: &[i64]) -> i64 {
    row.iter().fold(1, |product, &x| product.wrapping_mul(x))
}

#[track_caller]
pub(super) fn sum(x: &Whole) -> Whole {
    sum_dim(x, &[])
}

#[track_caller]
pub(super) fn sum_dim(x: &Whole, dims: &[isize]) -> Whole {
    x.by_rows("sum", dims, false, sum_of)
}

#[track_caller]
pub(super) fn sum_keepdim(x: &Whole, dims: &[isize]) -> Whole {
    x.by_rows("sum", dims, true, sum_of)
}

#[track_caller]
pub(super) fn prod(x: &Whole) -> Whole {
    x.by_rows("prod", &[], false, product_of)
}

#[track_caller]
pub(super) fn prod_dim(x: &Whole, dim: isize) -> Whole {
    x.by_rows("prod", &[dim], false, product_of)
}

#[track_caller]
pub(super) fn prod_keepdim(x: &Whole, dim: isize) -> Whole {
    x.by_rows("prod", &[dim], true, product_of)
}

macro_rules! extremes {
    ($better:path: $whole:ident $over:ident $keepdim:ident) => {
        #[track_caller]
        pub(super) fn $whole(x: &Whole) -> Whole {
            extreme(x, &[], false, $better)
        }

        #[track_caller]
        pub(super) fn $over(x: &Whole, dims: &[isize]) -> Whole {
            extreme(x, dims, false, $better)
        }

        #[track_caller]
        pub(super) fn $keepdim(x: &Whole, dims: &[isize]) -> Whole {
            extreme(x, dims, true, $better)
        }
    };
}

extremes!(Ord::max: max amax amax_keepdim);
extremes!(Ord::min: min amin amin_keepdim);

#[track_caller]
fn extreme(x: &Whole, dims: &[isize], keepdim: bool, better: fn(i64, i64) -> i64) -> Whole {
    let axes = expect(axes_of("amax, amin", dims, x.rank()));
    let others = (0..x.rank()).filter(|axis| !axes.contains(axis)).map(|axis| x.shape()[axis]);
    let (empty, rows) = (axes.iter().any(|&axis| x.shape()[axis] == 0), others.product::<usize>());
    assert!(!empty || rows == 0, "max, min: expected an axis with elements, got shape {:?}", x.shape());
    x.by_rows("amax, amin", dims, keepdim, |row| row.iter().copied().reduce(better).unwrap_or(0))
}

#[track_caller]
pub(super) fn cumsum(x: &Whole, dim: isize) -> Whole {
    running(x, expect(axis_of("cumsum", dim, x.rank())), i64::wrapping_add)
}

#[track_caller]
pub(super) fn cumprod(x: &Whole, dim: isize) -> Whole {
    running(x, expect(axis_of("cumprod", dim, x.rank())), i64::wrapping_mul)
}

#[track_caller]
fn running(x: &Whole, axis: usize, with: fn(i64, i64) -> i64) -> Whole {
    let (extent, inner) = (x.shape()[axis], product(&x.shape()[axis + 1..]));
    let mut out = x.copy();
    let elements = out.fresh_mut();
    let behind = (0..elements.len()).filter(|i| i / inner % extent > 0);
    behind.for_each(|i| elements[i] = with(elements[i - inner], elements[i]));
    out
}
