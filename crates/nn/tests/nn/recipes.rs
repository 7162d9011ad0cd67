//! Initialisers that set a structure, draw within bounds, or know the gates of a recurrent layer.

use wengert_core::{Parameter, Tensor};
use wengert_nn::init::{self, Gain};
use wengert_nn::{Gru, Lstm, Module, Nonlinearity, Rnn};

use crate::close;

fn parameter(shape: &[usize]) -> Parameter<f64> {
    Parameter::new(Tensor::full(shape, f64::NAN))
}

/// The integral of `x^power` times the density of the standard normal distribution over an interval.
fn moment(power: i32, low: f64, high: f64) -> f64 {
    let (steps, width) = (20_000, (high - low) / 20_000.0);
    let density = |x: f64| x.powi(power) * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (0..steps).map(|i| density(low + (f64::from(i) + 0.5) * width) * width).sum()
}

#[test]
fn truncated_draws_lie_within_their_bounds_and_have_their_moments() {
    // Much of the distribution inside, a far tail, and a narrow piece.
    for (mean, std, low, high) in [(0.0, 1.0, -2.0, 2.0), (1.0, 0.5, 2.0, 4.0), (0.0, 10.0, -1.0, 3.0)] {
        let w = parameter(&[200, 200]);
        init::trunc_normal(&w, mean, std, low, high).unwrap();
        let drawn = w.to_vec();
        assert!(drawn.iter().all(|x| (low..=high).contains(x)));
        let [a, b] = [(low - mean) / std, (high - mean) / std];
        let [mass, first, second] = [0, 1, 2].map(|power| moment(power, a, b));
        let expected = mean + std * first / mass;
        let deviation = std * (second / mass - (first / mass).powi(2)).sqrt();
        let count = drawn.len() as f64;
        let got = drawn.iter().sum::<f64>() / count;
        let spread = (drawn.iter().map(|x| (x - got).powi(2)).sum::<f64>() / count).sqrt();
        assert!((got - expected).abs() < 5.0 * deviation / count.sqrt(), "{got} for {expected}");
        assert!((spread / deviation - 1.0).abs() < 0.03, "{spread} for {deviation}");
    }
    let single = Parameter::new(Tensor::<f32>::zeros([1000]));
    init::trunc_normal(&single, 0.0, 1.0, -0.1, 0.1).unwrap();
    assert!(single.to_vec().iter().all(|x| f64::from(*x) <= 0.1 && f64::from(*x) >= -0.1));
}

#[test]
fn truncated_draws_refuse_what_is_no_distribution() {
    let w = parameter(&[2]);
    let error = init::trunc_normal(&w, 0.0, 0.0, -1.0, 1.0).unwrap_err().to_string();
    assert_eq!(error, "trunc_normal: std must be a positive number, got 0");
    let error = init::trunc_normal(&w, 0.0, 1.0, 1.0, 1.0).unwrap_err().to_string();
    assert_eq!(error, "trunc_normal: low must be below high 1, got 1");
    assert!(w.to_vec().iter().all(|x| x.is_nan()));
}

#[test]
fn gains_are_those_of_pytorch() {
    let all = [Gain::Linear, Gain::Sigmoid, Gain::Tanh, Gain::Relu, Gain::LeakyRelu(0.01), Gain::Selu];
    let of_torch = [1.0, 1.0, 1.6666666666666667, std::f64::consts::SQRT_2, 1.4141428569978354, 0.75];
    assert_eq!(all.map(init::calculate_gain), of_torch);
}

#[test]
fn sparse_columns_have_as_many_zeros_as_asked_for_and_normal_numbers_elsewhere() {
    let w = parameter(&[100, 60]);
    init::sparse(&w, 0.301, 0.5).unwrap();
    let w = w.to_vec();
    let zeros = |column: usize| (0..100).filter(|row| w[row * 60 + column] == 0.0).count();
    assert!((0..60).all(|column| zeros(column) == 31));
    let others: Vec<f64> = w.iter().copied().filter(|x| *x != 0.0).collect();
    let square = others.iter().map(|x| x * x).sum::<f64>() / others.len() as f64;
    assert!((square.sqrt() / 0.5 - 1.0).abs() < 0.05, "{square}");
    let rows: Vec<bool> = (0..100).map(|row| w[row * 60] == 0.0).collect();
    assert!(rows[..31].iter().any(|zero| !zero), "not the same rows in every column");
    let error = init::sparse(&parameter(&[3]), 0.5, 0.01).unwrap_err().to_string();
    assert_eq!(error, "sparse: expected a parameter of two axes, got [3]");
    let error = init::sparse(&parameter(&[3, 2]), 1.5, 0.01).unwrap_err().to_string();
    assert_eq!(error, "sparse: sparsity must be in [0, 1], got 1.5");
}

#[test]
fn dirac_is_the_one_of_pytorch() {
    // `torch.nn.init.dirac_(torch.empty(4, 3, 3), 2)`: ones at (0, 0, 1), (1, 1, 1), (2, 0, 1), (3, 1, 1).
    let w = parameter(&[4, 3, 3]);
    init::dirac(&w, 2).unwrap();
    let ones: Vec<usize> = (0..36).filter(|&i| w.to_vec()[i] == 1.0).collect();
    assert_eq!(ones, [1, 9 + 3 + 1, 18 + 1, 27 + 3 + 1]);
    assert_eq!(w.to_vec().iter().sum::<f64>(), 4.0);
    // `torch.nn.init.dirac_(torch.empty(2, 1, 2, 3))`: a one at (0, 0, 1, 1).
    let w = parameter(&[2, 1, 2, 3]);
    init::dirac(&w, 1).unwrap();
    assert_eq!((0..12).filter(|&i| w.to_vec()[i] != 0.0).collect::<Vec<_>>(), [4]);
    let error = init::dirac(&parameter(&[4, 3]), 1).unwrap_err().to_string();
    assert_eq!(error, "dirac: expected a parameter of three to five axes, got [4, 3]");
    let error = init::dirac(&parameter(&[4, 3, 1]), 3).unwrap_err().to_string();
    assert_eq!(error, "dirac: groups must be a divisor of 4, got 3");
    assert!(init::eye(&parameter(&[3])).is_err());
}

fn of<M: Module<Element = f32>>(model: &M, name: &str) -> Vec<f64> {
    model.parameter(name).unwrap().to_vec().into_iter().map(f64::from).collect()
}

#[test]
fn chrono_biases_are_logarithms_of_uniform_times() {
    let lstm = Lstm::builder(2, 2000).bidirectional(true).build().unwrap();
    let before = of(&lstm, "bias_ih_l0");
    init::chrono(&lstm, 50.0).unwrap();
    for suffix in ["_l0", "_l0_reverse"] {
        let [input, hidden] = ["bias_ih", "bias_hh"].map(|name| of(&lstm, &format!("{name}{suffix}")));
        let times: Vec<f64> = input[2000..4000].iter().map(|b| b.exp()).collect();
        assert!(times.iter().all(|t| (0.999..49.001).contains(t)));
        let mean = times.iter().sum::<f64>() / 2000.0;
        assert!((mean - 25.0).abs() < 1.5, "{mean}");
        assert!(times.iter().any(|t| *t < 2.0) && times.iter().any(|t| *t > 48.0));
        close(&input[..2000], &input[2000..4000].iter().map(|b| -b).collect::<Vec<_>>(), 0.0);
        assert_eq!(hidden[..4000], [0.0; 4000]);
    }
    assert_ne!(of(&lstm, "bias_ih_l0")[2000..4000], of(&lstm, "bias_ih_l0_reverse")[2000..4000]);
    assert_eq!(of(&lstm, "bias_ih_l0")[4000..], before[4000..], "other gates are left alone");
    let gru = Gru::new(2, 30).unwrap();
    let before = of(&gru, "bias_ih_l0");
    init::chrono(&gru, 50.0).unwrap();
    let after = of(&gru, "bias_ih_l0");
    assert!(after[30..60].iter().all(|b| (0.0..49f64.ln() + 1e-6).contains(b)));
    assert_eq!((&after[..30], &after[60..]), (&before[..30], &before[60..]));
}

#[test]
fn recipes_refuse_layers_without_what_they_set_and_change_nothing() {
    let gru = Gru::new(2, 3).unwrap();
    let before = of(&gru, "bias_ih_l0");
    let error = init::forget_gate_bias(&gru, 1.0).unwrap_err().to_string();
    assert_eq!(error, "GRU: gates must be a list with forget, got [reset, update, new]");
    let error = init::chrono(&gru, 2.0).unwrap_err().to_string();
    assert_eq!(error, "chrono: longest must be more than 2 steps, got 2");
    assert_eq!(of(&gru, "bias_ih_l0"), before);
    let bare = Lstm::builder(2, 3).bias(false).build().unwrap();
    let error = init::forget_gate_bias(&bare, 1.0).unwrap_err().to_string();
    assert_eq!(error, "parameter: name must be one of weight_ih, weight_hh, got bias_hh");
    let error = init::identity_rnn(&gru, 1.0).unwrap_err().to_string();
    assert_eq!(error, "identity_rnn: the cell must be without gates, got reset, update, new");
}

#[test]
fn an_identity_rnn_carries_its_state_on() {
    let rnn = Rnn::builder(4, 50).num_layers(2).nonlinearity(Nonlinearity::Relu).build().unwrap();
    init::identity_rnn(&rnn, 0.5).unwrap();
    for layer in ["_l0", "_l1"] {
        let weight = of(&rnn, &format!("weight_hh{layer}"));
        assert_eq!(weight, Tensor::<f64>::eye(50).to_vec().iter().map(|x| 0.5 * x).collect::<Vec<_>>());
        assert_eq!(of(&rnn, &format!("bias_ih{layer}")), [0.0; 50]);
        assert_eq!(of(&rnn, &format!("bias_hh{layer}")), [0.0; 50]);
    }
    let drawn = of(&rnn, "weight_ih_l1");
    let square = drawn.iter().map(|x| x * x).sum::<f64>() / drawn.len() as f64;
    assert!((square.sqrt() / 0.001 - 1.0).abs() < 0.1, "{square}");
}

#[test]
fn each_gate_is_orthogonal_and_no_two_are_the_same() {
    for columns in [5, 3] {
        let builder = Lstm::builder(2, 5).num_layers(2).proj_size(if columns == 5 { 0 } else { columns });
        let lstm = builder.build().unwrap();
        init::orthogonal_gates(&lstm, 2.0).unwrap();
        for layer in ["_l0", "_l1"] {
            let weight = of(&lstm, &format!("weight_hh{layer}"));
            for gate in weight.chunks(5 * columns) {
                let product = |i: usize, j: usize| {
                    (0..5).map(|row| gate[row * columns + i] * gate[row * columns + j]).sum::<f64>()
                };
                for (i, j) in (0..columns).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                    assert!((product(i, j) - if i == j { 4.0 } else { 0.0 }).abs() < 1e-5);
                }
            }
            assert_ne!(weight[..5 * columns], weight[5 * columns..10 * columns]);
        }
    }
}
