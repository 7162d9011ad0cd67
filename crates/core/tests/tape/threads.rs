//! Each thread its own tape and its own generator.

use std::thread;

use wengert_core::{Parameter, Tensor, Variable, live_nodes, manual_seed};

use crate::{gradient, scalar};

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
