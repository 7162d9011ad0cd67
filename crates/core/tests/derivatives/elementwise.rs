//! The pointwise operations.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

use ndarray::ArrayD;
use wengert_check::Draw;
use wengert_core::{Float, Pointwise, Tensor, Variable, pointwise};

use crate::check::{V, derivatives, leaves, refs, ulps};
use crate::draw::Domain::{self, Grid, NonZero, Range};
use crate::draw::{More, for_all};

/// A pointwise operation: what it is called with, and what it makes of numbers.
pub struct Rule<T: Float> {
    pub name: &'static str,
    pub domains: &'static [Domain],
    pub function: fn(&[&Variable<T>]) -> Variable<T>,
    pub naive: fn(&[f64]) -> f64,
    /// How far a value may be from the loop's beyond units in its last place, in epsilons of the type.
    pub slack: f64,
}

impl<T: Float> Rule<T> {
    /// For a result that is small beside what it is made of.
    fn within(self, slack: f64) -> Self {
        Rule { slack, ..self }
    }
}

pointwise! {
    /// A branch, a captured constant, and a literal.
    struct Bent { knee } fn eval(x, y) -> 1 { [R::select(x.lt(knee), x * y, (2.0 * x).tanh() * y)] }
}

fn above_zero<T: Float>(x: &Variable<T>) -> Tensor<bool> {
    x.gt(0)
}

/// `ln(e^a + e^b)`.
fn log_add_exp(a: f64, b: f64) -> f64 {
    let apart = if a == b { 0.0 } else { (a - b).abs() };
    if a > b { a + (-apart).exp().ln_1p() } else { b + (-apart).exp().ln_1p() }
}

/// The density of the standard normal distribution.
fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() * 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2
}

/// The probability that a standard normal number is between 0 and `x`, by a series of positive terms.
fn centre(x: f64) -> f64 {
    x * density(x) * (1..60).rev().fold(1.0, |sum, k| 1.0 + x * x / f64::from(2 * k + 1) * sum)
}

/// The probability that it is beyond `x`, far from 0, by a continued fraction.
fn tail(x: f64) -> f64 {
    density(x) / (1..300).rev().fold(x, |fraction, k| x + f64::from(k) / fraction)
}

/// The probability that it is below `x`.
fn ndtr(x: f64) -> f64 {
    match x {
        x if x <= -1.5 => tail(-x),
        x if x > 1.5 => 1.0 - tail(x),
        _ => 0.5 + centre(x),
    }
}

fn erf(x: f64) -> f64 {
    let x = SQRT_2 * x;
    if x.abs() > 1.5 { (1.0 - 2.0 * tail(x.abs())).copysign(x) } else { 2.0 * centre(x) }
}

/// All pointwise operations.
pub fn rules<T: Float>() -> Vec<Rule<T>> {
    fn rule<T: Float>(
        name: &'static str,
        domains: &'static [Domain],
        function: fn(&[&Variable<T>]) -> Variable<T>,
        naive: fn(&[f64]) -> f64,
    ) -> Rule<T> {
        Rule { name, domains, function, naive, slack: 0.0 }
    }
    vec![
        rule("a + b", &[NonZero, NonZero], |v| v[0] + v[1], |x| x[0] + x[1]),
        rule("a - b", &[NonZero, NonZero], |v| v[0] - v[1], |x| x[0] - x[1]),
        rule("a * b", &[NonZero, NonZero], |v| v[0] * v[1], |x| x[0] * x[1]),
        rule("a / b", &[NonZero, NonZero], |v| v[0] / v[1], |x| x[0] / x[1]),
        rule("a + c", &[NonZero], |v| v[0] + 1.5, |x| x[0] + 1.5),
        rule("a - c", &[NonZero], |v| v[0] - 1.5, |x| x[0] - 1.5),
        rule("a * c", &[NonZero], |v| v[0] * -1.5, |x| x[0] * -1.5),
        rule("a / c", &[NonZero], |v| v[0] / -1.5, |x| x[0] / -1.5),
        rule("a / -0", &[], |v| v[0] / -0.0, |x| x[0] / -0.0),
        rule("a * 0", &[NonZero], |v| v[0] * 0.0, |x| x[0] * 0.0),
        rule("c + a", &[NonZero], |v| 1.5 + v[0], |x| 1.5 + x[0]),
        rule("c - a", &[NonZero], |v| 1.5 - v[0], |x| 1.5 - x[0]),
        rule("c * a", &[NonZero], |v| -1.5 * v[0], |x| -1.5 * x[0]),
        rule("c / a", &[NonZero], |v| 1.5 / v[0], |x| 1.5 / x[0]),
        rule("-a", &[NonZero], |v| -v[0], |x| -x[0]),
        rule(
            "scale",
            &[NonZero, NonZero],
            |v| v[0].scale(v[1]),
            |x| if x[0] == 0.0 { 0.0 } else { x[0] * x[1] },
        ),
        rule(
            "where_",
            &[NonZero, NonZero, NonZero],
            |v| v[0].where_(&above_zero(v[2]), v[1]),
            |x| if x[2] > 0.0 { x[0] } else { x[1] },
        ),
        rule(
            "masked_fill",
            &[NonZero, NonZero],
            |v| v[0].masked_fill(&above_zero(v[1]), 2.5),
            |x| if x[1] > 0.0 { 2.5 } else { x[0] },
        ),
        rule("exp", &[NonZero], |v| v[0].exp(), |x| x[0].exp()),
        rule("exp_m1", &[NonZero], |v| v[0].exp_m1(), |x| x[0].exp_m1()),
        rule("ln", &[Range(0.2, 4.0)], |v| v[0].ln(), |x| x[0].ln()),
        rule("log", &[Range(0.2, 4.0)], |v| v[0].log(), |x| x[0].ln()),
        rule("ln_1p", &[Range(-0.8, 3.0)], |v| v[0].ln_1p(), |x| x[0].ln_1p()),
        rule("sqrt", &[Range(0.2, 4.0)], |v| v[0].sqrt(), |x| x[0].sqrt()),
        rule("rsqrt", &[Range(0.2, 4.0)], |v| v[0].rsqrt(), |x| 1.0 / x[0].sqrt()),
        rule("erf", &[NonZero], |v| v[0].erf(), |x| erf(x[0])),
        rule("ndtr", &[NonZero], |v| v[0].ndtr(), |x| ndtr(x[0])),
        rule("atan2", &[NonZero, NonZero], |v| v[0].atan2(v[1]), |x| x[0].atan2(x[1])),
        rule("logaddexp", &[NonZero, NonZero], |v| v[0].logaddexp(v[1]), |x| log_add_exp(x[0], x[1]))
            .within(1.0),
        rule("logaddexp of equals", &[NonZero], |v| v[0].logaddexp(v[0]), |x| log_add_exp(x[0], x[0]))
            .within(1.0),
        rule("square", &[NonZero], |v| v[0].square(), |x| x[0] * x[0]),
        rule("recip", &[NonZero], |v| v[0].recip(), |x| 1.0 / x[0]),
        rule("pow", &[Range(0.2, 3.0), NonZero], |v| v[0].pow(v[1]), |x| x[0].powf(x[1])),
        rule("pow_scalar 2.5", &[Range(0.2, 3.0)], |v| v[0].pow_scalar(2.5), |x| x[0].powf(2.5)),
        rule("pow_scalar 3", &[NonZero], |v| v[0].pow_scalar(3.0), |x| x[0].powf(3.0)),
        rule("pow_scalar 2", &[NonZero], |v| v[0].pow_scalar(2.0), |x| x[0].powf(2.0)),
        rule("pow_scalar 1", &[NonZero], |v| v[0].pow_scalar(1.0), |x| x[0].powf(1.0)),
        rule("pow_scalar 0", &[NonZero], |v| v[0].pow_scalar(0.0), |x| x[0].powf(0.0)),
        rule("pow_scalar -1", &[NonZero], |v| v[0].pow_scalar(-1.0), |x| x[0].powf(-1.0)),
        rule("abs", &[NonZero], |v| v[0].abs(), |x| x[0].abs()),
        rule(
            "maximum",
            &[Grid(0.0), Grid(0.1)],
            |v| v[0].maximum(v[1]),
            |x| if x[0].is_nan() || x[0] > x[1] { x[0] } else { x[1] },
        ),
        rule(
            "minimum",
            &[Grid(0.0), Grid(0.1)],
            |v| v[0].minimum(v[1]),
            |x| if x[0].is_nan() || x[0] < x[1] { x[0] } else { x[1] },
        ),
        rule("clamp", &[Grid(0.1)], |v| v[0].clamp(-1.0, 1.0), |x| x[0].clamp(-1.0, 1.0)),
        rule("sin", &[NonZero], |v| v[0].sin(), |x| x[0].sin()),
        rule("cos", &[NonZero], |v| v[0].cos(), |x| x[0].cos()),
        rule("tanh", &[NonZero], |v| v[0].tanh(), |x| x[0].tanh()),
        rule(
            "sigmoid",
            &[NonZero],
            |v| v[0].sigmoid(),
            |x| if x[0] < 0.0 { x[0].exp() / (1.0 + x[0].exp()) } else { 1.0 / (1.0 + (-x[0]).exp()) },
        ),
        rule("relu", &[NonZero], |v| v[0].relu(), |x| if x[0] <= 0.0 { 0.0 } else { x[0] }),
        rule(
            "softplus",
            &[NonZero],
            |v| v[0].softplus(),
            |x| if x[0] > 20.0 { x[0] } else { x[0].exp().ln_1p() },
        ),
        rule(
            "softplus beyond 20",
            &[Range(20.1, 40.0)],
            |v| v[0].softplus(),
            |x| if x[0] > 20.0 { x[0] } else { x[0].exp().ln_1p() },
        ),
        rule(
            "softplus_of 2, 15",
            &[NonZero],
            |v| v[0].softplus_of(2.0, 15.0),
            |x| if 2.0 * x[0] > 15.0 { x[0] } else { 0.5 * log_add_exp(0.0, 2.0 * x[0]) },
        ),
        rule(
            "softplus_of 0.5, 1",
            &[Grid(0.1)],
            |v| v[0].softplus_of(0.5, 1.0),
            |x| if 0.5 * x[0] > 1.0 { x[0] } else { 2.0 * log_add_exp(0.0, 0.5 * x[0]) },
        ),
        rule(
            "softplus_of, never linear",
            &[Range(-50.0, 50.0)],
            |v| v[0].softplus_of(1.0, f64::INFINITY),
            |x| log_add_exp(0.0, x[0]),
        ),
        rule("logsigmoid", &[NonZero], |v| v[0].logsigmoid(), |x| -log_add_exp(0.0, -x[0])),
        rule(
            "leaky_relu",
            &[NonZero],
            |v| v[0].leaky_relu(0.25),
            |x| if x[0] > 0.0 { x[0] } else { 0.25 * x[0] },
        ),
        rule("elu", &[NonZero], |v| v[0].elu(1.5), |x| if x[0] > 0.0 { x[0] } else { 1.5 * x[0].exp_m1() }),
        rule(
            "selu",
            &[NonZero],
            |v| v[0].selu(),
            |x| 1.0507009873554805 * if x[0] > 0.0 { x[0] } else { 1.6732632423543772 * x[0].exp_m1() },
        ),
        rule("gelu", &[NonZero], |v| v[0].gelu(), |x| x[0] * ndtr(x[0])).within(1e-36),
        rule(
            "gelu_tanh",
            &[NonZero],
            |v| v[0].gelu_tanh(),
            |x| x[0] / (1.0 + (-1.5957691216057308 * (x[0] + 0.044715 * x[0].powi(3))).exp()),
        )
        // The rounding of the exponent, which is up to some 10, is that of the result.
        .within(0.05),
        rule(
            "silu",
            &[NonZero],
            |v| v[0].silu(),
            |x| x[0] * if x[0] < 0.0 { x[0].exp() / (1.0 + x[0].exp()) } else { 1.0 / (1.0 + (-x[0]).exp()) },
        )
        .within(1e-36),
        rule("mish", &[NonZero], |v| v[0].mish(), |x| x[0] * x[0].exp().ln_1p().tanh()).within(1e-36),
        rule("relu6", &[Grid(0.1)], |v| (v[0] * 4.2).relu6(), |x| (4.2 * x[0]).clamp(0.0, 6.0)),
        rule(
            "celu",
            &[NonZero],
            |v| v[0].celu(1.5),
            |x| if x[0] > 0.0 { x[0] } else { 1.5 * (x[0] / 1.5).exp_m1() },
        ),
        rule(
            "hardswish",
            &[Range(-2.9, 2.9)],
            |v| v[0].hardswish(),
            |x| if x[0] <= -3.0 { 0.0 } else { x[0] * ((x[0] + 3.0) / 6.0).min(1.0) },
        ),
        rule(
            "hardshrink",
            &[Grid(0.1)],
            |v| v[0].hardshrink(0.6),
            |x| if x[0].abs() <= 0.6 { 0.0 } else { x[0] },
        ),
        rule(
            "softshrink",
            &[Grid(0.1)],
            |v| v[0].softshrink(0.75),
            |x| if x[0].abs() <= 0.75 { 0.0 } else { x[0] - 0.75f64.copysign(x[0]) },
        )
        .within(1.0),
        rule("tanhshrink", &[Range(1.0, 3.0)], |v| v[0].tanhshrink(), |x| x[0] - x[0].tanh()).within(2.0),
        rule(
            "threshold",
            &[Grid(0.1)],
            |v| v[0].threshold(0.6, -1.5),
            |x| if x[0] <= 0.6 { -1.5 } else { x[0] },
        ),
        rule("softsign", &[NonZero], |v| v[0].softsign(), |x| x[0] / (1.0 + x[0].abs())),
        rule("hardtanh", &[Grid(0.1)], |v| v[0].hardtanh(-1.0, 1.4), |x| x[0].clamp(-1.0, 1.4)),
        rule(
            "hardsigmoid",
            &[Range(-2.9, 2.9)],
            |v| v[0].hardsigmoid(),
            |x| ((x[0] + 3.0) / 6.0).clamp(0.0, 1.0),
        ),
        rule(
            "hardsigmoid beyond 3",
            &[Range(3.1, 5.0)],
            |v| v[0].hardsigmoid(),
            |x| ((x[0] + 3.0) / 6.0).clamp(0.0, 1.0),
        ),
        rule(
            "a user's formula",
            &[NonZero, NonZero],
            |v| {
                let [y] = Bent { knee: 0.05 }.apply([v[0], v[1]]);
                y
            },
            |x| if x[0] < 0.05 { x[0] * x[1] } else { (2.0 * x[0]).tanh() * x[1] },
        ),
    ]
}

/// Arguments of shapes that broadcast with each other; at least one has the full shape, in turns.
pub fn arguments(domains: &[Domain], draw: &mut Draw) -> Vec<Tensor<f64>> {
    let shape = draw.shape(0..=4);
    let full = draw.below(domains.len() + 1);
    let arguments = domains.iter().enumerate().map(|(i, &domain)| {
        let shape = if i == full { shape.clone() } else { draw.broadcasts_to(&shape) };
        draw.tensor(&shape, domain)
    });
    arguments.collect()
}

/// `f` of the elements, in a loop over the shape that all broadcast to.
pub fn broadcast_loop(inputs: &[ArrayD<f64>], f: impl Fn(&[f64]) -> f64) -> ArrayD<f64> {
    let rank = inputs.iter().map(|x| x.ndim()).max().unwrap_or(0);
    let extent = |x: &ArrayD<f64>, axis: usize| {
        if axis + x.ndim() < rank { 1 } else { x.shape()[axis + x.ndim() - rank] }
    };
    let stretched = |axis: usize| inputs.iter().map(|x| extent(x, axis)).find(|&n| n != 1).unwrap_or(1);
    let shape: Vec<usize> = (0..rank).map(stretched).collect();
    ArrayD::from_shape_fn(shape, |at| {
        let element = |x: &ArrayD<f64>| {
            let place: Vec<usize> = (0..x.ndim())
                .map(|axis| if x.shape()[axis] == 1 { 0 } else { at[axis + rank - x.ndim()] })
                .collect();
            x[&place[..]]
        };
        f(&inputs.iter().map(element).collect::<Vec<f64>>())
    })
}

#[test]
fn values_are_those_of_a_loop_whatever_broadcasts_and_however_it_lies() {
    for rule in rules::<f64>().iter().filter(|rule| !rule.domains.is_empty()) {
        for_all(rule.name, 128, |draw| {
            let inputs = arguments(rule.domains, draw);
            let out = (rule.function)(&refs(&leaves(&inputs)));
            let arrays: Vec<ArrayD<f64>> = inputs.iter().map(|x| x.as_ndarray().to_owned()).collect();
            let expected = broadcast_loop(&arrays, rule.naive);
            let values = out.value();
            let near =
                |(a, b): (&f64, &f64)| ulps(*a, *b) <= 4 || (a - b).abs() < 1e-15 + rule.slack * f64::EPSILON;
            let same =
                values.shape() == expected.shape() && values.as_ndarray().iter().zip(&expected).all(near);
            if same { Ok(()) } else { Err(format!("{out} is not {expected}")) }
        });
    }
}

#[test]
fn first_and_second_derivatives_are_those_of_differences() {
    for rule in rules::<f64>().iter().filter(|rule| !rule.domains.is_empty()) {
        for_all(rule.name, 96, |draw| {
            let inputs = arguments(rule.domains, draw);
            derivatives(&|v: &[&V]| vec![(rule.function)(v)], &inputs, 2, draw)
        });
    }
}

#[test]
fn comparisons_are_those_of_a_loop() {
    type Comparison = (&'static str, fn(&V, &V) -> Tensor<bool>, fn(f64, f64) -> bool);
    let comparisons: [Comparison; 6] = [
        ("lt", |a, b| a.lt(b), |a, b| a < b),
        ("le", |a, b| a.le(b), |a, b| a <= b),
        ("gt", |a, b| a.gt(b), |a, b| a > b),
        ("ge", |a, b| a.ge(b), |a, b| a >= b),
        ("eq", |a, b| a.eq(b), |a, b| a == b),
        ("ne", |a, b| a.ne(b), |a, b| a != b),
    ];
    for (name, function, naive) in comparisons {
        for_all(name, 128, |draw| {
            let inputs = arguments(&[Grid(0.0), Grid(0.0)], draw);
            let mask = function(&V::from(inputs[0].clone()), &V::from(inputs[1].clone()));
            let arrays: Vec<ArrayD<f64>> = inputs.iter().map(|x| x.as_ndarray().to_owned()).collect();
            let expected = broadcast_loop(&arrays, |x| f64::from(u8::from(naive(x[0], x[1]))));
            let same = mask.shape() == expected.shape() && mask.cast::<f64>().as_ndarray() == expected.view();
            if same { Ok(()) } else { Err(format!("{mask} is not {expected}")) }
        });
        assert_eq!(
            function(&V::from(Tensor::scalar(f64::NAN)), &V::from(Tensor::scalar(f64::NAN))).to_vec(),
            [name == "ne"]
        );
    }
}
