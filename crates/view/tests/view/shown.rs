//! Tapes with nothing to see: each says so.

use wengert_core::{Tape, Tensor, no_grad, record};
use wengert_view::{Fold, Graph, View, parameter_norms, step_norms};

use crate::{V, leaf};

/// A document's words, whatever lines they are in.
fn words(svg: &str) -> String {
    svg.replace("</text>", " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_value_without_history_says_what_to_do() {
    let x = leaf(&[1.0, 2.0]);
    let none = [x.exp().sum().detach(), no_grad(|| x.exp().sum()), V::new(Tensor::scalar(1.0))];
    for value in &none {
        let tape = Tape::of(value);
        for text in [tape.explain(), tape.to_dot(), words(&tape.to_svg())] {
            assert!(text.contains("Nothing was recorded: the value has no history."), "{text}");
        }
        assert!(parameter_norms(&tape).to_terminal().contains("call `backward()`"));
        assert!(step_norms(&tape, "l0", "Tanh").to_svg().contains("No line of the tape"));
    }
}

#[test]
fn a_tape_whose_leaves_are_gone_says_so() {
    let loss = record(|| leaf(&[1.0, 2.0]).exp().sum());
    let tape = Tape::of(&loss);
    assert!(tape.entries().iter().all(|entry| !entry.requires_grad));
    for text in [tape.explain(), tape.to_dot(), tape.to_svg()] {
        assert!(text.contains("No gradient flows here"), "{text}");
    }
}

#[test]
fn an_empty_tensor_is_shown() {
    let x = V::new(Tensor::zeros([0, 3])).requires_grad_(true);
    let loss = record(|| (&x * 2.0).sum());
    loss.backward().unwrap();
    let tape = Tape::of(&loss);
    let explained = tape.explain();
    assert!(explained.contains("[0, 3], without elements"), "{explained}");
    assert!(tape.to_svg().contains("[0, 3]") && tape.to_dot().contains("[0, 3]"));
}

#[test]
fn a_leaf_alone_is_shown() {
    let x = leaf(&[1.0]);
    let tape = Tape::of(&x);
    assert!(tape.explain().contains("the value is a leaf"), "{}", tape.explain());
    assert_eq!(Graph::of(&tape, &Fold::none()).nodes.len(), 1);
    assert!(tape.to_svg().contains(">leaf</text>"));
}

#[test]
fn missing_values_and_gradients_say_what_to_do() {
    let x = leaf(&[1.0]);
    let without_values = Tape::of(&x.exp().sum()).explain();
    assert!(without_values.starts_with("The tape has no values. Compute inside `record(|| ..)`"));
    assert!(without_values.contains("%1 = Exp(%0)"), "the listing is there all the same");
    let without_backward = Tape::of(&record(|| x.exp().sum())).explain();
    assert!(without_backward.contains("call `backward()`") && without_backward.contains("y = exp(x0)"));
}
