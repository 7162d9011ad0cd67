//! How many floating-point operations a recorded operation is.

use wengert_core::{Recompute, TapeEntry, TapeInput};

/// Operations that move elements, or see them otherwise, and compute nothing.
const MOVES: [&str; 24] = [
    "leaf",
    "Cat",
    "Stack",
    "Embed",
    "Extract",
    "IndexSelect",
    "Gather",
    "Flip",
    "Roll",
    "Pad",
    "Split",
    "Narrow",
    "Select",
    "Slice",
    "Permute",
    "Transpose",
    "Reshape",
    "Expand",
    "Squeeze",
    "Unsqueeze",
    "Contiguous",
    "Where",
    "MaskedFill",
    "Checkpoint",
];

/// The operations of an entry of a tape.
pub(super) fn flops(entry: &TapeEntry, tape: &[TapeEntry]) -> u64 {
    let shape_of = |input: usize| match entry.inputs.get(input)? {
        TapeInput::Value { number, output } => Some(&tape[*number].outputs.get(*output)?.shape[..]),
        _ => None,
    };
    let count = |shape: &[usize]| shape.iter().map(|&extent| extent as u64).product::<u64>();
    let outputs: u64 = entry.outputs.iter().map(|output| count(&output.shape)).sum();
    if let Recompute::Formula(program) = &entry.recompute {
        let elements = entry.outputs.first().map_or(0, |output| count(&output.shape));
        return elements * program.operations() as u64;
    }
    match &*entry.operation {
        name if MOVES.contains(&name) => 0,
        "Linear" => {
            let width = shape_of(1).map(|weight| weight[1]).or_else(|| shape_of(0)?.last().copied());
            let bias = if entry.inputs.len() > 2 { outputs } else { 0 };
            2 * outputs * width.unwrap_or(0) as u64 + bias
        }
        "MatMul" => {
            let of_right = || {
                let right = shape_of(1)?;
                right.get(right.len().saturating_sub(2)).copied()
            };
            let inner = shape_of(0).and_then(|left| left.last().copied()).or_else(of_right);
            2 * outputs * inner.unwrap_or(0) as u64
        }
        _ => {
            let inputs = (0..entry.inputs.len()).filter_map(shape_of).map(count);
            outputs.max(inputs.max().unwrap_or(0))
        }
    }
}
