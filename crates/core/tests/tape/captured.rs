//! What a checkpoint's function captures is differentiated as if it were among the inputs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use wengert_check::Gradcheck;
use wengert_core::{
    GradOptions, Parameter, Tape, Tensor, checkpoint, enable_grad, grad, live_nodes, manual_seed, no_grad,
};

use crate::{V, gradient, vector};

type P = Parameter<f64>;

fn parameter() -> P {
    Parameter::new(Tensor::from([1.5, 0.7]))
}

fn plain(x: &V, w: &V) -> Vec<V> {
    let y = (x * w).tanh();
    vec![y.exp() * x, (y + w.square()).sum()]
}

/// [`plain`] with the second one captured.
fn capturing(x: &[V]) -> Vec<V> {
    let w = x[1].clone();
    checkpoint(move |x| plain(&x[0], &w), &[&x[0]])
}

#[test]
fn derivatives_are_right_to_third_order() {
    let (x, w) = (vector([0.3, -1.2]), vector([1.5, 0.7]));
    for order in 1..=3 {
        Gradcheck::new().check_order(order, capturing, &[&x, &w]).unwrap();
        // A value with history of its own, and one that depends on the input.
        Gradcheck::new().check_order(order, |x| capturing(&[x[0].clone(), x[1].exp()]), &[&x, &w]).unwrap();
        Gradcheck::new()
            .check_order(order, |x| capturing(&[x[0].clone(), &x[0] * &x[1]]), &[&x, &w])
            .unwrap();
        // Captured by a checkpoint inside of another.
        let nested = |x: &[V]| {
            let w = x[1].clone();
            checkpoint(move |x| capturing(&[x[0].sin(), w.clone()]), &[&x[0]])
        };
        Gradcheck::new().check_order(order, nested, &[&x, &w]).unwrap();
    }
}

#[test]
fn parameters_learn_though_no_input_wants_a_gradient() {
    let (x, w) = (V::from(Tensor::from([0.3, -1.2])), parameter());
    let captured = w.clone();
    let y = checkpoint(move |x| plain(&x[0], &captured), &[&x]);
    let entries =
        Tape::of(&y[1]).entries().iter().map(|entry| entry.operation.to_string()).collect::<Vec<_>>();
    assert_eq!(entries.last().unwrap(), "Checkpoint");
    (y[0].sum() + &y[1]).backward().unwrap();
    let learned = w.grad().unwrap().to_vec();
    w.zero_grad();
    let y = plain(&x, &w);
    (y[0].sum() + &y[1]).backward().unwrap();
    assert_eq!(learned, w.grad().unwrap().to_vec());
}

#[test]
fn a_parameter_is_captured_and_an_input_at_once() {
    let w = vector([1.5, 0.7]);
    let captured = w.clone();
    checkpoint(move |x| vec![&x[0] * &captured], &[&w])[0].sum().backward().unwrap();
    assert_eq!(gradient(&w), [3.0, 1.4]);
}

#[test]
fn a_captured_value_may_be_an_output_itself() {
    let (x, w) = (vector([1.0, 2.0]), vector([3.0, 4.0]));
    let captured = w.clone();
    let y = checkpoint(move |x| vec![captured.clone(), x[0].clone()], &[&x]);
    (&y[0] * &y[1]).sum().backward().unwrap();
    assert_eq!((gradient(&x), gradient(&w)), (vec![3.0, 4.0], vec![1.0, 2.0]));
}

#[test]
fn what_is_done_without_recording_is_a_constant() {
    let (x, w, v) = (vector([1.0, 2.0]), vector([3.0, 4.0]), vector([5.0, 6.0]));
    let (cw, cv) = (w.clone(), v.clone());
    let f = move |x: &[V]| vec![&x[0] * no_grad(|| &cw * 2.0) * cw.detach() * &cv];
    let y = checkpoint(f.clone(), &[&x]).remove(0);
    y.sum().backward().unwrap();
    assert!(w.grad().is_none());
    let checkpointed = gradient(&v);
    v.zero_grad();
    f(std::slice::from_ref(&x))[0].sum().backward().unwrap();
    assert_eq!(checkpointed, gradient(&v));
}

#[test]
fn a_value_that_another_thread_recorded_is_captured_as_well() {
    let w = vector([3.0, 4.0]);
    // Of a higher number than any that this thread has given.
    let long = || (0..1000).fold(&w * 1.0, |y, _| y * 1.0);
    let captured = std::thread::scope(|s| s.spawn(long).join().unwrap());
    let y = checkpoint(move |x| vec![&x[0] * &captured], &[&vector([1.0, 2.0])]);
    y[0].sum().backward().unwrap();
    assert_eq!(gradient(&w), [1.0, 2.0]);
}

#[test]
fn a_function_that_records_by_itself_is_seen_through() {
    // The slope of `w x^2` in a leaf of its own: `2 w x`.
    let w = vector([3.0, 4.0]);
    let captured = w.clone();
    let slope = move |x: &[V]| {
        let own = V::new(x[0].value()).requires_grad_(true);
        let options = GradOptions::default().create_graph(true);
        let y = enable_grad(|| (&own.square() * &captured).sum());
        vec![enable_grad(|| grad(&[&y], &[&own], options).unwrap().remove(0))]
    };
    let x = V::from(Tensor::from([1.0, 2.0]));
    checkpoint(slope, &[&x])[0].sum().backward().unwrap();
    assert_eq!(gradient(&w), [2.0, 4.0]);
}

#[test]
fn hooks_of_what_is_captured_run_once() {
    let mut w = vector([3.0, 4.0]);
    let count = Arc::new(AtomicUsize::new(0));
    let calls = Arc::clone(&count);
    let id = w.register_hook(move |g| {
        calls.fetch_add(1, Ordering::Relaxed);
        Some(g * 10.0)
    });
    let captured = w.clone();
    let y = checkpoint(move |x| vec![&x[0] * &captured], &[&vector([1.0, 2.0])]);
    y[0].sum().backward().unwrap();
    assert_eq!((count.load(Ordering::Relaxed), gradient(&w)), (1, vec![10.0, 20.0]));
    assert!(w.remove_hook(id));
}

#[test]
fn randomness_is_drawn_again() {
    let run = |again: bool| {
        manual_seed(3);
        let (x, w) = (V::from(Tensor::ones([40])), V::new(Tensor::full([40], 2.0)).requires_grad_(true));
        let captured = w.clone();
        let f = move |x: &[V]| vec![(&x[0] * &captured).dropout(0.5).unwrap().exp()];
        let y = if again { checkpoint(f, &[&x]).remove(0) } else { f(&[x]).remove(0) };
        y.sum().backward().unwrap();
        gradient(&w)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn nothing_between_is_kept() {
    let w = parameter();
    let before = live_nodes();
    let captured = w.clone();
    let long = move |_: &[V]| vec![(0..100).fold(&*captured * 1.0, |y, _| y.sin())];
    let y = checkpoint(long, &[]);
    assert_eq!(live_nodes() - before, 1);
    y[0].sum().backward().unwrap();
    drop(y);
    assert_eq!(live_nodes(), before);
    assert!(w.grad().is_some());
}

#[test]
fn a_captured_parameter_does_not_change_before_the_backward() {
    let w = parameter().named("head.scale");
    let captured = w.clone();
    let line = line!() + 1;
    let y = checkpoint(move |x| plain(&x[0], &captured), &[&vector([1.0, 2.0])]);
    let changes: [fn(&Parameter<f64>); 2] = [
        |w| w.update("step", |values| values.fill(3.0)).unwrap(),
        |w| w.set_value(Tensor::from([2.0, 3.0])).unwrap(),
    ];
    let retained = GradOptions::default().retain_graph(true);
    for change in changes {
        change(&w);
        assert_eq!(
            y[1].backward_options(None, &retained).unwrap_err().to_string(),
            format!(
                "checkpoint: what the function captures must be as it was when the function ran, got \
                 head.scale of shape [2] that has changed since, before the backward, in the one at \
                 {}:{line}:13",
                file!()
            ),
        );
        assert!(w.grad().is_none());
    }
}

#[test]
fn a_function_that_takes_others_the_second_time_is_refused() {
    let ws = [vector([1.0, 2.0]), vector([3.0, 4.0])];
    let (first, both) = (AtomicBool::new(true), ws.clone());
    let f = move |x: &[V]| vec![&x[0] * &both[usize::from(!first.swap(false, Ordering::Relaxed))]];
    let y = checkpoint(f, &[&vector([1.0, 1.0])]);
    let text = y[0].sum().backward().unwrap_err().to_string();
    assert!(text.contains("must be used again when the function runs again"), "{text}");
    assert!(ws.iter().all(|w| w.grad().is_none()));
}

#[test]
fn a_panic_in_the_function_leaves_nothing_behind() {
    let w = vector([1.0, 2.0]);
    let captured = w.clone();
    let fails = Arc::new(Mutex::new(true));
    let until = Arc::clone(&fails);
    let f = move |x: &[V]| {
        let y = &x[0] * &captured;
        assert!(!*until.lock().unwrap_or_else(|e| e.into_inner()), "not yet");
        vec![y]
    };
    let f = Arc::new(f);
    let run = || {
        let f = Arc::clone(&f);
        checkpoint(move |x| f(x), &[&vector([1.0, 1.0])]).remove(0)
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    assert!((&w * 2.0).requires_grad(), "recording is on again");
    *fails.lock().unwrap_or_else(|e| e.into_inner()) = false;
    run().sum().backward().unwrap();
    assert_eq!(gradient(&w), [1.0, 1.0]);
}
