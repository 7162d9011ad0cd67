//! What the strategies draw, and how it shrinks.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use wengert_check::proptest::prelude::*;
use wengert_check::proptest::{self};
use wengert_check::{Form, broadcast_shapes, draws, recurrent, shapes, tensor};
use wengert_core::{Tensor, Variable};

/// The smallest value that still `fails`.
fn shrunk<S: Strategy>(strategy: &S, fails: impl Fn(&S::Value) -> bool) -> S::Value {
    let mut runner = TestRunner::deterministic();
    let mut tree = loop {
        let tree = strategy.new_tree(&mut runner).unwrap();
        if fails(&tree.current()) {
            break tree;
        }
    };
    let mut more = tree.simplify();
    while more {
        more = if fails(&tree.current()) { tree.simplify() } else { tree.complicate() };
    }
    assert!(fails(&tree.current()), "what it shrinks to still fails");
    tree.current()
}

#[test]
fn shapes_shrink_to_what_matters() {
    assert_eq!(shrunk(&shapes(0..=4, 0..=6), |_| true), [0usize; 0]);
    assert_eq!(shrunk(&shapes(0..=4, 0..=6), |shape| shape.len() > 1), [0, 0]);
    assert_eq!(shrunk(&shapes(0..=4, 0..=6), |shape| shape.contains(&3)), [3]);
    let [a, b] = shrunk(&broadcast_shapes::<2>(), |[a, b]| a != b && !a.contains(&0));
    assert_eq!((a.len(), b), (0, vec![0]));
}

#[test]
fn tensors_shrink_to_small_contiguous_ones_of_simple_values() {
    let x = shrunk(&tensor((1..6, 1..6)), |x| x.to_vec().iter().any(|&x| x > 0.7));
    assert_eq!((x.shape(), x.to_vec(), x.is_contiguous()), (&[1, 1][..], vec![1.0], true));
    let x = shrunk(&tensor((1..6, 1..6)), |x| x.to_vec().iter().filter(|&&x| x > 0.7).count() > 1);
    assert_eq!(x.to_vec(), [1.0, 1.0]);
    let x = shrunk(&tensor((1..6, 1..6)).positive(), |x| x.numel() > 2);
    assert!(x.to_vec().iter().all(|&x| x == 1.0), "{x}");
    let x = shrunk(&tensor((1..6, 2..6)), |x| !x.is_contiguous());
    assert!(x.to_vec().iter().all(|&x| x == 0.0), "{x}");
}

#[test]
fn a_draw_that_depends_on_another_shrinks_with_it() {
    let square = draws(|draw| {
        let n = draw.draw(1..6);
        (draw.draw(tensor([n, n])), draw.draw(tensor([n])))
    });
    let (a, b) = shrunk(&square, |(a, _)| a.to_vec().iter().any(|&x| x < -0.2));
    assert_eq!((a.to_vec(), b.to_vec()), (vec![-1.0], vec![0.0]));
}

#[test]
fn configurations_shrink_to_the_defaults() {
    let plain = shrunk(&recurrent(), |_| true);
    assert_eq!((plain.num_layers, plain.steps, plain.batch, plain.bias), (1, 1, Some(1), true));
    let deep = shrunk(&recurrent(), |config| config.num_layers > 1 && config.bidirectional);
    assert_eq!((deep.num_layers, deep.hidden_size, deep.bidirectional), (2, 1, true));
}

proptest! {
    #[test]
    fn shapes_of_a_tuple_broadcast(shapes in broadcast_shapes::<3>()) {
        let [a, b, c] = shapes.map(|shape| Variable::<f64>::new(Tensor::zeros(shape)));
        let _ = a + b + c;
    }

    #[test]
    fn extents_are_in_their_ranges(x in tensor((2..4, 1..=2, 3))) {
        prop_assert!((2..4).contains(&x.shape()[0]) && (1..=2).contains(&x.shape()[1]) && x.shape()[2] == 3);
    }

    #[test]
    fn values_are_in_their_domains(
        within in tensor((0..4, 3)).within(-0.5, 2.0),
        off in tensor((0..4, 3)).away_from(&[0.0, 1.0], 0.2),
        distinct in tensor((0..4, 3)).distinct(),
        probabilities in tensor((1..4, 3)).probabilities(),
        one_hot in tensor((1..4, 3)).one_hot(),
    ) {
        prop_assert!(within.to_vec().iter().all(|x| (-0.5..=2.0).contains(x)));
        prop_assert!(off.to_vec().iter().all(|x| x.abs() >= 0.2 && (x - 1.0).abs() >= 0.2));
        let mut sorted = distinct.to_vec();
        sorted.sort_by(f64::total_cmp);
        prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 0.25));
        for row in probabilities.to_vec().chunks(3) {
            prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12 && row.iter().all(|p| *p > 0.0));
        }
        for row in one_hot.to_vec().chunks(3) {
            prop_assert_eq!((row.iter().sum::<f64>(), row.iter().filter(|&&x| x == 0.0).count()), (1.0, 2));
        }
    }

    #[test]
    fn lengths_fit_the_steps(config in recurrent()) {
        prop_assert_eq!(config.lengths.len(), config.batch.unwrap_or(1));
        let shortest = if config.form == Form::Lengths { 0 } else { 1 };
        prop_assert!(config.lengths.iter().all(|length| (shortest..=config.steps).contains(length)));
    }
}

#[test]
fn every_layout_and_every_planted_value_comes_up() {
    let mut runner = TestRunner::deterministic();
    let strategy = tensor([2, 3]).planted(&[f64::NAN, f64::INFINITY, 0.0]);
    let drawn: Vec<Tensor<f64>> =
        (0..300).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    for strides in [[3, 1], [1, 2], [6, 2], [5, 1]] {
        assert!(drawn.iter().any(|x| x.strides() == strides), "{strides:?}");
    }
    let values: Vec<f64> = drawn.iter().flat_map(Tensor::to_vec).collect();
    assert!(values.iter().any(|x| x.is_nan()) && values.contains(&f64::INFINITY) && values.contains(&0.0));
    assert!(values.iter().filter(|x| x.is_finite() && **x != 0.0).count() > values.len() / 2);
}
