//! An LSTM over a short sequence, and its numbers before and after an input is another.

use std::path::Path;

use serde_json::{Map, Value, json};
use wengert_core::{AnyTensor, Parameter, Result, Tape, TapeEntry, Tensor, Variable, manual_seed, record};
use wengert_nn::{Cast, Lstm, Module};
use wengert_page::Page;

use crate::put;

const ELEMENT: usize = 2;
const NUMBER: f64 = -1.75;

pub fn write(folder: &Path) -> Result<()> {
    let (tape, x) = recorded(None)?;
    let (other, _) = recorded(Some(NUMBER))?;
    let expected = json!({
        "before": numbers(&tape), "after": numbers(&other), "gradients": gradients(&tape),
        "edited": x, "element": ELEMENT, "number": NUMBER,
        // Sums go in another order where there are no vector units, as in the page.
        "digits": 11,
    });
    put(folder, "lstm", &Page::of(&tape)?.title("An LSTM of four steps"), &expected)
}

/// The tape of the loss, and the line of the input.
fn recorded(number: Option<f64>) -> Result<(Tape, usize)> {
    manual_seed(3);
    let lstm = Lstm::new(2, 3)?.cast::<f64>();
    // Named once they are asked for.
    lstm.named_parameters();
    let mut x = Tensor::<f64>::randn([4, 1, 2]).to_vec();
    if let Some(number) = number {
        x[ELEMENT] = number;
    }
    let x = Parameter::new(Tensor::from_vec(x, [4, 1, 2])?).named("x");
    let loss = record(|| lstm.forward(&x, None).map(|(out, _)| out.select(0, 3).square().mean()))?;
    loss.backward()?;
    let value: &Variable<f64> = &x;
    let (tape, places) = Tape::located(&[&loss, value]);
    Ok((tape, places[1].expect("the loss depends on it").0))
}

fn data(tensor: Option<&AnyTensor>) -> Value {
    tensor.map_or(Value::Null, |tensor| json!(tensor.cast::<f64>().to_vec()))
}

/// All values and gradients, by the lines' numbers.
fn numbers(tape: &Tape) -> Map<String, Value> {
    let line = |entry: &TapeEntry| {
        let outputs = entry.outputs.iter();
        outputs.map(|o| json!({ "value": data(o.value.as_ref()), "grad": data(o.grad.as_ref()) })).collect()
    };
    tape.entries().iter().map(|entry| (entry.number.to_string(), line(entry))).collect()
}

/// The gradients of the leaves that have one, by name.
fn gradients(tape: &Tape) -> Map<String, Value> {
    let leaves = tape.entries().iter().filter(|entry| entry.is_leaf() && entry.requires_grad);
    let name =
        |leaf: &TapeEntry| if leaf.name.is_empty() { format!("%{}", leaf.number) } else { leaf.name.clone() };
    leaves.map(|leaf| (name(leaf), data(leaf.outputs[0].grad.as_ref()))).collect()
}
