//! One application of an operation beside a naive loop, and what must hold of it.

use ndarray::{ArrayD, Dimension, IxDyn};
use wengert_check::Draw;
use wengert_core::Tensor;

use crate::check::{V, derivatives, leaves, refs, ulps};

pub type A = ArrayD<f64>;

/// One application of an operation: to what, and the same as a naive loop.
pub struct Trial {
    pub inputs: Vec<Tensor<f64>>,
    pub function: Box<Operation>,
    pub naive: Box<Loop>,
}

pub type Operation = dyn Fn(&[&V]) -> Vec<V>;
pub type Loop = dyn Fn(&[A]) -> Vec<A>;

/// An operation's name, and how it is applied at random.
pub type Line = (&'static str, fn(&mut Draw) -> Trial);

pub fn many(
    inputs: Vec<Tensor<f64>>,
    function: impl Fn(&[&V]) -> Vec<V> + 'static,
    naive: impl Fn(&[A]) -> Vec<A> + 'static,
) -> Trial {
    Trial { inputs, function: Box::new(function), naive: Box::new(naive) }
}

pub fn one(
    inputs: Vec<Tensor<f64>>,
    function: impl Fn(&[&V]) -> V + 'static,
    naive: impl Fn(&[A]) -> A + 'static,
) -> Trial {
    many(inputs, move |v| vec![function(v)], move |x| vec![naive(x)])
}

/// An array of elements given for their indices.
pub fn fill(shape: &[usize], f: impl Fn(&[usize]) -> f64) -> A {
    A::from_shape_fn(IxDyn(shape), |at| f(at.as_array_view().as_slice().unwrap()))
}

pub fn with(at: &[usize], axis: usize, index: usize) -> Vec<usize> {
    let mut at = at.to_vec();
    at[axis] = index;
    at
}

pub fn inserted(at: &[usize], axis: usize, index: usize) -> Vec<usize> {
    let mut at = at.to_vec();
    at.insert(axis, index);
    at
}

pub fn removed(at: &[usize], axis: usize) -> Vec<usize> {
    let mut at = at.to_vec();
    at.remove(axis);
    at
}

/// The numbers of `x` in row-major order.
pub fn flat(x: &A) -> Vec<f64> {
    x.iter().copied().collect()
}

/// A value for each place of what is left when `axes` are taken together, from the numbers found there.
pub fn over(x: &A, axes: &[usize], keepdim: bool, f: impl Fn(&[f64]) -> f64) -> A {
    let kept: Vec<usize> =
        x.shape().iter().enumerate().map(|(axis, &n)| if axes.contains(&axis) { 1 } else { n }).collect();
    let belongs = |at: &[usize], to: &[usize]| (0..at.len()).all(|a| axes.contains(&a) || at[a] == to[a]);
    let out = fill(&kept, |to| {
        let numbers = x.indexed_iter().filter(|(at, _)| belongs(at.as_array_view().as_slice().unwrap(), to));
        f(&numbers.map(|(_, &v)| v).collect::<Vec<_>>())
    });
    let shape = (0..kept.len()).filter(|axis| keepdim || !axes.contains(axis)).map(|axis| kept[axis]);
    out.into_shape_with_order(shape.collect::<Vec<_>>()).unwrap()
}

pub fn line(name: &'static str, trial: fn(&mut Draw) -> Trial) -> Line {
    (name, trial)
}

/// The values of a trial are those of its loop.
pub fn values_hold(trial: &Trial) -> Result<(), String> {
    let outputs = (trial.function)(&refs(&leaves(&trial.inputs)));
    let arrays: Vec<A> = trial.inputs.iter().map(|x| x.as_ndarray().to_owned()).collect();
    let expected = (trial.naive)(&arrays);
    if outputs.len() != expected.len() {
        return Err(format!("{} outputs, expected {}", outputs.len(), expected.len()));
    }
    for (output, expected) in outputs.iter().zip(&expected) {
        let value = output.value();
        let near = |(a, b): (&f64, &f64)| ulps(*a, *b) <= 8 || (a - b).abs() < 1e-13;
        let same = value.shape() == expected.shape() && value.as_ndarray().iter().zip(expected).all(near);
        if !same {
            return Err(format!("{output} is not {expected}"));
        }
    }
    Ok(())
}

/// The derivatives of a trial are those of differences; of the outputs themselves or of a curve of them, of
/// all of them or of some.
pub fn derivatives_hold(trial: &Trial, draw: &mut Draw) -> Result<(), String> {
    let (bent, skip) = (draw.coin(), draw.below(3));
    let function = |v: &[&V]| -> Vec<V> {
        let outputs = (trial.function)(v);
        let kept = outputs.len() < 2 || skip == 0;
        let chosen = outputs.iter().enumerate().filter(|(k, _)| kept || k % 2 == skip - 1).map(|(_, y)| y);
        chosen.map(|y| if bent { y.square() + y } else { y.clone() }).collect()
    };
    derivatives(&function, &trial.inputs, 2, draw)
}
