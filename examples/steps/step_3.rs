//! Step 3: broadcasting.
//!
//! `cargo run --example step_3`

use std::cell::RefCell;
use std::fmt;
use std::ops::{Add, Mul};

/// Numbers along axes: none for a single number, two for a matrix, and so on.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// The extents of its axes.
    pub shape: Vec<usize>,
    /// Its elements, row by row.
    pub data: Vec<f64>,
}

impl Tensor {
    fn new(shape: &[usize], data: &[f64]) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "the elements of shape {shape:?}");
        Tensor { shape: shape.to_vec(), data: data.to_vec() }
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Tensor { shape: self.shape.clone(), data: self.data.iter().map(|&a| f(a)).collect() }
    }

    /// `f` of the elements that stand in the same place.
    fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        assert_eq!(self.shape, other.shape);
        let pairs = self.data.iter().zip(&other.data);
        Tensor { shape: self.shape.clone(), data: pairs.map(|(&a, &b)| f(a, b)).collect() }
    }

    /// Repeated along axes of one element, and along new ones in front.
    fn expand(&self, shape: &[usize]) -> Self {
        let elements = 0..shape.iter().product();
        let data = elements.map(|at| self.data[source(at, shape, &self.shape)]).collect();
        Tensor { shape: shape.to_vec(), data }
    }

    /// The sums of those elements that `expand` would have made of one.
    fn sum_to(&self, shape: &[usize]) -> Self {
        let mut sums = vec![0.0; shape.iter().product()];
        for (at, element) in self.data.iter().enumerate() {
            sums[source(at, &self.shape, shape)] += element;
        }
        Tensor { shape: shape.to_vec(), data: sums }
    }
}

/// Where element `at` of a tensor that was expanded from one shape to another comes from.
fn source(at: usize, to: &[usize], from: &[usize]) -> usize {
    let (mut rest, mut place, mut stride) = (at, 0, 1);
    for (&extent, &own) in to.iter().rev().zip(from.iter().rev()) {
        place += stride * (rest % extent % own);
        rest /= extent;
        stride *= own;
    }
    place
}

/// The shape that two shapes expand to: the last axes stand below each other, and so on to the front.
fn common(a: &[usize], b: &[usize]) -> Vec<usize> {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let mut shape = long.to_vec();
    for (extent, &other) in shape.iter_mut().rev().zip(short.iter().rev()) {
        assert!(*extent == other || *extent == 1 || other == 1, "{a:?} and {b:?} have no common shape");
        *extent = if *extent == 1 { other } else { *extent };
    }
    shape
}

impl Add for &Tensor {
    type Output = Tensor;

    fn add(self, other: Self) -> Tensor {
        self.zip(other, |a, b| a + b)
    }
}

impl Mul for &Tensor {
    type Output = Tensor;

    fn mul(self, other: Self) -> Tensor {
        self.zip(other, |a, b| a * b)
    }
}

/// The recorded operations, in the order in which they were computed.
#[derive(Default)]
pub struct Tape {
    nodes: RefCell<Vec<Node>>,
}

/// A recorded operation: its rule, the numbers of the nodes that its inputs came from, its output.
struct Node {
    rule: Rule,
    inputs: Vec<usize>,
    output: Tensor,
}

/// Which operation it was, and so how cotangents go back through it.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Leaf,
    Add,
    Mul,
    Tanh,
    Expand,
    SumTo,
}

/// A handle to the output of a node.
#[derive(Clone, Copy)]
pub struct Variable<'t> {
    tape: &'t Tape,
    number: usize,
}

impl Tape {
    /// A value that was not computed, but given.
    fn leaf(&self, value: Tensor) -> Variable<'_> {
        self.record(Rule::Leaf, &[], value)
    }

    fn record(&self, rule: Rule, inputs: &[Variable<'_>], output: Tensor) -> Variable<'_> {
        let inputs = inputs.iter().map(|input| input.number).collect();
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { rule, inputs, output });
        Variable { tape: self, number: nodes.len() - 1 }
    }
}

impl Rule {
    /// The terms of the cotangents of the inputs `x`, given the output `y` and its cotangent `c`.
    fn pullback(self, x: &[&Tensor], y: &Tensor, c: &Tensor) -> Vec<Tensor> {
        match self {
            Rule::Leaf => vec![],
            Rule::Add => vec![c.clone(), c.clone()],
            Rule::Mul => vec![c * x[1], c * x[0]],
            Rule::Tanh => vec![c.zip(y, |c, y| c * (1.0 - y * y))],
            Rule::Expand => vec![c.sum_to(&x[0].shape)],
            Rule::SumTo => vec![c.expand(&x[0].shape)],
        }
    }
}

impl<'t> Variable<'t> {
    fn value(self) -> Tensor {
        self.tape.nodes.borrow()[self.number].output.clone()
    }

    fn tanh(self) -> Self {
        self.tape.record(Rule::Tanh, &[self], self.value().map(f64::tanh))
    }

    fn shape(self) -> Vec<usize> {
        self.value().shape
    }

    fn expand(self, shape: &[usize]) -> Self {
        self.tape.record(Rule::Expand, &[self], self.value().expand(shape))
    }

    fn sum_to(self, shape: &[usize]) -> Self {
        self.tape.record(Rule::SumTo, &[self], self.value().sum_to(shape))
    }

    fn sum(self) -> Self {
        self.sum_to(&[])
    }

    /// Both in the shape that they have in common; what has it already is not recorded again.
    fn alike(self, other: Self) -> (Self, Self) {
        let shape = common(&self.shape(), &other.shape());
        let fit = |a: Self| if a.shape() == shape { a } else { a.expand(&shape) };
        (fit(self), fit(other))
    }

    /// The cotangents of all nodes up to this one, whose own is one; none where nothing came.
    fn sweep(self) -> Vec<Option<Tensor>> {
        let nodes = self.tape.nodes.borrow();
        let mut sums = vec![None; self.number + 1];
        sums[self.number] = Some(nodes[self.number].output.map(|_| 1.0));
        for number in (0..=self.number).rev() {
            let Some(cotangent) = &sums[number] else { continue };
            let node = &nodes[number];
            let x: Vec<&Tensor> = node.inputs.iter().map(|&input| &nodes[input].output).collect();
            let terms = node.rule.pullback(&x, &node.output, cotangent);
            for (&input, term) in node.inputs.iter().zip(terms) {
                let sum = sums[input].take();
                sums[input] = Some(match sum {
                    Some(sum) => &sum + &term,
                    None => term,
                });
            }
        }
        sums
    }
}

impl Add for Variable<'_> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (a, b) = self.alike(other);
        self.tape.record(Rule::Add, &[a, b], &a.value() + &b.value())
    }
}

impl Mul for Variable<'_> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let (a, b) = self.alike(other);
        self.tape.record(Rule::Mul, &[a, b], &a.value() * &b.value())
    }
}

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, node) in self.nodes.borrow().iter().enumerate() {
            let inputs: Vec<String> = node.inputs.iter().map(|input| format!("%{input}")).collect();
            let call = format!("{:?}({})", node.rule, inputs.join(", "));
            writeln!(f, "%{number:<2} = {call:<16} {:?}", node.output.shape)?;
        }
        Ok(())
    }
}

/// Prints what the chapter shows.
pub fn main() {
    let tape = Tape::default();
    let x = tape.leaf(Tensor::new(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let row = tape.leaf(Tensor::new(&[3], &[0.1, 0.2, 0.3]));
    let column = tape.leaf(Tensor::new(&[2, 1], &[10.0, 20.0]));
    let gate = row.tanh();
    let loss = (x * gate + column).sum();
    println!("{tape}");

    let cotangents = loss.sweep();
    for (name, variable) in [("x", x), ("gate", gate), ("row", row), ("column", column)] {
        let cotangent = cotangents[variable.number].as_ref().unwrap();
        println!("dloss/d{name:<6} {:?} {:.2?}", cotangent.shape, cotangent.data);
    }
}
