//! What can't be checked, and what a check says of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use wengert_check::{Failure, Gradcheck, gradcheck, gradcheck_module};
use wengert_core::{Tensor, manual_seed};
use wengert_nn::{Cast, Lstm};

use crate::{V, input};

fn said(result: Result<(), Failure>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn without_an_input_that_requires_a_gradient_there_is_nothing_to_check() {
    let x = V::new(Tensor::from([1.0]));
    let text = "gradcheck: no input requires a gradient; ask for it with requires_grad_(true)";
    assert_eq!(said(gradcheck(|x| x[0].exp(), &[&x])), text);
    assert_eq!(said(Gradcheck::new().check_second(|x| x[0].exp(), &[&x])), text);
}

#[test]
fn an_expanded_input_is_refused_unless_it_is_allowed() {
    let x = V::new(Tensor::from([[1.0, 2.0]]).expand(&[3, 2]).unwrap()).requires_grad_(true);
    let expected = "gradcheck: input 0 of shape [3, 2] has strides [0, 1]: an axis of stride 0 repeats its \
                    elements; make it contiguous(), or allow it with Gradcheck::expanded(true)";
    assert_eq!(said(gradcheck(|x| x[0].exp(), &[&x])), expected);
    Gradcheck::new().expanded(true).check(|x| x[0].exp(), &[&x]).unwrap();
    // An axis of extent 1 may have any stride.
    let x = V::new(Tensor::from([[1.0, 2.0]]).expand(&[1, 2]).unwrap()).requires_grad_(true);
    gradcheck(|x| x[0].exp(), &[&x]).unwrap();
    // Where there are no elements none stands at several places.
    let empty = |shape: [usize; 2]| V::new(Tensor::zeros(shape)).requires_grad_(true);
    gradcheck(|x| x[0].matmul(&x[1]), &[&empty([2, 0]), &empty([0, 3])]).unwrap();
}

#[test]
fn a_function_that_is_not_deterministic_is_called_so() {
    let calls = AtomicUsize::new(0);
    let text =
        said(gradcheck(|x| &x[0] + calls.fetch_add(1, Ordering::Relaxed) as f64, &[&input([[1.0, 2.0]])]));
    let expected = "gradcheck: the function is not deterministic: two calls gave 2 and 3 at output 0 [0, 0]; \
                    is there dropout in training mode, or state that a call changes?";
    assert_eq!(text, expected);
    // Dropout is deterministic if it is seeded.
    gradcheck(
        |x| {
            manual_seed(3);
            x[0].dropout(0.5)
        },
        &[&input([[1.0, 2.0]])],
    )
    .unwrap();
}

#[test]
fn an_error_of_the_function_comes_out() {
    let lstm = Lstm::new(3, 2).unwrap().cast::<f64>();
    let wrong = input([[1.0, 2.0]]);
    let expected =
        "gradcheck: the function failed: LSTM: expected an input of width 3, got 2 in shape [1, 2]";
    assert_eq!(said(gradcheck_module(&lstm, &[&wrong])), expected);
    let expected =
        "gradcheck: the function failed: expected 3 inputs, the input and the parts of a state, got 2";
    assert_eq!(said(gradcheck_module(&lstm, &[&wrong, &wrong])), expected);
}
