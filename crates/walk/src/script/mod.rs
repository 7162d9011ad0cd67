//! Small programs, read at run time, that record a tape.

mod call;
mod error;
mod evaluate;
mod functions;
mod leaf;
mod lexer;
mod parser;
mod shapes;
mod syntax;

use std::collections::{HashMap, HashSet};
use std::fmt;

use wengert_core::{Float, Tape, TapeInput, Variable, record};

pub use self::error::ScriptError;
use self::error::{Place, Result, did_you_mean};
use self::evaluate::{Evaluator, Value};
use self::syntax::{Statement, StatementKind};
use crate::build::SceneOptions;
use crate::scene::{Ref, Scene};

/// A program of a few lines that computes a loss, and whose backward one can walk through.
///
/// ```text
/// T = 4                           # a number
/// x: [T, 1, 2] = sin              # leaves, which get gradients: sin, cos, zeros, ones, range, eye,
/// W: [2, 3] = normal(0, 0.5)      #   normal, uniform(-1, 1), a number, numbers in brackets,
/// U: [3, 3] = normal / sqrt(3)    #   or what is made of these
/// b: [3] = zeros
/// h = zeros [1, 3]                # a constant
/// for t in 0..T:                  # or `repeat T:`
///     h = tanh(x[t] W + h U + b)
/// loss = mean(h^2)                # the loss: `loss`, or what was given a value last
/// ```
///
/// What stands beside each other is multiplied as matrices (`x[t] W`), as by `@`; `*` and `/` go element by
/// element; `'` transposes; `x[0]`, `x[1..3]`, `x[:, 0]` are parts. `const x: [2] = ones` gets no gradient.
/// Lines in brackets go on; `#` begins a comment. What is drawn is the same each time: a leaf's numbers
/// depend on its name alone.
///
/// ```
/// use wengert_walk::Script;
/// let program = Script::parse("w: [2] = [3, 4]\nloss = sum(w^2)")?;
/// let scene = program.scene::<f64>()?;
/// let leaf = &scene.lines[0];
/// assert_eq!((leaf.name.as_str(), leaf.outputs[0].grad.as_ref().unwrap().norm.0), ("w", 10.0));
/// # Ok::<(), wengert_walk::ScriptError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    statements: Vec<Statement>,
    values: HashMap<String, Vec<f64>>,
}

/// What a program recorded.
struct Recorded {
    tape: Tape,
    names: HashMap<Ref, String>,
    /// Leaves that the loss does not depend on.
    unused: Vec<String>,
    loss: Place,
}

impl Script {
    /// The program of this text.
    ///
    /// # Errors
    /// [`ScriptError`] for what is no program: what was expected at which place, and what was got.
    pub fn parse(text: &str) -> std::result::Result<Script, ScriptError> {
        Ok(Script { statements: parser::parse(text)?, values: HashMap::new() })
    }

    /// Other elements for the leaf of this name, in rows.
    ///
    /// ```
    /// # use wengert_walk::Script;
    /// let program = Script::parse("w: [2] = zeros\nloss = sum(w^2)")?.with_value("w", vec![1.0, 2.0]);
    /// assert_eq!(program.tape()?.entries().last().unwrap().outputs[0].value.as_ref().unwrap()
    ///     .cast::<f64>().item().unwrap(), 5.0);
    /// # Ok::<(), wengert_walk::ScriptError>(())
    /// ```
    #[must_use]
    pub fn with_value(mut self, name: &str, elements: Vec<f64>) -> Self {
        self.values.insert(name.to_string(), elements);
        self
    }

    /// The tape of the loss, recorded in `f64`.
    ///
    /// # Errors
    /// [`ScriptError`] for a name without a value, shapes that don't fit, an index outside, a loss that
    /// depends on no leaf, elements for a name that is no leaf, and more of anything than there may be.
    pub fn tape(&self) -> std::result::Result<Tape, ScriptError> {
        Ok(self.recorded()?.tape)
    }

    /// The scene of the loss, computed in numbers of type `T`.
    ///
    /// # Errors
    /// [`ScriptError`] as for [`Script::tape`].
    pub fn scene<T: Float>(&self) -> std::result::Result<Scene, ScriptError> {
        self.scene_with::<T>(SceneOptions::default())
    }

    /// [`Script::scene`] with options.
    ///
    /// # Errors
    /// [`ScriptError`] as for [`Script::tape`].
    pub fn scene_with<T: Float>(&self, options: SceneOptions) -> std::result::Result<Scene, ScriptError> {
        let Recorded { tape, names, unused, loss } = self.recorded()?;
        let options = options.of_program(names);
        let mut scene = Scene::with::<T>(&tape, &options).map_err(|error| leaf::failed(loss, &error))?;
        if !unused.is_empty() {
            scene.remarks.push(format!("The loss does not depend on {}.", unused.join(", ")));
        }
        Ok(scene)
    }

    fn recorded(&self) -> Result<Recorded> {
        self.check_values()?;
        let mut evaluator = Evaluator::new(&self.values);
        record(|| evaluator.run(&self.statements))?;
        let (name, at) = self.loss(&evaluator)?;
        let loss = match evaluator.scope.get(&name) {
            Some(Value::Tensor(loss)) if loss.requires_grad() => loss.clone(),
            _ => {
                let message = format!(
                    "expected `{name}` to depend on a leaf, as `w: [2, 3] = normal` is one, got a value that \
                     depends on none"
                );
                return Err(ScriptError::new(at, message));
            }
        };
        Ok(recorded(evaluator, &loss, at))
    }

    /// The name of the loss, and where it was given its value.
    fn loss(&self, evaluator: &Evaluator<'_>) -> Result<(String, Place)> {
        let Some((last, at)) = evaluator.last.clone() else {
            let at = self.statements.last().map_or(Place { line: 1, column: 1 }, |statement| statement.at);
            return Err(ScriptError::new(at, "expected a line that computes a loss, got none"));
        };
        if !evaluator.scope.contains_key("loss") {
            return Ok((last, at));
        }
        let is_loss = |statement: &&Statement| match &statement.kind {
            StatementKind::Assign { name, .. } => name == "loss",
            _ => false,
        };
        let at = self.statements.iter().rev().find(is_loss).map_or(at, |statement| statement.at);
        Ok(("loss".to_string(), at))
    }

    /// Elements are for leaves that there are.
    fn check_values(&self) -> Result<()> {
        let leaves = self.statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Leaf { name, .. } => Some(name.as_str()),
            _ => None,
        });
        let mut given: Vec<&String> = self.values.keys().collect();
        given.sort();
        match given.into_iter().find(|given| !leaves.clone().any(|leaf| leaf == *given)) {
            None => Ok(()),
            Some(name) => {
                let near = did_you_mean(name, leaves);
                let at = Place { line: 1, column: 1 };
                let message =
                    format!("expected elements for leaves of the program, got some for `{name}`{near}");
                Err(ScriptError::new(at, message))
            }
        }
    }
}

/// The tape of the loss, with the places of its lines in the program and their names.
fn recorded(evaluator: Evaluator<'_>, loss: &Variable<f64>, at: Place) -> Recorded {
    let Evaluator { leaves, places, names, .. } = evaluator;
    let mut all: Vec<&Variable<f64>> = vec![loss];
    all.extend(leaves.iter().map(|(_, leaf)| &**leaf));
    all.extend(places.iter().map(|(value, _)| value).chain(names.iter().map(|(value, _)| value)));
    let (tape, located) = Tape::located(&all);
    let mut located = located.into_iter();
    let end = located.next().flatten().map_or(0, |(line, _)| line);
    // What is computed and not used stands on the tape of all, and not on that of the loss.
    let used = leading_to(&tape, end);
    let of_leaves: Vec<_> = located.by_ref().take(leaves.len()).collect();
    let is_unused =
        |(_, place): &(&String, &Option<(usize, usize)>)| place.is_none_or(|(line, _)| !used[line]);
    let unused = leaves.iter().map(|(name, _)| name).zip(&of_leaves).filter(is_unused);
    let unused = unused.map(|(name, _)| name.clone()).collect();
    let mut sources: Vec<Option<(u32, u32)>> = vec![None; tape.len()];
    for ((_, at), place) in places.iter().zip(located.by_ref().take(places.len())) {
        if let Some((line, _)) = place {
            sources[line].get_or_insert((at.line as u32, at.column as u32));
        }
    }
    // An operation that is made of several has the place of the last of these.
    let mut next = None;
    for source in sources.iter_mut().rev() {
        next = source.or(next);
        *source = next;
    }
    let named = names.iter().map(|(_, name)| name).zip(located);
    let named = named.filter_map(|(name, place)| {
        let (line, output) = place?;
        Some((Ref { line, output }, name.clone()))
    });
    let names = named.collect();
    let tape = tape.placed("program", |entry| sources[entry.number]).filtered(|entry| used[entry.number]);
    Recorded { tape, names, unused, loss: at }
}

/// Which lines a line depends on, itself among them.
fn leading_to(tape: &Tape, end: usize) -> Vec<bool> {
    let mut used = HashSet::from([end]);
    for entry in tape.entries().iter().rev() {
        if used.contains(&entry.number) {
            used.extend(entry.inputs.iter().filter_map(TapeInput::number));
        }
    }
    tape.entries().iter().map(|entry| used.contains(&entry.number)).collect()
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statements.iter().try_for_each(|statement| statement.fmt(f))
    }
}
