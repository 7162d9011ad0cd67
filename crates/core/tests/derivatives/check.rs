//! Derivatives against differences, by `wengert-check`.

use wengert_check::{Draw, Gradcheck};
use wengert_core::{Float, GradOptions, Tensor, Variable, grad};

use crate::draw::More;

pub type V = Variable<f64>;

/// A function of more elements is checked along random directions.
const FEW: usize = 40;

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

pub fn leaf<T: Float>(value: &Tensor<T>) -> Variable<T> {
    Variable::new(value.clone()).requires_grad_(true)
}

pub fn leaves<T: Float>(values: &[Tensor<T>]) -> Vec<Variable<T>> {
    values.iter().map(leaf).collect()
}

pub fn refs<X>(values: &[X]) -> Vec<&X> {
    values.iter().collect()
}

/// The derivatives of `f` up to `order` at `inputs` are those of differences.
pub fn derivatives(
    f: &dyn Fn(&[&V]) -> Vec<V>,
    inputs: &[Tensor<f64>],
    order: usize,
    draw: &mut Draw,
) -> Result<(), String> {
    let count: usize = inputs.iter().map(Tensor::numel).sum();
    let check = Gradcheck::new().expanded(true).fast(count > FEW).seed(draw.seed());
    let inputs = leaves(inputs);
    (1..=order)
        .try_for_each(|order| check.check_order(order, |x| f(&refs(x)), &refs(&inputs)))
        .map_err(|failure| failure.to_string())
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
