//! What a function takes from around it, beside its arguments.
//!
//! A checkpoint's function runs unrecorded first. Its arguments have no history then, so an operand that
//! has some, and not from the run itself, was captured: [`watch`] notes it. When the function is recorded
//! later, other variables [stand in](standing_in) for these: so it is a function of all that it depends on,
//! and its derivatives of every order are those of any function.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::leaf::Leaf;
use super::node::Edge;
use super::recycle::NodeRef;
use crate::base::error::{Error, Result};
use crate::base::line::Line;
use crate::base::mode::{Mode, with_mode};
use crate::base::table::KeySet;
use crate::tape::{Float, Variable};
use crate::tensor::Tensor;

/// A leaf, or a node's output.
type Key = (usize, Option<u32>);

fn key<T: Float>(edge: &Edge<T>) -> Key {
    match edge {
        Edge::Leaf(_) => (edge.key(), None),
        Edge::Node(_, output) => (edge.key(), Some(*output)),
    }
}

thread_local! {
    /// The runs that are watched, and the functions in which variables stand in for others: a `Watch` or a
    /// `StandIns` of any element type, innermost last.
    static WATCHES: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
    static STAND_INS: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

type Stack = &'static std::thread::LocalKey<RefCell<Vec<Box<dyn Any>>>>;

/// Runs `f` with a frame on a stack, and gives that back.
fn with_frame<F: Any, R>(stack: Stack, frame: F, f: impl FnOnce() -> R) -> (F, R) {
    /// Cuts the stack also when unwinding.
    struct Cut(Stack, usize);
    impl Drop for Cut {
        fn drop(&mut self) {
            let gone = self.0.with_borrow_mut(|stack| stack.drain(self.1..).collect::<Vec<_>>());
            drop(gone);
        }
    }
    let depth = stack.with_borrow(Vec::len);
    let _cut = Cut(stack, depth);
    stack.with_borrow_mut(|stack| stack.push(Box::new(frame)));
    let result = f();
    let frame = stack.with_borrow_mut(|stack| stack.pop()).expect("inner frames are gone");
    (*frame.downcast().expect("the frame that was put there"), result)
}

/// A run that is watched.
struct Watch<T: Float> {
    /// The nodes that the run itself recorded, by address.
    own: KeySet,
    known: HashSet<Key>,
    /// Each with the value it had, in the order they were met.
    found: Vec<Variable<T>>,
}

impl<T: Float> Watch<T> {
    fn note(&mut self, variable: &Variable<T>, value: &Tensor<T>) {
        let Some(edge) = variable.edge() else { return };
        if !self.own.contains(&edge.key()) && self.known.insert(key(&edge)) {
            self.found.push(Variable::computed(value.clone(), Some(edge)));
        }
    }
}

/// What `f`, run without recording, gives, and the variables with history that it captures: each with the
/// value that it had.
pub(crate) fn watch<T: Float>(f: impl FnOnce() -> Vec<Variable<T>>) -> (Vec<Variable<T>>, Vec<Variable<T>>) {
    let watch = Watch { own: KeySet::default(), known: HashSet::new(), found: Vec::new() };
    let (mut watch, outputs) = with_frame(&WATCHES, watch, || with_mode(Mode::now().watching(), f));
    outputs.iter().for_each(|output| watch.note(output, &output.value()));
    // A leaf that only the run itself had a handle to is its own.
    watch.found.retain(|found| !matches!(found.edge(), Some(Edge::Leaf(leaf)) if leaf.strong_count() == 0));
    (outputs, watch.found)
}

/// Notes operands, if this is a run that is watched.
#[cold]
pub(crate) fn note<T: Float>(mode: Mode, variables: &[&Variable<T>], values: &[&Tensor<T>]) {
    if mode.watches() && variables.iter().any(|variable| variable.requires_grad()) {
        WATCHES.with_borrow_mut(|watches| {
            if let Some(watch) = watches.last_mut().and_then(|watch| watch.downcast_mut::<Watch<T>>()) {
                variables.iter().zip(values).for_each(|(variable, value)| watch.note(variable, value));
            }
        });
    }
}

/// Notes a node that was recorded, if in a run that is watched.
#[cold]
pub(crate) fn made<T: Float>(node: &NodeRef<T>) {
    WATCHES.with_borrow_mut(|watches| {
        if let Some(watch) = watches.last_mut().and_then(|watch| watch.downcast_mut::<Watch<T>>()) {
            watch.own.insert(node.address());
        }
    });
}

/// The edges that go to other variables than before.
struct StandIns<T: Float> {
    edges: HashMap<Key, StandIn<T>>,
}

struct StandIn<T: Float> {
    edge: Option<Edge<T>>,
    /// Whether the function has come to it.
    used: bool,
}

/// `f` with `stand_ins` in the places of the variables of these edges.
///
/// # Errors
/// If the function takes other variables, or other values of them, than when it was [watched](watch).
pub(crate) fn standing_in<T: Float>(
    checkpoint: Line,
    captured: &[Edge<T>],
    stand_ins: &[Variable<T>],
    f: impl FnOnce() -> Result<Vec<Variable<T>>>,
) -> Result<Vec<Variable<T>>> {
    if captured.is_empty() {
        return f();
    }
    let entry =
        |(edge, with): (&Edge<T>, &Variable<T>)| (key(edge), StandIn { edge: with.edge(), used: false });
    let edges = captured.iter().zip(stand_ins).map(entry).collect();
    check_values(checkpoint, captured, stand_ins)?;
    let run = || Ok(f()?.into_iter().map(replaced).collect());
    let (frame, outputs) =
        with_frame(&STAND_INS, StandIns { edges }, || with_mode(Mode::now().standing_in(), run));
    let outputs: Vec<Variable<T>> = outputs?;
    check_values(checkpoint, captured, stand_ins)?;
    match captured.iter().zip(stand_ins).find(|(edge, _)| !frame.edges[&key(edge)].used) {
        None => Ok(outputs),
        Some((edge, unused)) => {
            let expected = "used again when the function runs again";
            Err(refusal(checkpoint, expected, "was not used", edge, unused))
        }
    }
}

/// That parameters have the values that they had.
fn check_values<T: Float>(checkpoint: Line, captured: &[Edge<T>], stand_ins: &[Variable<T>]) -> Result<()> {
    for (edge, before) in captured.iter().zip(stand_ins) {
        if let Edge::Leaf(leaf) = edge
            && let Some(leaf) = leaf.upgrade()
            && !Variable::from(leaf.peek().clone()).is_same(&before.detach())
        {
            return Err(refusal(
                checkpoint,
                "as it was when the function ran",
                "has changed since, before the backward",
                edge,
                before,
            ));
        }
    }
    Ok(())
}

#[cold]
fn refusal<T: Float>(checkpoint: Line, expected: &str, got: &str, edge: &Edge<T>, of: &Variable<T>) -> Error {
    let leaf = if let Edge::Leaf(leaf) = edge { leaf.upgrade() } else { None };
    let name = leaf.as_deref().and_then(Leaf::name);
    let name = name.as_deref().unwrap_or("a value");
    let got = format!("{name} of shape {:?} that {got}, in the one at {checkpoint}", of.shape());
    Error::argument("checkpoint", "what the function captures", expected, got)
}

/// Where a cotangent of a variable goes: [`Variable::edge`], or that of what stands in for it.
#[inline]
pub(crate) fn edge<T: Float>(mode: Mode, variable: &Variable<T>) -> Option<Edge<T>> {
    let edge = variable.edge();
    if mode.captures() { edge.and_then(stand_in) } else { edge }
}

#[cold]
fn stand_in<T: Float>(edge: Edge<T>) -> Option<Edge<T>> {
    STAND_INS.with_borrow_mut(|stack| {
        let frames = stack.iter_mut().rev().filter_map(|frame| frame.downcast_mut::<StandIns<T>>());
        for frame in frames {
            if let Some(stand_in) = frame.edges.get_mut(&key(&edge)) {
                stand_in.used = true;
                return stand_in.edge.clone();
            }
        }
        Some(edge)
    })
}

/// An output, which may be a captured variable itself.
fn replaced<T: Float>(output: Variable<T>) -> Variable<T> {
    let Some(edge) = output.edge() else { return output };
    let before = key(&edge);
    match stand_in(edge) {
        Some(edge) if key(&edge) == before => output,
        edge => Variable::computed(output.value(), edge),
    }
}
