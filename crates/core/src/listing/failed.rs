//! A computation that fails half-way, with what it recorded up to there.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Tape;
use crate::base::error::{Error, Result};
use crate::tape::node::Edge;
use crate::tape::recorded::record_into;
use crate::tape::recycle::NodeRef;
use crate::tape::{Float, Variable};
use crate::tensor::Tensor;

/// The tape of a computation that failed, and why it failed.
#[non_exhaustive]
pub struct FailedRecording {
    /// The tape up to there, with values.
    pub tape: Tape,
    /// The message of the error or the panic: the operation, what it expected and the shapes that it got.
    pub message: String,
    /// The error, if the computation gave one and did not panic.
    pub error: Option<Error>,
}

/// Runs a computation inside [`record`](crate::record); if it fails, by an error or by a panic, says so with
/// the tape up to there. `T` is the type of its numbers.
///
/// # Errors
/// [`FailedRecording`], which prints the last lines of the tape, the message, and which of the tape's values
/// have the shapes that the message names.
///
/// ```
/// use wengert_core::{Parameter, Tensor, Variable, try_record};
/// let w = Parameter::new(Tensor::from([[1.0f32, 2.0, 3.0]])).named("head.weight");
/// let x = Variable::new(Tensor::from([[1.0f32, 2.0]])).requires_grad_(true);
/// let failed = try_record::<f32, _>(|| Ok(x.exp().matmul(&w))).unwrap_err();
/// let text = failed.to_string();
/// assert!(text.contains("%1 = Exp(%0)"), "{text}");
/// assert_eq!(format!("{failed:?}"), text);
/// assert!(text.contains("matmul") && text.contains("%1 Exp has shape [1, 2]"), "{text}");
/// ```
pub fn try_record<T: Float, R>(
    f: impl FnOnce() -> Result<R>,
) -> std::result::Result<R, Box<FailedRecording>> {
    let (outcome, made) = record_into::<T, _>(|| catch_unwind(AssertUnwindSafe(f)));
    let (message, error) = match outcome {
        Ok(Ok(result)) => return Ok(result),
        Ok(Err(error)) => (error.to_string(), Some(error)),
        Err(panic) => (text_of(&*panic), None),
    };
    let values: Vec<Variable<T>> = made.iter().flat_map(outputs).collect();
    let tape = Tape::of_all(&values.iter().collect::<Vec<_>>());
    Err(Box::new(FailedRecording { tape, message, error }))
}

/// A node's outputs as variables.
fn outputs<T: Float>(node: &NodeRef<T>) -> Vec<Variable<T>> {
    let values = node.kept_recorded().map(|recorded| &recorded.outputs[..]).unwrap_or_default();
    let output = |(k, value): (usize, &Tensor<T>)| {
        Variable::computed(value.clone(), Some(Edge::Node(node.clone(), k as u32)))
    };
    values.iter().enumerate().map(output).collect()
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message").to_string()
}

/// Lines of the tape that are printed.
const LINES: usize = 12;

impl fmt::Display for FailedRecording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.tape.entries();
        let first = entries.len().saturating_sub(LINES);
        if first > 0 {
            writeln!(f, "({first} lines before)")?;
        }
        let shown = self.tape.filtered(|entry| entry.number >= first);
        write!(f, "{shown}then: {}", self.message)?;
        for entry in entries.iter().rev() {
            for output in &entry.outputs {
                let shape = format!("{:?}", output.shape);
                if output.shape.len() > 1 && self.message.contains(&shape) {
                    let name = if entry.name.is_empty() { &*entry.operation } else { &*entry.name };
                    write!(f, "\n  %{} {name} has shape {shape}", entry.number)?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FailedRecording {
    /// The message: what `main` and `unwrap` print is to be read by people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for FailedRecording {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.as_ref().map(|error| error as _)
    }
}
