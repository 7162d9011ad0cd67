//! Pictures and words of tapes.

mod drawn;
mod explained;
mod folded;
mod layout;
mod maps;
mod shown;
mod snapshots;

use wengert_core::{Tape, Tensor, Variable, manual_seed, record, scope};
use wengert_nn::{Cast, Cell, Lstm, Module, RnnCell};

type V = Variable<f64>;

fn leaf(values: &[f64]) -> V {
    V::new(Tensor::from_vec(values.to_vec(), [values.len()]).unwrap()).requires_grad_(true)
}

/// `sum(a b + a)`, `a` on two paths.
fn scalar() -> (Tape, [V; 2]) {
    let (a, b) = (leaf(&[2.0]), leaf(&[3.0]));
    let loss = record(|| (&a * &b + &a).sum());
    loss.backward().unwrap();
    (Tape::of(&loss), [a, b])
}

/// A step of a recurrent cell.
fn cell() -> (Tape, RnnCell<f64>) {
    manual_seed(1);
    let cell = RnnCell::new(2, 3).unwrap().cast::<f64>();
    // A copy's parameters have names once they are asked for.
    let _ = cell.parameters();
    let (x, h) = (V::new(Tensor::from([[1.0, -0.5]])), V::new(Tensor::from([[0.1, 0.2, 0.3]])));
    let loss = record(|| scope("cell", || cell.forward(&x, Some(&h)).unwrap().0).square().sum());
    loss.backward().unwrap();
    (Tape::of(&loss), cell)
}

/// Two layers of an LSTM over so many steps.
fn lstm(steps: usize) -> (Tape, Lstm<f64>) {
    manual_seed(2);
    let lstm = Lstm::builder(3, 4).num_layers(2).build().unwrap().cast::<f64>();
    let _ = lstm.parameters();
    let x = V::new(Tensor::from_fn([steps, 2, 3], |i| ((i as f64) * 0.7).sin()));
    let loss = record(|| lstm.forward(&x, None).unwrap().0.square().mean());
    loss.backward().unwrap();
    (Tape::of(&loss), lstm)
}
