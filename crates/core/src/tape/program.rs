//! A formula of single elements as data: the steps that it takes.

use std::fmt;

/// The steps of a formula: what an operation does with an element of each input, as it stands on a
/// [`Tape`](crate::Tape).
///
/// Printed, a program reads as one would write it: a line for each result; what is used more than once has a
/// name.
///
/// ```
/// use wengert_core::{Pointwise, Recompute, Tape, Tensor, Variable, pointwise};
/// pointwise! {
///     struct Blend;
///     fn eval(z, n, h) -> 1 { [(1.0 - z) * n + z * h] }
/// }
/// let x = Variable::new(Tensor::from([0.5f64])).requires_grad_(true);
/// let tape = Tape::of(&Blend.apply1([&x, &x, &x]));
/// let Recompute::Formula(program) = &tape.entries()[1].recompute else { panic!("it is a formula") };
/// assert_eq!(program.to_string(), "(1 - x0) * x1 + x0 * x2");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Program {
    pub(crate) steps: Vec<Step>,
    /// Where the results are.
    pub(crate) results: Vec<usize>,
}

/// A step of a program; operands are earlier steps.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Step {
    Input(usize),
    Literal(#[cfg_attr(feature = "serde", serde(with = "crate::tensor::serial::number"))] f64),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    MulAdd(usize, usize, usize),
    Compare(Compare, usize, usize),
    And(usize, usize),
    Or(usize, usize),
    Not(usize),
    Select(usize, usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Unary {
    Neg,
    Exp,
    ExpM1,
    Ln,
    Ln1p,
    Sqrt,
    Tanh,
    Sigmoid,
    Abs,
    Sin,
    Cos,
    Erf,
    Ndtr,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Scale,
    Pow,
    Atan2,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Compare {
    Less,
    LessOrEqual,
    Equal,
}

impl Step {
    /// The steps that this one takes.
    pub(crate) fn operands(self) -> impl Iterator<Item = usize> {
        let (count, operands) = match self {
            Step::Input(_) | Step::Literal(_) => (0, [0; 3]),
            Step::Unary(_, a) | Step::Not(a) => (1, [a, 0, 0]),
            Step::Binary(_, a, b) | Step::Compare(_, a, b) | Step::And(a, b) | Step::Or(a, b) => {
                (2, [a, b, 0])
            }
            Step::Select(a, b, c) | Step::MulAdd(a, b, c) => (3, [a, b, c]),
        };
        operands.into_iter().take(count)
    }
}

impl Program {
    /// How many operations it takes for an element: a multiply-add is two, a function one.
    ///
    /// ```
    /// use wengert_core::{Recompute, Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([0.5f64])).requires_grad_(true);
    /// let tape = Tape::of(&x.tanh());
    /// let Recompute::Formula(program) = &tape.entries()[1].recompute else { panic!("it is a formula") };
    /// assert_eq!(program.operations(), 1);
    /// ```
    pub fn operations(&self) -> usize {
        let count = |step: &Step| match step {
            Step::Input(_) | Step::Literal(_) => 0,
            Step::MulAdd(..) => 2,
            _ => 1,
        };
        self.steps.iter().map(count).sum()
    }

    /// Which steps the results asked for are computed by.
    pub(crate) fn needed(&self, wanted: impl Iterator<Item = bool>) -> Vec<bool> {
        let mut needed = vec![false; self.steps.len()];
        self.results.iter().zip(wanted).for_each(|(&result, wanted)| needed[result] |= wanted);
        for place in (0..self.steps.len()).rev() {
            if needed[place] {
                self.steps[place].operands().for_each(|operand| needed[operand] = true);
            }
        }
        needed
    }

    /// Only the results from number `first` on, and the steps that they take.
    pub(crate) fn behind_result(&self, first: usize) -> Program {
        let needed = self.needed((0..self.results.len()).map(|result| result >= first));
        let (mut places, mut steps) = (vec![0; self.steps.len()], Vec::new());
        for (place, step) in self.steps.iter().enumerate().filter(|(place, _)| needed[*place]) {
            places[place] = steps.len();
            steps.push(step.moved(&places));
        }
        let results = self.results[first..].iter().map(|&result| places[result]).collect();
        Program { steps, results }
    }

    /// How many inputs it takes at least.
    pub(crate) fn inputs(&self) -> usize {
        let input = |step: &Step| if let Step::Input(i) = step { i + 1 } else { 0 };
        self.steps.iter().map(input).max().unwrap_or(0)
    }
}

impl Step {
    /// With operands at other places.
    fn moved(self, places: &[usize]) -> Step {
        let at = |place: usize| places[place];
        match self {
            Step::Input(_) | Step::Literal(_) => self,
            Step::Unary(unary, a) => Step::Unary(unary, at(a)),
            Step::Binary(binary, a, b) => Step::Binary(binary, at(a), at(b)),
            Step::MulAdd(a, b, c) => Step::MulAdd(at(a), at(b), at(c)),
            Step::Compare(compare, a, b) => Step::Compare(compare, at(a), at(b)),
            Step::And(a, b) => Step::And(at(a), at(b)),
            Step::Or(a, b) => Step::Or(at(a), at(b)),
            Step::Not(a) => Step::Not(at(a)),
            Step::Select(a, b, c) => Step::Select(at(a), at(b), at(c)),
        }
    }
}

/// How tightly what is written holds together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Logic,
    Comparison,
    Sum,
    Product,
    Atom,
}

/// The text of each step, and how tightly it holds.
struct Written(Vec<(String, Tightness)>);

impl Written {
    /// A step's text as an operand, in brackets if it would fall apart.
    fn inside(&self, place: usize, least: Tightness) -> String {
        let (text, tightness) = &self.0[place];
        if *tightness < least { format!("({text})") } else { text.clone() }
    }

    fn step(&self, step: Step) -> (String, Tightness) {
        use Tightness::{Atom, Comparison, Logic, Product, Sum};
        let at = |place| self.inside(place, Logic);
        let infix = |a, sign: &str, b, own, right| {
            (format!("{} {sign} {}", self.inside(a, own), self.inside(b, right)), own)
        };
        match step {
            Step::Input(i) => (format!("x{i}"), Atom),
            Step::Literal(value) if value < 0.0 => (format!("{value}"), Sum),
            Step::Literal(value) => (format!("{value}"), Atom),
            Step::Unary(Unary::Neg, a) => (format!("-{}", self.inside(a, Product)), Sum),
            Step::Unary(unary, a) => (format!("{}({})", unary.name(), at(a)), Atom),
            Step::Binary(Binary::Add, a, b) => infix(a, "+", b, Sum, Sum),
            Step::Binary(Binary::Sub, a, b) => infix(a, "-", b, Sum, Product),
            Step::Binary(Binary::Mul | Binary::Scale, a, b) => infix(a, "*", b, Product, Product),
            Step::Binary(Binary::Div, a, b) => infix(a, "/", b, Product, Atom),
            Step::Binary(Binary::Pow, a, b) => (format!("pow({}, {})", at(a), at(b)), Atom),
            Step::Binary(Binary::Atan2, a, b) => (format!("atan2({}, {})", at(a), at(b)), Atom),
            Step::MulAdd(a, b, c) => {
                let product = format!("{} * {}", self.inside(a, Product), self.inside(b, Product));
                (format!("{product} + {}", self.inside(c, Sum)), Sum)
            }
            Step::Compare(Compare::Less, a, b) => infix(a, "<", b, Comparison, Sum),
            Step::Compare(Compare::LessOrEqual, a, b) => infix(a, "<=", b, Comparison, Sum),
            Step::Compare(Compare::Equal, a, b) => infix(a, "==", b, Comparison, Sum),
            Step::And(a, b) => infix(a, "&", b, Logic, Comparison),
            Step::Or(a, b) => infix(a, "|", b, Logic, Comparison),
            Step::Not(a) => (format!("!{}", self.inside(a, Atom)), Product),
            Step::Select(mask, a, b) => (format!("select({}, {}, {})", at(mask), at(a), at(b)), Atom),
        }
    }
}

impl Unary {
    fn name(self) -> &'static str {
        match self {
            Unary::Neg => "neg",
            Unary::Exp => "exp",
            Unary::ExpM1 => "exp_m1",
            Unary::Ln => "ln",
            Unary::Ln1p => "ln_1p",
            Unary::Sqrt => "sqrt",
            Unary::Tanh => "tanh",
            Unary::Sigmoid => "sigmoid",
            Unary::Abs => "abs",
            Unary::Sin => "sin",
            Unary::Cos => "cos",
            Unary::Erf => "erf",
            Unary::Ndtr => "ndtr",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut uses = vec![0; self.steps.len()];
        self.steps.iter().flat_map(|step| step.operands()).for_each(|operand| uses[operand] += 1);
        let mut written = Written(Vec::with_capacity(self.steps.len()));
        let mut names = 0;
        for (place, step) in self.steps.iter().enumerate() {
            let (text, tightness) = written.step(*step);
            let is_plain = matches!(step, Step::Input(_) | Step::Literal(_));
            if uses[place] > 1 && !is_plain {
                writeln!(f, "t{names} = {text}")?;
                written.0.push((format!("t{names}"), Tightness::Atom));
                names += 1;
            } else {
                written.0.push((text, tightness));
            }
        }
        let results: Vec<&str> = self.results.iter().map(|&result| written.0[result].0.as_str()).collect();
        f.write_str(&results.join("\n"))
    }
}
