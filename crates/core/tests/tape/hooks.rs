//! Watching gradients pass: hooks and retained gradients.

use std::sync::{Arc, Mutex};

use wengert_core::{Error, GradOptions, grad};

use crate::{V, gradient, scalar, vector};

#[test]
fn a_hook_sees_the_finished_gradient_and_may_replace_it() {
    let mut x = vector([1.0, 2.0]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    x.register_hook(move |g| {
        log.lock().unwrap().push(g.to_vec());
        Some(g * 10.0)
    });
    // Used twice: the hook is called once, with the sum.
    (&x * &x).sum().backward().unwrap();
    assert_eq!(*seen.lock().unwrap(), [[2.0, 4.0]]);
    assert_eq!(gradient(&x), [20.0, 40.0]);
}

#[test]
fn hooks_run_in_the_order_they_were_registered_until_removed() {
    let mut x = scalar(1.0);
    let log = Arc::new(Mutex::new(String::new()));
    let writer = |letter: char| {
        let log = Arc::clone(&log);
        move |_: &V| {
            log.lock().unwrap().push(letter);
            None
        }
    };
    x.register_hook(writer('a'));
    let b = x.register_hook(writer('b'));
    x.register_hook(|g| Some(g + 1.0));
    x.register_hook(writer('c'));
    (&x * 3.0).backward().unwrap();
    assert!(x.remove_hook(b) && !x.remove_hook(b));
    (&x * 3.0).backward().unwrap();
    assert_eq!(*log.lock().unwrap(), "abcac");
    assert_eq!(gradient(&x), [8.0]);
}

#[test]
fn a_hook_of_an_intermediate_value_changes_what_flows_on() {
    let x = scalar(2.0);
    let mut y = &x * 3.0;
    let id = y.register_hook(|g| Some(g * 5.0));
    let z = &y * &y;
    z.backward_options(None, &GradOptions::default().retain_graph(true)).unwrap();
    assert_eq!(gradient(&x), [2.0 * 6.0 * 5.0 * 3.0]);
    x.zero_grad();
    assert!(y.remove_hook(id));
    z.backward_options(None, &GradOptions::default().retain_graph(true)).unwrap();
    assert_eq!(gradient(&x), [36.0]);
    // Hooks live as long as the handle they were registered on.
    y.register_hook(|_| panic!("gone with its handle"));
    drop(y);
    z.backward().unwrap();
    assert_eq!(gradient(&x), [72.0]);
}

#[test]
fn grad_passes_hooks_too() {
    let mut x = scalar(2.0);
    x.register_hook(|g| Some(-g));
    let y = &x * &x;
    assert_eq!(grad(&[&y], &[&x], GradOptions::default()).unwrap()[0].item().unwrap(), -4.0);
    assert!(x.grad().is_none());
}

#[test]
fn hooks_under_create_graph_are_recorded() {
    let mut x = scalar(2.0);
    x.register_hook(|g| Some(g * g));
    let first = grad(&[&(&x * &x * &x)], &[&x], GradOptions::default().create_graph(true)).unwrap();
    // (3 x^2)^2, whose derivative 36 x^3 passes the hook again.
    assert_eq!(first[0].item().unwrap(), 144.0);
    first[0].backward().unwrap();
    assert_eq!(gradient(&x), [288.0 * 288.0]);
}

#[test]
fn a_retained_gradient_stays_at_the_intermediate_value() {
    let x = vector([1.0, 2.0]);
    let y = (&x * 2.0).retain_grad();
    let unretained = &y * 1.0;
    (&unretained * &y).sum().backward().unwrap();
    assert_eq!(gradient(&y), [4.0, 8.0]);
    assert!(unretained.grad().is_none());
    assert_eq!(gradient(&x), [8.0, 16.0]);
    // Asked of a leaf it changes nothing.
    assert_eq!(gradient(&x.retain_grad()), [8.0, 16.0]);
}

#[test]
fn a_retained_gradient_is_what_the_hooks_made_of_it() {
    let x = scalar(1.0);
    let mut y = (&x * 2.0).retain_grad();
    y.register_hook(|g| Some(g * 7.0));
    (&y * 3.0).backward().unwrap();
    assert_eq!((gradient(&y), gradient(&x)), (vec![21.0], vec![42.0]));
}

#[test]
#[should_panic(expected = "register_hook: the variable requires no gradient")]
fn a_constant_takes_no_hook() {
    scalar(1.0).requires_grad_(false).register_hook(|_| None);
}

/// The hooks' mistakes: fewer elements in another shape, more axes.
fn shrunk(g: &V) -> Option<V> {
    Some(g.sum().reshape([1]))
}

fn says(error: Error, line: u32, shapes: &str) {
    let text = error.to_string();
    let place = format!("the hook registered at {}:{line}:", file!());
    assert!(text.starts_with(&place) && text.ends_with(shapes), "{text}");
}

#[test]
fn a_leafs_hook_that_returns_another_shape_is_an_error_that_names_it() {
    let (first, mut x) = (vector([1.0, 2.0, 3.0]), vector([1.0, 2.0, 3.0]));
    first.sum().backward().unwrap();
    x.register_hook(|g| Some(g * 2.0));
    x.register_hook(shrunk);
    let line = line!() - 1;
    x.register_hook(|_| panic!("not reached"));
    let error = (&first * &x).sum().backward().unwrap_err();
    says(error, line, "must return a gradient of shape [3], got [1]");
    assert!(x.grad().is_none());
    assert_eq!(gradient(&first), [1.0; 3], "no leaf's gradient has changed");
    let error = grad(&[&(&first * &x).sum()], &[&first, &x], GradOptions::default()).unwrap_err();
    says(error, line, "must return a gradient of shape [3], got [1]");
}

#[test]
fn an_intermediate_values_hook_that_returns_another_shape_is_an_error_that_names_it() {
    let x = vector([1.0, 2.0]);
    let mut y = &x * 2.0;
    y.register_hook(|g| Some(g.unsqueeze(0)));
    let line = line!() - 1;
    let loss = (&y * &x).sum();
    says(loss.backward().unwrap_err(), line, "must return a gradient of shape [2], got [1, 2]");
    assert!(x.grad().is_none());
    let fresh = (&y * &x).sum();
    let error = grad(&[&fresh], &[&x], GradOptions::default().create_graph(true)).unwrap_err();
    says(error, line, "must return a gradient of shape [2], got [1, 2]");
}

#[test]
fn a_hook_may_use_the_leaf_it_belongs_to() {
    let mut x = vector([1.0, 2.0]);
    let handle = x.clone();
    let id = x.register_hook(move |g| {
        handle.zero_grad();
        assert!(handle.grad().is_none());
        Some(g * &handle.detach())
    });
    for _ in 0..2 {
        (&x * 3.0).sum().backward().unwrap();
        assert_eq!(gradient(&x), [3.0, 6.0]);
    }
    // It owns its leaf: a cycle until it is removed.
    assert!(x.remove_hook(id));
}
