//! Many things of one kind: each gets what is its own, and what is recorded is no more than so many times
//! what one of them takes.

use std::sync::{Arc, Mutex};

use wengert_core::{GradOptions, Tape, Tensor, grad, stack};

use crate::{V, gradient, scalar};

fn matrix(rows: usize) -> V {
    V::new(Tensor::from_fn([rows, 4], |i| (i as f64 * 0.7).sin())).requires_grad_(true)
}

fn stacked(parts: impl IntoIterator<Item = V>) -> V {
    let parts: Vec<V> = parts.into_iter().collect();
    stack(&parts, 0)
}

fn slope(y: &V, x: &V, create_graph: bool) -> V {
    grad(&[&y.sum()], &[x], GradOptions::default().retain_graph(true).create_graph(create_graph))
        .unwrap()
        .remove(0)
}

/// How many elements the operations that a value was computed by have given in all.
fn elements(y: &V) -> usize {
    let tape = Tape::of(y);
    let outputs = tape.entries().iter().flat_map(|entry| &entry.outputs);
    outputs.map(|output| output.shape.iter().product::<usize>()).sum()
}

/// Ways to use a matrix part by part.
type Named = (&'static str, fn(&V) -> V);

const BY_PARTS: [Named; 6] = [
    ("rows", |x| stacked((0..x.shape()[0]).map(|t| x.select(0, t).square()))),
    ("rows, several times", |x| {
        stacked((0..3 * x.shape()[0]).map(|t| x.select(0, t % x.shape()[0]).square()))
    }),
    ("rows that overlap", |x| stacked((1..x.shape()[0]).map(|t| x.narrow(0, t - 1, 2).square()))),
    ("all rows but one", |x| stacked(x.unbind(0).iter().skip(1).map(V::square))),
    ("products with rows", |x| {
        let left = V::new(Tensor::from_fn([2, 4], |i| i as f64 * 0.1));
        stacked((0..x.shape()[0]).map(|t| left.linear(&x.narrow(0, t, 1), None).square()))
    }),
    ("rows, and the whole now and then", |x| {
        let half = x.shape()[0] / 2;
        let rows = |from: usize| stacked((from..from + half).map(|t| x.select(0, t).square())).sum();
        rows(0) + (x * 0.3).sum() + rows(half / 2) + x.square().sum() + rows(half)
    }),
];

#[test]
fn a_recorded_gradient_by_parts_holds_elements_in_proportion_to_them() {
    for (name, program) in BY_PARTS {
        let [few, many] = [40, 320].map(|rows| {
            let x = matrix(rows);
            elements(&slope(&program(&x), &x, true))
        });
        assert!(many <= 9 * few, "{name}: {few} elements for 40 rows, {many} for 320");
    }
}

#[test]
fn a_derivative_of_a_gradient_by_parts_holds_elements_in_proportion_to_them() {
    for (name, program) in BY_PARTS {
        let [few, many] = [40, 320].map(|rows| {
            let x = matrix(rows);
            elements(&slope(&slope(&program(&x), &x, true).square(), &x, true))
        });
        assert!(many <= 9 * few, "{name}: {few} elements for 40 rows, {many} for 320");
    }
}

#[test]
fn a_recorded_gradient_by_parts_is_the_unrecorded_one() {
    for (name, program) in BY_PARTS {
        let x = matrix(20);
        let y = program(&x);
        let [recorded, plain] = [true, false].map(|record| slope(&y, &x, record).to_vec());
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&recorded), bits(&plain), "{name}");
    }
}

#[test]
fn each_of_many_inputs_gets_its_own_gradient() {
    let x: Vec<V> = (0..100).map(|i| scalar(f64::from(i))).collect();
    let y: Vec<V> = x.iter().map(|x| x * 3.0).collect();
    let z = stacked(y.iter().map(V::square)).sum();
    // Leaves and inner values by turns, and all of them once more.
    let inputs: Vec<&V> = (0..200).flat_map(|i| [&x[i % 100], &y[i % 100]]).collect();
    let found = grad(&[&z], &inputs, GradOptions::default()).unwrap();
    let found: Vec<f64> = found.iter().map(|gradient| gradient.item().unwrap()).collect();
    let of_inner = |i: usize| 2.0 * 3.0 * (i % 100) as f64;
    let expected: Vec<f64> = (0..200).flat_map(|i| [3.0 * of_inner(i), of_inner(i)]).collect();
    assert_eq!(found, expected);
}

#[test]
fn each_of_many_parts_passes_its_own_hooks_in_order() {
    let x = matrix(50);
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut rows = x.unbind(0);
    for turn in 0..2 {
        // The last row first: hooks are called by part all the same.
        for (t, row) in rows.iter_mut().enumerate().rev() {
            let log = Arc::clone(&log);
            row.register_hook(move |g| {
                log.lock().unwrap().push((t, turn));
                Some(g * if turn == 0 { t as f64 } else { 10.0 })
            });
        }
    }
    stacked(rows.iter().cloned()).sum().backward().unwrap();
    assert!(log.lock().unwrap().iter().copied().eq((0..50).flat_map(|t| [(t, 0), (t, 1)])));
    assert!(gradient(&x).iter().enumerate().all(|(i, g)| *g == 10.0 * (i / 4) as f64));
}

#[test]
fn rows_of_a_weight_get_the_sum_of_all_their_uses() {
    let (weight, x) = (matrix(30), V::new(Tensor::ones([2, 4])));
    let uses = |t: usize| x.linear(&weight.narrow(0, t % 30, 1), None) * (t / 30 + 1) as f64;
    stacked((0..90).map(uses)).sum().backward().unwrap();
    assert_eq!(gradient(&weight), [2.0 * (1.0 + 2.0 + 3.0); 120]);
}
