//! Gradients of every parameter, input and state against central differences, first and second order.

use proptest::prelude::*;
use wengert_core::{GradOptions, Parameter, Tensor, grad};
use wengert_nn::{Cast, Cell, Gru, Lstm, Module, Nonlinearity, Recurrent, Rnn, State};

use crate::user_cell::fading;
use crate::{V, config, variable};

/// How far a derivative may be from the difference, relative to the largest derivative along the same leaf or to 1.
const TOLERANCE: f64 = 1e-6;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The derivative of `f` along `direction` of one leaf, over five points.
fn difference(f: &dyn Fn() -> V, leaf: &Parameter<f64>, direction: &[f64]) -> f64 {
    let (start, step) = (leaf.value(), 1e-3);
    let x = start.to_vec();
    let at = |t: f64| {
        leaf.set_value(Tensor::from_fn(start.shape(), |i| x[i] + t * step * direction[i])).unwrap();
        f().item().unwrap()
    };
    let slope = (at(-2.0) - 8.0 * at(-1.0) + 8.0 * at(1.0) - at(2.0)) / (12.0 * step);
    leaf.set_value(start).unwrap();
    slope
}

fn gradients(y: &V, leaves: &[Parameter<f64>], create_graph: bool) -> Vec<V> {
    let inputs: Vec<&V> = leaves.iter().map(|leaf| &**leaf).collect();
    grad(&[y], &inputs, GradOptions::default().create_graph(create_graph).allow_unused(true)).unwrap()
}

/// The gradient of `f` in each leaf is the difference: along one element, and along a random direction of all.
fn check_scalar(f: &dyn Fn() -> V, leaves: &[Parameter<f64>]) -> Result<(), TestCaseError> {
    for (k, (leaf, gradient)) in leaves.iter().zip(gradients(&f(), leaves, false)).enumerate() {
        prop_assert_eq!(gradient.shape(), leaf.shape());
        let gradient = gradient.to_vec();
        let one = (0..leaf.numel()).map(|i| if i == leaf.numel() / 2 { 1.0 } else { 0.0 }).collect();
        for direction in [one, variable(leaf.shape()).to_vec()] {
            let (analytical, numerical) = (dot(&gradient, &direction), difference(f, leaf, &direction));
            let largest = gradient.iter().fold(1.0, |m: f64, g| m.max(g.abs()));
            let far = (analytical - numerical).abs() > TOLERANCE * largest;
            prop_assert!(!far && !analytical.is_nan(), "leaf {k}: {analytical}, by differences {numerical}");
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
struct Options {
    input: usize,
    hidden: usize,
    steps: usize,
    batch: Option<usize>,
    layers: usize,
    bias: bool,
    bidirectional: bool,
    batch_first: bool,
}

fn options() -> impl Strategy<Value = Options> {
    let sizes = (1..4usize, 1..4usize, 1..5usize, proptest::option::weighted(0.8, 1..3usize), 1..3usize);
    (sizes, any::<[bool; 3]>()).prop_map(|(sizes, [bias, bidirectional, batch_first])| {
        let (input, hidden, steps, batch, layers) = sizes;
        Options { input, hidden, steps, batch, layers, bias, bidirectional, batch_first }
    })
}

impl Options {
    fn input(&self) -> V {
        match (self.batch, self.batch_first) {
            (None, _) => variable(&[self.steps, self.input]),
            (Some(n), true) => variable(&[n, self.steps, self.input]),
            (Some(n), false) => variable(&[self.steps, n, self.input]),
        }
    }
}

/// Checks a weighted sum of all of a module's results, and the norm of its gradient.
fn check<C: Cell<Element = f64>>(net: &Recurrent<C>, options: Options) -> Result<(), TestCaseError> {
    let mut leaves = net.parameters();
    let mut leaf = |value: &V| {
        leaves.push(Parameter::new(value.value()));
        (**leaves.last().unwrap()).clone()
    };
    let x = leaf(&options.input());
    let zeros = net.zero_state(options.batch.unwrap_or(1));
    let zeros = if options.batch.is_some() { zeros } else { zeros.map(|part| part.squeeze(1)) };
    let state = zeros.map(|part| leaf(&variable(part.shape())));
    let results = || {
        let (output, state) = net.forward(&x, Some(&state)).unwrap();
        [vec![output], state.parts()].concat()
    };
    let weights: Vec<V> = results().iter().map(|part| variable(part.shape())).collect();
    let weighted = || {
        let terms = results().into_iter().zip(&weights).map(|(part, weight)| (&part * weight).sum());
        terms.reduce(|a, b| a + b).unwrap()
    };
    check_scalar(&weighted, &leaves)?;
    let norm = || {
        let squares = gradients(&weighted(), &leaves, true).into_iter().map(|g| g.square().sum());
        squares.reduce(|a, b| a + b).unwrap().sqrt()
    };
    check_scalar(&norm, &leaves)
}

/// Keeps a ReLU off its kink: half of the units are far above 0, the others far below.
fn away_from_zero<M: Module<Element = f64>>(net: &M) {
    for (name, parameter) in net.named_parameters() {
        let value = |i: usize, x: f64| match name.starts_with("bias_ih") {
            true => [3.5, -3.5][i % 2],
            false => 0.04 * x,
        };
        let change =
            |p: &mut [f64]| p.iter_mut().enumerate().for_each(|(i, x)| *x = value(i, x.clamp(-1.0, 1.0)));
        parameter.update("test", change).unwrap();
    }
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn rnn_with_tanh_has_the_gradients_of_differences(o in options()) {
        let builder = Rnn::builder(o.input, o.hidden).bias(o.bias).num_layers(o.layers);
        let builder = builder.bidirectional(o.bidirectional).batch_first(o.batch_first);
        check(&builder.build().unwrap().cast(), o)?;
    }

    #[test]
    fn rnn_with_relu_has_the_gradients_of_differences(o in options()) {
        let builder = Rnn::builder(o.input, o.hidden).nonlinearity(Nonlinearity::Relu).num_layers(o.layers);
        let net = builder.bidirectional(o.bidirectional).batch_first(o.batch_first).build().unwrap().cast();
        away_from_zero(&net);
        check(&net, o)?;
    }

    #[test]
    fn lstm_has_the_gradients_of_differences(o in options(), proj_size in 0..3usize) {
        let builder = Lstm::builder(o.input, o.hidden).bias(o.bias).proj_size(proj_size.min(o.hidden - 1));
        let builder = builder.num_layers(o.layers).bidirectional(o.bidirectional).batch_first(o.batch_first);
        check(&builder.build().unwrap().cast(), o)?;
    }

    #[test]
    fn gru_has_the_gradients_of_differences(o in options()) {
        let builder = Gru::builder(o.input, o.hidden).bias(o.bias).num_layers(o.layers);
        let builder = builder.bidirectional(o.bidirectional).batch_first(o.batch_first);
        check(&builder.build().unwrap().cast(), o)?;
    }

    #[test]
    fn a_users_cell_has_the_gradients_of_differences(o in options()) {
        let builder = Recurrent::of(o.input, fading(o.hidden)).num_layers(o.layers);
        let builder = builder.bidirectional(o.bidirectional).batch_first(o.batch_first);
        check(&builder.build().unwrap().cast(), o)?;
    }
}
