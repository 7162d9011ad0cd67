//! Copies between strided and row-major memory.

use smallvec::SmallVec;

use crate::memory::layout::Layout;
use crate::memory::view::View;
use crate::number::{Arithmetic, Number};
use crate::real::Lane;
use crate::run::divide::Divisible;
use crate::run::level::Kernel;

/// The first element.
///
/// # Panics
/// If there is no element.
pub fn first<T: Number>(source: View<'_, T>) -> T {
    assert!(source.layout().reach() > 0, "a first element");
    // SAFETY: it is there.
    unsafe { *source.start() }
}

/// Copies elements of `source` into row-major `out`.
pub fn gather<T: Number>(source: View<'_, T>, out: &mut [T]) {
    place(out, &source.layout().shape().row_major(), source);
}

/// Copies elements of `source` to those of `target`, which lie there, from its start on, with these strides.
pub fn place<T: Number>(target: &mut [T], target_strides: &[usize], source: View<'_, T>) {
    for_each_row(target_strides, source.layout(), |d, s, Axis { extent: inner, to, from }| {
        if to == 1 && from == 1 {
            // SAFETY: neighbours along an axis of the source, all of them its elements.
            let row = unsafe { std::slice::from_raw_parts(source.start().add(s), inner) };
            target[d..d + inner].copy_from_slice(row);
        } else if to == 1 && from == 0 {
            // SAFETY: the index is that of an element of the source.
            target[d..d + inner].fill(unsafe { *source.start().add(s) });
        } else {
            // SAFETY: as above.
            (0..inner).for_each(|j| target[d + j * to] = unsafe { *source.start().add(s + j * from) });
        }
    });
}

/// Row-major copies of the parts, one behind the other.
pub struct Joined<'a, T> {
    /// The parts that are copied.
    pub parts: &'a [View<'a, T>],
    /// The elements that are written: all parts.
    pub out: &'a mut [T],
}

impl<T: Arithmetic> Kernel<T> for Joined<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let mut rest = self.out;
        for &part in self.parts {
            let (place, others) = rest.split_at_mut(part.layout().shape().count());
            gather(part, place);
            rest = others;
        }
    }
}

impl<T: Arithmetic> Divisible for Joined<'_, T> {
    fn rows(&self) -> usize {
        self.parts.len()
    }

    fn numbers(&self) -> usize {
        2 * self.out.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (parts, others) = self.parts.split_at(rows);
        let (out, rest) = self.out.split_at_mut(parts.iter().map(|part| part.layout().shape().count()).sum());
        (Joined { parts, out }, Joined { parts: others, out: rest })
    }
}

/// Combines each element of `target`, which lie there, from its start on, with these strides, with
/// `source`'s.
pub fn update<T: Number>(
    target: &mut [T],
    target_strides: &[usize],
    source: View<'_, T>,
    combine: impl Fn(T, T) -> T,
) {
    for_each_row(target_strides, source.layout(), |d, s, Axis { extent: inner, to, from }| {
        if to == 1 && from == 1 {
            // SAFETY: neighbours along an axis of the source, all of them its elements.
            let row = unsafe { std::slice::from_raw_parts(source.start().add(s), inner) };
            target[d..d + inner].iter_mut().zip(row).for_each(|(t, &x)| *t = combine(*t, x));
        } else {
            (0..inner).for_each(|j| {
                let t = &mut target[d + j * to];
                // SAFETY: the index is that of an element of the source.
                *t = combine(*t, unsafe { *source.start().add(s + j * from) });
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

/// Calls `row` with the offsets of target and source at the start of every inner loop, and that loop's
/// axis. Neighbouring axes along which both go on without a jump are one.
#[inline]
fn for_each_row(to: &[usize], from: &Layout, mut row: impl FnMut(usize, usize, Axis)) {
    let (shape, from) = (from.shape(), from.strides());
    assert_eq!(to.len(), shape.len(), "a stride for each axis");
    if shape.contains(&0) {
        return;
    }
    let mut axes: SmallVec<[Axis; 4]> = SmallVec::new();
    for (&extent, (&to, &from)) in
        shape.iter().zip(to.iter().zip(from.iter())).filter(|(extent, _)| **extent != 1)
    {
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
            let layout = Layout::new(0, shape[..].into(), strides[..].into());
            gather(View::of(&source, &layout), &mut out);
            let at = |i: usize, axis: usize| i / shape[axis + 1..].iter().product::<usize>() % shape[axis];
            for (i, found) in out.iter().enumerate() {
                let from: usize = (0..3).map(|axis| at(i, axis) * strides[axis]).sum();
                assert_eq!(*found, from as i64, "element {i} of {shape:?}");
            }
        }
        let repeated = Layout::new(0, [24][..].into(), [0][..].into());
        update(&mut out, &[1], View::of(&source, &repeated), |_, b| b);
        assert_eq!(out, [0; 24]);
        let nothing = Layout::new(0, [0][..].into(), [1][..].into());
        update(&mut out, &[1], View::of(&[], &nothing), |_, _| 1);
    }
}
