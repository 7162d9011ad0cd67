//! Derivatives against differences.
//!
//! The derivative of a function is a function too: of its arguments and of the cotangents of its results. So one
//! check of first order, put to a function, to its derivative and to the derivative of that, checks all orders.

use wengert_core::{Float, GradOptions, Tensor, Variable, grad};

use crate::draw::{Domain, Draw};

pub type V = Variable<f64>;

/// A function of variables; the flag says whether the result must be differentiable.
pub type Function<'f> = dyn Fn(&[&V], bool) -> Vec<V> + 'f;

/// How far derivatives may be from differences, relative to the largest or to 1.
const TOLERANCE: f64 = 1e-6;
/// Elements that are moved one by one; larger tensors are moved at random places and along random directions.
const ALL: usize = 24;

/// The gradients of `outputs` in all of `inputs`: zeros where nothing flows.
pub fn gradients<T: Float>(
    outputs: &[Variable<T>],
    cotangents: &[Variable<T>],
    inputs: &[&Variable<T>],
    create_graph: bool,
) -> Vec<Variable<T>> {
    let (outputs, cotangents): (Vec<_>, Vec<_>) = outputs
        .iter()
        .zip(cotangents)
        .filter(|(output, _)| output.requires_grad())
        .map(|(y, c)| (y, c.clone()))
        .unzip();
    if outputs.is_empty() {
        return inputs.iter().map(|x| Variable::from(Tensor::zeros(x.shape()))).collect();
    }
    let options = GradOptions::default().create_graph(create_graph).allow_unused(true).cotangents(cotangents);
    grad(&outputs, inputs, options).expect("gradients of recorded outputs")
}

/// The derivative of `f` of `arity` arguments: takes the arguments and a cotangent for each result.
pub fn derivative<'f>(f: &'f Function<'f>, arity: usize) -> impl Fn(&[&V], bool) -> Vec<V> + 'f {
    move |arguments, differentiable| {
        let (inputs, cotangents) = arguments.split_at(arity);
        let outputs = f(inputs, true);
        let cotangents: Vec<V> = cotangents.iter().map(|&c| c.clone()).collect();
        gradients(&outputs, &cotangents, inputs, differentiable)
    }
}

pub fn leaf<T: Float>(value: &Tensor<T>) -> Variable<T> {
    Variable::new(value.clone()).requires_grad_(true)
}

pub fn leaves<T: Float>(values: &[Tensor<T>]) -> Vec<Variable<T>> {
    values.iter().map(leaf).collect()
}

pub fn refs<X>(values: &[X]) -> Vec<&X> {
    values.iter().collect()
}

fn dot(a: &[V], b: &[Tensor<f64>]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.to_vec().iter().zip(b.to_vec()).map(|(x, y)| x * y).sum::<f64>()).sum()
}

/// `d/dt <f(inputs + t direction), cotangents>` at 0, over five points.
fn difference(
    f: &Function<'_>,
    inputs: &[Tensor<f64>],
    cotangents: &[Tensor<f64>],
    which: usize,
    direction: &[f64],
) -> f64 {
    let x = inputs[which].to_vec();
    let scale = x.iter().zip(direction).filter(|(_, d)| **d != 0.0).map(|(x, _)| x.abs()).fold(0.1, f64::max);
    let step = 1e-3 * scale;
    let at = |t: f64| {
        let moved = Tensor::from_fn(inputs[which].shape(), |i| x[i] + t * step * direction[i]);
        let inputs = inputs.iter().enumerate().map(|(i, x)| leaf(if i == which { &moved } else { x }));
        dot(&f(&refs(&inputs.collect::<Vec<_>>()), false), cotangents)
    };
    (at(-2.0) - 8.0 * at(-1.0) + 8.0 * at(1.0) - at(2.0)) / (12.0 * step)
}

/// Directions to move `n` elements in: each one alone if there are few.
fn directions(n: usize, draw: &mut Draw) -> Vec<Vec<f64>> {
    let unit = |i: usize| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect::<Vec<f64>>();
    match n {
        0 => Vec::new(),
        n if n <= ALL => (0..n).map(unit).collect(),
        n => {
            let mut directions: Vec<_> = (0..6).map(|k| unit((k * 7919 + 3) % n)).collect();
            let at_random = draw.tensor::<f64>(&[n], Domain::Range(-1.0, 1.0)).to_vec();
            directions.push(at_random);
            directions
        }
    }
}

/// The derivative of `f` at `inputs` is that of differences, and the same whether it is recorded or not.
fn first_order(
    f: &Function<'_>,
    inputs: &[Tensor<f64>],
    cotangents: &[Tensor<f64>],
    draw: &mut Draw,
) -> Result<(), String> {
    let arguments: Vec<Tensor<f64>> = inputs.iter().chain(cotangents).cloned().collect();
    let derive = derivative(f, inputs.len());
    let [plain, recorded] = [false, true].map(|record| derive(&refs(&leaves(&arguments)), record));
    for (which, (plain, recorded)) in plain.iter().zip(&recorded).enumerate() {
        if plain.shape() != inputs[which].shape() {
            return Err(format!(
                "gradient {which} of shape {:?} for {:?}",
                plain.shape(),
                inputs[which].shape()
            ));
        }
        let (plain, recorded) = (plain.to_vec(), recorded.to_vec());
        let largest = plain.iter().fold(1.0, |m: f64, g| m.max(g.abs()));
        if let Some(i) =
            (0..plain.len()).find(|&i| (plain[i] - recorded[i]).abs() > 16.0 * f64::EPSILON * largest)
        {
            return Err(format!("gradient {which}[{i}] unrecorded {} recorded {}", plain[i], recorded[i]));
        }
        for direction in directions(plain.len(), draw) {
            let analytical: f64 = plain.iter().zip(&direction).map(|(g, d)| g * d).sum();
            let numerical = difference(f, inputs, cotangents, which, &direction);
            let bound = TOLERANCE * largest * direction.iter().map(|d| d.abs()).sum::<f64>();
            if (analytical - numerical).abs() > bound || analytical.is_nan() {
                return Err(format!("gradient {which}: analytical {analytical}, numerical {numerical}"));
            }
        }
    }
    Ok(())
}

/// Cotangents for the results of `f`, in any layout.
fn cotangents(f: &Function<'_>, inputs: &[Tensor<f64>], draw: &mut Draw) -> Vec<Tensor<f64>> {
    let outputs = f(&refs(&leaves(inputs)), false);
    outputs.iter().map(|y| draw.tensor(y.shape(), Domain::Range(-1.0, 1.0))).collect()
}

/// The derivatives of `f` up to `order` at `inputs` are those of differences.
pub fn derivatives(
    f: &Function<'_>,
    inputs: &[Tensor<f64>],
    order: usize,
    draw: &mut Draw,
) -> Result<(), String> {
    let cotangents = cotangents(f, inputs, draw);
    first_order(f, inputs, &cotangents, draw).map_err(|error| format!("{error} ({order} orders left)"))?;
    if order == 1 {
        return Ok(());
    }
    let arguments: Vec<Tensor<f64>> = inputs.iter().chain(&cotangents).cloned().collect();
    derivatives(&derivative(f, inputs.len()), &arguments, order - 1, draw)
}

/// The distance in units in the last place; 0 for two NaNs.
pub fn ulps(a: f64, b: f64) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    let ordered = |x: f64| {
        if x < 0.0 { -((x.to_bits() & !(1 << 63)) as i128) } else { (x.to_bits() & !(1 << 63)) as i128 }
    };
    (ordered(a) - ordered(b)).unsigned_abs().min(u64::MAX as u128) as u64
}

/// The same for f32.
pub fn ulps32(a: f32, b: f32) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    let ordered = |x: f32| {
        if x < 0.0 { -((x.to_bits() & !(1 << 31)) as i64) } else { (x.to_bits() & !(1 << 31)) as i64 }
    };
    ordered(a).abs_diff(ordered(b))
}
