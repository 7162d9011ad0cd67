//! The operations that run along an axis, take statistics over axes, order elements or put them elsewhere.

use wengert_core::{Tensor, Variable};

use crate::check::V;
use crate::draw::Domain::{Distinct, NonZero};
use crate::draw::{More, for_all};
use crate::lines;
use crate::structured::{mean, product, total};
use crate::trial::{A, Line, Trial, derivatives_hold, fill, line, one, over, removed, values_hold, with};
use wengert_check::Draw;

/// What each line along `axis` becomes, given as a function of the lines at the same place of all
/// arguments.
fn along(axis: usize, f: impl Fn(&[Vec<f64>]) -> Vec<f64> + 'static) -> impl Fn(&[A]) -> A {
    move |x| {
        let row = |x: &A, at: &[usize]| (0..x.shape()[axis]).map(|i| x[&with(at, axis, i)[..]]).collect();
        fill(x[0].shape(), |at| f(&x.iter().map(|x| row(x, at)).collect::<Vec<_>>())[at[axis]])
    }
}

/// An operation of one argument along an axis.
fn along_an_axis(
    draw: &mut Draw,
    function: fn(&V, isize) -> V,
    naive: impl Fn(&[Vec<f64>]) -> Vec<f64> + 'static,
) -> Trial {
    let shape = draw.shape(1..=3);
    let (dim, axis) = draw.axis(shape.len());
    one(vec![draw.tensor(&shape, NonZero)], move |v| function(v[0], dim), along(axis, naive))
}

fn running(row: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::new();
    row.iter().for_each(|&x| out.push(out.last().map_or(x, |&last| f(last, x))));
    out
}

/// An operation over axes: the function gets the axes by name and whether they stay.
fn over_axes(
    draw: &mut Draw,
    shape: Vec<usize>,
    function: impl Fn(&V, &[isize], bool) -> V + 'static,
    naive: impl Fn(&[f64]) -> f64 + 'static,
) -> Trial {
    let (dims, axes) = draw.axes(shape.len());
    let keepdim = draw.coin();
    // No two of one size either.
    let x = draw.tensor::<f64>(&shape, Distinct).map(|x| x + 0.03);
    one(vec![x], move |v| function(v[0], &dims, keepdim), move |x| over(&x[0], &axes, keepdim, &naive))
}

fn variance(x: &[f64], correction: usize) -> f64 {
    let squares: Vec<f64> = x.iter().map(|v| (v - mean(x)).powi(2)).collect();
    total(&squares) / (x.len() - correction) as f64
}

/// A norm over axes that have elements.
fn norm(draw: &mut Draw, p: f64, naive: fn(f64, &[f64]) -> f64) -> Trial {
    let shape = draw.full_shape(0..=3);
    over_axes(
        draw,
        shape,
        move |x, dims, keep| if keep { x.norm_keepdim(p, dims) } else { x.norm(p, dims) },
        move |x| naive(p, x),
    )
}

fn p_norm(p: f64, x: &[f64]) -> f64 {
    x.iter().map(|x| x.abs().powf(p)).sum::<f64>().powf(1.0 / p)
}

/// Elements in order along an axis, the first `k` of them.
fn ordered(
    draw: &mut Draw,
    function: impl Fn(&V, usize, isize, bool) -> V + 'static,
    descending: bool,
) -> Trial {
    let shape = draw.shape(1..=3);
    let (dim, axis) = draw.axis(shape.len());
    let k = draw.below(shape[axis] + 1);
    let naive = move |x: &[A]| {
        let mut cut = x[0].shape().to_vec();
        cut[axis] = k;
        fill(&cut, |at| {
            let mut row: Vec<f64> = (0..x[0].shape()[axis]).map(|i| x[0][&with(at, axis, i)[..]]).collect();
            row.sort_by(f64::total_cmp);
            if descending {
                row.reverse();
            }
            row[at[axis]]
        })
    };
    one(vec![draw.tensor(&shape, Distinct)], move |v| function(v[0], k, dim, descending), naive)
}

/// A matrix, or a batch of them, of which some diagonals stay.
fn triangle(draw: &mut Draw, function: fn(&V, isize) -> V, stays: fn(isize, isize) -> bool) -> Trial {
    let shape = draw.shape(2..=3);
    let diagonal = draw.below(7) as isize - 3;
    let naive = move |x: &[A]| {
        fill(x[0].shape(), |at| {
            let (row, column) = (at[at.len() - 2] as isize, at[at.len() - 1] as isize);
            if stays(column - row, diagonal) { x[0][at] } else { 0.0 }
        })
    };
    one(vec![draw.tensor(&shape, NonZero)], move |v| function(v[0], diagonal), naive)
}

pub fn operations() -> Vec<Line> {
    vec![
        line("cumsum", |draw| along_an_axis(draw, |x, dim| x.cumsum(dim), |x| running(&x[0], |a, b| a + b))),
        line("cumprod", |draw| {
            along_an_axis(draw, |x, dim| x.cumprod(dim), |x| running(&x[0], |a, b| a * b))
        }),
        line("cumprod with zeros", |draw| {
            let shape = draw.shape(1..=2);
            let (dim, axis) = draw.axis(shape.len());
            let zeros = draw.tensor::<f64>(&shape, NonZero).map(|x| if x > 1.0 { 0.0 } else { x });
            one(vec![zeros], move |v| v[0].cumprod(dim), along(axis, |x| running(&x[0], |a, b| a * b)))
        }),
        line("linear_scan", |draw| {
            let shape = draw.shape(1..=3);
            let (dim, axis) = draw.axis(shape.len());
            let naive = |x: &[Vec<f64>]| {
                let mut last = 0.0;
                let step = |(a, b): (&f64, &f64)| {
                    last = a * last + b;
                    last
                };
                x[0].iter().zip(&x[1]).map(step).collect()
            };
            let inputs = vec![draw.tensor(&shape, NonZero), draw.tensor(&shape, NonZero)];
            one(inputs, move |v| v[0].linear_scan(v[1], dim), along(axis, naive))
        }),
        line("prod_dim", |draw| {
            let shape = draw.shape(1..=3);
            let ((dim, axis), keepdim) = (draw.axis(shape.len()), draw.coin());
            let zeros = draw.tensor::<f64>(&shape, NonZero).map(|x| if x > 2.0 { 0.0 } else { x });
            let naive = move |x: &[A]| over(&x[0], &[axis], keepdim, |row| row.iter().product());
            one(
                vec![zeros],
                move |v| if keepdim { v[0].prod_keepdim(dim) } else { v[0].prod_dim(dim) },
                naive,
            )
        }),
        line("prod", |draw| {
            let shape = draw.shape(0..=2);
            let axes: Vec<usize> = (0..shape.len()).collect();
            let naive = move |x: &[A]| over(&x[0], &axes, false, |all| all.iter().product());
            one(vec![draw.tensor(&shape, NonZero)], |v| v[0].prod(), naive)
        }),
        line("var_dim", |draw| {
            let (shape, correction) = (draw.full_shape(1..=3).iter().map(|n| n + 1).collect(), draw.below(2));
            let function = move |x: &V, dims: &[isize], keep| {
                if keep { x.var_keepdim(dims, correction) } else { x.var_dim(dims, correction) }
            };
            over_axes(draw, shape, function, move |x| variance(x, correction))
        }),
        line("std_dim", |draw| {
            let (shape, correction) = (draw.full_shape(1..=3).iter().map(|n| n + 1).collect(), draw.below(2));
            let function = move |x: &V, dims: &[isize], keep| {
                if keep { x.std_keepdim(dims, correction) } else { x.std_dim(dims, correction) }
            };
            over_axes(draw, shape, function, move |x| variance(x, correction).sqrt())
        }),
        line("norm 0", |draw| norm(draw, 0.0, |_, x| x.iter().filter(|x| **x != 0.0).count() as f64)),
        line("norm 2", |draw| norm(draw, 2.0, p_norm)),
        line("norm 1", |draw| norm(draw, 1.0, p_norm)),
        line("norm 3.5", |draw| norm(draw, 3.5, p_norm)),
        line("norm 1.5", |draw| norm(draw, 1.5, p_norm)),
        line("norm inf", |draw| norm(draw, f64::INFINITY, |_, x| x.iter().fold(0.0, |m, x| x.abs().max(m)))),
        line("norm -inf", |draw| {
            norm(draw, f64::NEG_INFINITY, |_, x| x.iter().fold(f64::MAX, |m, x| x.abs().min(m)))
        }),
        line("sort", |draw| ordered(draw, |x, k, dim, _| x.sort(dim).0.narrow(dim, 0, k), false)),
        line("sort descending", |draw| {
            ordered(draw, |x, k, dim, _| x.sort_descending(dim).0.narrow(dim, 0, k), true)
        }),
        line("topk", |draw| ordered(draw, |x, k, dim, _| x.topk(k, dim).0, true)),
        line("flip", |draw| {
            let shape = draw.shape(1..=3);
            let (dims, axes) = draw.axes(shape.len());
            let flipped = if dims.is_empty() { vec![] } else { axes };
            let naive = move |x: &[A]| {
                let from = |at: &[usize]| -> Vec<usize> {
                    let extent = |axis: usize| x[0].shape()[axis];
                    let place = |(axis, &i): (usize, &usize)| {
                        if flipped.contains(&axis) { extent(axis) - 1 - i } else { i }
                    };
                    at.iter().enumerate().map(place).collect()
                };
                fill(x[0].shape(), |at| x[0][&from(at)[..]])
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].flip(&dims), naive)
        }),
        line("roll", |draw| {
            let shape = draw.shape(1..=3);
            let ((dim, axis), shift) = (draw.axis(shape.len()), draw.below(11) as isize - 5);
            let rolled = move |x: &[Vec<f64>]| {
                let n = x[0].len() as isize;
                (0..n).map(|i| x[0][(i - shift).rem_euclid(n) as usize]).collect()
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].roll(&[shift], &[dim]), along(axis, rolled))
        }),
        line("roll of the flattened", |draw| {
            let shape = draw.shape(0..=2);
            let naive = |x: &[A]| {
                let all: Vec<f64> = x[0].iter().copied().collect();
                let rolled = (0..all.len()).map(|i| all[(i + all.len() - 1) % all.len()]).collect();
                A::from_shape_vec(x[0].shape().to_vec(), rolled).unwrap()
            };
            one(vec![draw.tensor(&shape, NonZero)], |v| v[0].roll(&[1], &[]), naive)
        }),
        line("tril", |draw| {
            triangle(draw, |x, diagonal| x.tril(diagonal), |above, diagonal| above <= diagonal)
        }),
        line("triu", |draw| {
            triangle(draw, |x, diagonal| x.triu(diagonal), |above, diagonal| above >= diagonal)
        }),
        line("repeat", |draw| {
            let shape = draw.shape(0..=2);
            let repeats: Vec<usize> = (0..shape.len() + draw.below(2)).map(|_| draw.below(3)).collect();
            let more = repeats.len() - shape.len();
            let all: Vec<usize> = (0..repeats.len())
                .map(|a| repeats[a] * a.checked_sub(more).map_or(1, |a| shape[a]))
                .collect();
            let naive = move |x: &[A]| {
                fill(&all, |at| {
                    let from: Vec<usize> = at[more..].iter().zip(x[0].shape()).map(|(i, n)| i % n).collect();
                    x[0][&from[..]]
                })
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].repeat(&repeats), naive)
        }),
        line("pad", |draw| {
            let shape = draw.full_shape(1..=3);
            let axes = draw.below(shape.len() + 1);
            let pad: Vec<isize> = (0..2 * axes).map(|_| draw.below(4) as isize - 1).collect();
            let pad: Vec<isize> = pad
                .chunks(2)
                .enumerate()
                .flat_map(|(i, sides)| {
                    // No more than there is.
                    let extent = shape[shape.len() - 1 - i] as isize;
                    [sides[0], if extent + sides[0] + sides[1] < 0 { 0 } else { sides[1] }]
                })
                .collect();
            let sides = move |axis: usize, rank: usize| {
                let i = 2 * (rank - 1 - axis);
                (pad.get(i).copied().unwrap_or(0), pad.get(i + 1).copied().unwrap_or(0))
            };
            let given = sides.clone();
            let naive = move |x: &[A]| {
                let rank = x[0].ndim();
                let to: Vec<usize> = (0..rank)
                    .map(|axis| {
                        (x[0].shape()[axis] as isize + sides(axis, rank).0 + sides(axis, rank).1) as usize
                    })
                    .collect();
                fill(&to, |at| {
                    let from: Vec<isize> =
                        (0..rank).map(|axis| at[axis] as isize - sides(axis, rank).0).collect();
                    let inside = from.iter().zip(x[0].shape()).all(|(&i, &n)| i >= 0 && i < n as isize);
                    if inside {
                        x[0][&from.iter().map(|&i| i as usize).collect::<Vec<_>>()[..]]
                    } else {
                        -0.5
                    }
                })
            };
            let rank = shape.len();
            let pad: Vec<isize> = (0..axes)
                .flat_map(|i| {
                    let (a, b) = given(rank - 1 - i, rank);
                    [a, b]
                })
                .collect();
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].pad(&pad, -0.5), naive)
        }),
        line("dot", |draw| {
            let n = draw.extent();
            let inputs = vec![draw.tensor(&[n], NonZero), draw.tensor(&[n], NonZero)];
            one(inputs, |v| v[0].dot(v[1]), |x| product(&x[0], &x[1]))
        }),
        line("outer", |draw| {
            let inputs =
                vec![draw.extent(), draw.extent()].into_iter().map(|n| draw.tensor(&[n], NonZero)).collect();
            let naive = |x: &[A]| fill(&[x[0].len(), x[1].len()], |at| x[0][[at[0]]] * x[1][[at[1]]]);
            one(inputs, |v| v[0].outer(v[1]), naive)
        }),
        line("bilinear", |draw| {
            let (leading, [i, j, o]) = (draw.shape(0..=2), [0; 3].map(|_| draw.extent()));
            let shapes =
                [[&leading[..], &[i]].concat(), [&leading[..], &[j]].concat(), vec![o, i, j], vec![o]];
            let biased = draw.coin();
            let shapes = if biased { &shapes[..] } else { &shapes[..3] };
            let inputs = shapes.iter().map(|shape| draw.tensor(shape, NonZero)).collect();
            let naive = move |x: &[A]| {
                fill(&[&leading[..], &[o]].concat(), |at| {
                    let (rest, o) = (removed(at, at.len() - 1), at[at.len() - 1]);
                    let element = |x: &A, k: usize| x[&[&rest[..], &[k]].concat()[..]];
                    let terms = (0..i).flat_map(|a| (0..j).map(move |b| (a, b)));
                    let sum: f64 =
                        terms.map(|(a, b)| element(&x[0], a) * x[2][[o, a, b]] * element(&x[1], b)).sum();
                    sum + x.get(3).map_or(0.0, |bias| bias[[o]])
                })
            };
            one(inputs, |v| v[0].bilinear(v[1], v[2], v.get(3).copied()), naive)
        }),
    ]
}

#[test]
fn values_are_those_of_a_loop() {
    for (name, trial) in lines() {
        for_all(name, 256, |draw| values_hold(&trial(draw)));
    }
}

#[test]
fn first_and_second_derivatives_are_those_of_differences() {
    for (name, trial) in lines() {
        for_all(name, 128, |draw| {
            let trial = trial(draw);
            derivatives_hold(&trial, draw)
        });
    }
}

#[test]
fn order_is_stable_and_nan_is_the_largest() {
    let x: V = Variable::from(Tensor::from([2.0, f64::NAN, 1.0, 2.0, -f64::INFINITY]));
    assert_eq!(x.sort(0).1.to_vec(), [4, 2, 0, 3, 1]);
    assert_eq!(x.sort_descending(0).1.to_vec(), [1, 0, 3, 2, 4]);
    assert_eq!(x.topk(2, 0).1.to_vec(), [1, 0]);
    assert_eq!(Tensor::from([[1i64, 3], [2, 2]]).argsort_descending(-1).unwrap().to_vec(), [1, 0, 0, 1]);
}
