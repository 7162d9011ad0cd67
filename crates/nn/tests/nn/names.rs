//! The recurrent modules' parameters: names, shapes, order and start.

use wengert_core::{Tape, Tensor, Variable, manual_seed};
use wengert_nn::{Cell, Gru, GruCell, Linear, Lstm, LstmCell, Module, Recurrent, Rnn, RnnCell, module};

fn shapes<M: Module>(module: &M) -> Vec<(String, Vec<usize>)> {
    module.named_parameters().into_iter().map(|(name, p)| (name, p.shape().to_vec())).collect()
}

/// What PyTorch registers for a recurrent layer, in order: (name, shape).
fn registered(
    gates: usize,
    layers: usize,
    directions: usize,
    proj: usize,
    bias: bool,
) -> Vec<(String, Vec<usize>)> {
    let (input, hidden) = (3, 5);
    let recurrent = if proj > 0 { proj } else { hidden };
    let mut expected = Vec::new();
    for (layer, direction) in (0..layers).flat_map(|l| (0..directions).map(move |d| (l, d))) {
        let suffix = format!("_l{layer}{}", ["", "_reverse"][direction]);
        let width = if layer == 0 { input } else { recurrent * directions };
        let mut add =
            |name: &str, shape: &[usize]| expected.push((format!("{name}{suffix}"), shape.to_vec()));
        add("weight_ih", &[gates * hidden, width]);
        add("weight_hh", &[gates * hidden, recurrent]);
        if bias {
            add("bias_ih", &[gates * hidden]);
            add("bias_hh", &[gates * hidden]);
        }
        if proj > 0 {
            add("weight_hr", &[proj, hidden]);
        }
    }
    expected
}

#[test]
fn recurrent_layers_have_pytorchs_names_order_and_shapes() {
    for (layers, bits) in (1..4).flat_map(|layers| (0..4).map(move |bits| (layers, bits))) {
        let (directions, bias) = (1 + (bits & 1), bits & 2 == 0);
        let rnn = Rnn::builder(3, 5).num_layers(layers).bidirectional(directions == 2).bias(bias);
        assert_eq!(shapes(&rnn.build().unwrap()), registered(1, layers, directions, 0, bias));
        let gru = Gru::builder(3, 5).num_layers(layers).bidirectional(directions == 2).bias(bias);
        assert_eq!(shapes(&gru.build().unwrap()), registered(3, layers, directions, 0, bias));
        for proj in [0, 2] {
            let lstm = Lstm::builder(3, 5).num_layers(layers).bidirectional(directions == 2).bias(bias);
            let lstm = lstm.proj_size(proj).build().unwrap();
            assert_eq!(shapes(&lstm), registered(4, layers, directions, proj, bias));
        }
    }
}

#[test]
fn a_parameter_is_called_by_its_place_in_the_outermost_module() {
    #[derive(Clone)]
    struct Model {
        rnn: Lstm,
    }
    module!(Model { rnn });
    let rnn = Lstm::new(3, 2).unwrap();
    let name_in_tape = || {
        let y = rnn.forward(&Variable::new(Tensor::ones([1, 1, 3])), None).unwrap().0;
        let names: Vec<String> = Tape::of(&y).entries().iter().map(|entry| entry.name.clone()).collect();
        names.into_iter().find(|name| name.contains("weight_hh")).unwrap()
    };
    let _ = rnn.parameters();
    assert_eq!(name_in_tape(), "weight_hh_l0");
    let model = Model { rnn: rnn.clone() };
    let _ = model.parameters();
    assert_eq!(name_in_tape(), "rnn.weight_hh_l0");
    // One part looked at by itself is called so no less.
    let _ = model.rnn.parameters();
    assert_eq!(name_in_tape(), "rnn.weight_hh_l0");
}

#[test]
fn cells_have_pytorchs_names_order_and_shapes() {
    let expected = |gates: usize| {
        let of = |name: &str, shape: &[usize]| (name.to_string(), shape.to_vec());
        let gates = gates * 5;
        [
            of("weight_ih", &[gates, 3]),
            of("weight_hh", &[gates, 5]),
            of("bias_ih", &[gates]),
            of("bias_hh", &[gates]),
        ]
    };
    assert_eq!(shapes(&RnnCell::new(3, 5).unwrap()), expected(1));
    assert_eq!(shapes(&LstmCell::new(3, 5).unwrap()), expected(4));
    assert_eq!(shapes(&GruCell::new(3, 5).unwrap()), expected(3));
    assert_eq!(shapes(&GruCell::without_bias(3, 5).unwrap()), expected(3)[..2]);
}

#[test]
fn layers_print_as_pytorch_prints_them() {
    let lstm = Lstm::builder(3, 5).num_layers(2).proj_size(2).bias(false).batch_first(true);
    let lstm = lstm.dropout(0.5).bidirectional(true).build().unwrap();
    let options = "num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True";
    assert_eq!(lstm.to_string(), format!("LSTM(3, 5, proj_size=2, {options})"));
    assert_eq!(Rnn::new(3, 5).unwrap().to_string(), "RNN(3, 5)");
    assert_eq!(GruCell::without_bias(3, 5).unwrap().to_string(), "GRUCell(3, 5, bias=False)");
    let relu = RnnCell::new(3, 5).unwrap().nonlinearity("relu".parse().unwrap());
    assert_eq!(relu.to_string(), "RNNCell(3, 5, nonlinearity=relu)");
}

/// Every parameter, in order, is the next draw from U(-bound, bound).
fn check_start<M: Module<Element = f32>>(make: impl Fn() -> M, bound: f64) {
    manual_seed(11);
    let module = make();
    manual_seed(11);
    for (name, parameter) in module.named_parameters() {
        let expected = Tensor::<f32>::uniform(parameter.shape(), -bound, bound);
        assert_eq!(parameter.value(), expected, "{name}");
    }
}

#[test]
fn recurrent_layers_start_from_one_over_the_root_of_their_units_in_the_order_of_names() {
    let bound = 1.0 / 5f64.sqrt();
    check_start(|| Rnn::builder(3, 5).num_layers(2).bidirectional(true).build().unwrap(), bound);
    check_start(
        || Lstm::builder(3, 5).num_layers(2).bidirectional(true).proj_size(2).build().unwrap(),
        bound,
    );
    check_start(|| Gru::builder(3, 5).num_layers(2).bidirectional(true).build().unwrap(), bound);
    check_start(|| RnnCell::new(3, 5).unwrap(), bound);
    check_start(|| LstmCell::new(3, 5).unwrap(), bound);
    check_start(|| GruCell::new(3, 5).unwrap(), bound);
    check_start(|| Linear::new(3, 7).unwrap(), 1.0 / 3f64.sqrt());
}

/// A cell that runs a layer of its own over each step's input.
#[derive(Clone)]
struct Nested {
    inner: Gru,
}
module!(Nested { inner });

impl Cell for Nested {
    type State = Variable;

    fn input_size(&self) -> usize {
        3
    }

    fn output_size(&self) -> usize {
        3
    }

    fn zero_state(&self, batch: usize) -> Variable {
        Variable::new(Tensor::zeros([batch, 3]))
    }

    fn project(&self, x: &Variable) -> Variable {
        x.clone()
    }

    fn step(&self, x: &Variable, state: &Variable) -> (Variable, Variable) {
        let (_, h) = self.inner.forward(&x.unsqueeze(0), Some(&state.unsqueeze(0))).unwrap();
        (h.squeeze(0), h.squeeze(0))
    }
}

#[test]
fn layers_of_cells_that_hold_layers_have_names_of_their_own() {
    let nested = |_| Ok(Nested { inner: Gru::new(3, 3)? });
    let layers = Recurrent::of(3, nested).num_layers(2).bidirectional(false).build().unwrap();
    let names: Vec<String> = layers.named_parameters().into_iter().map(|(name, _)| name).collect();
    let of = |suffix: &str| {
        ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(|name| format!("inner.{name}_l0{suffix}"))
    };
    assert_eq!(names, [of("_l0"), of("_l1")].concat());
}
