//! Copies between strided and row-major memory.

use super::plan::Plan;
use crate::dims::Dims;
use crate::element::Element;

/// Elements of `source`, seen with `shape` and `strides`, into row-major `out`.
pub(crate) fn gather<T: Element>(source: &[T], shape: &Dims, strides: &Dims, out: &mut [T]) {
    let plan = Plan::new(shape, &[strides, &shape.row_major()]);
    let (from, to) = (&plan.operands[0], &plan.operands[1]);
    plan.for_each_row(|at| {
        let (s, d) = (at[0], at[1]);
        if from.step == 1 && to.step == 1 {
            out[d..d + plan.inner].copy_from_slice(&source[s..s + plan.inner]);
        } else if from.step == 0 && to.step == 1 {
            out[d..d + plan.inner].fill(source[s]);
        } else {
            (0..plan.inner).for_each(|j| out[d + j * to.step] = source[s + j * from.step]);
        }
    });
}

/// Combines each element of `target`, seen with `shape` and `strides` from its start on, with `source`'s.
pub(crate) fn update<T: Element>(
    target: &mut [T],
    target_strides: &[usize],
    source: &[T],
    source_strides: &[usize],
    shape: &[usize],
    combine: impl Fn(T, T) -> T,
) {
    let plan = Plan::new(shape, &[target_strides, source_strides]);
    let (to, from) = (&plan.operands[0], &plan.operands[1]);
    plan.for_each_row(|at| {
        let (d, s) = (at[0], at[1]);
        if to.step == 1 && from.step == 1 {
            let pairs = target[d..d + plan.inner].iter_mut().zip(&source[s..s + plan.inner]);
            pairs.for_each(|(t, &x)| *t = combine(*t, x));
        } else {
            (0..plan.inner).for_each(|j| {
                let t = &mut target[d + j * to.step];
                *t = combine(*t, source[s + j * from.step]);
            });
        }
    });
}
