//! The optimizers against naive references and PyTorch's numbers; saving, clipping, what is refused and
//! what is warned of.

mod averaged;
mod by_name;
mod clip;
mod defaults;
mod groups;
mod lbfgs;
#[path = "../../../core/tests/tensor/leaving.rs"]
mod leaving;
#[path = "../../../core/tests/tensor/limited.rs"]
mod limited;
mod many;
mod muon;
mod naive;
mod plateau;
mod ranges;
mod refusals;
mod refused;
mod saving;
mod schedule;
mod schedule_groups;
mod sizes;
mod stepping;
mod without_gradient;

use proptest::prelude::*;
use wengert_core::{Float, Parameter, Tensor, Variable};
use wengert_optim::{AdamOptions, AdamWOptions, Optimizer, RmsPropOptions, SgdOptions};

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn parameter<T: Float, const N: usize>(values: [f64; N]) -> Parameter<T> {
    Parameter::new(tensor(&[N], &values, false))
}

/// The elements in row-major order, lying in memory that way or, if `turned`, the other.
fn tensor<T: Float>(shape: &[usize], values: &[f64], turned: bool) -> Tensor<T> {
    let values: Vec<T> = values.iter().map(|&x| T::from_f64(x)).collect();
    match *shape {
        [rows, columns] if turned => {
            Tensor::from_fn([columns, rows], |i| values[i % rows * columns + i / rows]).t()
        }
        _ => Tensor::from_fn(shape, |i| values[i]),
    }
}

fn set_grad<T: Float>(parameter: &Parameter<T>, values: &[f64]) {
    parameter.set_grad(Some(Variable::from(tensor(parameter.shape(), values, false))));
}

fn bits<T: Float>(parameters: &[Parameter<T>]) -> Vec<u64> {
    parameters.iter().flat_map(|p| p.to_vec()).map(|x| x.to_f64().to_bits()).collect()
}

fn names<T: Float>(optimizer: &impl Optimizer<T>) -> Vec<String> {
    optimizer.state_dict().names().filter(|name| name.starts_with("state.")).map(str::to_string).collect()
}

/// Parameters, and for every step a gradient for each, or none.
#[derive(Clone, Debug)]
struct Case {
    parameters: Vec<Drawn>,
    grads: Vec<Vec<Option<Drawn>>>,
}

#[derive(Clone, Debug)]
struct Drawn {
    shape: Vec<usize>,
    values: Vec<f64>,
    turned: bool,
}

impl Drawn {
    fn tensor<T: Float>(&self) -> Tensor<T> {
        tensor(&self.shape, &self.values, self.turned)
    }
}

impl Case {
    fn parameters<T: Float>(&self) -> Vec<Parameter<T>> {
        self.parameters.iter().map(|drawn| Parameter::new(drawn.tensor())).collect()
    }

    fn set_grads<T: Float>(&self, step: usize, parameters: &[Parameter<T>]) {
        for (parameter, grad) in parameters.iter().zip(&self.grads[step]) {
            parameter.set_grad(grad.as_ref().map(|grad| Variable::from(grad.tensor())));
        }
    }
}

fn drawn(shape: Vec<usize>) -> impl Strategy<Value = Drawn> {
    let values = proptest::collection::vec(-3.0..3.0f64, shape.iter().product::<usize>());
    (values, any::<bool>()).prop_map(move |(values, turned)| Drawn { shape: shape.clone(), values, turned })
}

fn case() -> impl Strategy<Value = Case> {
    let shapes: &[&[usize]] = &[&[], &[1], &[7], &[0], &[2, 3], &[3, 1], &[0, 2], &[2, 1, 2], &[33]];
    let shapes = proptest::collection::vec(proptest::sample::select(shapes), 1..4);
    (shapes, 1..8usize).prop_flat_map(|(shapes, steps)| {
        let each: Vec<_> = shapes.iter().map(|shape| drawn(shape.to_vec())).collect();
        let grad = |shape: &&[usize]| proptest::option::weighted(0.8, drawn(shape.to_vec()));
        let grads: Vec<_> = shapes.iter().map(grad).collect();
        (each, proptest::collection::vec(grads, steps))
            .prop_map(|(parameters, grads)| Case { parameters, grads })
    })
}

/// Zero as often as not.
fn sometimes(range: std::ops::Range<f64>) -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), range]
}

fn sgd() -> impl Strategy<Value = SgdOptions> {
    let options =
        (0.0..0.5, sometimes(0.1..1.1), sometimes(-0.5..1.0), sometimes(0.01..0.5), any::<[bool; 2]>());
    options.prop_map(|(lr, momentum, dampening, weight_decay, [nesterov, maximize])| {
        let nesterov = nesterov && momentum > 0.0;
        let dampening = if nesterov { 0.0 } else { dampening };
        SgdOptions::default()
            .lr(lr)
            .momentum(momentum)
            .dampening(dampening)
            .weight_decay(weight_decay)
            .nesterov(nesterov)
            .maximize(maximize)
    })
}

fn adam() -> impl Strategy<Value = AdamOptions> {
    let options = (0.0..0.5, sometimes(0.1..0.99), sometimes(0.1..0.9999), 1e-8..1e-2, sometimes(0.01..0.5));
    (options, any::<[bool; 2]>()).prop_map(|((lr, beta1, beta2, eps, weight_decay), [amsgrad, maximize])| {
        AdamOptions::default()
            .lr(lr)
            .beta1(beta1)
            .beta2(beta2)
            .eps(eps)
            .weight_decay(weight_decay)
            .amsgrad(amsgrad)
            .maximize(maximize)
    })
}

fn adam_w() -> impl Strategy<Value = AdamWOptions> {
    adam().prop_map(|AdamOptions { lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, .. }| {
        AdamWOptions::default()
            .lr(lr)
            .beta1(beta1)
            .beta2(beta2)
            .eps(eps)
            .weight_decay(weight_decay)
            .amsgrad(amsgrad)
            .maximize(maximize)
    })
}

fn rms_prop() -> impl Strategy<Value = RmsPropOptions> {
    let options = (0.0..0.5, 0.5..0.999, 1e-8..1e-2, sometimes(0.01..0.5), sometimes(0.1..1.1));
    (options, any::<[bool; 2]>()).prop_map(
        |((lr, alpha, eps, weight_decay, momentum), [centered, maximize])| {
            RmsPropOptions::default()
                .lr(lr)
                .alpha(alpha)
                .eps(eps)
                .weight_decay(weight_decay)
                .momentum(momentum)
                .centered(centered)
                .maximize(maximize)
        },
    )
}
