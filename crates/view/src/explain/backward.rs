//! From the last line to the first: what is at hand, what the rule is, and what goes on.

use std::collections::HashMap;
use std::fmt::Write as _;

use wengert_core::{GradOptions, Recompute, Tape, TapeEntry, TapeInput, Tensor, Variable, grad};

use super::numbers::{Symbols, norm, told as number_told};
use super::rules::{self, GENERIC, Rule};
use super::{call, inputs, place, tensor};

/// What came to a value, from which line; a term that cannot be computed is none.
type Terms = HashMap<(usize, usize), Vec<(usize, Option<Tensor<f64>>)>>;

pub(super) fn told(tape: &Tape, out: &mut String) {
    let _ = writeln!(out, "\nBackward, from the last line to the first; g is the cotangent at hand:");
    let mut terms = Terms::new();
    for entry in tape.entries().iter().rev().filter(|entry| !entry.is_leaf()) {
        line(tape, entry, &mut terms, out);
    }
    let leaves: Vec<&TapeEntry> =
        tape.entries().iter().filter(|entry| entry.is_leaf() && entry.requires_grad).collect();
    if leaves.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nGradients of the leaves:");
    for leaf in leaves {
        let _ = writeln!(out, "  {}: {}", place(tape, leaf.number, 0), gathered(tape, leaf, 0, &terms));
        remark(leaf, &terms, out);
    }
}

/// What arrived at a value: one term, or a sum of several paths.
fn gathered(tape: &Tape, entry: &TapeEntry, output: usize, terms: &Terms) -> String {
    let total = tensor(entry.outputs[output].grad.as_ref());
    let total = total.map_or("none".to_string(), |total| number_told(&total));
    let arrived = terms.get(&(entry.number, output)).map_or(&[][..], Vec::as_slice);
    if arrived.len() < 2 {
        return total;
    }
    let term = |(from, term): &(usize, Option<Tensor<f64>>)| {
        let term = term.as_ref().map_or("what is not known".to_string(), number_told);
        format!("{term} from {}", place(tape, *from, 0).split('.').next().unwrap_or_default())
    };
    let all: Vec<String> = arrived.iter().map(term).collect();
    format!("{total}; {} paths meet, their terms are added: {}", arrived.len(), all.join("; "))
}

/// A word on a gradient that holds something else than what this backward brought.
fn remark(leaf: &TapeEntry, terms: &Terms, out: &mut String) {
    let Some(total) = tensor(leaf.outputs[0].grad.as_ref()) else {
        let _ = writeln!(out, "      its gradient was cleared, or never came");
        return;
    };
    let arrived = terms.get(&(leaf.number, 0)).map_or(&[][..], Vec::as_slice);
    let mut sum = vec![0.0; total.numel()];
    for (_, term) in arrived {
        let Some(term) = term else { return };
        sum.iter_mut().zip(term.to_vec()).for_each(|(sum, term)| *sum += term);
    }
    let apart: Vec<f64> = sum.iter().zip(total.to_vec()).map(|(sum, total)| sum - total).collect();
    if norm(&apart) > 1e-3 * (norm(&sum) + norm(&total.to_vec())) {
        let sum = Tensor::from_vec(sum, total.shape()).expect("it has the shape of the gradient");
        let sum = number_told(&sum);
        let _ = writeln!(
            out,
            "      this backward brought {sum}; other backwards, hooks or clipping did the rest"
        );
    }
}

/// One line: what is at hand, and what goes to each input.
fn line(tape: &Tape, entry: &TapeEntry, terms: &mut Terms, out: &mut String) {
    let _ = writeln!(out, "  %{} = {}", entry.number, call(tape, entry));
    if entry.outputs.iter().all(|output| output.grad.is_none()) {
        let _ = writeln!(out, "      no cotangent came here, and none goes on");
        return;
    }
    let several = entry.outputs.len() > 1;
    for output in 0..entry.outputs.len() {
        let name = if several { format!("g{output}") } else { "g".to_string() };
        let is_first = tape.entries().last().is_some_and(|last| last.number == entry.number);
        let begins = if is_first && !several { ", where the backward begins" } else { "" };
        let _ = writeln!(out, "      {name} = {}{begins}", gathered(tape, entry, output, terms));
    }
    let known = inputs(tape, entry);
    let passed = known.as_ref().and_then(|known| pulled_back(entry, known));
    for (i, input) in entry.inputs.iter().enumerate() {
        let TapeInput::Value { number, output } = input else { continue };
        let Some(source) = tape.entry(*number).filter(|source| source.requires_grad) else { continue };
        let key = (*number, *output);
        let computed = passed.as_ref().and_then(|passed| passed[i].clone());
        // What one line alone brought is the whole.
        let uses = || tape.entries().iter().flat_map(|entry| &entry.inputs).filter(|other| *other == input);
        let whole = || tensor(source.outputs.get(*output)?.grad.as_ref()).filter(|_| uses().count() == 1);
        let term = computed.or_else(whole);
        let value = term.as_ref().map_or("not known: the code is the user's".to_string(), number_told);
        let text = sentence(entry, i, known.as_deref().unwrap_or_default(), &value);
        let _ = writeln!(out, "      to {}: {text} = {value}", place(tape, *number, *output));
        terms.entry(key).or_default().push((entry.number, term));
    }
}

/// What the line hands to each of its inputs, computed again from values and cotangents in `f64`; none if the
/// tape cannot run it.
fn pulled_back(entry: &TapeEntry, known: &[Tensor<f64>]) -> Option<Vec<Option<Tensor<f64>>>> {
    if matches!(entry.recompute, Recompute::Opaque) {
        return None;
    }
    let variables: Vec<Variable<f64>> =
        known.iter().map(|value| Variable::new(value.clone()).requires_grad_(true)).collect();
    let outputs = entry.apply(&variables.iter().collect::<Vec<_>>()).ok()?;
    let cotangents = outputs.iter().zip(&entry.outputs).filter(|(output, _)| output.requires_grad());
    let (outputs, cotangents): (Vec<_>, Vec<_>) = cotangents
        .filter_map(|(output, recorded)| Some((output, Variable::new(tensor(recorded.grad.as_ref())?))))
        .unzip();
    let options = GradOptions::default().allow_unused(true).cotangents(cotangents);
    let inputs: Vec<&Variable<f64>> = variables.iter().collect();
    let found = grad(&outputs, &inputs, options).ok()?;
    Some(found.iter().map(|gradient| Some(gradient.value())).collect())
}

/// The rule for an input, with numbers where there are few and they are not the result already.
fn sentence(entry: &TapeEntry, i: usize, known: &[Tensor<f64>], value: &str) -> String {
    let rule = rules::rule(&entry.operation).filter(|_| entry.recompute != Recompute::Opaque);
    let Some(Rule { back, is_elementwise, .. }) = rule else {
        return format!("{GENERIC}{i}");
    };
    let text = back[i.min(back.len() - 1)];
    let (formula, words) = text.split_once(" | ").unwrap_or((text, ""));
    let output = &entry.outputs[0];
    let (g, y) = (tensor(output.grad.as_ref()), tensor(output.value.as_ref()));
    let symbols = Symbols { g: g.as_ref(), y: y.as_ref(), inputs: known, attributes: &entry.attributes };
    let with = symbols.put_into(formula).filter(|with| with != formula && with != value && with.len() <= 90);
    let with = with.map(|with| format!(" = {with}")).unwrap_or_default();
    let is_stretched = *is_elementwise && known.get(i).is_some_and(|known| known.shape() != output.shape);
    let summed = if is_stretched { "summed over the axes along which it was stretched" } else { "" };
    let words: Vec<&str> = [words, summed].into_iter().filter(|words| !words.is_empty()).collect();
    let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    format!("{formula}{with}{words}")
}
