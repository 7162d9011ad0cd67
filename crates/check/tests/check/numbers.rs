//! Functions of plain numbers.

use std::cell::Cell;

use wengert_check::{Failure, check_derivative};

#[test]
fn gradients_and_jacobians_come_in_every_form() {
    let at = [0.3, -1.2];
    check_derivative(|x: &[f64]| x[0] * x[1], |x: &[f64]| vec![x[1], x[0]], &at).unwrap();
    check_derivative(|x: &[f64]| x[0] * x[1], |x: &[f64]| [x[1], x[0]], &at).unwrap();
    check_derivative(|x: &[f64]| x[0].exp(), |x: &[f64]| x[0].exp(), &[0.3]).unwrap();
    let both = |x: &[f64]| [x[0] * x[1], x[0] - x[1]];
    check_derivative(both, |x: &[f64]| vec![x[1], x[0], 1.0, -1.0], &at).unwrap();
    check_derivative(both, |x: &[f64]| vec![vec![x[1], x[0]], vec![1.0, -1.0]], &at).unwrap();
    check_derivative(both, |x: &[f64]| Ok::<_, String>([[x[1], x[0]], [1.0, -1.0]]), &at).unwrap();
    // Transposed.
    let found = check_derivative(both, |x: &[f64]| [[x[1], 1.0], [x[0], -1.0]], &at);
    let Err(Failure::Mismatch(mismatch)) = found else { panic!("{found:?}") };
    assert_eq!((mismatch.output.index, mismatch.input.index), (vec![0], vec![1]));
}

#[test]
fn a_large_function_has_its_derivative_held_to_that_size() {
    for size in [1e-8, 1.0, 1e12] {
        let of = |off: f64| {
            let f = |x: &[f64]| size * x[0].tanh();
            check_derivative(f, |x: &[f64]| size * (1.0 - x[0].tanh().powi(2)) * (1.0 + off), &[0.4])
        };
        of(0.0).unwrap();
        assert!(matches!(of(1e-3), Err(Failure::Mismatch(_))), "{size:e}: {:?}", of(1e-3));
        // Terms as large as the function that cancel leave their rounding.
        let cancelling = |x: &[f64]| size + (x[0] - x[0]);
        check_derivative(cancelling, |_: &[f64]| 4.0 * f64::EPSILON * size, &[0.0]).unwrap();
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let said = |found: Result<(), Failure>| found.unwrap_err().to_string();
    let text = said(check_derivative(|x: &[f64]| [x[0], x[1]], |_: &[f64]| vec![1.0, 0.0, 0.0], &[1.0, 2.0]));
    let expected = "gradcheck: the function failed: expected a derivative of 2 x 2 numbers, a row for each \
                    value and a column for each argument, got 3";
    assert_eq!(text, expected);
    let growing = |x: &[f64]| vec![0.0; if x[0] > 1.0 { 2 } else { 1 }];
    assert!(
        said(check_derivative(growing, |_: &[f64]| 0.0, &[1.0]))
            .contains("expected 1 values as at the point")
    );
    let fails = |_: &[f64]| Err::<f64, _>("no data");
    assert_eq!(
        said(check_derivative(fails, |_: &[f64]| 0.0, &[1.0])),
        "gradcheck: the function failed: no data"
    );
    let calls = Cell::new(0.0);
    let counts = |x: &[f64]| {
        calls.set(calls.get() + 1.0);
        x[0] + calls.get()
    };
    assert!(said(check_derivative(counts, |_: &[f64]| 1.0, &[1.0])).contains("not deterministic"));
    assert!(matches!(check_derivative(|_: &[f64]| 1.0, |_: &[f64]| 1.0, &[]), Err(Failure::NothingToCheck)));
}
