//! Which shapes fit each other: asked before an operation is, so that the mistake has a place in the text.

use super::error::{Place, Result, ScriptError};
use crate::limits::{MOST_AXES, MOST_SCRIPT_ELEMENTS};

/// How many elements a shape has.
///
/// # Errors
/// More than a tensor of a program may have.
pub(crate) fn count(at: Place, shape: &[usize]) -> Result<usize> {
    let elements = shape.iter().try_fold(1usize, |count, extent| count.checked_mul(*extent));
    if shape.len() > MOST_AXES {
        let message = format!("expected a tensor of at most {MOST_AXES} axes, got shape {shape:?}");
        return Err(ScriptError::new(at, message));
    }
    elements.filter(|count| *count <= MOST_SCRIPT_ELEMENTS).ok_or_else(|| {
        let message =
            format!("expected a tensor of at most {MOST_SCRIPT_ELEMENTS} elements, got shape {shape:?}");
        ScriptError::new(at, message)
    })
}

/// The shape that two are stretched to.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let extent = |shape: &[usize], axis: usize| {
        let missing = rank - shape.len();
        if axis < missing { 1 } else { shape[axis - missing] }
    };
    let common = |axis| match (extent(a, axis), extent(b, axis)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    (0..rank).map(common).collect()
}

/// The shape of a matrix product, and how many multiplications it takes; else what the right operand should
/// be.
pub(crate) fn product(a: &[usize], b: &[usize]) -> std::result::Result<(Vec<usize>, usize), String> {
    let (Some(&inner), false) = (a.last(), b.is_empty()) else {
        return Err("matrices or vectors".to_string());
    };
    let column = b.len() == 1;
    let own = if column { b[0] } else { b[b.len() - 2] };
    if own != inner {
        let rows = if inner == 1 { "row" } else { "rows" };
        return Err(format!("a right operand of {inner} {rows}"));
    }
    let batch = |shape: &[usize]| shape[..shape.len().saturating_sub(2)].to_vec();
    let Some(mut shape) = broadcast(&batch(a), &batch(b)) else {
        return Err("leading axes that broadcast".to_string());
    };
    shape.extend((a.len() > 1).then(|| a[a.len() - 2]));
    shape.extend((!column).then(|| b[b.len() - 1]));
    let cost = shape.iter().fold(inner.max(1), |cost, extent| cost.saturating_mul(*extent));
    Ok((shape, cost))
}

/// An axis by its number, from the end if that is negative.
pub(crate) fn axis(at: Place, number: i64, rank: usize) -> Result<usize> {
    let from_front = if number < 0 { number + rank as i64 } else { number };
    if (0..rank as i64).contains(&from_front) {
        return Ok(from_front as usize);
    }
    let axes = if rank == 1 { "axis" } else { "axes" };
    Err(ScriptError::new(at, format!("expected an axis of a tensor of {rank} {axes}, got {number}")))
}
