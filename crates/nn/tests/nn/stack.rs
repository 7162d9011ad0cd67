//! Layers on layers: what a stack is made of, and what it refuses.

use wengert_core::{Float, Variable, manual_seed};
use wengert_nn::{Cast, Gru, Lstm, Module, Rnn, Stack};

use crate::errors::refused;
use crate::{V, close, variable};

type Net<T> = Stack<Lstm<T>, Stack<Rnn<T>, Gru<T>>>;

fn net() -> Net<f32> {
    let upper = Stack::new(Rnn::new(8, 5).unwrap(), Gru::new(5, 2).unwrap()).unwrap();
    let lower = Lstm::builder(3, 4).bidirectional(true).build().unwrap();
    Stack::new(lower, upper).unwrap().dropout(0.5).unwrap()
}

/// One after the other, with dropout between the first two.
fn in_turn<T: Float>(net: &Net<T>, x: &Variable<T>, p: f64) -> Vec<T> {
    let (out, _) = net.lower.forward(x, None).unwrap();
    let (out, _) = net.upper.lower.forward(&out.dropout(p).unwrap(), None).unwrap();
    net.upper.upper.forward(&out, None).unwrap().0.to_vec()
}

#[test]
fn it_is_its_layers_one_after_the_other() {
    let (mut net, x) = (net().cast::<f64>(), variable(&[6, 2, 3]));
    let seeded = |run: &dyn Fn() -> Vec<f64>| {
        manual_seed(3);
        run()
    };
    let run = |net: &Net<f64>| seeded(&|| net.forward(&x, None).unwrap().0.to_vec());
    close(&run(&net), &seeded(&|| in_turn(&net, &x, 0.5)), 1e-15);
    net.eval();
    close(&run(&net), &in_turn(&net, &x, 0.0), 1e-15);
}

#[test]
fn its_parameters_have_the_names_of_its_fields() {
    let net = net();
    let names: Vec<String> = net.named_parameters().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 16);
    assert_eq!(names[0], "lower.weight_ih_l0");
    assert_eq!(names[7], "lower.bias_hh_l0_reverse");
    assert_eq!(names[8], "upper.lower.weight_ih_l0");
    assert_eq!(names[15], "upper.upper.bias_hh_l0");
}

#[test]
fn a_cast_computes_the_same() {
    let mut net = net();
    net.eval();
    let x: V = variable(&[6, 2, 3]);
    let (output, _) = net.cast::<f64>().forward(&x, None).unwrap();
    let (single, _) = net.forward(&x.cast::<f32>(), None).unwrap();
    let single: Vec<f64> = single.to_vec().into_iter().map(f64::from).collect();
    close(&single, &output.to_vec(), 1e-6);
}

#[test]
fn layers_that_do_not_fit_on_each_other() {
    let of = |width| Gru::new(width, 4).unwrap();
    let expected = "Stack: expected upper layers for inputs of width 4, got 3";
    refused(Stack::new(of(2), of(3)), expected);
    let first = Gru::builder(4, 2).batch_first(true).build().unwrap();
    refused(Stack::new(of(2), first), "Stack: batch_first must be the lower layers' false, got true");
    let stack = Stack::new(of(2), of(4)).unwrap();
    refused(stack.clone().dropout(1.5), "Stack: dropout must be in [0, 1], got 1.5");
    let x = Variable::new(wengert_core::Tensor::ones([5, 1, 3]));
    refused(stack.forward(&x, None), "Stack: expected an input of width 2, got 3 in shape [5, 1, 3]");
}
