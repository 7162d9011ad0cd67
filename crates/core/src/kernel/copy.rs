//! Copies between strided and row-major memory.

use smallvec::SmallVec;

use super::divide::Divisible;
use super::level::Kernel;
use crate::dims::Dims;
use crate::element::{Element, Float};
use crate::real::Lane;

/// Elements of `source`, seen with `shape` and `strides`, into row-major `out`.
pub(crate) fn gather<T: Element>(source: &[T], shape: &Dims, strides: &Dims, out: &mut [T]) {
    place(out, &shape.row_major(), source, strides, shape);
}

/// Elements of `source` to those of `target`, both seen with `shape` and strides from their start on.
pub(crate) fn place<T: Element>(
    target: &mut [T],
    target_strides: &[usize],
    source: &[T],
    source_strides: &[usize],
    shape: &[usize],
) {
    for_each_row(shape, target_strides, source_strides, |d, s, Axis { extent: inner, to, from }| {
        if to == 1 && from == 1 {
            target[d..d + inner].copy_from_slice(&source[s..s + inner]);
        } else if to == 1 && from == 0 {
            target[d..d + inner].fill(source[s]);
        } else {
            (0..inner).for_each(|j| target[d + j * to] = source[s + j * from]);
        }
    });
}

/// Elements in memory, seen with a shape and strides.
pub(crate) struct Strided<'a, T> {
    pub(crate) memory: &'a [T],
    pub(crate) shape: &'a Dims,
    pub(crate) strides: &'a Dims,
}

/// Row-major copies of the parts, one behind the other.
pub(crate) struct Joined<'a, T> {
    pub(crate) parts: &'a [Strided<'a, T>],
    pub(crate) out: &'a mut [T],
}

impl<T: Float> Kernel<T> for Joined<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let mut rest = self.out;
        for &Strided { memory, shape, strides } in self.parts {
            let (place, others) = rest.split_at_mut(shape.count());
            gather(memory, shape, strides, place);
            rest = others;
        }
    }
}

impl<T: Float> Divisible for Joined<'_, T> {
    fn rows(&self) -> usize {
        self.parts.len()
    }

    fn numbers(&self) -> usize {
        2 * self.out.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (parts, others) = self.parts.split_at(rows);
        let (out, rest) = self.out.split_at_mut(parts.iter().map(|part| part.shape.count()).sum());
        (Joined { parts, out }, Joined { parts: others, out: rest })
    }
}

/// Combines each element of `target`, seen with `shape` and strides from its start on, with `source`'s.
pub(crate) fn update<T: Element>(
    target: &mut [T],
    target_strides: &[usize],
    source: &[T],
    source_strides: &[usize],
    shape: &[usize],
    combine: impl Fn(T, T) -> T,
) {
    for_each_row(shape, target_strides, source_strides, |d, s, Axis { extent: inner, to, from }| {
        if to == 1 && from == 1 {
            let pairs = target[d..d + inner].iter_mut().zip(&source[s..s + inner]);
            pairs.for_each(|(t, &x)| *t = combine(*t, x));
        } else {
            (0..inner).for_each(|j| {
                let t = &mut target[d + j * to];
                *t = combine(*t, source[s + j * from]);
            });
        }
    });
}

/// An axis along which both sides move.
#[derive(Clone, Copy)]
struct Axis {
    extent: usize,
    to: usize,
    from: usize,
}

/// Calls `row` with the offsets of target and source at the start of every inner loop, and that loop's axis. Neighbouring axes along which
/// both go on without a jump are one.
#[inline]
fn for_each_row(shape: &[usize], to: &[usize], from: &[usize], mut row: impl FnMut(usize, usize, Axis)) {
    if shape.contains(&0) {
        return;
    }
    let mut axes: SmallVec<[Axis; 4]> = SmallVec::new();
    for (&extent, (&to, &from)) in shape.iter().zip(to.iter().zip(from)).filter(|(extent, _)| **extent != 1) {
        match axes.last_mut().filter(|last| last.to == to * extent && last.from == from * extent) {
            Some(last) => *last = Axis { extent: last.extent * extent, to, from },
            None => axes.push(Axis { extent, to, from }),
        }
    }
    let inner = axes.pop().unwrap_or(Axis { extent: 1, to: 1, from: 1 });
    match axes[..] {
        [] => row(0, 0, inner),
        [outer] => (0..outer.extent).for_each(|i| row(i * outer.to, i * outer.from, inner)),
        _ => {
            let rows = axes.iter().map(|axis| axis.extent).product();
            for mut number in 0..rows {
                let (mut d, mut s) = (0, 0);
                for axis in axes.iter().rev() {
                    d += number % axis.extent * axis.to;
                    s += number % axis.extent * axis.from;
                    number /= axis.extent;
                }
                row(d, s, inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_layouts_are_gathered() {
        let source: Vec<i64> = (0..24).collect();
        let mut out = [0; 24];
        for (shape, strides) in [([2, 3, 4], [12, 4, 1]), ([4, 3, 2], [1, 4, 12]), ([3, 2, 4], [4, 12, 1])] {
            gather(&source, &Dims::from(&shape[..]), &Dims::from(&strides[..]), &mut out);
            let at = |i: usize, axis: usize| i / shape[axis + 1..].iter().product::<usize>() % shape[axis];
            for (i, found) in out.iter().enumerate() {
                let from: usize = (0..3).map(|axis| at(i, axis) * strides[axis]).sum();
                assert_eq!(*found, from as i64, "element {i} of {shape:?}");
            }
        }
        update(&mut out, &[1], &source, &[0], &[24], |_, b| b);
        assert_eq!(out, [0; 24]);
        update(&mut out, &[1], &[], &[1], &[0], |_, _| 1);
    }
}
