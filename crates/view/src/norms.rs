//! Norms of gradients: by parameter, and by time step.

use wengert_core::{Tape, TapeEntry};

use crate::chart::Chart;

/// The gradients' norms of the parameters of a tape, in order; a parameter without a gradient has none.
///
/// ```
/// use wengert_core::{Parameter, Tape, Tensor};
/// use wengert_view::parameter_norms;
/// let w = Parameter::new(Tensor::from([3.0f64, 4.0])).named("w");
/// let loss = w.square().sum();
/// loss.backward()?;
/// let norms = parameter_norms(&Tape::of(&loss));
/// assert_eq!(norms.bars(), [("w".to_string(), Some(10.0))]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn parameter_norms(tape: &Tape) -> Chart {
    let leaves = tape.entries().iter().filter(|entry| entry.is_leaf() && entry.requires_grad);
    let bars = leaves.map(|entry| {
        let name = if entry.name.is_empty() { format!("%{}", entry.number) } else { entry.name.clone() };
        (name, entry.outputs[0].grad_norm())
    });
    let missing = "No gradients are known: call `backward()`, and take the tape before `zero_grad()`.";
    Chart::new("|grad| by parameter", bars.collect(), missing)
}

/// The gradients' norms of the states by time step, in the order of the steps: those of the outputs of the
/// operations that make the state, which are the lines of this path and operation (`"LstmGates"` of an
/// [`Lstm`](https://docs.rs/wengert-nn)). All outputs of a line count together.
///
/// The tape must be of a value that was computed inside [`record`](wengert_core::record) and went backward.
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable, record, scope};
/// use wengert_view::step_norms;
/// let x = Variable::new(Tensor::from([1.0f64])).requires_grad_(true);
/// let y = record(|| scope("cell", || (0..3).fold(x.clone(), |h, _| h * 0.5)));
/// y.sum().backward()?;
/// let norms = step_norms(&Tape::of(&y), "cell", "MulScalar");
/// assert_eq!(norms.bars().iter().map(|bar| bar.1).collect::<Vec<_>>(), [Some(0.25), Some(0.5), Some(1.0)]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn step_norms(tape: &Tape, path: &str, operation: &str) -> Chart {
    let is_step = |entry: &&TapeEntry| !entry.is_leaf() && entry.path == path && entry.operation == operation;
    let steps = tape.entries().iter().filter(is_step);
    let norm = |entry: &TapeEntry| {
        let norms: Vec<f64> = entry.outputs.iter().filter_map(|output| output.grad_norm()).collect();
        (!norms.is_empty()).then(|| norms.into_iter().fold(0.0, f64::hypot))
    };
    let bars: Vec<_> = steps.enumerate().map(|(step, entry)| (step.to_string(), norm(entry))).collect();
    let title = format!("|grad| of {operation} by time step");
    let title = if path.is_empty() { title } else { format!("{title} in {path}") };
    let missing = if bars.is_empty() {
        "No line of the tape has this path and operation: print the tape to see what there is."
    } else {
        "No gradients are known: compute inside `record(|| ..)`, then call `backward()`."
    };
    Chart::new(&title, bars, missing)
}
