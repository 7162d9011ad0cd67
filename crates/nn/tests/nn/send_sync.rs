//! Modules on threads.

use std::thread;

use wengert_core::manual_seed;
use wengert_nn::{
    Cell, Dropout, Embedding, Gru, GruCell, LayerNorm, Linear, Lstm, LstmCell, Module, Recurrent, Relu, Rnn,
    RnnCell, Sequential, Sigmoid, Tanh,
};

use crate::user_cell::Fading;
use crate::{bits, variable};

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<(Rnn, Lstm, Gru, Rnn<f64>, Lstm<f64>, Gru<f64>)>();
    is_send_and_sync::<(RnnCell, LstmCell, GruCell)>();
    is_send_and_sync::<Recurrent<Fading<f64>>>();
    is_send_and_sync::<(<LstmCell as Cell>::State, <Fading as Cell>::State)>();
    is_send_and_sync::<(Linear, Embedding, LayerNorm, Dropout, Tanh, Relu, Sigmoid)>();
    is_send_and_sync::<Sequential<(Linear, Tanh, Sequential<(Linear<f64>, Dropout)>)>>();
};

/// The bits after five steps of gradient descent, with dropout.
fn trained(seed: u64) -> Vec<u64> {
    manual_seed(seed);
    let lstm = Lstm::builder(8, 16).num_layers(2).bidirectional(true).dropout(0.3).build().unwrap();
    let head = Sequential::new((Linear::new(32, 4).unwrap(), Tanh::new()));
    for _ in 0..5 {
        let (output, _) = lstm.forward(&variable(&[6, 5, 8]).cast(), None).unwrap();
        head.forward(&output).unwrap().square().mean().backward().unwrap();
        for parameter in [lstm.parameters(), head.parameters()].concat() {
            let grad = parameter.grad().unwrap().to_vec();
            parameter.update("step", |p| p.iter_mut().zip(grad).for_each(|(p, g)| *p -= 0.5 * g)).unwrap();
        }
        lstm.zero_grad();
        head.zero_grad();
    }
    [bits(&lstm), bits(&head)].concat()
}

#[test]
fn two_threads_train_two_models_to_the_bits_of_one_after_the_other() {
    let alone = [trained(5), trained(5)];
    assert_eq!(alone[0], alone[1]);
    assert_ne!(trained(6), alone[0]);
    for _ in 0..4 {
        let together = [0, 1].map(|_| thread::spawn(|| trained(5))).map(|thread| thread.join().unwrap());
        assert_eq!(together, alone);
    }
}

#[test]
fn threads_share_one_model() {
    let gru = Gru::builder(3, 4).num_layers(2).build().unwrap();
    let x = variable(&[5, 2, 3]).cast();
    let expected = gru.forward(&x, None).unwrap().0.to_vec();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(gru.forward(&x, None).unwrap().0.to_vec(), expected));
        }
    });
}

#[test]
fn gradients_of_two_threads_add_up_in_a_shared_model() {
    let gru = Gru::new(3, 4).unwrap();
    let x = variable(&[5, 2, 3]).cast();
    let backward = || gru.forward(&x, None).unwrap().0.sum().backward().unwrap();
    let gradients = || gru.parameters().iter().flat_map(|p| p.grad().unwrap().to_vec()).collect::<Vec<f32>>();
    backward();
    backward();
    let expected = gradients();
    gru.zero_grad();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(backward);
        }
    });
    // A sum of two does not depend on their order.
    assert_eq!(gradients(), expected);
}
