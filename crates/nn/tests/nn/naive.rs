//! The recurrent modules against loops over scalars, in every combination of their arguments.

use std::collections::HashMap;

use wengert_core::Tensor;
use wengert_nn::{
    Cast, Cell, Gru, GruCell, Lstm, LstmCell, Module, Nonlinearity, Recurrent, RecurrentBuilder, Rnn,
    RnnCell, State,
};

use crate::{V, close, variable};

pub type Row = Vec<f64>;

/// A naive cell: its weights, an input and the state's parts to an output and the next parts.
pub type Step = fn(&Weights, &[f64], &[Row]) -> (Row, Vec<Row>);

/// One cell's parameters by name, without the suffix of layer and direction.
pub struct Weights(HashMap<String, (Vec<usize>, Row)>);

impl Weights {
    pub fn of<M: Module<Element = f64>>(module: &M) -> Self {
        let named = module.named_parameters().into_iter();
        Weights(named.map(|(name, p)| (name, (p.shape().to_vec(), p.to_vec()))).collect())
    }

    pub fn vector(&self, name: &str) -> Option<&Row> {
        self.0.get(name).map(|(_, values)| values)
    }

    /// `W x`, and `+ b` if there is such a bias.
    pub fn affine(&self, weight: &str, bias: &str, x: &[f64]) -> Row {
        let (shape, w) = &self.0[weight];
        let mut sums = self.vector(bias).cloned().unwrap_or(vec![0.0; shape[0]]);
        for row in 0..shape[0] {
            for column in 0..shape[1] {
                sums[row] += w[row * shape[1] + column] * x[column];
            }
        }
        sums
    }

    fn of_input(&self, x: &[f64]) -> Row {
        self.affine("weight_ih", "bias_ih", x)
    }

    fn of_state(&self, h: &[f64]) -> Row {
        self.affine("weight_hh", "bias_hh", h)
    }
}

pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn rnn(w: &Weights, x: &[f64], state: &[Row], f: fn(f64) -> f64) -> (Row, Vec<Row>) {
    let (x, h) = (w.of_input(x), w.of_state(&state[0]));
    let h: Row = (0..h.len()).map(|j| f(x[j] + h[j])).collect();
    (h.clone(), vec![h])
}

fn rnn_tanh(w: &Weights, x: &[f64], state: &[Row]) -> (Row, Vec<Row>) {
    rnn(w, x, state, f64::tanh)
}

fn rnn_relu(w: &Weights, x: &[f64], state: &[Row]) -> (Row, Vec<Row>) {
    rnn(w, x, state, |x| if x > 0.0 { x } else { 0.0 })
}

fn lstm(w: &Weights, x: &[f64], state: &[Row]) -> (Row, Vec<Row>) {
    let (x, h) = (w.of_input(x), w.of_state(&state[0]));
    let width = state[1].len();
    let gate = |k: usize, j: usize| x[k * width + j] + h[k * width + j];
    let (mut h, mut c) = (vec![0.0; width], state[1].clone());
    for j in 0..width {
        c[j] = sigmoid(gate(1, j)) * c[j] + sigmoid(gate(0, j)) * gate(2, j).tanh();
        h[j] = sigmoid(gate(3, j)) * c[j].tanh();
    }
    let h = if w.vector("weight_hr").is_some() { w.affine("weight_hr", "", &h) } else { h };
    (h.clone(), vec![h, c])
}

fn gru(w: &Weights, x: &[f64], state: &[Row]) -> (Row, Vec<Row>) {
    let (x, h) = (w.of_input(x), w.of_state(&state[0]));
    let width = state[0].len();
    let next = |j: usize| {
        let r = sigmoid(x[j] + h[j]);
        let z = sigmoid(x[width + j] + h[width + j]);
        let n = (x[2 * width + j] + r * h[2 * width + j]).tanh();
        (1.0 - z) * n + z * state[0][j]
    };
    let h: Row = (0..width).map(next).collect();
    (h.clone(), vec![h])
}

/// One sample through layers and directions: outputs in time, and the last state's parts at layer D +
/// direction.
fn run(
    step: Step,
    cells: &[Weights],
    directions: usize,
    x: &[Row],
    h0: &[Vec<Row>],
) -> (Vec<Row>, Vec<Vec<Row>>) {
    let (mut x, mut last) = (x.to_vec(), Vec::new());
    for layer in 0..cells.len() / directions {
        let mut outputs = vec![Row::new(); x.len()];
        for direction in 0..directions {
            let k = layer * directions + direction;
            let mut state = h0[k].clone();
            for i in 0..x.len() {
                let t = if direction == 1 { x.len() - 1 - i } else { i };
                let (output, next) = step(&cells[k], &x[t], &state);
                outputs[t].extend(output);
                state = next;
            }
            last.push(state);
        }
        x = outputs;
    }
    (x, last)
}

/// What an input and a state look like.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub batched: bool,
    pub batch_first: bool,
    pub given: bool,
    pub contiguous: bool,
}

impl Layout {
    pub fn all() -> impl Iterator<Item = Layout> {
        (0..16).map(|bits| {
            let [batched, batch_first, given, contiguous] = [0, 1, 2, 3].map(|bit| bits >> bit & 1 == 1);
            Layout { batched, batch_first, given, contiguous }
        })
    }

    /// Where step t of sample n lies.
    fn sequence<X>(self, t: X, n: X, i: X) -> Vec<X> {
        match self {
            Layout { batched: false, .. } => vec![t, i],
            Layout { batch_first: true, .. } => vec![n, t, i],
            _ => vec![t, n, i],
        }
    }

    fn state(self, k: usize, n: usize, i: usize) -> Vec<usize> {
        if self.batched { vec![k, n, i] } else { vec![k, i] }
    }

    fn input(self, steps: usize, batch: usize, width: usize) -> V {
        let shape = self.sequence(steps, batch, width);
        if self.contiguous {
            return variable(&shape);
        }
        let turned: Vec<usize> = shape.iter().rev().copied().collect();
        let axes: Vec<isize> = (0..shape.len() as isize).rev().collect();
        V::from(variable(&turned).value().permute(&axes).unwrap())
    }
}

fn row(tensor: &Tensor<f64>, at: impl Fn(usize) -> Vec<usize>) -> Row {
    let width = *tensor.shape().last().unwrap();
    (0..width).map(|i| tensor.at(&at(i))).collect()
}

/// The module gives the outputs and the state that `step` gives, each sample by itself.
pub fn check<C: Cell<Element = f64>>(net: &Recurrent<C>, step: Step, layout: Layout) {
    let (steps, batch) = (4, if layout.batched { 2 } else { 1 });
    let (layers, directions) = (net.num_layers(), if net.is_bidirectional() { 2 } else { 1 });
    let cells: Vec<Weights> =
        (0..layers * directions).map(|k| Weights::of(net.cell(k / directions, k % directions))).collect();
    let input = layout.input(steps, batch, net.cell(0, 0).input_size());
    let zeros = net.zero_state(batch).map(|part| V::new(Tensor::zeros(part.shape())));
    let zeros = if layout.batched { zeros } else { zeros.map(|part| part.squeeze(1)) };
    let state = if layout.given { zeros.map(|part| variable(part.shape())) } else { zeros };

    let (output, last) = net.forward(&input, layout.given.then_some(&state)).unwrap();
    assert_eq!(output.shape(), layout.sequence(steps, batch, net.output_size()));
    for (last, state) in last.variables().iter().zip(state.variables()) {
        assert_eq!(last.shape(), state.shape());
    }
    let parts = |state: &C::State, n: usize, k: usize| -> Vec<Row> {
        state.variables().iter().map(|part| row(&part.value(), |i| layout.state(k, n, i))).collect()
    };
    for n in 0..batch {
        let x: Vec<Row> = (0..steps).map(|t| row(&input.value(), |i| layout.sequence(t, n, i))).collect();
        let h0: Vec<Vec<Row>> = (0..cells.len()).map(|k| parts(&state, n, k)).collect();
        let (expected, expected_last) = run(step, &cells, directions, &x, &h0);
        for (t, expected) in expected.iter().enumerate() {
            close(&row(&output.value(), |i| layout.sequence(t, n, i)), expected, 1e-12);
        }
        for (k, expected) in expected_last.iter().enumerate() {
            close(&parts(&last, n, k).concat(), &expected.concat(), 1e-12);
        }
    }
}

/// Every number of layers, directions and layout over a builder.
fn check_all<F, C>(builder: impl Fn() -> RecurrentBuilder<F>, step: Step)
where
    F: wengert_nn::CellFactory<Cell = C>,
    C: Cell + Cast<To<f64>: Cell<Element = f64>>,
{
    for (layers, bidirectional) in [1, 2, 3].into_iter().flat_map(|layers| [(layers, false), (layers, true)])
    {
        for layout in Layout::all() {
            let builder = builder().num_layers(layers).bidirectional(bidirectional);
            let net = builder.batch_first(layout.batch_first).build().unwrap().cast::<f64>();
            check(&net, step, layout);
        }
    }
}

#[test]
fn rnn_is_a_loop_over_scalars_for_every_argument() {
    for (nonlinearity, step) in [(Nonlinearity::Tanh, rnn_tanh as Step), (Nonlinearity::Relu, rnn_relu)] {
        for bias in [true, false] {
            check_all(|| Rnn::builder(3, 5).nonlinearity(nonlinearity).bias(bias), step);
        }
    }
}

#[test]
fn lstm_is_a_loop_over_scalars_for_every_argument() {
    for (proj_size, bias) in [(0, true), (0, false), (1, true), (1, false), (2, true), (2, false)] {
        check_all(|| Lstm::builder(3, 5).proj_size(proj_size).bias(bias), lstm);
    }
}

#[test]
fn gru_is_a_loop_over_scalars_for_every_argument() {
    for bias in [true, false] {
        check_all(|| Gru::builder(3, 5).bias(bias), gru);
    }
}

/// Six steps of a cell, batched and not, from zeros and from a given state.
fn check_cell<C: Cell<Element = f64>>(cell: &C, step: Step) {
    for layout in Layout::all().filter(|layout| !layout.batch_first && layout.contiguous) {
        let batch = if layout.batched { 3 } else { 1 };
        let zeros = cell.zero_state(batch).map(|part| V::new(Tensor::zeros(part.shape())));
        let zeros = if layout.batched { zeros } else { zeros.map(|part| part.squeeze(0)) };
        let mut state = if layout.given { zeros.map(|part| variable(part.shape())) } else { zeros };
        let rows = |x: &V, n: usize| x.to_vec()[n * x.numel() / batch..(n + 1) * x.numel() / batch].to_vec();
        let parts =
            |state: &C::State, n: usize| state.variables().iter().map(|p| rows(p, n)).collect::<Vec<Row>>();
        let mut expected: Vec<_> = (0..batch).map(|n| parts(&state, n)).collect();
        for t in 0..6 {
            let width = cell.input_size();
            let x = if layout.batched { variable(&[batch, width]) } else { variable(&[width]) };
            state = cell.forward(&x, (layout.given || t > 0).then_some(&state)).unwrap().1;
            for (n, expected) in expected.iter_mut().enumerate() {
                *expected = step(&Weights::of(cell), &rows(&x, n), expected).1;
                close(&parts(&state, n).concat(), &expected.concat(), 1e-12);
            }
        }
    }
}

#[test]
fn cells_are_loops_over_scalars() {
    for cell in [RnnCell::new(10, 20), RnnCell::without_bias(10, 20)].map(Result::unwrap) {
        check_cell(&cell.cast::<f64>(), rnn_tanh);
        check_cell(&cell.nonlinearity(Nonlinearity::Relu).cast::<f64>(), rnn_relu);
    }
    for cell in [LstmCell::new(10, 20), LstmCell::without_bias(10, 20)] {
        check_cell(&cell.unwrap().cast::<f64>(), lstm);
    }
    for cell in [GruCell::new(10, 20), GruCell::without_bias(10, 20)] {
        check_cell(&cell.unwrap().cast::<f64>(), gru);
    }
}
