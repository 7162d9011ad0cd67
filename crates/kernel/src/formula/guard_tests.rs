//! Formulas over operands of which each ends where a page begins that must not be touched: behind its last
//! element, or behind the whole vectors that a buffer has room for.

use super::tests::{MulAdd, lying};
use super::*;
use crate::guarded::{Guarded, SIDES, Side, at_lesser_levels};
use crate::memory::dims::Dims;
use crate::memory::layout::Layout;
use crate::memory::view::{Target, View};

/// Numbers from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 40) as usize % end
    }
}

/// An operand of a shape: how its elements lie, and memory up to a guard page.
struct Operand {
    layout: Layout,
    memory: Guarded<f32>,
}

/// The memory of so many elements, with room for whole vectors or without; whole numbers, whose products
/// are exact.
fn memory(len: usize, room: bool, side: Side) -> Guarded<f32> {
    let len = if room { len.next_multiple_of(TAIL) } else { len };
    Guarded::of(&(0..len).map(|i| (i * 7 % 11) as f32 - 5.0).collect::<Vec<_>>(), side)
}

impl Operand {
    /// Axes in any order, some broadcast, some with gaps; in order for a result.
    fn draw(draw: &mut Draw, shape: &[usize], is_result: bool) -> Self {
        let mut axes: Vec<usize> = (0..shape.len()).collect();
        if !is_result {
            (1..axes.len()).for_each(|i| axes.swap(i, draw.below(i + 1)));
        }
        let (mut strides, mut step) = (vec![0; shape.len()], 1);
        for &axis in axes.iter().rev() {
            if !is_result && draw.below(4) == 0 {
                continue;
            }
            strides[axis] = step;
            // Between a result's elements there may be others, but not along its rows.
            let in_row = is_result && shape[axis] == 1;
            let gap = if draw.below(3) == 0 && !in_row { draw.below(3) } else { 0 };
            step *= shape[axis] + if is_result && axis == 0 { 0 } else { gap };
        }
        let last: usize = shape.iter().zip(&strides).map(|(n, stride)| n.saturating_sub(1) * stride).sum();
        let len = if shape.contains(&0) { 0 } else { last + 1 };
        let side = SIDES[draw.below(2)];
        Operand { layout: lying(shape, &strides), memory: memory(len, draw.below(2) == 0, side) }
    }

    fn at(&self, index: &[usize]) -> f32 {
        self.memory
            [index.iter().zip(self.layout.strides().iter()).map(|(i, stride)| i * stride).sum::<usize>()]
    }
}

/// The indices of a shape in row-major order.
fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + '_ {
    (0..shape.iter().product()).map(|mut number| {
        let mut index = vec![0; shape.len()];
        for axis in (0..shape.len()).rev() {
            (index[axis], number) = (number % shape[axis], number / shape[axis]);
        }
        index
    })
}

fn strided(draw: &mut Draw) {
    let extents = [0, 1, 1, 2, 3, 5, 15, 16, 17, 33, 65];
    let rank = draw.below(4);
    let mut shape: Vec<usize> = (0..rank).map(|_| extents[draw.below(extents.len() - 4)]).collect();
    if let Some(last) = shape.last_mut() {
        *last = extents[draw.below(extents.len())];
    }
    let [a, b, c] = [0; 3].map(|_| Operand::draw(draw, &shape, false));
    let mut out = Operand::draw(draw, &shape, true);
    let target = Some(Target::of(&mut out.memory, &out.layout));
    let operands = [&a, &b, &c].map(|operand| View::of(&operand.memory, &operand.layout));
    Job::planned(&Dims::from(&shape[..]), operands, [], [target], |job| job.forward(&MulAdd));
    for index in indices(&shape) {
        let expected = a.at(&index) * b.at(&index) + c.at(&index);
        assert_eq!(out.at(&index), expected, "{index:?} of {shape:?}");
    }
}

fn in_order(len: usize) {
    for (case, side) in (0..32).zip(SIDES.iter().cycle()) {
        let room = |operand: usize| case >> operand & 1 == 1;
        let layout = lying(&[len], &[1]);
        let [a, b, g] = [1, 2, 3].map(|operand| memory(len, room(operand), *side));
        let mut out = memory(len, room(4), *side);
        tests::in_order(len, &layout, [&a[..], &b, &a], [], [Some(&mut out[..])]).forward(&MulAdd);
        let mut back = [1, 2, 4].map(|operand| memory(len, room(operand), *side));
        let [x, y, z] = &mut back;
        let results = [Some(&mut x[..]), Some(&mut y[..]), Some(&mut z[..])];
        tests::in_order(len, &layout, [&a[..], &b, &a], [&g[..]], results).backward(&MulAdd);
        for i in 0..len {
            assert_eq!(out[i], a[i] * b[i] + a[i], "element {i} of {len}");
            assert_eq!([x[i], y[i], z[i]], [g[i] * b[i], g[i] * a[i], g[i]], "element {i} of {len}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "it takes hours")]
fn formulas_stay_inside_their_operands() {
    (0..200).chain([511, 512, 513, 1023, 1024, 1025]).for_each(in_order);
    let mut draw = Draw(1);
    (0..10_000).for_each(|_| strided(&mut draw));
    at_lesser_levels("formula::guard_tests::formulas_stay_inside_their_operands");
}
