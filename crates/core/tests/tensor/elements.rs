//! What tensors of every element can do, indices and masks among them: they are joined, rearranged, compared
//! and counted as a loop over their places does it.

use ndarray::{ArrayD, Axis, concatenate, stack};
use proptest::collection::vec;
use proptest::prelude::*;
use wengert_core::{Tensor, Variable, cat};

use crate::{config, counted, shapes};

/// Random places as a mask: those whose number a hash hits.
fn mask(shape: &[usize], seed: u64) -> Tensor<bool> {
    Tensor::from_fn(shape, |i| (i as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63 == 1)
}

/// A whole in an array, whichever order its axes lie in.
fn is_array(x: &Tensor<i64>, array: &ArrayD<i64>) -> bool {
    x.shape() == array.shape() && x.to_vec() == array.iter().copied().collect::<Vec<_>>()
}

/// A variable of the elements as floats.
fn float(x: &Tensor<i64>) -> Variable<f64> {
    Variable::new(x.cast())
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn cat_and_stack_are_those_of_ndarray(shape in shapes(), p in 0usize..5, turned in any::<bool>()) {
        let x = counted(&shape);
        // A view that does not lie in order.
        let x = if turned { x.t() } else { x };
        let y = x.map(|i| -1 - i);
        let [a, b] = [&x, &y].map(|t| t.as_ndarray().to_owned());
        let new = p % (shape.len() + 1);
        let expected = stack(Axis(new), &[a.view(), b.view(), a.view()]).unwrap();
        prop_assert!(is_array(&Tensor::stack(&[&x, &y, &x], new as isize), &expected));
        if !shape.is_empty() {
            let axis = p % shape.len();
            let expected = concatenate(Axis(axis), &[a.view(), b.view()]).unwrap();
            let joined = Tensor::cat(&[&x, &y], axis as isize - shape.len() as isize);
            prop_assert!(is_array(&joined, &expected));
            let variables = cat(&[&float(&x), &float(&y)], axis as isize).value();
            prop_assert_eq!(joined.cast::<f64>(), variables);
        }
    }

    #[test]
    fn indices_are_rearranged_as_floats_are(
        shape in shapes(),
        by in -5isize..5,
        p in 0usize..4,
        sides in vec(-1isize..3, 2),
    ) {
        let x = counted(&shape);
        prop_assert_eq!(x.repeat(&[&[2], &shape[..]].concat()).cast::<f64>(),
            float(&x).repeat(&[&[2], &shape[..]].concat()).value());
        prop_assert_eq!(x.roll(&[by], &[]).cast::<f64>(), float(&x).roll(&[by], &[]).value());
        if !shape.is_empty() {
            let dim = (p % shape.len()) as isize;
            let extent = shape[dim as usize];
            let places = Tensor::from_fn([5 * extent.min(1)], |i| ((i * i + 1) % extent) as i64);
            let chosen = x.index_select(dim, &places);
            prop_assert_eq!(chosen.cast::<f64>(), float(&x).index_select(dim, &places).value());
            prop_assert_eq!(x.roll(&[by], &[dim]).cast::<f64>(), float(&x).roll(&[by], &[dim]).value());
            prop_assert_eq!(x.flip(&[dim]).cast::<f64>(), float(&x).flip(&[dim]).value());
            if *shape.last().unwrap() > 1 {
                prop_assert_eq!(x.pad(&sides, -7).cast::<f64>(), float(&x).pad(&sides, -7.0).value());
            }
        }
    }

    #[test]
    fn masks_combine_element_by_element(shape in shapes(), p in any::<u64>(), q in any::<u64>()) {
        let (a, b) = (mask(&shape, p), mask(&shape, q));
        let each = |f: fn(bool, bool) -> bool| -> Vec<bool> {
            a.to_vec().into_iter().zip(b.to_vec()).map(|(a, b)| f(a, b)).collect()
        };
        prop_assert_eq!((&a & &b).to_vec(), each(|a, b| a && b));
        prop_assert_eq!((&a | b.clone()).to_vec(), each(|a, b| a || b));
        prop_assert_eq!((a.clone() ^ &b).to_vec(), each(|a, b| a != b));
        prop_assert_eq!((!&a).to_vec(), each(|a, _| !a));
        prop_assert_eq!(((&a | true).to_vec(), (a.clone() & true)), (each(|_, _| true), a.clone()));
    }

    #[test]
    fn masks_say_of_each_row_what_a_loop_finds(shape in shapes(), p in any::<u64>(), q in 0usize..4) {
        let a = mask(&shape, p);
        let all: Vec<bool> = a.to_vec();
        prop_assert_eq!(a.any(), all.contains(&true));
        prop_assert_eq!(a.all(), !all.contains(&false));
        prop_assert_eq!(a.count_nonzero(), all.iter().filter(|holds| **holds).count());
        prop_assert_eq!(a.count_nonzero_dim(&[]).item().unwrap() as usize, a.count_nonzero());
        if !shape.is_empty() {
            let axis = q % shape.len();
            let rows = a.as_ndarray().to_owned();
            let rows = rows.map_axis(Axis(axis), |row| {
                let count = row.iter().filter(|holds| **holds).count();
                (count as i64, count > 0, count == row.len())
            });
            let dims = [axis as isize];
            let expected: (Vec<i64>, (Vec<bool>, Vec<bool>)) =
                rows.iter().map(|&(count, any, all)| (count, (any, all))).unzip();
            let got = (a.count_nonzero_dim(&dims), (a.any_dim(&dims), a.all_dim(&dims)));
            prop_assert_eq!(got.0.shape(), rows.shape());
            prop_assert_eq!((got.0.to_vec(), (got.1.0.to_vec(), got.1.1.to_vec())), expected);
        }
    }

    #[test]
    fn comparisons_are_exact_where_a_float_would_round(a in any::<i64>(), by in -1i64..=1) {
        let b = a.saturating_add(by);
        let x = Tensor::from([a, b]);
        prop_assert_eq!(x.lt(b).to_vec(), [a < b, false]);
        prop_assert_eq!(x.le(Tensor::from([b])).to_vec(), [a <= b, true]);
        prop_assert_eq!((x.gt(b).to_vec(), x.ge(b).to_vec()), (vec![a > b, false], vec![a >= b, true]));
        prop_assert_eq!((x.eq(b).to_vec(), x.ne(b).to_vec()), (vec![a == b, true], vec![a != b, false]));
    }
}

#[test]
fn numbers_that_tensors_are_compared_with_are_of_their_kind() {
    assert_eq!(Tensor::from([1i64, 2]).gt(1).to_vec(), [false, true]);
    assert_eq!(Tensor::from([1.0f32, 2.0]).le(1.5).to_vec(), [true, false]);
    assert_eq!(Tensor::from([1.0f64, 2.0]).ge(2).to_vec(), [false, true]);
    assert_eq!(Tensor::from([true, false]).eq(false).to_vec(), [false, true]);
}

#[test]
fn comparisons_and_combinations_broadcast() {
    let (column, row) = (Tensor::from([[1i64], [2]]), Tensor::from([1i64, 2, 3]));
    assert_eq!(column.lt(&row), Tensor::from([[false, true, true], [false, false, true]]));
    let masks = (column.eq(1), row.ge(2));
    assert_eq!(masks.0 | masks.1, Tensor::from([[true, true, true], [false, true, true]]));
}

#[test]
fn a_mask_made_of_masks_chooses_among_floats() {
    let tokens = Tensor::from([[5i64, 0, 7], [0, 0, 9]]);
    let wanted = tokens.ne(0) & !tokens.gt(8);
    let x = Variable::new(Tensor::<f64>::ones([2, 3]));
    assert_eq!(x.masked_fill(&wanted, 0.0).to_vec(), [0.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
}

#[test]
fn masks_are_joined_repeated_padded_and_indexed() {
    let (a, b) = (Tensor::from([true, false]), Tensor::from([false]));
    assert_eq!(Tensor::cat(&[&a, &b], 0).to_vec(), [true, false, false]);
    assert_eq!(a.repeat(&[2]).to_vec(), [true, false, true, false]);
    assert_eq!(a.pad(&[1, -1], true).to_vec(), [true, true]);
    assert_eq!((a.flip(&[0]).to_vec(), a.roll(&[1], &[0]).to_vec()), (vec![false, true], vec![false, true]));
    assert!(a.i(0).unwrap().item().unwrap());
}

#[test]
fn a_nan_counts_and_a_negative_zero_does_not() {
    assert_eq!(Tensor::from([f32::NAN, -0.0, 0.0, 1e-45]).count_nonzero(), 2);
}

#[test]
fn what_does_not_fit_is_refused_with_what_was_expected() {
    let refusal = |f: fn() -> Tensor<i64>| {
        let panic = std::panic::catch_unwind(f).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    let one = || Tensor::from([[1i64, 2]]);
    assert_eq!(refusal(|| Tensor::cat(&[], 0)), "cat: expected at least one input, got none");
    let (x, y) = (one(), Tensor::from([1i64]));
    let joined = std::panic::catch_unwind(|| Tensor::stack(&[&x, &y], 0)).unwrap_err();
    let expected = "stack: expected shapes equal to [1, 2], got [1] in input 1";
    assert_eq!(joined.downcast_ref::<String>().unwrap(), expected);
    let expected = "pad: expected to take at most 2 elements from axis 1 in [1, 2], got [-1, -2]";
    assert_eq!(refusal(|| Tensor::from([[1i64, 2]]).pad(&[-1, -2], 0)), expected);
    let expected = "repeat: expected at least 2 repeats, one for each axis, got [2]";
    assert_eq!(refusal(|| Tensor::from([[1i64, 2]]).repeat(&[2])), expected);
    let expected = "roll: expected as many shifts as dims, 1, got 2";
    assert_eq!(refusal(|| Tensor::from([[1i64, 2]]).roll(&[1, 2], &[0])), expected);
}
