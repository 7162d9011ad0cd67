//! Derivatives from the tape, and what must hold of every backward.

use wengert_core::{Generator, Tensor, Variable};

use crate::failure::{ElementPlace, Failure};
use crate::matrix::Matrix;
use crate::subject::{Subject, Values};

/// `[output][leaf]`.
pub(crate) type Jacobians = Vec<Vec<Matrix>>;

/// All derivatives of `outputs`, a row for each element; each walk is made twice, and must agree with
/// itself.
pub(crate) fn jacobians(
    subject: &Subject<'_>,
    outputs: &[Variable<f64>],
    nondet_tol: f64,
) -> Result<Jacobians, Failure> {
    (0..outputs.len()).map(|k| rows(subject, outputs, k, nondet_tol)).collect()
}

fn rows(
    subject: &Subject<'_>,
    outputs: &[Variable<f64>],
    k: usize,
    nondet_tol: f64,
) -> Result<Vec<Matrix>, Failure> {
    let count = outputs[k].numel();
    let mut found: Vec<Matrix> =
        subject.leaves.iter().map(|leaf| Matrix::zeros(count, leaf.parameter.numel())).collect();
    if !outputs[k].requires_grad() {
        return Ok(found);
    }
    for row in 0..count {
        let one = Tensor::from_fn(outputs[k].shape(), |i| f64::from(i == row));
        let cotangents = only(outputs.len(), k, one.into());
        let walks = [
            subject.pull_back(outputs, &cotangents, false)?,
            subject.pull_back(outputs, &cotangents, false)?,
        ];
        same_twice(subject, &walks, nondet_tol)?;
        for (matrix, gradient) in found.iter_mut().zip(&walks[0]) {
            let columns = matrix.columns;
            matrix.values[row * columns..][..columns].copy_from_slice(&gradient.to_vec());
        }
    }
    Ok(found)
}

fn same_twice(subject: &Subject<'_>, walks: &[Values; 2], nondet_tol: f64) -> Result<(), Failure> {
    differing(walks, nondet_tol).map_or(Ok(()), |(i, element, [first, second])| {
        Err(Failure::NotReentrant { order: subject.order, input: place(subject, i, element), first, second })
    })
}

fn only(outputs: usize, k: usize, cotangent: Variable<f64>) -> Vec<Option<Variable<f64>>> {
    let mut cotangents = vec![None; outputs];
    cotangents[k] = Some(cotangent);
    cotangents
}

fn place(subject: &Subject<'_>, leaf: usize, element: usize) -> Box<ElementPlace> {
    let leaf = &subject.leaves[leaf];
    ElementPlace::of(&leaf.label, leaf.parameter.shape(), element)
}

/// The first element in which two walks differ by more than `tolerance`.
fn differing(walks: &[Values; 2], tolerance: f64) -> Option<(usize, usize, [f64; 2])> {
    walks[0].iter().zip(&walks[1]).enumerate().find_map(|(i, (first, second))| {
        let (first, second) = (first.to_vec(), second.to_vec());
        let element = (0..first.len()).find(|&e| !agree(first[e], second[e], tolerance))?;
        Some((i, element, [first[element], second[element]]))
    })
}

/// Whether two numbers are the same, both not a number, or at most `tolerance` apart.
pub(crate) fn agree(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance
}

/// Cotangents from U(-1, 1) for each output.
pub(crate) fn random(outputs: &[Variable<f64>], generator: &mut Generator) -> Vec<Option<Variable<f64>>> {
    outputs.iter().map(|y| Some(uniform(y.shape(), generator).into())).collect()
}

pub(crate) fn uniform(shape: &[usize], generator: &mut Generator) -> Tensor<f64> {
    Tensor::from_fn(shape, |_| generator.uniform(-1.0, 1.0))
}

/// What must hold of every backward: a walk changes nothing, so a second one gives the same; it is linear
/// in its cotangents, so zeros give zeros; a missing cotangent is a zero; and a recorded walk gives what an
/// unrecorded one gives.
pub(crate) fn laws(
    subject: &Subject<'_>,
    outputs: &[Variable<f64>],
    nondet_tol: f64,
    generator: &mut Generator,
) -> Result<(), Failure> {
    let cotangents = random(outputs, generator);
    let walk = || subject.pull_back(outputs, &cotangents, false);
    same_twice(subject, &[walk()?, walk()?], nondet_tol)?;
    zero_in_zero_out(subject, outputs)?;
    if outputs.len() > 1 {
        (0..outputs.len()).try_for_each(|k| missing_is_zero(subject, outputs, &cotangents, k))?;
    }
    recorded_as_plain(subject, outputs, &cotangents)
}

fn zero_in_zero_out(subject: &Subject<'_>, outputs: &[Variable<f64>]) -> Result<(), Failure> {
    let found = subject.pull_back(outputs, &zeros(outputs), false)?;
    for (i, gradient) in found.iter().enumerate() {
        if let Some((element, &value)) = gradient.to_vec().iter().enumerate().find(|(_, g)| **g != 0.0) {
            let input = place(subject, i, element);
            return Err(Failure::ZeroCotangent { order: subject.order, input, value });
        }
    }
    Ok(())
}

fn zeros(outputs: &[Variable<f64>]) -> Vec<Option<Variable<f64>>> {
    outputs.iter().map(|y| Some(Tensor::zeros(y.shape()).into())).collect()
}

fn missing_is_zero(
    subject: &Subject<'_>,
    outputs: &[Variable<f64>],
    cotangents: &[Option<Variable<f64>>],
    k: usize,
) -> Result<(), Failure> {
    let one = cotangents[k].clone().expect("all are given");
    let mut padded = zeros(outputs);
    padded[k] = Some(one.clone());
    let walks = [
        subject.pull_back(outputs, &only(outputs.len(), k, one), false)?,
        subject.pull_back(outputs, &padded, false)?,
    ];
    differing(&walks, rounding(&walks)).map_or(Ok(()), |(i, element, [left_out, zeros])| {
        let (output, input) = (subject.output(k).name, place(subject, i, element));
        Err(Failure::MissingCotangent { order: subject.order, output, input, left_out, zeros })
    })
}

fn recorded_as_plain(
    subject: &Subject<'_>,
    outputs: &[Variable<f64>],
    cotangents: &[Option<Variable<f64>>],
) -> Result<(), Failure> {
    let walks =
        [subject.pull_back(outputs, cotangents, false)?, subject.pull_back(outputs, cotangents, true)?];
    differing(&walks, rounding(&walks)).map_or(Ok(()), |(i, element, [plain, recorded])| {
        let input = place(subject, i, element);
        Err(Failure::RecordedDiffers { order: subject.order, input, plain, recorded })
    })
}

/// What two ways of computing the same may differ by.
fn rounding(walks: &[Values; 2]) -> f64 {
    let largest = walks[0].iter().flat_map(Variable::to_vec).filter(|g| g.is_finite()).map(f64::abs);
    256.0 * f64::EPSILON * largest.fold(1.0, f64::max)
}
