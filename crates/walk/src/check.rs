//! Gradients held against central differences, in `f64`.

use wengert_core::{Result, Tape, TapeEntry, Tensor, Variable, no_grad};

use crate::limits::MOST_CHECKED;
use crate::scene::{Check, CheckRow};
use crate::value::{JsonNumber, Value};

/// How far an element may be off, relative to the largest of its gradient, beside what noise explains.
const ALLOWED: f64 = 1e-6;
/// Calls of the function for one element.
const CALLS: usize = 4;

type Leaves = [(usize, Variable<f64>)];

/// The loss for these values of leaves.
fn loss(tape: &Tape, leaves: &Leaves) -> Result<f64> {
    no_grad(|| tape.replay_with(leaves)?.output().value().reshape([])?.item())
}

/// A derivative by differences, and by how much it may be off: one of fourth order, from two steps. Noise of
/// the function counts as `eps |f| / h`, what lies beyond that order as how far the two steps are apart.
fn difference(f: &mut dyn FnMut(f64) -> Result<f64>, size: f64) -> Result<(f64, f64)> {
    // A power of two, so that the step is exact beside the element.
    let h = (size.abs().max(0.25) * 2f64.powi(-10)).log2().floor().exp2();
    let mut largest = 0.0f64;
    let mut central = |h: f64| {
        let (above, below) = (f(h)?, f(-h)?);
        largest = largest.max(above.abs()).max(below.abs());
        Ok((above - below) / (2.0 * h))
    };
    let (coarse, fine) = (central(h)?, central(h / 2.0)?);
    let value = fine + (fine - coarse) / 3.0;
    let beyond = (fine - coarse).abs() / 64.0;
    Ok((value, beyond + 16.0 * f64::EPSILON * largest / h))
}

/// One leaf's gradient by differences, and how far each element may be off.
fn numerical(
    tape: &Tape,
    leaves: &Leaves,
    leaf: usize,
    value: &Tensor<f64>,
) -> Result<(Tensor<f64>, Vec<f64>)> {
    let elements = value.to_vec();
    let others: Vec<(usize, Variable<f64>)> =
        leaves.iter().filter(|(number, _)| *number != leaf).cloned().collect();
    let mut found = Vec::with_capacity(elements.len());
    for place in 0..elements.len() {
        let mut at = |step: f64| {
            let mut moved = elements.clone();
            moved[place] += step;
            let mut leaves = others.clone();
            leaves.push((leaf, Variable::new(Tensor::from_vec(moved, value.shape())?)));
            loss(tape, &leaves)
        };
        found.push(difference(&mut at, elements[place])?);
    }
    let (gradient, off) = found.into_iter().unzip();
    Ok((Tensor::from_vec(gradient, value.shape())?, off))
}

/// The gradients of the leaves by the tape and by differences, and a remark if not all could be checked. The
/// last line has one element and a gradient.
pub(crate) fn check(
    tape: &Tape,
    leaves: &Leaves,
    name: impl Fn(usize) -> Option<String>,
) -> Result<(Check, Option<String>)> {
    let mut replay = tape.replay_with::<f64>(leaves)?;
    replay.backward()?;
    let (mut rows, mut left, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let mut work = 0;
    for entry in tape.entries().iter().filter(|entry| entry.is_leaf() && entry.requires_grad) {
        let Some(value) = replay.value(entry.number, 0).map(Variable::value) else { continue };
        let name = name(entry.number).unwrap_or_else(|| called(entry));
        let calls = CALLS * value.numel() * tape.len();
        if work + calls > MOST_CHECKED {
            left.push(name);
            continue;
        }
        work += calls;
        let analytical =
            replay.grad(entry.number, 0).cloned().unwrap_or_else(|| Tensor::zeros(value.shape()));
        let (numerical, off) = numerical(tape, leaves, entry.number, &value)?;
        let scale = analytical.to_vec().iter().fold(0.0f64, |scale, x| scale.max(x.abs()));
        let apart: Vec<f64> =
            analytical.to_vec().iter().zip(numerical.to_vec()).map(|(a, n)| (a - n).abs()).collect();
        // What is not a number is not right.
        let is_right = apart.iter().zip(&off).all(|(apart, off)| *apart <= ALLOWED * scale + off);
        if !is_right {
            wrong.push(name.clone());
        }
        let largest = apart.iter().fold(0.0, |most: f64, &x| if x <= most { most } else { x });
        let (analytical, numerical) = (Value::of(&analytical), Value::of(&numerical));
        rows.push(CheckRow { name, analytical, numerical, largest: JsonNumber(largest) });
    }
    let remark = (!left.is_empty())
        .then(|| format!("Not checked by differences, as that takes too long here: {}.", left.join(", ")));
    Ok((Check { verdict: verdict(&rows, &wrong), rows }, remark))
}

fn called(entry: &TapeEntry) -> String {
    if entry.name.is_empty() { format!("%{}", entry.number) } else { entry.name.clone() }
}

fn verdict(rows: &[CheckRow], wrong: &[String]) -> String {
    if rows.is_empty() {
        return "There was nothing to check.".to_string();
    }
    if !wrong.is_empty() {
        return format!(
            "Differences disagree with the gradient of {}: a kink or a jump nearby, numbers that overflow, \
             or a wrong rule.",
            wrong.join(", ")
        );
    }
    let largest = rows.iter().fold(0.0f64, |largest, row| largest.max(row.largest.0));
    format!("All gradients agree with central differences; the largest distance is {largest:.1e}.")
}
