//! Step 7: checking against differences.
//!
//! `cargo run --example step_7`

use std::cell::RefCell;
use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};

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

    /// The product of matrices: each row of this one with each column of the other.
    fn matmul(&self, other: &Self) -> Self {
        let (rows, inner, columns) = (self.shape[0], self.shape[1], other.shape[1]);
        assert_eq!(inner, other.shape[0], "columns of {:?} and rows of {:?}", self.shape, other.shape);
        let mut data = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            for j in 0..columns {
                data.push((0..inner).map(|k| self.data[i * inner + k] * other.data[k * columns + j]).sum());
            }
        }
        Tensor { shape: vec![rows, columns], data }
    }

    /// A matrix with rows and columns exchanged.
    fn t(&self) -> Self {
        let (rows, columns) = (self.shape[0], self.shape[1]);
        let data = (0..rows * columns).map(|at| self.data[at % rows * columns + at / rows]).collect();
        Tensor { shape: vec![columns, rows], data }
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
#[derive(Clone)]
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
    Neg,
    Mul,
    Tanh,
    Expand,
    SumTo,
    MatMul,
    T,
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
    fn pullback<'t>(self, x: &[Variable<'t>], y: Variable<'t>, c: Variable<'t>) -> Vec<Variable<'t>> {
        match self {
            Rule::Leaf => vec![],
            Rule::Add => vec![c, c],
            Rule::Neg => vec![-c],
            Rule::Mul => vec![c * x[1], c * x[0]],
            Rule::Tanh => vec![c - c * y * y],
            Rule::Expand => vec![c.sum_to(&x[0].shape())],
            Rule::SumTo => vec![c.expand(&x[0].shape())],
            Rule::MatMul => vec![c.matmul(x[1].t()), x[0].t().matmul(c)],
            Rule::T => vec![c.t()],
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

    fn matmul(self, other: Self) -> Self {
        self.tape.record(Rule::MatMul, &[self, other], self.value().matmul(&other.value()))
    }

    fn t(self) -> Self {
        self.tape.record(Rule::T, &[self], self.value().t())
    }

    /// Both in the shape that they have in common; what has it already is not recorded again.
    fn alike(self, other: Self) -> (Self, Self) {
        let shape = common(&self.shape(), &other.shape());
        let fit = |a: Self| if a.shape() == shape { a } else { a.expand(&shape) };
        (fit(self), fit(other))
    }

    /// The cotangents of all nodes up to this one, whose own is one; none where nothing came. They are
    /// recorded as any other values are.
    fn sweep(self) -> Vec<Option<Variable<'t>>> {
        let tape = self.tape;
        let mut sums = vec![None; self.number + 1];
        sums[self.number] = Some(tape.leaf(self.value().map(|_| 1.0)));
        for number in (0..=self.number).rev() {
            let Some(cotangent) = sums[number] else { continue };
            let node = tape.nodes.borrow()[number].clone();
            let at = |number| Variable { tape, number };
            let x: Vec<Variable<'t>> = node.inputs.iter().map(|&input| at(input)).collect();
            let terms = node.rule.pullback(&x, at(number), cotangent);
            for (&input, term) in node.inputs.iter().zip(terms) {
                let sum = sums[input].take();
                sums[input] = Some(match sum {
                    Some(sum) => sum + term,
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

impl Neg for Variable<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        self.tape.record(Rule::Neg, &[self], self.value().map(|a| -a))
    }
}

impl Sub for Variable<'_> {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
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

/// A step of a recurrent network: `h' = tanh(x W^T + h U^T + b)`.
fn step<'t>(x: Variable<'t>, h: Variable<'t>, [w, u, b]: [Variable<'t>; 3]) -> Variable<'t> {
    (x.matmul(w.t()) + h.matmul(u.t()) + b).tanh()
}

/// The states that come one after the other from `h`, an input each.
fn run<'t>(inputs: &[Tensor], h: Variable<'t>, parameters: [Variable<'t>; 3]) -> Vec<Variable<'t>> {
    let mut states = vec![h];
    for x in inputs {
        let h = states[states.len() - 1];
        states.push(step(h.tape.leaf(x.clone()), h, parameters));
    }
    states
}

/// Numbers between -1 and 1 that look drawn.
pub fn numbers(shape: &[usize], seed: f64) -> Tensor {
    let count = shape.iter().product();
    let data: Vec<f64> = (0..count).map(|i| (seed + 12.9 * i as f64).sin()).collect();
    Tensor::new(shape, &data)
}

/// The loss of the recurrence from zeros over eight steps, in W, U and b.
pub fn loss<'t>(x: &[Variable<'t>]) -> Variable<'t> {
    let inputs: Vec<Tensor> = (0..8).map(|t| numbers(&[1, 2], t as f64)).collect();
    let h = x[0].tape.leaf(Tensor::new(&[1, 3], &[0.0; 3]));
    let last = run(&inputs, h, [x[0], x[1], x[2]])[8];
    (last * last).sum()
}

/// The squared norm of the gradient of `f`, which is a function as well: its own gradient is made of second
/// derivatives.
pub fn steepness<'t>(f: impl Fn(&[Variable<'t>]) -> Variable<'t>, x: &[Variable<'t>]) -> Variable<'t> {
    let cotangents = f(x).sweep();
    let squares = x.iter().filter_map(|x| cotangents[x.number]).map(|gradient| (gradient * gradient).sum());
    squares.reduce(|a, b| a + b).expect("it depends on one of them")
}

/// The value of `f` on a tape of its own, and its gradients.
pub fn derivatives(
    f: impl for<'t> Fn(&[Variable<'t>]) -> Variable<'t>,
    at: &[Tensor],
) -> (f64, Vec<Option<Tensor>>) {
    let tape = Tape::default();
    let x: Vec<Variable<'_>> = at.iter().map(|value| tape.leaf(value.clone())).collect();
    let y = f(&x);
    let cotangents = y.sweep();
    let gradients = x.iter().map(|x| cotangents[x.number].map(Variable::value)).collect();
    (y.value().data[0], gradients)
}

/// How far the gradients of `f` are from differences over `h` to both sides, at most.
fn deviation(f: impl for<'t> Fn(&[Variable<'t>]) -> Variable<'t>, at: &[Tensor], h: f64) -> f64 {
    let gradients = derivatives(&f, at).1;
    let mut furthest = 0.0f64;
    for (i, gradient) in gradients.iter().enumerate() {
        for k in 0..at[i].data.len() {
            let moved_by = |h: f64| {
                let mut moved = at.to_vec();
                moved[i].data[k] += h;
                derivatives(&f, &moved).0
            };
            let difference = (moved_by(h) - moved_by(-h)) / (2.0 * h);
            let analytical = gradient.as_ref().map_or(0.0, |gradient| gradient.data[k]);
            furthest = furthest.max((analytical - difference).abs());
        }
    }
    furthest
}

/// Prints what the chapter shows.
pub fn main() {
    let at = [numbers(&[3, 2], 0.5), numbers(&[3, 3], 2.0), numbers(&[3], 7.0)];
    println!("h      first order  second order");
    for h in [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12] {
        let first = deviation(loss, &at, h);
        let second = deviation(|x| steepness(loss, x), &at, h);
        println!("{h:<6.0e} {first:<12.0e} {second:.0e}");
    }
    assert!(deviation(loss, &at, 1e-5) < 1e-8);
    assert!(deviation(|x| steepness(loss, x), &at, 1e-5) < 1e-7);

    // A factor that is given as a value is cut off from the tape.
    let mistaken = deviation(|x| (x[1] * x[1].tape.leaf(x[1].value())).sum(), &at, 1e-5);
    println!("\nwith a factor that is cut off: {mistaken:.3}");
    assert!(mistaken > 0.1);
}
