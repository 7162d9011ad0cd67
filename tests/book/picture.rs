//! Pictures of the tapes that chapters speak of, drawn by the library.

use wengert::prelude::*;
use wengert_view::View;

use crate::own_cell::Mgu;

/// The picture of this name, as SVG.
pub fn of(name: &str) -> String {
    // The leaves live while the tape is taken, so that it knows them.
    let tape = match name {
        "numbers" => numbers(),
        "recurrence" => recurrence(),
        "step" => step().expect("widths that fit"),
        _ => panic!("nothing draws {name}"),
    };
    tape.to_svg()
}

fn parameter(name: &str, shape: &[usize]) -> Parameter {
    Parameter::new(Tensor::ones(shape)).named(name)
}

/// What step 1 computes: `(x w)^2 + x`.
fn numbers() -> Tape {
    let (x, w) = (parameter("x", &[]), parameter("w", &[]));
    let product = &*x * &*w;
    Tape::of(&(&product * &product + &*x))
}

/// Eight steps of `h' = tanh(x W^T + h U^T + b)`, and a loss.
fn recurrence() -> Tape {
    let (w, u, b) = (parameter("W", &[3, 2]), parameter("U", &[3, 3]), parameter("b", &[3]));
    let start = Variable::new(Tensor::ones([1, 3])).requires_grad_(true);
    let mut h: Variable = start.clone();
    for _ in 0..8 {
        let x = Variable::new(Tensor::ones([1, 2]));
        h = (x.linear(&w, Some(&b)) + h.linear(&u, None)).tanh();
    }
    Tape::of(&h.square().sum())
}

/// A step of the cell that the chapter writes.
fn step() -> Result<Tape> {
    let cell = Mgu::new(3, 4)?;
    // Named once they are asked for.
    cell.named_parameters();
    let (x, h) = (parameter("x", &[2, 3]), parameter("h", &[2, 4]));
    Ok(Tape::of(&cell.forward(&x, Some(&h))?.0))
}
