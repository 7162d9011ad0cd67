//! Step 1: a tape of numbers.
//!
//! `cargo run --example step_1`

use std::cell::RefCell;
use std::fmt;
use std::ops::{Add, Mul};

/// The recorded operations, in the order in which they were computed.
#[derive(Default)]
pub struct Tape {
    nodes: RefCell<Vec<Node>>,
}

/// A recorded operation: its rule, the numbers of the nodes that its inputs came from, its output.
struct Node {
    rule: Rule,
    inputs: Vec<usize>,
    output: f64,
}

/// Which operation it was, and so how cotangents go back through it.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Leaf,
    Add,
    Mul,
    Tanh,
}

/// A handle to the output of a node.
#[derive(Clone, Copy)]
pub struct Variable<'t> {
    tape: &'t Tape,
    number: usize,
}

impl Tape {
    /// A value that was not computed, but given.
    fn leaf(&self, value: f64) -> Variable<'_> {
        self.record(Rule::Leaf, &[], value)
    }

    fn record(&self, rule: Rule, inputs: &[Variable<'_>], output: f64) -> Variable<'_> {
        let inputs = inputs.iter().map(|input| input.number).collect();
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { rule, inputs, output });
        Variable { tape: self, number: nodes.len() - 1 }
    }
}

impl Rule {
    /// The terms of the cotangents of the inputs `x`, given the output `y` and its cotangent `c`.
    fn pullback(self, x: &[f64], y: f64, c: f64) -> Vec<f64> {
        match self {
            Rule::Leaf => vec![],
            Rule::Add => vec![c, c],
            Rule::Mul => vec![c * x[1], c * x[0]],
            Rule::Tanh => vec![c * (1.0 - y * y)],
        }
    }
}

impl<'t> Variable<'t> {
    fn value(self) -> f64 {
        self.tape.nodes.borrow()[self.number].output
    }

    fn tanh(self) -> Self {
        self.tape.record(Rule::Tanh, &[self], self.value().tanh())
    }

    /// The cotangents of all nodes up to this one, whose own is one.
    fn sweep(self) -> Vec<f64> {
        let nodes = self.tape.nodes.borrow();
        let mut sums = vec![0.0; self.number + 1];
        sums[self.number] = 1.0;
        for number in (0..=self.number).rev() {
            let node = &nodes[number];
            let x: Vec<f64> = node.inputs.iter().map(|&input| nodes[input].output).collect();
            let terms = node.rule.pullback(&x, node.output, sums[number]);
            for (&input, term) in node.inputs.iter().zip(terms) {
                sums[input] += term;
            }
        }
        sums
    }
}

impl Add for Variable<'_> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.tape.record(Rule::Add, &[self, other], self.value() + other.value())
    }
}

impl Mul for Variable<'_> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.tape.record(Rule::Mul, &[self, other], self.value() * other.value())
    }
}

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, node) in self.nodes.borrow().iter().enumerate() {
            let inputs: Vec<String> = node.inputs.iter().map(|input| format!("%{input}")).collect();
            let call = format!("{:?}({})", node.rule, inputs.join(", "));
            writeln!(f, "%{number:<2} = {call:<16} {}", node.output)?;
        }
        Ok(())
    }
}

/// Prints what the chapter shows.
pub fn main() {
    let tape = Tape::default();
    let (x, w) = (tape.leaf(3.0), tape.leaf(0.5));
    let product = x * w;
    let y = product * product + x;
    println!("{tape}");

    let cotangents = y.sweep();
    for number in (0..cotangents.len()).rev() {
        println!("the cotangent of %{number} is {}", cotangents[number]);
    }
    println!("\ndy/dx = {}, dy/dw = {}", cotangents[x.number], cotangents[w.number]);
    println!("dtanh(w)/dw = {:.6}", w.tanh().sweep()[w.number]);
}
