//! The operations between an input and the element of an output that is at fault.

use wengert_core::{Tape, TapeEntry, TapeInput, Variable};

use crate::failure::ElementPlace;

/// Their names in order, runs of the same ones counted.
pub(crate) fn operations(input: &Variable<f64>, output: &Variable<f64>, at: &ElementPlace) -> Vec<String> {
    let tape = Tape::between(input, output);
    let mut found: Vec<(String, usize)> = Vec::new();
    for entry in leading_to(tape.entries(), &at.index) {
        let name = match entry.path.as_str() {
            "" => entry.operation.to_string(),
            path => format!("{path}.{}", entry.operation),
        };
        match found.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => found.push((name, 1)),
        }
    }
    found.into_iter().map(|(name, count)| if count > 1 { format!("{name} x{count}") } else { name }).collect()
}

/// Those that one element of the last one's output is computed by. The parts of what is joined at the end,
/// time steps for one, that don't hold the element are left out with all that only they need.
fn leading_to<'e>(entries: &'e [TapeEntry], index: &[usize]) -> Vec<&'e TapeEntry> {
    let Some(root) = entries.last() else { return Vec::new() };
    let mut needed = vec![false; root.number + 1];
    needed[root.number] = true;
    let mut left = Vec::new();
    for entry in entries.iter().rev() {
        if !needed[entry.number] {
            continue;
        }
        let part = if entry.number == root.number { part_of(entry, entries, index) } else { None };
        let inputs = entry.inputs.iter().enumerate().filter(|(i, _)| part.is_none_or(|part| part == *i));
        inputs.filter_map(|(_, input)| input.number()).for_each(|input| needed[input] = true);
        left.push(entry);
    }
    left.reverse();
    left
}

/// The input of a join that holds an element of its output; none if it can't be told.
fn part_of(join: &TapeEntry, entries: &[TapeEntry], index: &[usize]) -> Option<usize> {
    let shape = &join.outputs[0].shape;
    let shape_of = |input: &TapeInput| {
        let TapeInput::Value { number, output } = input else { return None };
        let source = entries.iter().find(|entry| entry.number == *number)?;
        Some(&source.outputs.get(*output)?.shape)
    };
    let parts: Vec<&Vec<usize>> = join.inputs.iter().map(shape_of).collect::<Option<_>>()?;
    match &*join.operation {
        "Cat" => {
            let axis = (0..shape.len()).find(|&axis| parts[0].get(axis) != shape.get(axis))?;
            let ends = parts.iter().scan(0, |end, part| {
                *end += part[axis];
                Some(*end)
            });
            ends.enumerate().find(|(_, end)| index[axis] < *end).map(|(i, _)| i)
        }
        "Stack" => {
            let axis = (0..shape.len()).find(|&axis| parts[0].get(axis) != shape.get(axis))?;
            (shape[axis] == parts.len()).then_some(index[axis])
        }
        _ => None,
    }
}
