//! Dropout: where it acts, how often, and from which numbers.

use wengert_core::{Tensor, Variable, manual_seed};
use wengert_nn::{Cast, Cell, Dropout, Gru, Lstm, Module, Nonlinearity, Recurrent, Rnn, State};

use crate::{V, variable};

/// Two layers without bias, all weights one: ten ones give 10 in the first layer, 10,000 in the second.
fn of_ones(p: f64) -> Rnn<f64> {
    let builder = Rnn::builder(10, 1000).num_layers(2).bias(false).nonlinearity(Nonlinearity::Relu);
    let rnn = builder.dropout(p).build().unwrap().cast::<f64>();
    rnn.parameters().iter().for_each(|w| w.update("test", |w| w.fill(1.0)).unwrap());
    rnn
}

/// The one value that all outputs have; 10,000 with dropout only if 1000 (1 - p) is a whole number.
fn uniform_output(rnn: &Rnn<f64>) -> f64 {
    let (output, h) = rnn.forward(&V::new(Tensor::ones([1, 1, 10])), None).unwrap();
    let output = output.to_vec();
    assert!(output.iter().all(|&y| y == output[0]));
    assert_eq!(h.select(0, 0).to_vec(), [10.0; 1000], "the state is not dropped");
    assert_eq!(h.select(0, 1).to_vec(), output);
    output[0]
}

#[test]
fn a_layer_sees_what_is_left_of_the_one_below_scaled_up() {
    for p in [0.2765, 0.7315] {
        let output = uniform_output(&of_ones(p));
        assert!(output > 8000.0 && output < 12000.0 && output != 10000.0, "{output}");
        let kept = output * (1.0 - p) / 10.0;
        assert!((kept - kept.round()).abs() < 1e-9, "{kept} units were kept");
    }
}

#[test]
fn nothing_is_dropped_with_probability_zero_and_everything_with_one() {
    assert_eq!(uniform_output(&of_ones(0.0)), 10000.0);
    assert_eq!(uniform_output(&of_ones(1.0)), 0.0);
}

#[test]
fn nothing_is_dropped_in_evaluation() {
    for p in [0.2765, 0.7315, 1.0] {
        let mut rnn = of_ones(p);
        rnn.eval();
        assert_eq!(uniform_output(&rnn), 10000.0);
        rnn.train();
        assert_ne!(uniform_output(&rnn), 10000.0);
    }
}

#[test]
fn a_change_of_the_probability_takes_effect() {
    let mut rnn = of_ones(0.2765);
    assert_ne!(uniform_output(&rnn), 10000.0);
    rnn.set_dropout(0.0).unwrap();
    assert_eq!(uniform_output(&rnn), 10000.0);
    rnn.set_dropout(1.0).unwrap();
    assert_eq!(uniform_output(&rnn), 0.0);
}

#[test]
fn dropout_keeps_the_expectation() {
    let rnn = of_ones(0.5);
    let mean = (0..400).map(|_| uniform_output(&rnn)).sum::<f64>() / 400.0;
    // A draw's deviation is 10 sqrt(1000) = 316; that of the mean, 16.
    assert!((mean - 10000.0).abs() < 80.0, "{mean}");
}

#[test]
fn the_last_layers_outputs_are_not_dropped() {
    fn check<C: Cell<Element = f64>>(mut net: Recurrent<C>) {
        let x = variable(&[5, 2, 3]);
        let training = net.forward(&x, None).unwrap().0.to_vec();
        net.eval();
        assert_eq!(net.forward(&x, None).unwrap().0.to_vec(), training);
    }
    check(Rnn::builder(3, 4).dropout(0.9).build().unwrap().cast::<f64>());
    check(Lstm::builder(3, 4).dropout(0.9).bidirectional(true).build().unwrap().cast::<f64>());
    check(Gru::builder(3, 4).dropout(0.9).build().unwrap().cast::<f64>());
}

/// A GRU of two layers as two of one layer with the same weights.
fn split(gru: &Gru<f64>) -> [Gru<f64>; 2] {
    [3, 8]
        .into_iter()
        .enumerate()
        .map(|(layer, width)| {
            let one = Gru::builder(width, 4).bidirectional(true).build().unwrap().cast::<f64>();
            for (name, parameter) in one.named_parameters() {
                let value = gru.parameter(&name.replace("_l0", &format!("_l{layer}"))).unwrap().value();
                parameter.set_value(value).unwrap();
            }
            one
        })
        .collect::<Vec<_>>()
        .try_into()
        .ok()
        .unwrap()
}

#[test]
fn dropout_between_layers_is_dropout_of_all_outputs_of_the_lower_one() {
    let gru =
        Gru::builder(3, 4).num_layers(2).bidirectional(true).dropout(0.4).build().unwrap().cast::<f64>();
    let [lower, upper] = split(&gru);
    let x = variable(&[5, 2, 3]);
    manual_seed(8);
    let (output, h) = gru.forward(&x, None).unwrap();
    manual_seed(8);
    let (between, h_lower) = lower.forward(&x, None).unwrap();
    let (expected, h_upper) = upper.forward(&between.dropout(0.4).unwrap(), None).unwrap();
    assert_eq!(output.to_vec(), expected.to_vec());
    assert_eq!(h.to_vec(), [h_lower.to_vec(), h_upper.to_vec()].concat());
}

fn outputs<C: Cell<Element = f64>>(net: &Recurrent<C>, x: &V) -> Vec<f64> {
    let (output, state) = net.forward(x, None).unwrap();
    [vec![output], state.variables()].concat().iter().flat_map(|part| part.to_vec()).collect()
}

#[test]
fn one_seed_gives_one_mask_and_the_next_call_another() {
    let lstm = Lstm::builder(3, 4).num_layers(3).dropout(0.5).build().unwrap().cast::<f64>();
    let x = variable(&[5, 2, 3]);
    let seeded = |seed| {
        manual_seed(seed);
        [0, 1].map(|_| outputs(&lstm, &x))
    };
    let [first, second] = seeded(1);
    assert_ne!(first, second);
    assert_eq!(seeded(1), [first.clone(), second]);
    assert_ne!(seeded(2)[0], first);
}

#[test]
fn repeated_calls_agree_without_dropout_or_in_evaluation() {
    let x = variable(&[5, 2, 3]);
    let mut gru = Gru::builder(3, 4).num_layers(2).build().unwrap().cast::<f64>();
    assert_eq!(outputs(&gru, &x), outputs(&gru, &x));
    gru.set_dropout(0.5).unwrap();
    assert_ne!(outputs(&gru, &x), outputs(&gru, &x));
    gru.eval();
    assert_eq!(outputs(&gru, &x), outputs(&gru, &x));
}

#[test]
fn masks_differ_from_call_to_call_and_every_weight_gets_a_gradient() {
    let gru = Gru::builder(16, 32).num_layers(2).dropout(0.5).build().unwrap().cast::<f64>();
    let x = variable(&[7, 4, 16]);
    let [a, b, c] = [0, 1, 2].map(|_| gru.forward(&x, None).unwrap().0);
    assert!(a.to_vec() != b.to_vec() && b.to_vec() != c.to_vec() && c.to_vec() != a.to_vec());
    (a + b + c).sum().backward().unwrap();
    for (name, parameter) in gru.named_parameters() {
        assert!(parameter.grad().unwrap().to_vec().iter().all(|&g| g != 0.0), "{name}");
    }
}

#[test]
fn the_module_drops_single_elements_and_scales_the_others() {
    let x = variable(&[100, 200]);
    let y = Dropout::new(0.3).unwrap().cast::<f64>().forward(&x).unwrap();
    let pairs = || x.to_vec().into_iter().zip(y.to_vec());
    assert!(pairs().all(|(x, y)| y == 0.0 || (y - x / 0.7).abs() < 1e-15));
    let kept = pairs().filter(|(_, y)| *y != 0.0).count() as f64 / 20000.0;
    // The deviation of the share is sqrt(0.3 0.7 / 20000) = 0.0032.
    assert!((kept - 0.7).abs() < 0.016, "{kept}");
    let row_kept = |row: &[f64]| row.iter().filter(|&&y| y != 0.0).count();
    assert!(y.to_vec().chunks(200).all(|row| (90..190).contains(&row_kept(row))), "no row as a whole");
}

#[test]
fn the_gradient_goes_through_what_is_kept() {
    for p in [0.0, 0.3, 1.0] {
        let x = V::new(Tensor::ones([50])).requires_grad_(true);
        let y = Dropout::new(p).unwrap().cast::<f64>().forward(&x).unwrap();
        y.sum().backward().unwrap();
        assert_eq!(x.grad().unwrap().to_vec(), y.to_vec());
    }
}

#[test]
fn the_module_lets_everything_through_in_evaluation() {
    let mut dropout = Dropout::new(1.0).unwrap();
    let x = Variable::new(Tensor::<f32>::ones([4]));
    assert_eq!(dropout.forward(&x).unwrap().to_vec(), [0.0; 4]);
    dropout.eval();
    assert_eq!(dropout.forward(&x).unwrap().to_vec(), [1.0; 4]);
}
