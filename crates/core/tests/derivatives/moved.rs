//! The operations that put elements elsewhere: views and their likes, parts and what is joined of them, and
//! what goes by index.

use ndarray::{Axis, Dimension};
use wengert_check::Draw;
use wengert_core::{Tensor, cat, stack};

use crate::check::V;
use crate::draw::Domain::NonZero;
use crate::draw::More;
use crate::trial::{A, Line, Trial, fill, flat, inserted, line, many, one, removed, with};

/// A shape of the same number of elements: axes merged, or put in.
fn reshaped(draw: &mut Draw, shape: &[usize]) -> Vec<usize> {
    let mut to = shape.to_vec();
    for _ in 0..draw.below(3) {
        let axis = draw.below(to.len().max(1));
        match draw.below(3) {
            0 if to.len() > 1 && axis + 1 < to.len() => to[axis] *= to.remove(axis + 1),
            1 if to.get(axis).is_some_and(|n| n % 2 == 0) => {
                to[axis] /= 2;
                to.insert(axis, 2);
            }
            _ => to.insert(axis, 1),
        }
    }
    to
}

/// The elements in order, whatever the shape.
fn reshaping(draw: &mut Draw, operation: fn(&V, &[usize]) -> V) -> Trial {
    let shape = draw.shape(0..=4);
    let to = reshaped(draw, &shape);
    let naive = {
        let to = to.clone();
        move |x: &[A]| A::from_shape_vec(to.clone(), flat(&x[0])).unwrap()
    };
    one(vec![draw.tensor(&shape, NonZero)], move |v| operation(v[0], &to), naive)
}

fn permutation(draw: &mut Draw, rank: usize) -> (Vec<isize>, Vec<usize>) {
    let mut left: Vec<usize> = (0..rank).collect();
    let axes: Vec<usize> = (0..rank).map(|_| left.remove(draw.below(left.len()))).collect();
    let named = axes.iter().map(|&a| if draw.coin() { a as isize - rank as isize } else { a as isize });
    (named.collect(), axes)
}

/// A non-empty split of `extent`, parts of 0 among them now and then.
fn parts(draw: &mut Draw, extent: usize) -> Vec<usize> {
    let mut left = extent;
    let mut parts = Vec::new();
    while left > 0 {
        let part = draw.below(left + 1);
        parts.push(if parts.len() > 3 { left } else { part });
        left -= parts[parts.len() - 1];
    }
    if parts.is_empty() { vec![0] } else { parts }
}

fn cut(x: &A, axis: usize, extents: &[usize]) -> Vec<A> {
    let starts = extents.iter().scan(0, |start, n| Some(std::mem::replace(start, *start + n)));
    let part = |(start, &n): (usize, &usize)| {
        let mut shape = x.shape().to_vec();
        shape[axis] = n;
        fill(&shape, |at| x[&with(at, axis, start + at[axis])[..]])
    };
    starts.zip(extents).map(part).collect()
}

fn index_of(index: &Tensor<i64>, at: &[usize]) -> usize {
    index.at(at) as usize
}

/// These operations: how one is applied at random, and the loop it is compared with.
pub fn operations() -> Vec<Line> {
    vec![
        line("select", |draw| {
            let shape = draw.full_shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let index = draw.below(shape[axis]);
            let naive =
                move |x: &[A]| fill(&removed(x[0].shape(), axis), |at| x[0][&inserted(at, axis, index)[..]]);
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].select(dim, index), naive)
        }),
        line("narrow", |draw| {
            let shape = draw.shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let start = draw.below(shape[axis] + 1);
            let length = draw.below(shape[axis] - start + 1);
            let naive = move |x: &[A]| {
                fill(&with(x[0].shape(), axis, length), |at| x[0][&with(at, axis, start + at[axis])[..]])
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].narrow(dim, start, length), naive)
        }),
        line("two overlapping parts", |draw| {
            let shape = draw.full_shape(1..=3);
            let (dim, axis) = draw.axis(shape.len());
            let n = shape[axis];
            let naive = move |x: &[A]| {
                let from = |at: &[usize], start| x[0][&with(at, axis, start + at[axis])[..]];
                fill(&with(x[0].shape(), axis, n - 1), |at| from(at, 0) * from(at, 1))
            };
            let function = move |v: &[&V]| v[0].narrow(dim, 0, n - 1) * v[0].narrow(dim, 1, n - 1);
            one(vec![draw.tensor(&shape, NonZero)], function, naive)
        }),
        line("slice", |draw| {
            let shape = draw.shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let (start, end, step) = (draw.below(4), draw.below(6), 1 + draw.below(3));
            let naive = move |x: &[A]| {
                let end = end.min(x[0].shape()[axis]);
                let places: Vec<usize> = (start..end).step_by(step).collect();
                fill(
                    &with(x[0].shape(), axis, places.len()),
                    |at| x[0][&with(at, axis, places[at[axis]])[..]],
                )
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].slice(dim, start, end, step), naive)
        }),
        line("i", |draw| {
            let shape = draw.full_shape(2..=4);
            // Of the first axis a range from the end, of the last one an index: what is between stays.
            let (from, index) = (draw.below(shape[0] + 1), draw.below(*shape.last().unwrap()));
            let [back, last] = [(from, shape[0]), (index, *shape.last().unwrap())].map(|(place, extent)| {
                if draw.coin() { place as isize - extent as isize } else { place as isize }
            });
            let function = move |v: &[&V]| match v[0].rank() {
                2 => v[0].i((back.min(0).., last)),
                3 => v[0].i((back.min(0).., .., last)),
                _ => v[0].i((back.min(0).., .., .., last)),
            };
            let start = if back < 0 { from } else { 0 };
            let naive = move |x: &[A]| {
                let rank = x[0].ndim();
                let kept = with(&removed(x[0].shape(), rank - 1), 0, x[0].shape()[0] - start);
                fill(&kept, |at| x[0][&inserted(&with(at, 0, start + at[0]), rank - 1, index)[..]])
            };
            one(vec![draw.tensor(&shape, NonZero)], function, naive)
        }),
        line("transpose", |draw| {
            let shape = draw.shape(1..=4);
            let ((dim0, a), (dim1, b)) = (draw.axis(shape.len()), draw.axis(shape.len()));
            let naive = move |x: &[A]| {
                let swapped = |at: &[usize]| with(&with(at, a, at[b]), b, at[a]);
                fill(&swapped(x[0].shape()), |at| x[0][&swapped(at)[..]])
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].transpose(dim0, dim1), naive)
        }),
        line("t", |draw| {
            let shape = draw.shape(0..=4);
            let naive = |x: &[A]| {
                let swapped = |at: &[usize]| {
                    let mut at = at.to_vec();
                    at[x[0].ndim().saturating_sub(2)..].reverse();
                    at
                };
                fill(&swapped(x[0].shape()), |at| x[0][&swapped(at)[..]])
            };
            one(vec![draw.tensor(&shape, NonZero)], |v| v[0].t(), naive)
        }),
        line("permute", |draw| {
            let shape = draw.shape(0..=4);
            let (dims, axes) = permutation(draw, shape.len());
            let naive = move |x: &[A]| {
                let shape: Vec<usize> = axes.iter().map(|&a| x[0].shape()[a]).collect();
                fill(&shape, |at| {
                    let mut from = at.to_vec();
                    axes.iter().zip(at).for_each(|(&a, &i)| from[a] = i);
                    x[0][&from[..]]
                })
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].permute(&dims), naive)
        }),
        line("reshape", |draw| reshaping(draw, |x, to| x.reshape(to))),
        line("view", |draw| reshaping(draw, |x, to| x.view(to))),
        line("flatten", |draw| {
            let shape = draw.shape(1..=4);
            let start = draw.below(shape.len());
            let end = start + draw.below(shape.len() - start);
            let whole = shape[start..=end].iter().product();
            let to = [&shape[..start], &[whole], &shape[end + 1..]].concat();
            let naive = move |x: &[A]| A::from_shape_vec(to.clone(), flat(&x[0])).unwrap();
            let x = draw.tensor(&shape, NonZero);
            one(vec![x], move |v| v[0].flatten(start as isize, end as isize), naive)
        }),
        line("expand", |draw| {
            let to = draw.shape(0..=4);
            let from = draw.broadcasts_to(&to);
            let naive = {
                let to = to.clone();
                move |x: &[A]| x[0].broadcast(to.clone()).unwrap().to_owned()
            };
            one(vec![draw.tensor(&from, NonZero)], move |v| v[0].expand(&to), naive)
        }),
        line("squeeze", |draw| {
            let mut shape = draw.shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            if draw.coin() {
                shape[axis] = 1;
            }
            let naive = move |x: &[A]| match x[0].shape()[axis] {
                1 => x[0].index_axis(Axis(axis), 0).to_owned(),
                _ => x[0].clone(),
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].squeeze(dim), naive)
        }),
        line("unsqueeze", |draw| {
            let shape = draw.shape(0..=4);
            let (dim, axis) = draw.axis(shape.len() + 1);
            let naive = move |x: &[A]| x[0].clone().insert_axis(Axis(axis));
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].unsqueeze(dim), naive)
        }),
        line("contiguous", |draw| {
            let shape = draw.shape(0..=4);
            one(vec![draw.tensor(&shape, NonZero)], |v| v[0].contiguous(), |x| x[0].clone())
        }),
        line("cat", |draw| {
            let shape = draw.shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let count = draw.positive_extent();
            let extents: Vec<usize> = (0..count).map(|_| draw.extent()).collect();
            let inputs = extents.iter().map(|&n| draw.tensor(&with(&shape, axis, n), NonZero)).collect();
            let naive = move |x: &[A]| {
                let places: Vec<(usize, usize)> =
                    extents.iter().enumerate().flat_map(|(k, &n)| (0..n).map(move |i| (k, i))).collect();
                fill(&with(&shape, axis, places.len()), |at| {
                    let (k, i) = places[at[axis]];
                    x[k][&with(at, axis, i)[..]]
                })
            };
            one(inputs, move |v| cat(v, dim), naive)
        }),
        line("stack", |draw| {
            let shape = draw.shape(0..=3);
            let (dim, axis) = draw.axis(shape.len() + 1);
            let inputs = (0..draw.positive_extent()).map(|_| draw.tensor(&shape, NonZero)).collect();
            let naive = move |x: &[A]| {
                fill(&inserted(&shape, axis, x.len()), |at| x[at[axis]][&removed(at, axis)[..]])
            };
            one(inputs, move |v| stack(v, dim), naive)
        }),
        line("split", |draw| {
            let shape = draw.shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let extents = parts(draw, shape[axis]);
            let naive = {
                let extents = extents.clone();
                move |x: &[A]| cut(&x[0], axis, &extents)
            };
            many(vec![draw.tensor(&shape, NonZero)], move |v| v[0].split(&extents, dim), naive)
        }),
        line("chunk", |draw| {
            let shape = draw.full_shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let chunks = draw.positive_extent();
            let naive = move |x: &[A]| {
                let n = x[0].shape()[axis];
                let size = n.div_ceil(chunks);
                let extents: Vec<usize> = (0..n).step_by(size).map(|start| size.min(n - start)).collect();
                cut(&x[0], axis, &extents)
            };
            many(vec![draw.tensor(&shape, NonZero)], move |v| v[0].chunk(chunks, dim), naive)
        }),
        line("parts", |draw| {
            let mut shape = draw.full_shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let extent = shape[axis];
            shape[axis] *= 3;
            let naive = move |x: &[A]| cut(&x[0], axis, &[extent; 3]);
            many(vec![draw.tensor(&shape, NonZero)], move |v| v[0].parts::<3>(dim).to_vec(), naive)
        }),
        line("unbind", |draw| {
            let shape = draw.shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let naive = move |x: &[A]| x[0].axis_iter(Axis(axis)).map(|part| part.to_owned()).collect();
            many(vec![draw.tensor(&shape, NonZero)], move |v| v[0].unbind(dim), naive)
        }),
        line("index_select", |draw| {
            let shape = draw.full_shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let count = draw.extent();
            let index = draw.indices(&[count], shape[axis]);
            let naive = {
                let index = index.clone();
                move |x: &[A]| {
                    let from = |at: &[usize]| with(at, axis, index_of(&index, &[at[axis]]));
                    fill(&with(x[0].shape(), axis, index.numel()), |at| x[0][&from(at)[..]])
                }
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].index_select(dim, &index), naive)
        }),
        line("embedding", |draw| {
            let shape = [draw.positive_extent(), draw.extent()];
            let index_shape = draw.shape(0..=3);
            let index = draw.indices(&index_shape, shape[0]);
            let naive = {
                let index = index.clone();
                move |x: &[A]| {
                    let rank = index.rank();
                    let out: Vec<usize> = index.shape().iter().copied().chain([x[0].shape()[1]]).collect();
                    fill(&out, |at| x[0][[index_of(&index, &at[..rank]), at[rank]]])
                }
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].embedding(&index), naive)
        }),
        line("gather", |draw| {
            let shape = draw.full_shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let mut index_shape: Vec<usize> =
                shape.iter().map(|&n| if draw.coin() { n } else { draw.below(n + 1) }).collect();
            index_shape[axis] = draw.extent();
            let index = draw.indices(&index_shape, shape[axis]);
            let naive = {
                let index = index.clone();
                move |x: &[A]| fill(index.shape(), |at| x[0][&with(at, axis, index_of(&index, at))[..]])
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].gather(dim, &index), naive)
        }),
        line("scatter_add", |draw| {
            let shape = draw.full_shape(1..=4);
            let (dim, axis) = draw.axis(shape.len());
            let mut index_shape: Vec<usize> =
                shape.iter().map(|&n| if draw.coin() { n } else { draw.below(n + 1) }).collect();
            index_shape[axis] = draw.extent();
            let source_shape: Vec<usize> = index_shape.iter().map(|&n| n + draw.below(2)).collect();
            let index = draw.indices(&index_shape, shape[axis]);
            let naive = {
                let index = index.clone();
                move |x: &[A]| {
                    let mut out = x[0].clone();
                    fill(index.shape(), |_| 0.0).indexed_iter().for_each(|(at, _)| {
                        let at = at.as_array_view().to_vec();
                        out[&with(&at, axis, index_of(&index, &at))[..]] += x[1][&at[..]];
                    });
                    out
                }
            };
            let inputs = vec![draw.tensor(&shape, NonZero), draw.tensor(&source_shape, NonZero)];
            one(inputs, move |v| v[0].scatter_add(dim, &index, v[1]), naive)
        }),
    ]
}
