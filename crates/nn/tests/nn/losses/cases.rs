//! A case of each loss, whose losses are of shape (3, 4), and its formula.

use wengert_core::{Result, Tensor};
use wengert_nn::loss::*;

use super::{drawn, numbers};
use crate::V;

/// The axes of the losses.
pub const LEADING: [usize; 2] = [3, 4];
pub const COUNT: usize = 12;

/// What every loss can be told.
#[derive(Clone, Debug, Default)]
pub struct How {
    pub reduction: Reduction,
    pub weight: Option<Tensor<f64>>,
    pub mask: Option<Tensor<bool>>,
}

macro_rules! told {
    ($loss:expr, $how:expr) => {{
        let mut loss = $loss.reduction($how.reduction);
        if let Some(weight) = &$how.weight {
            loss = loss.weight(weight);
        }
        if let Some(mask) = &$how.mask {
            loss = loss.mask(mask);
        }
        loss
    }};
}

type Call = Box<dyn Fn(&How, &[V]) -> Result<V>>;
type Formula = Box<dyn Fn(&[&[f64]]) -> f64>;

type FormulaAt = Box<dyn Fn(usize, &[&[f64]]) -> f64>;

pub struct Case {
    pub name: &'static str,
    /// Each of shape (3, 4, ..).
    pub inputs: Vec<V>,
    pub call: Call,
    /// The loss of one element, from the part of each input that belongs to it and its place.
    formula: FormulaAt,
    /// By what each element counts by itself.
    pub counts: Vec<f64>,
}

impl Case {
    pub fn naive(&self) -> Vec<f64> {
        let all: Vec<Vec<f64>> = self.inputs.iter().map(|x| x.to_vec()).collect();
        let parts = |at: usize| {
            let part = |x: &'_ Vec<f64>| (at * x.len() / COUNT)..((at + 1) * x.len() / COUNT);
            all.iter().map(|x| &x[part(x)]).collect::<Vec<_>>()
        };
        (0..COUNT).map(|at| (self.formula)(at, &parts(at))).collect()
    }
}

fn case(
    name: &'static str,
    inputs: Vec<V>,
    formula: impl Fn(&[&[f64]]) -> f64 + 'static,
    call: impl Fn(&How, &[V]) -> Result<V> + 'static,
) -> Case {
    let formula: Formula = Box::new(formula);
    let formula = Box::new(move |_: usize, parts: &[&[f64]]| formula(parts));
    Case { name, inputs, call: Box::new(call), formula, counts: vec![1.0; COUNT] }
}

fn log_softmax(row: &[f64]) -> Vec<f64> {
    let sum: f64 = row.iter().map(|x| x.exp()).sum();
    row.iter().map(|x| x - sum.ln()).collect()
}

fn errors(seed: u64) -> Vec<Case> {
    let pair = || vec![drawn(seed, &LEADING, -2.0, 2.0), drawn(seed + 100, &LEADING, -2.0, 2.0)];
    let far = |v: &[&[f64]]| (v[0][0] - v[1][0]).abs();
    vec![
        case(
            "mse_loss",
            pair(),
            move |v| far(v).powi(2),
            |how, v| told!(MseLoss::default(), how).loss(&v[0], &v[1]),
        ),
        case("l1_loss", pair(), far, |how, v| told!(L1Loss::default(), how).loss(&v[0], &v[1])),
        case(
            "smooth_l1_loss",
            pair(),
            move |v| if far(v) < 0.7 { far(v).powi(2) / 1.4 } else { far(v) - 0.35 },
            |how, v| told!(SmoothL1Loss::default().beta(0.7), how).loss(&v[0], &v[1]),
        ),
        case("smooth_l1_loss of beta 0", pair(), far, |how, v| {
            told!(SmoothL1Loss::default().beta(0.0), how).loss(&v[0], &v[1])
        }),
        case(
            "huber_loss",
            pair(),
            move |v| if far(v) <= 1.3 { far(v).powi(2) / 2.0 } else { 1.3 * (far(v) - 0.65) },
            |how, v| told!(HuberLoss::default().delta(1.3), how).loss(&v[0], &v[1]),
        ),
        case(
            "quantile_loss",
            pair(),
            |v| (0.3 * (v[1][0] - v[0][0])).max(-0.7 * (v[1][0] - v[0][0])),
            |how, v| told!(QuantileLoss::default(), how).loss(&v[0], &v[1], &[0.3]),
        ),
    ]
}

fn binary(seed: u64) -> Vec<Case> {
    let target = || drawn(seed + 100, &LEADING, 0.05, 0.95);
    let bce = |p: f64, t: f64, positive: f64| -positive * t * p.ln() - (1.0 - t) * (1.0 - p).ln();
    let divergence = |log_p: f64, t: f64| t * (t.ln() - log_p);
    vec![
        case(
            "binary_cross_entropy",
            vec![drawn(seed, &LEADING, 0.05, 0.75), target()],
            move |v| bce(v[0][0], v[1][0], 1.0),
            |how, v| told!(BceLoss::default(), how).loss(&v[0], &v[1]),
        ),
        case(
            "binary_cross_entropy_with_logits",
            vec![drawn(seed, &LEADING, -3.0, 3.0), target()],
            move |v| bce(1.0 / (1.0 + (-v[0][0]).exp()), v[1][0], 2.5),
            |how, v| {
                let positive = Tensor::from([2.5; 4]);
                told!(BceWithLogitsLoss::default().pos_weight(&positive), how).loss(&v[0], &v[1])
            },
        ),
        case(
            "kl_div",
            vec![drawn(seed, &LEADING, -3.0, 0.0), target()],
            move |v| divergence(v[0][0], v[1][0]),
            |how, v| told!(KlDivLoss::default(), how).loss(&v[0], &v[1]),
        ),
        case(
            "kl_div of logarithms",
            vec![drawn(seed, &LEADING, -3.0, 0.0), drawn(seed + 100, &LEADING, -3.0, 0.0)],
            move |v| divergence(v[0][0], v[1][0].exp()),
            |how, v| told!(KlDivLoss::default().log_target(true), how).loss(&v[0], &v[1]),
        ),
    ]
}

/// `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x`, by Simpson's rule.
fn erf(x: f64) -> f64 {
    let n = 2000;
    let h = x / f64::from(n);
    let f = |k: i32| (-(f64::from(k) * h).powi(2)).exp() * if k % 2 == 1 { 4.0 } else { 2.0 };
    ((0..=n).map(f).sum::<f64>() - 1.0 - (-x * x).exp()) * h / 3.0 * std::f64::consts::FRAC_2_SQRT_PI
}

fn likelihoods(seed: u64) -> Vec<Case> {
    let (pi, tau) = (std::f64::consts::PI, std::f64::consts::TAU);
    let number = |more: u64| drawn(seed + more, &LEADING, -2.0, 2.0);
    let positive = |more: u64| drawn(seed + more, &LEADING, 0.2, 3.0);
    vec![
        case(
            "gaussian_nll_loss",
            vec![number(0), number(100), positive(200)],
            move |v| 0.5 * (v[2][0].ln() + (v[0][0] - v[1][0]).powi(2) / v[2][0]) + 0.5 * tau.ln(),
            |how, v| told!(GaussianNllLoss::default().full(true), how).loss(&v[0], &v[1], &v[2]),
        ),
        case(
            "poisson_nll_loss",
            vec![number(0), positive(100)],
            |v| v[0][0].exp() - v[1][0] * v[0][0],
            |how, v| told!(PoissonNllLoss::default(), how).loss(&v[0], &v[1]),
        ),
        case(
            "poisson_nll_loss of rates",
            vec![positive(0), positive(100)],
            move |v| {
                let (x, t) = (v[0][0], v[1][0]);
                let stirling = if t > 1.0 { t * t.ln() - t + 0.5 * (tau * t).ln() } else { 0.0 };
                x - t * (x + 1e-3).ln() + stirling
            },
            |how, v| {
                let loss = PoissonNllLoss::default().log_input(false).full(true).eps(1e-3);
                told!(loss, how).loss(&v[0], &v[1])
            },
        ),
        case(
            "crps_normal_loss",
            vec![number(0), positive(100), number(200)],
            move |v| {
                let z = (v[2][0] - v[0][0]) / v[1][0];
                let density = (-0.5 * z * z).exp() / tau.sqrt();
                v[1][0] * (z * erf(z / 2f64.sqrt()) + 2.0 * density - 1.0 / pi.sqrt())
            },
            |how, v| told!(CrpsNormalLoss::default(), how).loss(&v[0], &v[1], &v[2]),
        ),
        case(
            "crps_normal_loss in the tail",
            vec![number(0), drawn(seed + 100, &LEADING, 0.01, 0.06), drawn(seed + 200, &LEADING, 3.0, 4.0)],
            move |v| v[2][0] - v[0][0] - v[1][0] / pi.sqrt(),
            |how, v| told!(CrpsNormalLoss::default(), how).loss(&v[0], &v[1], &v[2]),
        ),
    ]
}

fn vectors(seed: u64) -> Vec<Case> {
    let of = |more: u64, last: &[usize]| drawn(seed + more, &[&LEADING, last].concat(), -1.5, 1.5);
    let apart: Vec<i64> =
        numbers(seed, COUNT, -1.0, 1.0).iter().map(|&x| if x < 0.0 { -1 } else { 1 }).collect();
    let target = Tensor::from_vec(apart.clone(), LEADING).unwrap();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let normal = |x: f64, mean: f64, log_scale: f64| {
        let z = (x - mean) / log_scale.exp();
        (-0.5 * z * z).exp() / log_scale.exp() / std::f64::consts::TAU.sqrt()
    };
    let mixture = move |v: &[&[f64]], width: usize| {
        let p: Vec<f64> = log_softmax(v[0]).iter().map(|x| x.exp()).collect();
        let density = |k: usize| -> f64 {
            (0..width).map(|d| normal(v[3][d], v[1][k * width + d], v[2][k * width + d])).product()
        };
        -(0..p.len()).map(|k| p[k] * density(k)).sum::<f64>().ln()
    };
    let call = |how: &How, v: &[V]| told!(MixtureNllLoss::default(), how).loss(&v[0], &v[1], &v[2], &v[3]);
    let mut cosine = case(
        "cosine_embedding_loss",
        vec![of(0, &[3]), of(100, &[3])],
        |_| 0.0,
        move |how, v| told!(CosineEmbeddingLoss::default().margin(0.2), how).loss(&v[0], &v[1], &target),
    );
    cosine.formula = Box::new(move |at, v| {
        let (a, b) = (v[0], v[1]);
        let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        if apart[at] == 1 { 1.0 - cosine } else { (cosine - 0.2).max(0.0) }
    });
    vec![
        cosine,
        case(
            "mixture_nll_loss",
            vec![of(0, &[3]), of(100, &[3]), of(200, &[3]), of(300, &[])],
            move |v| mixture(v, 1),
            call,
        ),
        case(
            "mixture_nll_loss of vectors",
            vec![of(0, &[3]), of(100, &[3, 2]), of(200, &[3, 2]), of(300, &[2])],
            move |v| mixture(v, 2),
            call,
        ),
    ]
}

const CLASSES: usize = 5;
const CLASS_WEIGHT: [f64; CLASSES] = [0.5, 1.0, 2.0, 0.25, 1.5];

/// Losses of classes, the fifth of which is ignored.
fn classes(seed: u64) -> Vec<Case> {
    let target: Vec<usize> = numbers(seed, COUNT, 0.0, 5.0).iter().map(|&x| x as usize).collect();
    let targets = Tensor::from_fn(LEADING, |at| if at == 4 { 77 } else { target[at] as i64 });
    let counts = |weighted: bool| {
        let of = |at: usize| if weighted { CLASS_WEIGHT[target[at]] } else { 1.0 };
        (0..COUNT).map(|at| if at == 4 { 0.0 } else { of(at) }).collect::<Vec<f64>>()
    };
    let logits = || vec![drawn(seed, &[3, 4, CLASSES], -2.0, 2.0)];
    let class_weight = || Tensor::from(CLASS_WEIGHT);
    let mut all = Vec::new();
    for (name, smoothing, weighted) in [
        ("cross_entropy", 0.0, false),
        ("cross_entropy, weighted", 0.0, true),
        ("cross_entropy, smoothed", 0.3, false),
        ("cross_entropy, weighted and smoothed", 0.3, true),
    ] {
        let (target, own, mine) = (target.clone(), counts(weighted), targets.clone());
        let mut case = case(
            name,
            logits(),
            |_| 0.0,
            move |how, v| {
                let loss = CrossEntropyLoss::default().ignore_index(77).label_smoothing(smoothing);
                let loss = if weighted { loss.class_weight(&class_weight()) } else { loss };
                told!(loss, how).loss(&v[0], &mine)
            },
        );
        case.counts = own.clone();
        case.formula = Box::new(move |at, v| {
            let log_p = log_softmax(v[0]);
            let w = |c: usize| if weighted { CLASS_WEIGHT[c] } else { 1.0 };
            let even: f64 = (0..CLASSES).map(|c| w(c) * log_p[c]).sum::<f64>() / CLASSES as f64;
            let loss = -(1.0 - smoothing) * w(target[at]) * log_p[target[at]] - smoothing * even;
            if own[at] == 0.0 { 0.0 } else { loss }
        });
        all.push(case);
    }
    let (own, mine) = (counts(true), targets);
    let mut nll = case(
        "nll_loss",
        logits(),
        |_| 0.0,
        move |how, v| {
            let loss = NllLoss::default().ignore_index(77).class_weight(&class_weight());
            told!(loss, how).loss(&v[0], &mine)
        },
    );
    nll.counts = own.clone();
    nll.formula = Box::new(move |at, v| if at == 4 { 0.0 } else { -own[at] * v[0][target[at]] });
    all.push(nll);
    let mut both = logits();
    both.push(V::new(drawn(seed + 100, &[3, 4, CLASSES], -1.0, 1.0).softmax(-1).value()));
    all.push(case(
        "cross_entropy of probabilities",
        both,
        |v| {
            let log_p = log_softmax(v[0]);
            let soft = |c: usize| 0.8 * v[1][c] + 0.2 / CLASSES as f64;
            -(0..CLASSES).map(|c| CLASS_WEIGHT[c] * soft(c) * log_p[c]).sum::<f64>()
        },
        move |how, v| {
            let loss = CrossEntropyLoss::default().label_smoothing(0.2).class_weight(&class_weight());
            told!(loss, how).loss(&v[0], &v[1])
        },
    ));
    all
}

pub fn cases(seed: u64) -> Vec<Case> {
    [errors(seed), binary(seed), likelihoods(seed), vectors(seed), classes(seed)]
        .into_iter()
        .flatten()
        .collect()
}
