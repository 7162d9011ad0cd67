//! What a layer or a loss records, and what fails in one, is at the line of the user's code that called it.

mod layers;
mod losses;
mod misfits;
mod recurrences;

use std::panic::Location;

use wengert_core::{Float, Tape, Tensor, Variable};

/// A call, and where it is written: its lines lie between this one's and the next one's.
struct Row<T: Float> {
    name: &'static str,
    from: &'static Location<'static>,
    call: Box<dyn Fn() -> Vec<Variable<T>>>,
}

#[track_caller]
fn row<T: Float>(name: &'static str, call: impl Fn() -> Vec<Variable<T>> + 'static) -> Row<T> {
    Row { name, from: Location::caller(), call: Box::new(call) }
}

/// The rows of a table, called one after the other: every operation knows the line of its row.
#[track_caller]
fn are_recorded_at_their_lines<T: Float>(rows: &[Row<T>]) {
    let mut faults = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let until = rows.get(i + 1).map_or(row.from.line() + 20, |next| next.from.line());
        let outputs = (row.call)();
        let mut recorded = 0;
        for tape in outputs.iter().map(Tape::of) {
            for entry in tape.entries().iter().filter(|entry| entry.operation != "leaf") {
                recorded += 1;
                let line = entry.location.as_ref().expect("an operation has a location");
                if line.file != row.from.file() || !(row.from.line()..until).contains(&line.line) {
                    faults.push(format!("{}: {} at {line}", row.name, entry.operation));
                }
            }
        }
        assert!(recorded > 0, "{}: nothing is recorded", row.name);
    }
    faults.dedup();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// Numbers of this shape that require a gradient.
fn x(shape: &[usize]) -> Variable {
    Variable::new(Tensor::uniform(shape, 0.1, 0.9)).requires_grad_(true)
}
