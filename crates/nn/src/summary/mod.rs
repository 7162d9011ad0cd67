//! What a model is made of, gives, computes and keeps.

mod operations;
mod table;
mod tree;

use std::collections::HashSet;

use wengert_core::{
    AnyTensor, AsVariable, Float, GeneratorState, Result, Tape, TapeEntry, Variable, generator_state, scope,
    set_generator_state,
};

use self::operations::flops;
use self::tree::{Place, tree};
pub use self::tree::{settings_of, types_of};
use crate::buffer::Buffer;
use crate::module::{Identity, Module};
use crate::sequential::Forward;
use crate::state::State;
use crate::watch::{listening, place_of};

/// A module in a [`Summary`], with all that is in it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SummaryRow {
    /// The module's path in the model; empty for the model itself.
    pub name: String,
    /// The name of the module's type.
    pub kind: String,
    /// How many modules it is in.
    pub depth: usize,
    /// The shape of its first call's output; none if its forward was not seen ([`watched`](crate::watched)).
    pub output: Option<Vec<usize>>,
    /// How often its forward was called.
    pub calls: usize,
    /// How many numbers its parameters hold, tied ones counted once.
    pub parameters: usize,
    /// How many of these are not frozen.
    pub trainable: usize,
    /// The bytes of its parameters and buffers.
    pub bytes: usize,
    /// The floating-point operations of the forward.
    pub flops: u64,
    /// The bytes that the graph keeps for a backward, parameters and buffers left out.
    pub kept_bytes: usize,
}

/// The modules of a model, each in front of those in it, as [`summary`] finds them. It prints as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    rows: Vec<SummaryRow>,
}

impl Summary {
    /// The modules, each in front of those in it; the first is the model.
    pub fn rows(&self) -> &[SummaryRow] {
        &self.rows
    }

    /// The row of the module with this path.
    pub fn row(&self, name: &str) -> Option<&SummaryRow> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The model's row.
    pub fn total(&self) -> &SummaryRow {
        &self.rows[0]
    }
}

/// Runs a model at `x` and sums up what its modules give, hold, compute and keep: as
/// [`Module::summary`](crate::Module::summary), and what only a run can tell.
///
/// Operations: a product of matrices counts two for each multiply-add; anything else counts one for each
/// element of its output, or of its input if that has more, and a formula one for each of its steps; what
/// only moves elements counts nothing. Kept memory is the storages that a backward from the output needs,
/// each counted once and as large as it is, where it is first kept; the input's own is among them if it is
/// needed. The generator and the buffers are put back, so a run leaves no trace.
///
/// # Errors
/// If the forward fails.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{summary, Linear, Sequential, Tanh};
/// let model = Sequential::new((Linear::new(4, 8)?, Tanh::new(), Linear::new(8, 2)?));
/// let summary = summary(&model, &Tensor::ones([5, 4]))?;
/// assert_eq!(summary.row("2").unwrap().flops, 5 * 2 * (2 * 8 + 1));
/// assert_eq!(summary.to_string(), "\
/// module       output  parameters  bytes  operations  kept bytes
/// Sequential   [5, 2]          58    232         570         512
///   0  Linear  [5, 8]          40    160         360         128
///   1  Tanh    [5, 8]           0      0          40         192
///   2  Linear  [5, 2]          18     72         170         192
/// ");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "torchinfo")]
#[track_caller]
pub fn summary<M: Forward>(model: &M, x: &impl AsVariable<M::Element>) -> Result<Summary> {
    let x = x.as_variable();
    let summary = summary_of(model, || model.forward(&x))?;
    if x.requires_grad() {
        return Ok(summary);
    }
    // What depends on nothing that requires a gradient is not recorded: once more for what it computes.
    let leaf = x.detach().requires_grad_(true);
    let computed = summary_of(model, || model.forward(&leaf))?;
    let rows = summary.rows.into_iter().zip(computed.rows);
    Ok(Summary { rows: rows.map(|(row, computed)| SummaryRow { flops: computed.flops, ..row }).collect() })
}

/// [`summary`] of whatever `forward` runs and gives: a recurrent layer's output and state, say. Operations
/// that are not recorded, as nothing they depend on requires a gradient, and those inside a checkpoint are
/// not counted.
///
/// # Errors
/// If the forward fails.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{summary_of, Lstm};
/// let lstm = Lstm::new(4, 8)?;
/// let x = Variable::new(Tensor::ones([10, 3, 4]));
/// let summary = summary_of(&lstm, || lstm.forward(&x, None))?;
/// assert_eq!(summary.total().output, Some(vec![10, 3, 8]));
/// assert_eq!(summary.total().parameters, 4 * 8 * (4 + 8 + 2));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn summary_of<M: Module, S: State<Element = M::Element>>(
    model: &M,
    forward: impl FnOnce() -> Result<S>,
) -> Result<Summary> {
    let places = tree(model);
    let identities: Vec<Identity> = places.iter().map(|place| place.identity).collect();
    let restore = Restore::of(model);
    let (result, outputs) = listening(&identities, forward);
    drop(restore);
    let parts = result?.variables();
    let mut rows: Vec<SummaryRow> = places.iter().map(Place::row).collect();
    for (row, outputs) in rows.iter_mut().zip(outputs) {
        (row.calls, row.output) = (outputs.len(), outputs.into_iter().next());
    }
    if rows[0].output.is_none() {
        (rows[0].calls, rows[0].output) = (1, parts.first().map(|part| part.shape().to_vec()));
    }
    count(&mut rows, &places, &parts, &held(model));
    Ok(Summary { rows })
}

/// The path of what is recorded here and not by the model.
const END: &str = "summary";

/// Adds what was recorded to the modules that recorded it, and to those that these are in.
fn count<T: Float>(rows: &mut [SummaryRow], places: &[Place], parts: &[Variable<T>], held: &HashSet<u64>) {
    let of_grad: Vec<&Variable<T>> = parts.iter().filter(|part| part.requires_grad()).collect();
    let end = scope(END, || of_grad.iter().map(|part| part.sum()).reduce(|sum, part| sum + part));
    let Some(end) = end else { return };
    let tape = Tape::of(&end);
    let entries = tape.entries();
    let place = |entry: &TapeEntry| place_of(&entry.path).unwrap_or(0);
    for entry in entries.iter().filter(|entry| entry.path != END) {
        let flops = flops(entry, entries);
        each_around(places, place(entry), |row| rows[row].flops += flops);
    }
    for kept in Tape::kept(&end).iter().filter(|kept| !held.contains(&kept.storage)) {
        each_around(places, place(&entries[kept.entry]), |row| rows[row].kept_bytes += kept.bytes);
    }
}

/// A place, and all that it is in.
fn each_around(places: &[Place], place: usize, mut f: impl FnMut(usize)) {
    let mut next = Some(place);
    while let Some(at) = next {
        f(at);
        next = places[at].within;
    }
}

/// The storages of parameters, which live anyway.
fn held<M: Module>(model: &M) -> HashSet<u64> {
    model.parameters().iter().map(|parameter| parameter.value().storage_id()).collect()
}

/// The generator and the values of buffers, to be put back.
struct Restore<T: Float> {
    generator: GeneratorState,
    buffers: Vec<(Buffer<T>, AnyTensor)>,
}

impl<T: Float> Restore<T> {
    fn of<M: Module<Element = T>>(model: &M) -> Self {
        let buffers = model.named_buffers().into_iter();
        Restore {
            generator: generator_state(),
            buffers: buffers.map(|(_, buffer)| (buffer.clone(), buffer.value())).collect(),
        }
    }
}

impl<T: Float> Drop for Restore<T> {
    fn drop(&mut self) {
        set_generator_state(&self.generator);
        for (buffer, value) in &self.buffers {
            buffer.set(value.clone()).expect("a value that it had");
        }
    }
}
