//! The operations that make each element of several: products, reductions, functions of rows; and dropout.

use ndarray::Axis;
use wengert_check::Draw;
use wengert_core::{Tensor, manual_seed};

use crate::check::V;
use crate::draw::Domain::{Distinct, NonZero};
use crate::draw::{More, for_all};
use crate::trial::{
    A, Line, Trial, derivatives_hold, fill, flat, inserted, line, one, over, values_hold, with,
};

pub fn total(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |sum, x| sum + x)
}

pub fn largest(x: &[f64]) -> f64 {
    x.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn smallest(x: &[f64]) -> f64 {
    x.iter().copied().fold(f64::INFINITY, f64::min)
}

pub fn mean(x: &[f64]) -> f64 {
    total(x) / x.len() as f64
}

fn log_sum_exp(x: &[f64]) -> f64 {
    x.iter().map(|x| x.exp()).sum::<f64>().ln()
}

pub fn product(a: &A, b: &A) -> A {
    let left = if a.ndim() == 1 { a.clone().insert_axis(Axis(0)) } else { a.clone() };
    let right = if b.ndim() == 1 { b.clone().insert_axis(Axis(1)) } else { b.clone() };
    let (l, r) = (left.ndim() - 2, right.ndim() - 2);
    let rank = l.max(r);
    let extent =
        |x: &A, own: usize, axis: usize| if axis + own < rank { 1 } else { x.shape()[axis + own - rank] };
    let stretched = |axis| match (extent(&left, l, axis), extent(&right, r, axis)) {
        (1, n) | (n, _) => n,
    };
    let batch: Vec<usize> = (0..rank).map(stretched).collect();
    let (m, k, n) = (left.shape()[l], left.shape()[l + 1], right.shape()[r + 1]);
    let shape: Vec<usize> = batch.iter().copied().chain([m, n]).collect();
    let place = |x: &A, own: usize, at: &[usize], last: [usize; 2]| -> Vec<usize> {
        let batch = (0..own).map(|axis| if x.shape()[axis] == 1 { 0 } else { at[axis + rank - own] });
        batch.chain(last).collect()
    };
    let mut out = fill(&shape, |at| {
        let term = |p| {
            left[&place(&left, l, at, [at[rank], p])[..]]
                * right[&place(&right, r, at, [p, at[rank + 1]])[..]]
        };
        total(&(0..k).map(term).collect::<Vec<_>>())
    });
    if b.ndim() == 1 {
        out = out.index_axis_move(Axis(rank + 1), 0);
    }
    if a.ndim() == 1 {
        out = out.index_axis_move(Axis(rank), 0);
    }
    out
}

/// Operands of these ranks that fit a matrix product.
fn factors(draw: &mut Draw, ranks: (usize, usize)) -> Vec<Tensor<f64>> {
    let (m, k, n) = (draw.extent(), draw.extent(), draw.extent());
    let batch = draw.shape_of_rank(ranks.0.max(ranks.1).saturating_sub(2));
    let mut shape = |rank: usize, vector: usize, matrix: [usize; 2]| match rank {
        1 => vec![vector],
        _ => {
            let own = &batch[batch.len() - (rank - 2)..];
            let own: Vec<usize> = own.iter().map(|&n| if draw.below(3) == 2 { 1 } else { n }).collect();
            own.into_iter().chain(matrix).collect()
        }
    };
    let (a, b) = (shape(ranks.0, k, [m, k]), shape(ranks.1, k, [k, n]));
    vec![draw.tensor(&a, NonZero), draw.tensor(&b, NonZero)]
}

fn linear(draw: &mut Draw, bias: fn(&mut Draw, &[usize]) -> Option<Vec<usize>>) -> Trial {
    let mut shape = draw.shape(1..=4);
    let (inner, outer) = (shape[shape.len() - 1], draw.extent());
    let mut inputs = vec![draw.tensor(&shape, NonZero), draw.tensor(&[outer, inner], NonZero)];
    *shape.last_mut().unwrap() = outer;
    inputs.extend(bias(draw, &shape).map(|shape| draw.tensor(&shape, NonZero)));
    let naive = |x: &[A]| {
        let out = product(&x[0], &x[1].t().to_owned());
        if let [_, _, bias] = x { &out + bias } else { out }
    };
    one(inputs, |v| v[0].linear(v[1], v.get(2).copied()), naive)
}

fn reduction(
    draw: &mut Draw,
    operation: fn(&V, &[isize], bool) -> V,
    naive: fn(&[f64]) -> f64,
    empty: bool,
) -> Trial {
    let shape = if empty { draw.shape(0..=4) } else { draw.full_shape(0..=4) };
    let (dims, axes) = draw.axes(shape.len());
    let keepdim = draw.coin();
    one(
        vec![draw.tensor(&shape, if empty { NonZero } else { Distinct })],
        move |v| operation(v[0], &dims, keepdim),
        move |x| over(&x[0], &axes, keepdim, naive),
    )
}

fn whole(draw: &mut Draw, operation: fn(&V) -> V, naive: fn(&[f64]) -> f64) -> Trial {
    let shape = draw.full_shape(0..=4);
    let x = draw.tensor(&shape, Distinct);
    one(vec![x], move |v| operation(v[0]), move |x| fill(&[], |_| naive(&flat(&x[0]))))
}

/// An operation along one axis that leaves one number of it.
fn along(draw: &mut Draw, operation: fn(&V, isize, bool) -> V, naive: fn(&[f64]) -> f64) -> Trial {
    let shape = draw.full_shape(1..=4);
    let (dim, axis) = draw.axis(shape.len());
    let keepdim = draw.coin();
    one(
        vec![draw.tensor(&shape, Distinct)],
        move |v| operation(v[0], dim, keepdim),
        move |x| over(&x[0], &[axis], keepdim, naive),
    )
}

/// An operation along one axis that keeps it; the loop is given the numbers along the axis and the place.
fn rowwise(draw: &mut Draw, operation: fn(&V, isize) -> V, naive: fn(&[f64], usize) -> f64) -> Trial {
    let shape = draw.shape(1..=4);
    let (dim, axis) = draw.axis(shape.len());
    let naive = move |x: &[A]| {
        let row =
            |at: &[usize]| (0..x[0].shape()[axis]).map(|i| x[0][&with(at, axis, i)[..]]).collect::<Vec<_>>();
        fill(x[0].shape(), |at| naive(&row(at), at[axis]))
    };
    one(vec![draw.tensor(&shape, NonZero)], move |v| operation(v[0], dim), naive)
}

/// A class for each row, now and then none.
fn cross_entropy(draw: &mut Draw) -> Trial {
    let leading = draw.shape(0..=3);
    let classes = draw.positive_extent();
    let shape: Vec<usize> = leading.iter().copied().chain([classes]).collect();
    let targets = draw.indices(&leading, classes + 1).map(|class| class - 1);
    let naive = {
        let targets = targets.clone();
        move |x: &[A]| {
            fill(targets.shape(), |at| {
                let of = |class: usize| x[0][&inserted(at, at.len(), class)[..]];
                let row: Vec<f64> = (0..classes).map(of).collect();
                usize::try_from(targets.at(at)).map_or(0.0, |class| log_sum_exp(&row) - row[class])
            })
        }
    };
    one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].cross_entropy(&targets, -1).unwrap(), naive)
}

fn layer_norm(draw: &mut Draw, affine: usize) -> Trial {
    let shape = draw.full_shape(1..=4);
    let axes = 1 + draw.below(shape.len());
    let width = shape[shape.len() - axes..].to_vec();
    let mut inputs = vec![draw.tensor(&shape, NonZero)];
    inputs.extend((0..affine).map(|_| draw.tensor(&width, NonZero)));
    let normalized = width.clone();
    let naive = move |x: &[A]| {
        let lead = x[0].ndim() - width.len();
        let taken: Vec<usize> = (lead..x[0].ndim()).collect();
        let mean = over(&x[0], &taken, true, mean);
        let centred = &x[0] - &mean;
        let variance = over(&centred.mapv(|c| c * c), &taken, true, self::mean);
        let normal = &centred / &variance.mapv(|v| (v + 0.1).sqrt());
        let scaled = x.get(1).map_or(normal.clone(), |weight| &normal * weight);
        x.get(2).map_or(scaled.clone(), |bias| &scaled + bias)
    };
    let function = move |v: &[&V]| v[0].layer_norm(&normalized, v.get(1).copied(), v.get(2).copied(), 0.1);
    one(inputs, function, naive)
}

/// These operations: how one is applied at random, and the loop it is compared with.
pub fn operations() -> Vec<Line> {
    vec![
        line("matmul", |draw| {
            let ranks = (1 + draw.below(4), 1 + draw.below(4));
            one(factors(draw, ranks), |v| v[0].matmul(v[1]), |x| product(&x[0], &x[1]))
        }),
        line("matmul with itself", |draw| {
            let n = draw.extent();
            one(vec![draw.tensor(&[n, n], NonZero)], |v| v[0].matmul(v[0]), |x| product(&x[0], &x[0]))
        }),
        line("linear", |draw| linear(draw, |_, _| None)),
        line("linear with a vector", |draw| linear(draw, |_, shape| Some(vec![shape[shape.len() - 1]]))),
        line("linear with a full bias", |draw| linear(draw, |_, shape| Some(shape.to_vec()))),
        line("linear with any bias", |draw| linear(draw, |draw, shape| Some(draw.broadcasts_to(shape)))),
        line("sum", |draw| whole(draw, V::sum, total)),
        line("sum_dim", |draw| {
            reduction(
                draw,
                |x, dims, keep| if keep { x.sum_keepdim(dims) } else { x.sum_dim(dims) },
                total,
                true,
            )
        }),
        line("sum_to", |draw| {
            let shape = draw.shape(0..=4);
            let to = draw.broadcasts_to(&shape);
            let (function, lead) = (to.clone(), shape.len() - to.len());
            let naive = move |x: &[A]| {
                let axes: Vec<usize> = (0..x[0].ndim()).filter(|&a| a < lead || to[a - lead] == 1).collect();
                let sum = over(&x[0], &axes, true, total);
                sum.into_shape_with_order(to.clone()).unwrap()
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].sum_to(&function), naive)
        }),
        line("mean", |draw| whole(draw, V::mean, mean)),
        line("mean_dim", |draw| {
            reduction(
                draw,
                |x, dims, keep| if keep { x.mean_keepdim(dims) } else { x.mean_dim(dims) },
                mean,
                false,
            )
        }),
        line("max", |draw| whole(draw, V::max, largest)),
        line("min", |draw| whole(draw, V::min, smallest)),
        line("amax", |draw| {
            reduction(
                draw,
                |x, dims, keep| if keep { x.amax_keepdim(dims) } else { x.amax(dims) },
                largest,
                false,
            )
        }),
        line("amin", |draw| {
            reduction(
                draw,
                |x, dims, keep| if keep { x.amin_keepdim(dims) } else { x.amin(dims) },
                smallest,
                false,
            )
        }),
        line("max_dim", |draw| {
            along(draw, |x, dim, keep| if keep { x.max_keepdim(dim).0 } else { x.max_dim(dim).0 }, largest)
        }),
        line("min_dim", |draw| {
            along(draw, |x, dim, keep| if keep { x.min_keepdim(dim).0 } else { x.min_dim(dim).0 }, smallest)
        }),
        line("logsumexp", |draw| {
            along(
                draw,
                |x, dim, keep| if keep { x.logsumexp_keepdim(dim) } else { x.logsumexp(dim) },
                log_sum_exp,
            )
        }),
        line("softmax", |draw| rowwise(draw, V::softmax, |row, i| (row[i] - log_sum_exp(row)).exp())),
        line("log_softmax", |draw| rowwise(draw, V::log_softmax, |row, i| row[i] - log_sum_exp(row))),
        line("softmin", |draw| {
            rowwise(draw, V::softmin, |row, i| {
                let turned: Vec<f64> = row.iter().map(|x| -x).collect();
                (turned[i] - log_sum_exp(&turned)).exp()
            })
        }),
        line("glu", |draw| {
            let mut shape = draw.shape(1..=3);
            let (dim, axis) = draw.axis(shape.len());
            let half = shape[axis];
            shape[axis] = 2 * half;
            let naive = move |x: &[A]| {
                let mut halved = x[0].shape().to_vec();
                halved[axis] = half;
                fill(&halved, |at| x[0][at] / (1.0 + (-x[0][&with(at, axis, at[axis] + half)[..]]).exp()))
            };
            one(vec![draw.tensor(&shape, NonZero)], move |v| v[0].glu(dim), naive)
        }),
        line("prelu", |draw| {
            let shape = draw.shape(1..=4);
            let axis = 1.min(shape.len() - 1);
            let slopes = [if draw.coin() { 1 } else { shape[axis] }];
            let naive = move |x: &[A]| {
                let slope = |at: &[usize]| x[1][[if slopes[0] == 1 { 0 } else { at[axis] }]];
                fill(x[0].shape(), |at| if x[0][at] > 0.0 { x[0][at] } else { x[0][at] * slope(at) })
            };
            let inputs = vec![draw.tensor(&shape, NonZero), draw.tensor(&slopes, NonZero)];
            one(inputs, |v| v[0].prelu(v[1]), naive)
        }),
        line("cross_entropy", cross_entropy),
        line("layer_norm", |draw| layer_norm(draw, 0)),
        line("layer_norm with weight", |draw| layer_norm(draw, 1)),
        line("layer_norm with weight and bias", |draw| layer_norm(draw, 2)),
        line("dropout", |draw| {
            let (shape, seed) = (draw.shape(0..=4), draw.seed());
            let kept = move |v: &V| {
                manual_seed(seed);
                v.dropout(0.4).unwrap()
            };
            // Which are dropped is seen from the outside; what is made of the others is not taken from it.
            let mask =
                kept(&V::from(Tensor::ones(&shape))).value().map(|x| if x == 0.0 { 0.0 } else { 1.0 / 0.6 });
            let naive = move |x: &[A]| &x[0] * &mask.as_ndarray();
            one(vec![draw.tensor(&shape, NonZero)], move |v| kept(v[0]), naive)
        }),
    ]
}

#[test]
fn products_of_all_ranks_have_values_and_derivatives_of_a_loop() {
    for ranks in (1..=4).flat_map(|a| (1..=4).map(move |b| (a, b))) {
        for_all(&format!("ranks {ranks:?}"), 48, |draw| {
            let trial = one(factors(draw, ranks), |v| v[0].matmul(v[1]), |x| product(&x[0], &x[1]));
            values_hold(&trial)?;
            derivatives_hold(&trial, draw)
        });
    }
}

#[test]
fn a_product_over_nothing_is_zero() {
    let empty = |shape: &[usize]| V::new(Tensor::zeros(shape)).requires_grad_(true);
    for (a, b, out) in [
        (vec![0], vec![0], vec![]),
        (vec![2, 0], vec![0, 3], vec![2, 3]),
        (vec![4, 2, 0], vec![0], vec![4, 2]),
    ] {
        let (a, b) = (empty(&a), empty(&b));
        let y = a.matmul(&b);
        assert_eq!((y.shape(), y.to_vec().iter().all(|&y| y == 0.0)), (&out[..], true));
        y.sum().backward().unwrap();
        assert_eq!((a.grad().unwrap().shape(), b.grad().unwrap().shape()), (a.shape(), b.shape()));
    }
    let (x, w, bias) = (empty(&[2, 0]), empty(&[3, 0]), V::new(Tensor::ones([3])));
    assert_eq!(x.linear(&w, Some(&bias)).to_vec(), [1.0; 6]);
}

#[test]
fn the_places_of_extremes_are_the_first_ones() {
    for_all("max_dim, min_dim, argmax, argmin", 256, |draw| {
        let shape = draw.full_shape(1..=4);
        let (dim, axis) = draw.axis(shape.len());
        // Few different numbers, so that there are ties.
        let x = V::from(draw.tensor::<f64>(&shape, NonZero).map(f64::round));
        let keepdim = draw.coin();
        let array = x.value().as_ndarray().to_owned();
        let place = |of: fn(&[f64]) -> f64| {
            over(&array, &[axis], keepdim, |row| row.iter().position(|&v| v == of(row)).unwrap() as f64)
        };
        let (max, min) = (
            if keepdim { x.max_keepdim(dim).1 } else { x.max_dim(dim).1 },
            if keepdim { x.min_keepdim(dim).1 } else { x.min_dim(dim).1 },
        );
        let same = |found: &Tensor<i64>, expected: A| found.cast::<f64>().as_ndarray() == expected.view();
        let places = x.argmax(dim).to_vec() == max.to_vec() && x.argmin(dim).to_vec() == min.to_vec();
        let all = same(&max, place(largest)) && same(&min, place(smallest)) && places;
        if all { Ok(()) } else { Err(format!("{max} {min}")) }
    });
}
