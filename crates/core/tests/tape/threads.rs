//! Each thread its own tape and its own generator.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use wengert_core::{GradOptions, Parameter, Tensor, Variable, live_nodes, manual_seed};

use crate::{V, gradient, scalar};

/// The parameters after some steps of training, to the bit.
fn train(seed: u64) -> Vec<u32> {
    manual_seed(seed);
    let w = Parameter::new(Tensor::<f32>::randn([6, 6]));
    let b = Parameter::new(Tensor::<f32>::randn([6]));
    for _ in 0..50 {
        let x = Variable::from(Tensor::randn([4, 6]));
        let y = (0..5).fold(x, |h, _| h.linear(&w, Some(&b)).tanh().dropout(0.2).unwrap());
        y.square().sum().backward().unwrap();
        for p in [&w, &b] {
            let gradient = p.grad().unwrap().to_vec();
            p.update("step", |v| v.iter_mut().zip(&gradient).for_each(|(v, g)| *v -= 0.05 * g)).unwrap();
            p.zero_grad();
        }
    }
    [w.to_vec(), b.to_vec()].concat().iter().map(|v| v.to_bits()).collect()
}

#[test]
fn two_threads_train_to_the_bits_of_one_after_the_other() {
    let alone = [train(1), train(2)];
    assert_ne!(alone[0], alone[1]);
    let threads = [1, 2].map(|seed| thread::spawn(move || train(seed)));
    assert_eq!(threads.map(|thread| thread.join().unwrap()), alone);
    let same = [1, 1].map(|seed| thread::spawn(move || train(seed)));
    same.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), alone[0]));
}

#[test]
fn a_graph_recorded_on_two_threads_is_differentiated_and_dropped_on_either() {
    let x = scalar(3.0);
    let squared = thread::scope(|s| s.spawn(|| (0..100).fold(&x * &x, |y, _| y + 1.0)).join().unwrap());
    let y = &squared * &x;
    let backward = thread::spawn(move || {
        y.backward().unwrap();
        // Counted where they are recorded and where they are dropped.
        drop(y);
        live_nodes()
    });
    assert_eq!(backward.join().unwrap(), -1);
    assert_eq!(gradient(&x), [3.0 * 9.0 + 100.0]);
    drop(squared);
}

#[test]
fn a_leaf_gathers_the_gradients_of_several_threads() {
    let x = scalar(1.0);
    thread::scope(|s| {
        for i in 0..4 {
            let x = &x;
            s.spawn(move || (0..100).for_each(|_| (x * f64::from(i)).backward().unwrap()));
        }
    });
    assert_eq!(gradient(&x), [600.0]);
}

const SHAPE: [usize; 2] = [64, 64];

/// The only number that all elements are.
fn uniform(values: &[f64]) -> f64 {
    assert!(values.iter().all(|&v| v == values[0]), "half of a sum: {} and others", values[0]);
    values[0]
}

#[test]
fn no_gradient_of_several_threads_is_lost() {
    let p = Parameter::new(Tensor::<f64>::zeros(SHAPE));
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| (0..500).for_each(|_| p.sum().backward().unwrap()));
        }
    });
    assert_eq!(uniform(&p.grad().unwrap().to_vec()), 2000.0);
}

#[test]
fn gradients_with_history_and_past_hooks_are_not_lost_either() {
    let mut x = V::new(Tensor::ones([8, 8])).requires_grad_(true);
    x.register_hook(|g| Some(g * 2.0));
    let create_graph = GradOptions::default().create_graph(true);
    thread::scope(|s| {
        for recorded in [true, false, true] {
            let (x, options) = (&x, create_graph.clone().create_graph(recorded));
            s.spawn(move || {
                (0..100).for_each(|_| x.square().sum().backward_options(None, &options).unwrap())
            });
        }
    });
    assert_eq!(uniform(&x.grad().unwrap().to_vec()), 300.0 * 4.0);
}

#[test]
fn whoever_looks_while_gradients_come_sees_whole_sums() {
    let p = Parameter::new(Tensor::<f64>::zeros(SHAPE));
    let running = AtomicUsize::new(2);
    thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                (0..500).for_each(|_| p.sum().backward().unwrap());
                running.fetch_sub(1, Ordering::Release);
            });
        }
        s.spawn(|| {
            while running.load(Ordering::Acquire) > 0 {
                if let Some(seen) = p.grad() {
                    let before = uniform(&seen.to_vec());
                    thread::yield_now();
                    assert_eq!(uniform(&seen.to_vec()), before, "what somebody holds does not change");
                }
            }
        });
        s.spawn(|| {
            while running.load(Ordering::Acquire) > 0 {
                p.zero_grad();
                thread::yield_now();
            }
        });
    });
    assert!(p.grad().is_none_or(|sum| uniform(&sum.to_vec()) <= 1000.0));
}

#[test]
fn a_sum_that_somebody_holds_stays_as_it_was() {
    let x = scalar(1.0);
    (&x * 2.0).backward().unwrap();
    let held = x.grad().unwrap();
    (&x * 3.0).backward().unwrap();
    assert_eq!((held.item().unwrap(), gradient(&x)), (2.0, vec![5.0]));
    // Nor does a gradient follow a parameter that was the cotangent.
    let (y, p) = (scalar(0.0), Parameter::new(Tensor::scalar(7.0)));
    y.backward_with(&p).unwrap();
    p.set_value(Tensor::scalar(8.0)).unwrap();
    assert_eq!(gradient(&y), [7.0]);
}
