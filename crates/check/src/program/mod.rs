//! Whole programs, drawn at random over the registry of operations: what the fast ways of the tape are held
//! against.
//!
//! A [`RandomProgram`] is a list of lines: leaves, operations, small recurrent layers. It is run forward and
//! back in several ways that must agree: by the fast ways and [plainly](wengert_core::with_plain); with
//! hooks that look on and without; recorded and unrecorded; on one thread and on several. Finite
//! differences tell whether a rule is right, programs whether what runs the rules is.

mod check;
mod composed;
mod draw;
mod run;
mod shrink;
mod tally;

use std::fmt;

use wengert_core::{Attributes, Domain};

pub use check::Digest;
pub use draw::programs;
pub use tally::{Tally, check_programs};

/// A value of a program: which output of which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) output: usize,
}

/// What a value that is not computed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Leaf,
    Parameter,
    Constant,
}

/// Which recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Rnn,
    Lstm,
    Gru,
}

/// A recurrent layer of a program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    pub(crate) cell: Cell,
    pub(crate) hidden: usize,
    pub(crate) num_layers: usize,
    pub(crate) bidirectional: bool,
    /// The length of each sample's own sequence.
    pub(crate) lengths: Option<Vec<usize>>,
    pub(crate) seed: u64,
}

/// What a line does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Numbers that the seed gives, inside a domain.
    Given { kind: Kind, domain: Domain, seed: u64 },
    /// An operation of the registry, or a function that several make up.
    Apply { operation: &'static str, attributes: Attributes, inputs: Vec<Place> },
    /// A recurrent layer on a sequence.
    Run { layer: Layer, input: Place },
}

/// A line, and the shapes of what it gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) step: Step,
    pub(crate) shapes: Vec<Vec<usize>>,
}

/// A program over the operations of this library, to be run forward and back.
///
/// ```
/// use wengert_check::RandomProgram;
/// let program = RandomProgram::from_seed(7);
/// program.check()?;
/// assert_eq!(program, RandomProgram::from_seed(7));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RandomProgram {
    pub(crate) lines: Vec<Line>,
    /// What the way back begins with.
    pub(crate) outputs: Vec<Place>,
    /// Values that hooks look at, in a run with hooks.
    pub(crate) watched: Vec<Place>,
    /// How many times the way back is gone.
    pub(crate) passes: usize,
    /// Whether the same graph is gone through each time, rather than another one of the same lines.
    pub(crate) retained: bool,
    /// Whether second derivatives are taken as well.
    pub(crate) second: bool,
}

impl Line {
    pub(crate) fn inputs(&self) -> &[Place] {
        match &self.step {
            Step::Given { .. } => &[],
            Step::Apply { inputs, .. } => inputs,
            Step::Run { input, .. } => std::slice::from_ref(input),
        }
    }

    pub(crate) fn inputs_mut(&mut self) -> &mut [Place] {
        match &mut self.step {
            Step::Given { .. } => &mut [],
            Step::Apply { inputs, .. } => inputs,
            Step::Run { input, .. } => std::slice::from_mut(input),
        }
    }
}

impl RandomProgram {
    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The names of the operations that it applies, and of functions that several make up.
    pub fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.lines.iter().filter_map(|line| match &line.step {
            Step::Apply { operation, .. } => Some(*operation),
            _ => None,
        })
    }

    /// Whether a gradient flows to each line's outputs, or is asked for there.
    pub(crate) fn requiring(&self) -> Vec<bool> {
        let mut requiring: Vec<bool> = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            requiring.push(match &line.step {
                Step::Given { kind, .. } => *kind != Kind::Constant,
                Step::Apply { inputs, .. } => inputs.iter().any(|input| requiring[input.line]),
                Step::Run { .. } => true,
            });
        }
        requiring
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.output {
            0 => write!(f, "%{}", self.line),
            output => write!(f, "%{}.{output}", self.line),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Given { kind, domain, seed } => {
                let kind = match kind {
                    Kind::Leaf => "leaf",
                    Kind::Parameter => "parameter",
                    Kind::Constant => "constant",
                };
                write!(f, "{kind}({domain:?}, seed={seed})")
            }
            Step::Apply { operation, attributes, inputs } => {
                let inputs: Vec<String> = inputs.iter().map(Place::to_string).collect();
                let comma = if attributes.is_empty() { "" } else { ", " };
                write!(f, "{operation}({}{comma}{attributes})", inputs.join(", "))
            }
            Step::Run { layer, input } => {
                let Layer { cell, hidden, num_layers, bidirectional, lengths, seed } = layer;
                write!(f, "{cell:?}({input}, hidden_size={hidden}, num_layers={num_layers}")?;
                if *bidirectional {
                    f.write_str(", bidirectional=true")?;
                }
                if let Some(lengths) = lengths {
                    write!(f, ", lengths={lengths:?}")?;
                }
                write!(f, ", seed={seed})")
            }
        }
    }
}

impl fmt::Display for RandomProgram {
    /// The program, a line each, and how it is gone back through.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, line) in self.lines.iter().enumerate() {
            let shapes: Vec<String> = line.shapes.iter().map(|shape| format!("{shape:?}")).collect();
            writeln!(f, "  %{number} = {:<40} {}", line.step.to_string(), shapes.join(" "))?;
            for (index, value) in attributes_at_length(&line.step) {
                writeln!(f, "       {index} = {value}")?;
            }
        }
        let list = |places: &[Place]| places.iter().map(Place::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "  backward({})", list(&self.outputs))?;
        if self.passes > 1 {
            write!(f, ", {} times{}", self.passes, if self.retained { " through one graph" } else { "" })?;
        }
        if !self.watched.is_empty() {
            write!(f, ", hooks on {}", list(&self.watched))?;
        }
        if self.second {
            f.write_str(", second derivatives")?;
        }
        writeln!(f)
    }
}

/// Indices, which a line shows by their shape alone.
fn attributes_at_length(step: &Step) -> Vec<(&str, String)> {
    let Step::Apply { attributes, .. } = step else { return Vec::new() };
    let long = attributes.iter().filter_map(|(name, value)| match value {
        wengert_core::Attribute::Indices(index) => Some((name, format!("{:?}", index.to_vec()))),
        _ => None,
    });
    long.collect()
}
