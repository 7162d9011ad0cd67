//! A backward in words and numbers.

mod backward;
mod numbers;
mod pullback;
mod rules;

use std::fmt::Write as _;

use wengert_core::{AnyTensor, Recompute, Tape, TapeEntry, TapeInput, Tensor};

pub use self::pullback::pullback_rules;

use self::numbers::{Symbols, told};
use crate::graph::{NO_GRADIENT, NOTHING_RECORDED};
use crate::text::visible;

const NO_VALUES: &str = "The tape has no values. Compute inside `record(|| ..)`, then call `backward()`.";
const NO_BACKWARD: &str = "The tape has no gradients: call `backward()` on the value, then take its tape.";

pub(crate) fn explain(tape: &Tape) -> String {
    let Some(last) = tape.entries().last() else {
        return format!("{NOTHING_RECORDED}\n");
    };
    let outputs = || tape.entries().iter().filter(|entry| !entry.is_leaf()).flat_map(|entry| &entry.outputs);
    if outputs().any(|output| output.value.is_none()) {
        return format!("{NO_VALUES}\n\n{tape}");
    }
    let mut out = String::from("Forward, from the first line to the last:\n");
    tape.entries().iter().for_each(|entry| forward(entry, tape, &mut out));
    if !tape.entries().iter().any(|entry| entry.requires_grad) {
        let _ = writeln!(out, "\n{NO_GRADIENT}");
    } else if last.is_leaf() {
        let _ = writeln!(
            out,
            "\nThere is no operation: the value is a leaf, and `backward()` adds 1 to its gradient."
        );
    } else if outputs().all(|output| output.grad.is_none()) {
        let _ = writeln!(out, "\n{NO_BACKWARD}");
    } else {
        backward::told(tape, &mut out);
    }
    out
}

/// A value as it is named in the text; of several outputs of a line, which one.
fn place(tape: &Tape, number: usize, output: usize) -> String {
    match tape.entry(number) {
        Some(entry) if entry.outputs.len() > 1 => format!("%{number}.{output}"),
        Some(entry) if entry.is_leaf() && !entry.name.is_empty() => {
            format!("%{number} ({})", visible(&entry.name))
        }
        _ => format!("%{number}"),
    }
}

/// The line as a call.
fn call(tape: &Tape, entry: &TapeEntry) -> String {
    let input = |input: &TapeInput| match input {
        TapeInput::Value { number, output } => place(tape, *number, *output),
        TapeInput::Constant(Some(value)) => format!("constant{:?}", value.shape()),
        _ => "constant".to_string(),
    };
    let mut arguments: Vec<String> = entry.inputs.iter().map(input).collect();
    arguments.extend(entry.attributes.iter().map(|(name, value)| format!("{name}={value}")));
    format!("{}({})", entry.operation, arguments.join(", "))
}

fn tensor(value: Option<&AnyTensor>) -> Option<Tensor<f64>> {
    value.map(AnyTensor::cast)
}

/// The values of a line's inputs, if all are known.
fn inputs(tape: &Tape, entry: &TapeEntry) -> Option<Vec<Tensor<f64>>> {
    let value = |input: &TapeInput| match input {
        TapeInput::Value { number, output } => {
            tensor(tape.entry(*number)?.outputs.get(*output)?.value.as_ref())
        }
        TapeInput::Constant(value) => tensor(value.as_ref()),
        _ => None,
    };
    entry.inputs.iter().map(value).collect()
}

/// The formula of a line, and the words behind it.
fn formula(entry: &TapeEntry) -> (String, &'static str) {
    if let Some(rule) = rules::rule(&entry.operation).filter(|_| entry.recompute != Recompute::Opaque) {
        // A product without a third input adds none.
        let (formula, words) = rule.forward.split_once(" | ").unwrap_or((rule.forward, ""));
        let formula = if entry.inputs.len() < 3 { formula.trim_end_matches(" + x2") } else { formula };
        return (formula.to_string(), words);
    }
    match &entry.recompute {
        Recompute::Formula(program) => (program.to_string().trim_end().replace('\n', "; "), ""),
        _ => (String::new(), "computed by the user's own code"),
    }
}

fn forward(entry: &TapeEntry, tape: &Tape, out: &mut String) {
    if entry.is_leaf() {
        let value = tensor(entry.outputs[0].value.as_ref());
        let value = value.map_or("not known".to_string(), |value| told(&value));
        let name = if entry.name.is_empty() { "leaf" } else { "parameter" };
        let _ = writeln!(out, "  {} is a {name}: {value}", place(tape, entry.number, 0));
        return;
    }
    let _ = writeln!(out, "  %{} = {}", entry.number, call(tape, entry));
    let (text, words) = formula(entry);
    let known = inputs(tape, entry).unwrap_or_default();
    let symbols = Symbols { g: None, y: None, inputs: &known, attributes: &entry.attributes };
    // Only what is short is shown with its numbers.
    let with = symbols.put_into(&text).filter(|with| rules::is_formula(&text) && with.len() <= 90);
    let with = with.map(|with| format!(" = {with}")).unwrap_or_default();
    let words = if words.is_empty() { String::new() } else { format!(" ({words})") };
    let _ = writeln!(
        out,
        "      {}{with}{words}",
        if text.is_empty() { "y".to_string() } else { format!("y = {text}") }
    );
    for (output, value) in entry.outputs.iter().enumerate() {
        let value = tensor(value.value.as_ref()).map_or("not known".to_string(), |value| told(&value));
        let _ = writeln!(out, "      {} is {value}", place(tape, entry.number, output));
    }
}
