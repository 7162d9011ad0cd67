//! Arithmetic, sums and choices of whole numbers and masks: as ndarray and loops over places do them, and
//! wrapping round as in PyTorch.

use ndarray::{ArrayD, Axis};
use proptest::collection::vec;
use proptest::prelude::*;
use wengert_core::{Tensor, Variable};

use crate::{config, counted, shapes};

/// Small numbers of both signs, with equals among them.
fn small(shape: &[usize], seed: i64) -> Tensor<i64> {
    counted(shape).map(|i| (i * 7 + seed).rem_euclid(11) - 5)
}

fn is_array(x: &Tensor<i64>, array: &ArrayD<i64>) -> bool {
    x.shape() == array.shape() && x.to_vec() == array.iter().copied().collect::<Vec<_>>()
}

/// The shape with some extents 1, and some leading axes away.
fn broadcastable(shape: &[usize], singles: u8, from: usize) -> Vec<usize> {
    let extent = |(axis, &n): (usize, &usize)| if singles >> axis & 1 == 1 { 1 } else { n };
    shape.iter().enumerate().map(extent).skip(from % (shape.len() + 1)).collect()
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn operators_are_those_of_ndarray(
        shape in shapes(),
        singles in any::<u8>(),
        from in 0usize..5,
        c in -9i64..9,
    ) {
        let x = small(&shape, c);
        let y = small(&broadcastable(&shape, singles, from), 3);
        let [a, b] = [&x, &y].map(|t| t.as_ndarray().to_owned());
        let turned = x.t();
        for (x, a) in [(&x, &a), (&turned, &turned.copy().as_ndarray().to_owned())] {
            prop_assert!(is_array(&(x + c), &(a + c)) && is_array(&(c - x), &(c - a)));
            prop_assert!(is_array(&(x * c), &(a * c)) && is_array(&(c * x - c + x), &(c * a - c + a)));
            prop_assert!(is_array(&-x, &-a) && is_array(&x.abs(), &a.mapv(i64::abs)));
        }
        prop_assert!(is_array(&(&x + &y), &(&a + &b)) && is_array(&(&x - &y), &(&a - &b)));
        prop_assert!(is_array(&(&x * y.clone()), &(&a * &b)));
        let larger = |a: &ArrayD<i64>, b: &ArrayD<i64>| {
            let b = b.broadcast(a.raw_dim()).unwrap();
            ndarray::Zip::from(a).and_broadcast(b).map_collect(|&a, &b| a.max(b))
        };
        prop_assert!(is_array(&x.maximum(&y), &larger(&a, &b)));
        prop_assert!(is_array(&-(-&x).minimum(&-&y), &larger(&a, &b)));
        let mut assigned = x.clone();
        assigned += &y;
        assigned *= 3;
        assigned -= y.clone();
        prop_assert!(is_array(&assigned, &((&a + &b) * 3 - &b)));
    }

    #[test]
    fn reductions_are_those_of_ndarray(shape in shapes(), seed in 0i64..11, p in 0usize..4) {
        let x = small(&shape, seed);
        prop_assert_eq!(x.sum(), Tensor::scalar(x.to_vec().iter().sum::<i64>()));
        prop_assert_eq!(x.prod(), Tensor::scalar(x.to_vec().iter().product::<i64>()));
        if x.numel() == 0 {
            return Ok(());
        }
        let extremes = (x.max().item().unwrap(), x.min().item().unwrap());
        prop_assert_eq!(extremes, (*x.to_vec().iter().max().unwrap(), *x.to_vec().iter().min().unwrap()));
        if shape.is_empty() {
            return Ok(());
        }
        let axis = p % shape.len();
        let (dim, from_end) = (axis as isize, axis as isize - shape.len() as isize);
        let a = x.as_ndarray().to_owned();
        let over = |f: fn(&[i64]) -> i64| a.map_axis(Axis(axis), |row| f(&row.to_vec()));
        let sums = over(|row| row.iter().sum());
        prop_assert!(is_array(&x.sum_dim(&[from_end]), &sums));
        prop_assert!(is_array(&x.sum_keepdim(&[dim]), &sums.insert_axis(Axis(axis))));
        let products = over(|row| row.iter().product());
        prop_assert!(is_array(&x.prod_dim(dim), &products));
        prop_assert!(is_array(&x.prod_keepdim(dim), &products.insert_axis(Axis(axis))));
        let [best, worst] = [over(|row| *row.iter().max().unwrap()), over(|row| *row.iter().min().unwrap())];
        prop_assert!(is_array(&x.amax(&[dim]), &best) && is_array(&x.max_dim(dim).0, &best));
        prop_assert!(is_array(&x.amin(&[dim]), &worst) && is_array(&x.min_dim(dim).0, &worst));
        prop_assert!(is_array(&x.amax_keepdim(&[dim]), &best.insert_axis(Axis(axis))));
        prop_assert!(is_array(&x.amin_keepdim(&[dim]), &worst.insert_axis(Axis(axis))));
        prop_assert_eq!(x.sum_dim(&[]), x.sum_dim(&(0..shape.len() as isize).collect::<Vec<_>>()));
        let mut sums = a.clone();
        sums.accumulate_axis_inplace(Axis(axis), |&before, now| *now += before);
        prop_assert!(is_array(&x.cumsum(dim), &sums));
        let mut products = a;
        products.accumulate_axis_inplace(Axis(axis), |&before, now| *now *= before);
        prop_assert!(is_array(&x.cumprod(dim), &products));
    }

    #[test]
    fn choices_are_those_of_floats(shape in shapes(), seed in 0i64..11, p in 0usize..4, k in 0usize..4) {
        let x = small(&shape, seed);
        let float = Variable::new(x.cast::<f64>());
        let mask = x.gt(1);
        let (other, others) = (Tensor::scalar(-9i64), Variable::new(Tensor::scalar(-9.0f64)));
        prop_assert_eq!(x.where_(&mask, &other).cast::<f64>(), float.where_(&mask, &others).value());
        prop_assert_eq!(x.masked_fill(&mask, 7).cast::<f64>(), float.masked_fill(&mask, 7.0).value());
        if shape.len() > 1 {
            prop_assert_eq!(x.tril(k as isize - 2).cast::<f64>(), float.tril(k as isize - 2).value());
            prop_assert_eq!(x.triu(k as isize - 2).cast::<f64>(), float.triu(k as isize - 2).value());
        }
        if shape.is_empty() || shape.contains(&0) {
            return Ok(());
        }
        let axis = p % shape.len();
        let (dim, extent) = (axis as isize, shape[axis]);
        let as_float = |(values, places): (Tensor<i64>, Tensor<i64>)| (values.cast::<f64>(), places);
        let value = |(values, places): (Variable<f64>, Tensor<i64>)| (values.value(), places);
        prop_assert_eq!(as_float(x.sort(dim)), value(float.sort(dim)));
        prop_assert_eq!(as_float(x.sort_descending(dim)), value(float.sort_descending(dim)));
        let k = k.min(extent);
        prop_assert_eq!(as_float(x.topk(k, dim)), value(float.topk(k, dim)));
        prop_assert_eq!(as_float(x.max_keepdim(dim)), value(float.max_keepdim(dim)));
        prop_assert_eq!((x.argmax(dim), x.argmin(dim)), (float.argmax(dim), float.argmin(dim)));
    }

    #[test]
    fn parts_are_those_of_variables(shape in shapes(), p in 0usize..4, first in 0usize..5) {
        if shape.is_empty() {
            return Ok(());
        }
        let x = counted(&shape).t();
        let float = Variable::new(x.cast::<f64>());
        let (axis, values) = (p % shape.len(), |parts: Vec<Variable<f64>>| -> Vec<Tensor<f64>> {
            parts.iter().map(Variable::value).collect()
        });
        let (dim, extent) = (axis as isize, x.shape()[axis]);
        let floats = |parts: Vec<Tensor<i64>>| -> Vec<Tensor<f64>> {
            assert!(parts.iter().all(|part| part.shares_storage(&x)));
            parts.iter().map(|part| part.cast()).collect()
        };
        let extents = [first.min(extent), extent - first.min(extent)];
        prop_assert_eq!(floats(x.split(&extents, dim).unwrap()), values(float.split(&extents, dim)));
        prop_assert_eq!(floats(x.chunk(first + 1, dim).unwrap()), values(float.chunk(first + 1, dim)));
        prop_assert_eq!(floats(x.unbind(dim).unwrap()), values(float.unbind(dim)));
        prop_assert_eq!(x.flatten(dim, -1).unwrap().cast::<f64>(), float.flatten(dim, -1).value());
        if extent.is_multiple_of(2) {
            let [a, b] = x.parts(dim).unwrap();
            prop_assert_eq!(floats(vec![a, b]), values(float.parts::<2>(dim).to_vec()));
        }
    }

    #[test]
    fn gathered_indices_are_gathered_floats(shape in vec(1usize..4, 1..4), p in 0usize..3, seed in 0i64..11) {
        let x = small(&shape, seed);
        let dim = (p % shape.len()) as isize;
        let index = counted(&shape).map(|i| (i * 5 + seed) % shape[p % shape.len()] as i64);
        let float = Variable::new(x.cast::<f64>());
        prop_assert_eq!(x.gather(dim, &index).cast::<f64>(), float.gather(dim, &index).value());
    }
}

/// What torch 2.15 prints.
#[test]
fn what_is_too_large_wraps_round_as_in_pytorch() {
    const HALF: i64 = 1 << 62;
    let x = Tensor::from([i64::MAX, i64::MIN]);
    assert_eq!((&x + 1).to_vec(), [i64::MIN, i64::MIN + 1]);
    assert_eq!((&x - 1).to_vec(), [i64::MAX - 1, i64::MAX]);
    assert_eq!((&x * 2).to_vec(), [-2, 0]);
    assert_eq!(((-&x).to_vec(), x.abs().to_vec()), (vec![-i64::MAX, i64::MIN], vec![i64::MAX, i64::MIN]));
    assert_eq!((x.sum().item().unwrap(), x.prod().item().unwrap()), (-1, i64::MIN));
    assert_eq!(Tensor::from([HALF; 3]).cumsum(0).to_vec(), [HALF, i64::MIN, -HALF]);
}

#[test]
fn nothing_sums_to_0_multiplies_to_1_and_has_no_largest() {
    let empty = Tensor::<i64>::zeros([2, 0]);
    assert_eq!((empty.sum().item().unwrap(), empty.prod().item().unwrap()), (0, 1));
    assert_eq!((empty.sum_dim(&[1]).to_vec(), empty.prod_dim(1).to_vec()), (vec![0, 0], vec![1, 1]));
    assert_eq!((empty.amax(&[0]).shape(), empty.cumsum(1).shape()), (&[0][..], &[2, 0][..]));
    assert_eq!(empty.t().cumsum(0).shape(), [0, 2]);
    let message = |of: &dyn Fn() -> Tensor<i64>| {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(of)).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    assert_eq!(message(&|| empty.amax(&[1])), "max, min: expected an axis with elements, got shape [2, 0]");
    assert_eq!(message(&|| empty.min()), "max, min: expected an axis with elements, got shape [2, 0]");
    assert_eq!(message(&|| empty.sum_dim(&[2])), "sum: dim must be in [-2, 2) for a tensor of rank 2, got 2");
    let pair = || Tensor::from([1i64, 2]) + Tensor::from([1i64, 2, 3]);
    assert_eq!(message(&pair), "Add: expected shapes that broadcast with [2], got [3]");
    let clamped = Tensor::from([-1i64, 9]);
    assert_eq!((clamped.clamp(0, 3).to_vec(), clamped.clamp(5, 3).to_vec()), (vec![0, 3], vec![3, 3]));
}

#[test]
fn a_literal_takes_the_type_of_the_tensor_on_either_side() {
    let x = Tensor::from([1i64, 2]);
    assert_eq!(
        (1 - &x).abs().sum().item().unwrap() + (&x * 3_000_000_000i64).max().item().unwrap(),
        6_000_000_001
    );
    let y = Tensor::from([1.0f32, 2.0]);
    assert_eq!((2.0 * &y).sum().item().unwrap() + (1 - &y).sum().item().unwrap(), 5.0);
    assert_eq!((2.0 / y.clone() - 1.0f32).sum().item().unwrap() + (&y * 2).sum().item().unwrap(), 7.0);
}

#[test]
fn masks_are_assigned_to() {
    let mut mask = Tensor::from([[true, false, true], [false, false, true]]);
    let before = mask.clone();
    mask &= &Tensor::from([[true], [false]]);
    mask |= Tensor::from([false, true, false]);
    mask ^= true;
    assert_eq!(mask, Tensor::from([[false, false, false], [true, false, true]]));
    assert_eq!(((true ^ mask).count_nonzero(), before.count_nonzero()), (4, 3));
}

#[test]
fn tensors_of_data_refuse_with_errors() {
    let x = Tensor::<i64>::zeros([2, 3]);
    assert_eq!(
        x.split(&[1, 1], 1).unwrap_err().to_string(),
        "split: expected extents that add up to 3, got [1, 1]"
    );
    assert_eq!(x.chunk(0, 1).unwrap_err().to_string(), "chunk: expected at least one chunk, got 0");
    assert!(x.parts::<2>(1).is_err() && x.unbind(2).is_err() && x.flatten(1, 0).is_err());
    assert_eq!(Tensor::scalar(1i64).flatten(0, -1).unwrap().shape(), [1]);
}
