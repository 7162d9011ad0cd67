//! The rules of a line's pullback, with the shapes that they are applied to.

use wengert_core::{Recompute, Tape, TapeEntry, TapeInput};

use super::numbers::put_into;
use super::rules::{self, GENERIC};
use crate::text::shape;

/// Formulas of what the pullback of a line brings those of its inputs that get a gradient: the number of
/// the input, and a formula with the actual shapes. In it `ȳ` is the cotangent of the line's result `y`,
/// `x0`, `x1` .. are its inputs, and a bar makes of an input its cotangent.
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable};
/// use wengert_view::pullback_rules;
/// let x = Variable::new(Tensor::<f32>::ones([5, 100])).requires_grad_(true);
/// let w = Variable::new(Tensor::<f32>::ones([100, 200])).requires_grad_(true);
/// let tape = Tape::of(&x.matmul(&w));
/// let rules = pullback_rules(&tape, &tape.entries()[2]);
/// assert_eq!(rules[0], (0, "x\u{304}0 += ȳ · x1ᵀ    [5, 100] += [5, 200] · [200, 100]".to_string()));
/// assert_eq!(rules[1], (1, "x\u{304}1 += x0ᵀ · ȳ    [100, 200] += [100, 5] · [5, 200]".to_string()));
/// ```
pub fn pullback_rules(tape: &Tape, entry: &TapeEntry) -> Vec<(usize, String)> {
    let shapes: Vec<Option<Vec<usize>>> = entry.inputs.iter().map(|input| extents(tape, input)).collect();
    let gets = |input: &TapeInput| {
        let source = input.number().and_then(|number| tape.entry(number));
        source.is_some_and(|source| source.requires_grad)
    };
    let wanted = entry.inputs.iter().enumerate().filter(|(_, input)| gets(input));
    wanted.map(|(i, _)| (i, rule(entry, i, &shapes))).collect()
}

fn extents(tape: &Tape, input: &TapeInput) -> Option<Vec<usize>> {
    match input {
        TapeInput::Value { number, output } => Some(tape.entry(*number)?.outputs.get(*output)?.shape.clone()),
        TapeInput::Constant(value) => value.as_ref().map(|value| value.shape()),
        _ => None,
    }
}

fn rule(entry: &TapeEntry, i: usize, shapes: &[Option<Vec<usize>>]) -> String {
    let known = rules::rule(&entry.operation).filter(|_| entry.recompute != Recompute::Opaque);
    let text = known.map_or("", |rule| rule.back[i.min(rule.back.len() - 1)]);
    let (formula, words) = text.split_once(" | ").unwrap_or((text, ""));
    let own = shapes.get(i).and_then(Option::as_deref);
    let result = entry.outputs.first().map(|output| output.shape.as_slice());
    let stretched = known.is_some_and(|rule| rule.is_elementwise) && own != result;
    let summed = if stretched { "summed over the axes along which it was stretched" } else { "" };
    let words = [words, summed].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", ");
    let words = if words.is_empty() { words } else { format!(" ({})", written(&words)) };
    if formula.is_empty() {
        return format!("x\u{304}{i} += {}{i}", written(GENERIC));
    }
    let own = own.map(shape).unwrap_or_default();
    // Shapes stand for values where all are known and it is a formula.
    let of = |symbol: &str| match symbol {
        "g" | "y" => result.map(|extents| extents.to_vec()),
        _ => shapes.get(symbol.strip_prefix('x')?.parse::<usize>().ok()?)?.clone(),
    };
    let with = if rules::is_formula(formula) { in_shapes(formula, &of) } else { None };
    let with = with.filter(|with| with.len() <= 90).map(|with| format!("    {own} += {with}"));
    format!("x\u{304}{i} += {}{words}{}", written(formula), with.unwrap_or_else(|| format!("    {own}")))
}

/// The formula with shapes for symbols; a transposed matrix has its extents exchanged.
fn in_shapes(formula: &str, of: &dyn Fn(&str) -> Option<Vec<usize>>) -> Option<String> {
    let transposed = |extents: Vec<usize>| match extents.as_slice() {
        [leading @ .., rows, columns] => [leading, &[*columns, *rows]].concat(),
        _ => extents,
    };
    let marked = formula.replace("^T", "_T");
    let value = |symbol: &str| match symbol.strip_suffix("_T") {
        Some(symbol) => of(symbol).map(|extents| shape(&transposed(extents))),
        None => of(symbol).map(|extents| shape(&extents)),
    };
    put_into(&marked, &value).map(|with| with.replace(" @ ", " \u{b7} "))
}

/// As it is written on paper.
fn written(text: &str) -> String {
    let bar = |symbol: &str| match symbol.strip_prefix('g') {
        Some(place) if place.bytes().all(|c| c.is_ascii_digit()) => Some(format!("\u{233}{place}")),
        _ => None,
    };
    let text = put_into(text, &bar).unwrap_or_else(|| text.to_string());
    text.replace("^T", "\u{1d40}").replace(" @ ", " \u{b7} ").replace("^2", "\u{b2}")
}
