//! The page of an LSTM cell with a loss, to be walked through forward and backward, and the playground.
//!
//! `cargo run --release --example walk` writes both into `target/walk`; a browser opens them
//! from there.

use std::path::Path;

use wengert::prelude::*;
use wengert::record;
use wengert_page::{Page, playground};

/// An LSTM cell over three inputs, as one would write it on paper, and how far its last state is off.
fn loss(x: &[Parameter<f64>], w: &Parameter<f64>, u: &Parameter<f64>) -> Result<Variable<f64>> {
    let zeros = || Variable::new(Tensor::<f64>::zeros([1, 2]));
    let (mut h, mut c) = (zeros(), zeros());
    for x in x {
        let [i, f, g, o] = (x.linear(w, None) + h.linear(u, None)).parts(-1);
        c = f.sigmoid() * &c + i.sigmoid() * g.tanh();
        h = o.sigmoid() * c.tanh();
    }
    mse_loss(&h, &Variable::new(Tensor::from([[1.0, -1.0]])))
}

/// Writes both pages into a folder, and tells how many lines the tape has.
pub fn run(folder: &Path) -> Result<usize> {
    manual_seed(1);
    let named = |name: &str, shape: [usize; 2]| Parameter::new(Tensor::<f64>::randn(shape)).named(name);
    let x = ["x1", "x2", "x3"].map(|name| named(name, [1, 2]));
    let (w, u) = (named("W", [8, 2]), named("U", [8, 2]));
    // Inside `record` a tape keeps its values, and their gradients.
    let loss = record(|| loss(&x, &w, &u))?;
    loss.backward()?;
    let tape = Tape::of(&loss);
    std::fs::create_dir_all(folder).map_err(|error| Error::of_file(folder, error))?;
    Page::of(&tape)?.title("An LSTM cell, three steps").to_html(folder.join("lstm.html"))?;
    playground().to_html(folder.join("playground.html"))?;
    Ok(tape.len())
}

#[allow(dead_code, reason = "the test runs the example as a module")]
fn main() -> Result<()> {
    let folder = Path::new("target/walk");
    let lines = run(folder)?;
    println!("a tape of {lines} lines: {}", folder.join("lstm.html").display());
    println!("a playground: {}", folder.join("playground.html").display());
    Ok(())
}
