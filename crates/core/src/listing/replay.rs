//! A recorded tape, run again.

use std::collections::HashMap;

use super::{Recompute, Tape, TapeEntry, TapeInput, TapeValue};
use crate::backward::{GradOptions, grad};
use crate::base::error::{Error, Result};
use crate::base::line::called_here;
use crate::base::refusal::or_refused;
use crate::io::AnyTensor;
use crate::ops::formula::run_program;
use crate::ops::operation;
use crate::tape::{Float, Variable};
use crate::tensor::Tensor;

const NAME: &str = "replay";

/// The values of a [`Tape`] that was run again, line by line, and their gradients.
#[derive(Clone, Debug)]
pub struct Replay<T: Float> {
    /// The outputs of each line, by its number.
    values: HashMap<usize, Vec<Variable<T>>>,
    /// By line and output, once [`Replay::backward`] has run.
    grads: HashMap<(usize, usize), Tensor<T>>,
    opaque: Vec<usize>,
    last: usize,
}

/// How far a value or gradient is from the one that was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Deviation {
    /// The line.
    pub number: usize,
    /// The number of the output among those of the line.
    pub output: usize,
    /// Whether it is the gradient that deviates, and not the value.
    pub is_grad: bool,
    /// The largest difference of two elements; infinite where only one of them is a number.
    pub absolute: f64,
    /// The largest magnitude of a recorded element.
    pub scale: f64,
}

impl Tape {
    /// Runs the tape again, operation by operation, from the values of its leaves and constants, in numbers
    /// of type `T`, which need not be those that it was recorded in.
    ///
    /// Operations come from the [registry](crate::operations), formulas as the steps on the tape. The outputs
    /// of a user's [`Operation`](crate::Operation) are taken as they were recorded, and no gradient goes on
    /// through them ([`Replay::opaque`]). The result is recorded as any computation is.
    ///
    /// # Errors
    /// [`Error::Argument`] if the tape is empty, or names the line whose input is not known: what is not
    /// computed inside [`record`](crate::record) keeps no values. [`Error::Memory`] if there is none for what
    /// is computed.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable, record};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0])).requires_grad_(true);
    /// let loss = record(|| x.square().sum());
    /// let mut again = Tape::of(&loss).replay::<f64>()?;
    /// again.backward()?;
    /// assert_eq!(again.output().item()?, 5.0);
    /// assert_eq!(again.grad(0, 0).unwrap().to_vec(), [2.0, 4.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn replay<T: Float>(&self) -> Result<Replay<T>> {
        self.replay_with(&[])
    }

    /// Runs the tape again with other values for some leaves, given by the numbers of their lines.
    ///
    /// # Errors
    /// [`Error::Argument`] where [`Tape::replay`] has it, and for a number that is no leaf's or a value of
    /// another shape.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable, record};
    /// let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
    /// let tape = Tape::of(&record(|| x.square().sum()));
    /// let again = tape.replay_with(&[(0, Variable::new(Tensor::from([3.0f64, 4.0])))])?;
    /// assert_eq!(again.output().item()?, 25.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn replay_with<T: Float>(&self, leaves: &[(usize, Variable<T>)]) -> Result<Replay<T>> {
        let Some(last) = self.entries.last() else {
            return Err(refused("tape", "a line at least", "an empty tape: the value has no history"));
        };
        leaves.iter().try_for_each(|(number, value)| self.check_leaf(*number, value))?;
        let _call = called_here();
        or_refused(NAME, || self.run(leaves, last.number))
    }

    fn run<T: Float>(&self, leaves: &[(usize, Variable<T>)], last: usize) -> Result<Replay<T>> {
        let mut replay = Replay {
            values: HashMap::with_capacity(self.len()),
            grads: HashMap::new(),
            opaque: Vec::new(),
            last,
        };
        for entry in &self.entries {
            let given = leaves.iter().find(|(number, _)| *number == entry.number);
            let outputs = match given {
                Some((_, value)) => vec![value.clone()],
                None => replay.run(entry)?,
            };
            replay.values.insert(entry.number, outputs);
        }
        Ok(replay)
    }

    fn check_leaf<T: Float>(&self, number: usize, value: &Variable<T>) -> Result<()> {
        let leaf = self.entry(number).filter(|entry| entry.is_leaf());
        let Some(leaf) = leaf else {
            return Err(refused("leaves", "numbers of lines that are leaves", &format!("%{number}")));
        };
        let expected = &leaf.outputs[0].shape;
        if value.shape() == expected {
            return Ok(());
        }
        let (expected, got) = (format!("shape {expected:?} for %{number}"), format!("{:?}", value.shape()));
        Err(Error::argument(NAME, "leaves", expected, got))
    }
}

fn refused(argument: &'static str, expected: &str, got: &str) -> Error {
    Error::argument(NAME, argument, expected, got)
}

/// The value, if it was recorded.
fn known<T: Float>(value: Option<&AnyTensor>, what: &str, entry: &TapeEntry) -> Result<Tensor<T>> {
    let expected = "values that were recorded: compute inside `record(|| ..)`";
    let unknown =
        || refused("tape", expected, &format!("none of {what} {} %{}", entry.operation, entry.number));
    value.map(AnyTensor::cast).ok_or_else(unknown)
}

impl TapeEntry {
    /// Applies the line's operation to other inputs: an operation of the registry with its attributes, or a
    /// formula's steps.
    ///
    /// # Errors
    /// [`Error::Argument`] for a leaf or a user's operation, which the tape cannot run, and for a formula of
    /// more inputs than there are. [`Error::Memory`] if there is none for the outputs.
    ///
    /// # Panics
    /// If the inputs don't fit the operation.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
    /// let tape = Tape::of(&(&x * 3.0));
    /// let y = tape.entries()[1].apply(&[&Variable::new(Tensor::from([5.0f64]))])?;
    /// assert_eq!(y[0].to_vec(), [15.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn apply<T: Float>(&self, inputs: &[&Variable<T>]) -> Result<Vec<Variable<T>>> {
        let _call = called_here();
        or_refused(NAME, || self.run(inputs))
    }

    fn run<T: Float>(&self, inputs: &[&Variable<T>]) -> Result<Vec<Variable<T>>> {
        match &self.recompute {
            Recompute::Registered => {
                let Some(operation) = operation::<T>(&self.operation) else {
                    let expected = "an operation of the registry";
                    return Err(refused("operation", expected, &self.operation));
                };
                Ok(operation.apply(&self.attributes, inputs))
            }
            Recompute::Formula(program) => {
                if program.inputs() > inputs.len() {
                    let expected = format!("a formula of {} inputs", inputs.len());
                    return Err(refused("formula", &expected, &format!("one of {}", program.inputs())));
                }
                let outputs = run_program(program, inputs);
                let alone = outputs.len() == 1;
                let output = |(output, like): (Variable<T>, &TapeValue)| {
                    // A result that depends on no input, or not on the widest, has fewer elements.
                    let output = output.expand(&like.shape);
                    // One that the formula uses on the way to another has a gradient of its own as an output:
                    // that of what comes behind the formula.
                    if alone { output } else { output * 1.0 }
                };
                Ok(outputs.into_iter().zip(&self.outputs).map(output).collect())
            }
            Recompute::Leaf | Recompute::Opaque => {
                let got = format!("{} %{}", self.operation, self.number);
                Err(refused("operation", "one of the registry or a formula", &got))
            }
        }
    }
}

impl<T: Float> Replay<T> {
    fn run(&mut self, entry: &TapeEntry) -> Result<Vec<Variable<T>>> {
        let recorded = |what| {
            let outputs = entry.outputs.iter();
            outputs.map(|output| known(output.value.as_ref(), what, entry)).collect::<Result<Vec<_>>>()
        };
        match &entry.recompute {
            Recompute::Leaf => {
                let values = recorded("the")?.into_iter();
                Ok(values.map(|value| Variable::new(value).requires_grad_(entry.requires_grad)).collect())
            }
            Recompute::Opaque => {
                self.opaque.push(entry.number);
                Ok(recorded("the outputs of")?.into_iter().map(Variable::new).collect())
            }
            Recompute::Registered | Recompute::Formula(_) => {
                let inputs = self.inputs(entry)?;
                entry.run(&inputs.iter().collect::<Vec<_>>())
            }
        }
    }

    pub(super) fn inputs(&self, entry: &TapeEntry) -> Result<Vec<Variable<T>>> {
        let input = |input: &TapeInput| match input {
            TapeInput::Constant(value) => known(value.as_ref(), "a constant of", entry).map(Variable::new),
            TapeInput::Value { number, output } => {
                let value = self.values.get(number).and_then(|outputs| outputs.get(*output));
                let expected = "the lines that others refer to";
                value.cloned().ok_or_else(|| refused("tape", expected, &format!("no %{number}.{output}")))
            }
        };
        entry.inputs.iter().map(input).collect()
    }

    /// The value of a line's output.
    pub fn value(&self, number: usize, output: usize) -> Option<&Variable<T>> {
        self.values.get(&number)?.get(output)
    }

    /// The first output of the last line.
    pub fn output(&self) -> &Variable<T> {
        &self.values[&self.last][0]
    }

    /// The lines that were not computed again, since their code is the user's.
    pub fn opaque(&self) -> &[usize] {
        &self.opaque
    }

    /// Computes the gradient of the last line, which must be of one element, in all values.
    ///
    /// # Errors
    /// The errors of [`grad`], above all if the last value has more than one element or no history.
    #[track_caller]
    pub fn backward(&mut self) -> Result<()> {
        let output = self.output().clone();
        let outputs = |(number, values): (&usize, &Vec<Variable<T>>)| {
            let number = *number;
            let value = move |(k, value): (usize, &Variable<T>)| ((number, k), value.clone());
            values.iter().enumerate().map(value).collect::<Vec<_>>()
        };
        let all: Vec<_> = self.values.iter().flat_map(outputs).filter(|(_, v)| v.requires_grad()).collect();
        let inputs: Vec<&Variable<T>> = all.iter().map(|(_, value)| value).collect();
        let options = GradOptions::default().allow_unused(true).retain_graph(true);
        let found = grad(&[&output], &inputs, options)?;
        self.grads = all.iter().map(|(place, _)| *place).zip(found.iter().map(Variable::value)).collect();
        Ok(())
    }

    /// The gradient of a line's output, once [`Replay::backward`] has run; zeros where the last line does not
    /// depend on it.
    pub fn grad(&self, number: usize, output: usize) -> Option<&Tensor<T>> {
        self.grads.get(&(number, output))
    }

    /// How far each value, and each gradient if there are any, is from what the tape recorded.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable, record};
    /// let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
    /// let tape = Tape::of(&record(|| x.tanh().sum()));
    /// let again = tape.replay::<f64>()?;
    /// assert!(again.deviations(&tape).iter().all(|deviation| deviation.absolute == 0.0));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn deviations(&self, tape: &Tape) -> Vec<Deviation> {
        let mut deviations = Vec::new();
        for entry in &tape.entries {
            for (output, recorded) in entry.outputs.iter().enumerate() {
                let value = self.value(entry.number, output).map(Variable::value);
                let grad = self.grad(entry.number, output).cloned();
                for (is_grad, recorded, got) in
                    [(false, &recorded.value, value), (true, &recorded.grad, grad)]
                {
                    if let (Some(recorded), Some(got)) = (recorded, got) {
                        let (absolute, scale) = apart(&recorded.cast(), &got.cast());
                        let number = entry.number;
                        deviations.push(Deviation { number, output, is_grad, absolute, scale });
                    }
                }
            }
        }
        deviations
    }
}

/// The largest difference, and the largest magnitude of the first.
fn apart(recorded: &Tensor<f64>, got: &Tensor<f64>) -> (f64, f64) {
    let (mut absolute, mut scale) = (0.0f64, 0.0f64);
    for (a, b) in recorded.to_vec().into_iter().zip(got.to_vec()) {
        let same = a == b || a.is_nan() && b.is_nan();
        let difference = if same { 0.0 } else { (a - b).abs() };
        absolute = absolute.max(if difference.is_nan() { f64::INFINITY } else { difference });
        scale = scale.max(a.abs());
    }
    (absolute, scale)
}
