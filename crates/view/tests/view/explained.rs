//! A backward in words, against its own numbers.

use wengert_core::{
    Cotangents, Gradients, Operation, Outputs, Pointwise, Saved, Saves, Tape, Tensor, Wants, pointwise,
    record,
};
use wengert_view::View;

use crate::{V, leaf, lstm, scalar};

#[test]
fn paths_that_meet_are_named_with_their_terms() {
    let (tape, _leaves) = scalar();
    let text = tape.explain();
    for line in [
        "to %1: g * x0 = 1 * 2 = 2",
        "%0: [4]; 2 paths meet, their terms are added: [1] from %3; [3] from %2",
        "g = 1, where the backward begins",
    ] {
        assert!(text.replace("[1] * [2]", "1 * 2").replace("= [2]", "= 2").contains(line), "{line}:\n{text}");
    }
}

#[test]
fn lines_come_last_to_first() {
    let (tape, _lstm) = lstm(3);
    let text = tape.explain();
    let (_, backward) = text.split_once("Backward").unwrap();
    let number = |line: &str| line.strip_prefix("  %")?.split_once(" = ")?.0.parse::<usize>().ok();
    let numbers: Vec<usize> = backward.lines().filter_map(number).collect();
    let expected: Vec<usize> =
        tape.entries().iter().filter(|entry| !entry.is_leaf()).map(|entry| entry.number).rev().collect();
    assert_eq!(numbers, expected);
    assert!(!text.contains("not known") && !text.contains("did the rest"), "{text}");
    assert!(text.contains("the sum over outputs y of g * dy/dx0"), "the gates have no rule in the table");
}

#[test]
fn few_elements_are_numbers_and_many_are_told_by_mean_and_norm() {
    let x = V::new(Tensor::from_fn([3, 4], |i| i as f64)).requires_grad_(true);
    let w = leaf(&[1.0, 2.0, 3.0, 4.0]);
    let loss = record(|| (&x * &w).sum());
    loss.backward().unwrap();
    let text = Tape::of(&loss).explain();
    assert!(text.contains("%0 is a leaf: [3, 4], mean 5.5, norm 22.49"), "{text}");
    assert!(
        text.contains(
            "g * x0 = [3, 4] * [3, 4] (summed over the axes along which it was stretched) = [12, 15, 18, 21]"
        ),
        "{text}"
    );
}

#[test]
fn a_gradient_of_several_backwards_is_told_apart() {
    let x = leaf(&[3.0]);
    x.square().sum().backward().unwrap();
    let loss = record(|| x.square().sum());
    loss.backward().unwrap();
    let text = Tape::of(&loss).explain();
    assert!(text.contains("this backward brought [6]; other backwards"), "{text}");
}

pointwise! {
    struct Both;
    fn eval(a, b) -> 2 { [a * b, a + b.tanh()] }
}

/// Squares, in the user's own code.
struct Own;

impl Operation<f64> for Own {
    const NAME: &'static str = "Sum";

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [inputs[0].map(|x| x * x)].into_iter().collect()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }

    fn pullback(
        &self,
        saved: &Saved<'_, f64>,
        cotangents: &Cotangents<f64>,
        gradients: &mut Gradients<'_, f64>,
    ) {
        let cotangent = cotangents.get(0).expect("there is one output");
        gradients.add(0, cotangent * (saved.input(0) * 2.0));
    }
}

#[test]
fn formulas_and_code_of_the_users_own() {
    let x = leaf(&[0.5]);
    let loss = record(|| {
        let [a, b] = Both.apply([&x, &x]);
        Own.apply1(&[&(a + b)]).sum()
    });
    loss.backward().unwrap();
    let text = Tape::of(&loss).explain();
    assert!(text.contains("y = x0 * x1; x0 + tanh(x1)"), "{text}");
    assert!(text.contains("computed by the user's own code"), "an operation of a name in the table:\n{text}");
    // (a b + a + tanh b)^2 at a = b = x: 2 s (2 x + 1 + 1 - tanh(x)^2).
    let s = 0.25 + 0.5 + 0.5f64.tanh();
    let terms = [2.0 * s * 1.5, 2.0 * s * (1.5 - 0.5f64.tanh().powi(2))];
    for term in terms {
        assert!(text.contains(&format!("{term:.3}")), "{term}:\n{text}");
    }
    assert!(text.contains("2 paths meet") && !text.contains("did the rest"), "{text}");
}
