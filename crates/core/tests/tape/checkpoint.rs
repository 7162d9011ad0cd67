//! Computing again gives what keeping gives, to every order, and keeps nothing.

use wengert_check::Gradcheck;
use wengert_core::{
    FirstOrder, GradOptions, Outputs, SavedTensors, Tape, Tensor, Wants, checkpoint, grad, live_nodes,
    manual_seed,
};

use crate::{V, gradient, vector};

fn plain(x: &[V]) -> Vec<V> {
    let y = (&x[0] * &x[1]).tanh();
    vec![y.exp() * &x[0], y.sum()]
}

fn kept_little(x: &[V]) -> Vec<V> {
    checkpoint(plain, &x.iter().collect::<Vec<_>>())
}

#[test]
fn derivatives_are_right_to_third_order() {
    let (x, w) = (vector([0.3, -1.2]), vector([1.5, 0.7]));
    for order in 1..=3 {
        Gradcheck::new().check_order(order, kept_little, &[&x, &w]).unwrap();
    }
    let constant = w.detach();
    for order in 1..=3 {
        Gradcheck::new().check_order(order, kept_little, &[&x, &constant]).unwrap();
    }
}

#[test]
fn gradients_are_those_of_a_plain_call() {
    let run = |f: fn(&[V]) -> Vec<V>| {
        let (x, w) = (vector([0.3, -1.2]), vector([1.5, 0.7]));
        // Inputs that depend on each other, and on the same leaf.
        let y = f(&[&x * &w, w.exp()]);
        let first =
            grad(&[&(&y[0] * &y[1]).sum()], &[&x, &w], GradOptions::default().create_graph(true)).unwrap();
        (first[0].square().sum() + first[1].square().sum()).backward().unwrap();
        [first[0].to_vec(), first[1].to_vec(), gradient(&x), gradient(&w)].concat()
    };
    for (a, b) in run(plain).into_iter().zip(run(kept_little)) {
        assert!((a - b).abs() <= 1e-12 * a.abs(), "{a} and {b}");
    }
}

#[test]
fn a_gradient_in_an_input_that_the_first_one_did_not_ask_for() {
    let run = |f: fn(&[V]) -> Vec<V>| {
        let (x, w) = (vector([0.3, -1.2]), vector([1.5, 0.7]));
        let y = f(&[x.clone(), w.clone()]);
        let first = grad(&[&y[0].sum()], &[&x], GradOptions::default().create_graph(true)).unwrap();
        grad(&[&first[0].sum()], &[&w], GradOptions::default()).unwrap()[0].to_vec()
    };
    for (a, b) in run(plain).into_iter().zip(run(kept_little)) {
        assert!((a - b).abs() <= 1e-12, "{a} and {b}");
    }
}

#[test]
fn dropout_drops_the_same_again_and_the_generator_goes_on_once() {
    let run = |again: bool| {
        manual_seed(3);
        let x = vector([1.0; 40]);
        let f = |x: &[V]| vec![x[0].dropout(0.5).unwrap().exp()];
        let y = if again { checkpoint(f, &[&x]).remove(0) } else { f(std::slice::from_ref(&x)).remove(0) };
        let next = Tensor::<f64>::rand([3]).to_vec();
        y.sum().backward().unwrap();
        (gradient(&x), next, Tensor::<f64>::rand([3]).to_vec())
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn nothing_between_inputs_and_outputs_is_kept() {
    let x = vector([1.0; 4]);
    let before = live_nodes();
    let long = |x: &[V]| vec![(0..100).fold(x[0].clone(), |y, _| y.sin())];
    let y = checkpoint(long, &[&x]);
    assert_eq!(live_nodes() - before, 1);
    assert_eq!(Tape::of(&y[0]).entries().last().unwrap().operation, "Checkpoint");
    let sum = y[0].sum();
    let slope = grad(&[&sum], &[&x], GradOptions::default().create_graph(true)).unwrap();
    assert!(live_nodes() - before < 5, "nor by the recorded gradient");
    drop((y, slope, sum));
    assert_eq!(live_nodes(), before);
}

#[test]
fn without_recording_it_is_a_plain_call() {
    let x = V::new(Tensor::from([1.0, 2.0]));
    let before = live_nodes();
    let y = checkpoint(plain, &[&x, &x]);
    assert!(!y[0].requires_grad() && live_nodes() == before);
    assert_eq!(y[0].to_vec(), plain(&[x.clone(), x])[0].to_vec());
}

/// `x^2`, whose backward is in tensors.
struct Square;

impl FirstOrder<f64> for Square {
    const NAME: &'static str = "Square";

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [inputs[0].map(|x| x * x)].into()
    }

    fn saves(&self, _: Wants) -> wengert_core::Saves {
        wengert_core::Saves::INPUTS
    }

    fn backward(
        &self,
        saved: &SavedTensors<'_, f64>,
        c: &[Option<Tensor<f64>>],
        _: Wants,
    ) -> Vec<Option<Tensor<f64>>> {
        vec![c[0].as_ref().map(|c| saved.input(0).zip(c, |x, c| 2.0 * x * c).unwrap())]
    }
}

#[test]
fn an_error_on_the_way_back_comes_out() {
    let x = vector([1.0, 2.0]);
    let y = checkpoint(|x| vec![Square.apply1(&[&x[0]])], &[&x]);
    let first = grad(&[&y[0].sum()], &[&x], GradOptions::default().create_graph(true)).unwrap();
    let error = first[0].sum().backward().unwrap_err().to_string();
    assert!(error.contains("Square"), "{error}");
}
