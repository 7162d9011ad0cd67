//! Checking a cell's gradients, and what comes out when one is wrong.
//!
//! `cargo run --release --example check_cell`

use wengert::prelude::*;
use wengert_check::{Property, randomized, tensor};

/// A minimal gated unit: `f = sigmoid(W x + U h)`, `h' = (1 - f) h + f tanh(V x)`.
#[derive(Clone)]
struct Mgu<T: Float = f32> {
    w: Parameter<T>,
    u: Parameter<T>,
    v: Parameter<T>,
    /// What somebody might do to save time.
    mistaken: bool,
}
module!(Mgu<T> { w, u, v } keep { mistaken });

impl<T: Float> Cell for Mgu<T> {
    type State = Variable<T>;

    fn input_size(&self) -> usize {
        self.w.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.w.shape()[0]
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Tensor::zeros([batch, self.output_size()]).into()
    }

    fn step(&self, x: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
        let f = (x.linear(&self.w, None) + h.linear(&self.u, None)).sigmoid();
        let kept = if self.mistaken { (1.0 - &f).detach() } else { 1.0 - &f };
        let h = kept * h + f * x.linear(&self.v, None).tanh();
        (h.clone(), h)
    }
}

fn mgu(mistaken: bool) -> Mgu<f64> {
    let weight = |rows, columns| Parameter::new(Tensor::zeros([rows, columns]));
    Mgu { w: weight(2, 3), u: weight(2, 2), v: weight(2, 3), mistaken }
}

/// All derivatives of a step up to second order, in inputs and parameters, over random batches and values.
fn check(mistaken: bool) -> std::result::Result<(), String> {
    Property::new().cases(100).seed(1).run_with(
        |case| {
            let n = case.draw(1..4);
            let cell = case.draw(randomized(|| mgu(mistaken)));
            case.input("x", tensor([n, 3]));
            case.input("h", tensor([n, 2]));
            case.parameters_of(&cell);
            cell
        },
        |cell, inputs| cell.forward(&inputs[0], Some(&inputs[1])),
    )
}

/// What the check says of the cell, and of the mistaken one.
pub fn run() -> [std::result::Result<(), String>; 2] {
    [check(false), check(true)]
}

#[allow(dead_code, reason = "the tests run the example as a module")]
fn main() {
    let [right, mistaken] = run();
    println!("the cell: {}\n", right.map_or_else(|text| text, |()| "all gradients are right".to_string()));
    println!("with a factor cut off from the tape:\n{}", mistaken.expect_err("the mistake is found"));
}
