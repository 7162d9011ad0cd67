//! The third reading of a formula: traced over symbols, replayed as recorded operations on variables.

use std::cell::RefCell;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use wengert_kernel::formula::vjp;
use wengert_kernel::real::Real;

use super::{Of, Pointwise};
use crate::tape::{Cotangents, Float, Variable};
use crate::tensor::Tensor;

/// A number that is only known by how it is computed: a place in the current trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Symbol(usize);

/// The outcome of a comparison of symbols.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SymbolMask(usize);

/// A step of a trace; operands are earlier steps.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Input(usize),
    Literal(f64),
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
enum Unary {
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
enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Scale,
    Pow,
    Atan2,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Compare {
    Less,
    LessOrEqual,
    Equal,
}

thread_local!(static TRACE: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) });

/// Whether two steps give the same: 0 and -0 are not the same literal.
fn same(a: &Step, b: &Step) -> bool {
    match (a, b) {
        (Step::Literal(a), Step::Literal(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// The place of a step that is new, or of the same one before.
fn push(step: Step) -> usize {
    TRACE.with_borrow_mut(|trace| {
        trace.iter().position(|known| same(known, &step)).unwrap_or_else(|| {
            trace.push(step);
            trace.len() - 1
        })
    })
}

impl Symbol {
    fn literal(self) -> Option<f64> {
        match TRACE.with_borrow(|trace| trace[self.0]) {
            Step::Literal(value) => Some(value),
            _ => None,
        }
    }

    fn unary(self, unary: Unary) -> Self {
        Symbol(push(Step::Unary(unary, self.0)))
    }

    /// Symbolic zeros and ones fold away; they come from tangents that are known to be so.
    fn binary(self, binary: Binary, other: Self) -> Self {
        use Binary::{Add, Div, Mul, Pow, Scale, Sub};
        let (zero, one) = (Some(0.0), Some(1.0));
        match (binary, self.literal(), other.literal()) {
            (Add, Some(a), Some(b)) => Symbol::lit(a + b),
            (Sub, Some(a), Some(b)) => Symbol::lit(a - b),
            (Mul | Scale, Some(a), Some(b)) => Symbol::lit(a * b),
            (Add, a, _) if a == zero => other,
            (Add | Sub, _, b) if b == zero => self,
            (Sub, a, _) if a == zero => -other,
            (Mul | Scale | Div, a, _) if a == zero => self,
            (Mul | Scale, _, b) if b == zero => other,
            (Mul | Scale, a, _) if a == one => other,
            (Mul | Scale | Div | Pow, _, b) if b == one => self,
            _ => Symbol(push(Step::Binary(binary, self.0, other.0))),
        }
    }
}

impl Neg for Symbol {
    type Output = Self;
    fn neg(self) -> Self {
        self.literal().map_or_else(|| self.unary(Unary::Neg), |value| Symbol::lit(-value))
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait for Symbol {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$trait, other)
            }
        }
    )*};
}
operators!(Add add, Sub sub, Mul mul, Div div);

impl BitAnd for SymbolMask {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        SymbolMask(push(Step::And(self.0, other.0)))
    }
}

impl BitOr for SymbolMask {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        SymbolMask(push(Step::Or(self.0, other.0)))
    }
}

impl Not for SymbolMask {
    type Output = Self;
    fn not(self) -> Self {
        SymbolMask(push(Step::Not(self.0)))
    }
}

macro_rules! unary_functions {
    ($($method:ident $unary:ident),*) => {$(
        fn $method(self) -> Self {
            self.unary(Unary::$unary)
        }
    )*};
}

impl Real for Symbol {
    type Mask = SymbolMask;

    fn lit(value: f64) -> Self {
        Symbol(push(Step::Literal(value)))
    }
    fn lt(self, other: Self) -> SymbolMask {
        SymbolMask(push(Step::Compare(Compare::Less, self.0, other.0)))
    }
    fn le(self, other: Self) -> SymbolMask {
        SymbolMask(push(Step::Compare(Compare::LessOrEqual, self.0, other.0)))
    }
    fn eq(self, other: Self) -> SymbolMask {
        SymbolMask(push(Step::Compare(Compare::Equal, self.0, other.0)))
    }
    fn select(mask: SymbolMask, then: Self, otherwise: Self) -> Self {
        if then == otherwise { then } else { Symbol(push(Step::Select(mask.0, then.0, otherwise.0))) }
    }
    fn scale(self, factor: Self) -> Self {
        self.binary(Binary::Scale, factor)
    }
    /// One step, so that it rounds as in the other readings; without a product or a sum it is not one.
    fn mul_add(self, a: Self, b: Self) -> Self {
        let trivial = |x: Symbol| x.literal().is_some_and(|x| x == 0.0 || x == 1.0);
        let nothing = b.literal() == Some(0.0);
        if trivial(self) || trivial(a) || nothing {
            self * a + b
        } else {
            Symbol(push(Step::MulAdd(self.0, a.0, b.0)))
        }
    }
    fn pow(self, exponent: Self) -> Self {
        self.binary(Binary::Pow, exponent)
    }
    fn atan2(self, x: Self) -> Self {
        self.binary(Binary::Atan2, x)
    }
    unary_functions!(
        exp Exp, exp_m1 ExpM1, ln Ln, ln_1p Ln1p, sqrt Sqrt, tanh Tanh, sigmoid Sigmoid, abs Abs, sin Sin,
        cos Cos, erf Erf, ndtr Ndtr
    );
}

/// The steps of a formula's pullback, inputs first, then cotangents; and where the results are.
fn trace_pullback<P, const I: usize, const O: usize>(
    formula: &P,
    absent: [bool; O],
) -> (Vec<Step>, [usize; I])
where
    P: Pointwise<I, O>,
{
    let _outer = Outer(TRACE.take());
    let inputs: [Symbol; I] = std::array::from_fn(|i| Symbol(push(Step::Input(i))));
    let cotangents: [Symbol; O] =
        std::array::from_fn(|k| if absent[k] { Symbol::lit(0.0) } else { Symbol(push(Step::Input(I + k))) });
    let results = vjp(&Of(formula), inputs, cotangents).map(|symbol| symbol.0);
    (TRACE.take(), results)
}

/// The trace around one, which is put back, also when a formula panics.
struct Outer(Vec<Step>);

impl Drop for Outer {
    fn drop(&mut self) {
        TRACE.set(std::mem::take(&mut self.0));
    }
}

/// What a step comes to.
#[derive(Clone)]
enum Value<T: Float> {
    Literal(f64),
    Variable(Variable<T>),
    Mask(Tensor<bool>),
}

impl<T: Float> Value<T> {
    fn variable(&self) -> Variable<T> {
        match self {
            Value::Literal(value) => Variable::from(Tensor::scalar(T::from_f64(*value))),
            Value::Variable(variable) => variable.clone(),
            Value::Mask(_) => unreachable!("masks and numbers are of different types in a formula"),
        }
    }

    fn mask(&self) -> &Tensor<bool> {
        match self {
            Value::Mask(mask) => mask,
            _ => unreachable!("masks and numbers are of different types in a formula"),
        }
    }
}

/// The pullback of a formula as recorded operations: cotangents of the wanted inputs, before broadcasting
/// is undone.
#[track_caller]
pub(super) fn replay_pullback<T, P, const I: usize, const O: usize>(
    formula: &P,
    inputs: [&Variable<T>; I],
    cotangents: &Cotangents<T>,
    wanted: [bool; I],
) -> [Option<Variable<T>>; I]
where
    T: Float,
    P: Pointwise<I, O>,
{
    let (steps, results) = trace_pullback(formula, std::array::from_fn(|k| cotangents.get(k).is_none()));
    let mut needed = vec![false; steps.len()];
    results.iter().zip(wanted).for_each(|(&result, wanted)| needed[result] |= wanted);
    for place in (0..steps.len()).rev() {
        if needed[place] {
            operands(steps[place]).for_each(|operand| needed[operand] = true);
        }
    }
    let mut values: Vec<Option<Value<T>>> = Vec::with_capacity(steps.len());
    for (step, needed) in steps.iter().zip(needed) {
        let value = needed.then(|| match *step {
            Step::Input(i) if i < I => Value::Variable(inputs[i].clone()),
            Step::Input(k) => {
                Value::Variable(cotangents.get(k - I).expect("absent ones are literals").clone())
            }
            step => {
                replay(step, |place| values[place].as_ref().expect("operands of needed steps are needed"))
            }
        });
        values.push(value);
    }
    std::array::from_fn(|i| {
        wanted[i].then(|| match values[results[i]].as_ref().expect("wanted results are needed") {
            // A derivative that depends on nothing is all zeros. Others have the shape of the cotangents,
            // which may have fewer elements than an input: none.
            zero @ Value::Literal(_) => zero.variable().expand(inputs[i].shape()),
            found => found.variable(),
        })
    })
}

fn operands(step: Step) -> impl Iterator<Item = usize> {
    let (count, operands) = match step {
        Step::Input(_) | Step::Literal(_) => (0, [0; 3]),
        Step::Unary(_, a) | Step::Not(a) => (1, [a, 0, 0]),
        Step::Binary(_, a, b) | Step::Compare(_, a, b) | Step::And(a, b) | Step::Or(a, b) => (2, [a, b, 0]),
        Step::Select(a, b, c) | Step::MulAdd(a, b, c) => (3, [a, b, c]),
    };
    operands.into_iter().take(count)
}

#[track_caller]
fn replay<'v, T: Float>(step: Step, value: impl Fn(usize) -> &'v Value<T>) -> Value<T> {
    let mask = |a: usize, b: usize, f: fn(bool, bool) -> bool| {
        Value::Mask(crate::base::error::expect(value(a).mask().zip(value(b).mask(), f)))
    };
    match step {
        Step::Input(_) => unreachable!("inputs are there already"),
        Step::Literal(literal) => Value::Literal(literal),
        Step::Unary(unary, a) => Value::Variable(replay_unary(unary, &value(a).variable())),
        Step::Binary(binary, a, b) => Value::Variable(replay_binary(binary, value(a), value(b))),
        Step::MulAdd(a, b, c) => {
            Value::Variable(value(a).variable().mul_add(&value(b).variable(), &value(c).variable()))
        }
        Step::Compare(compare, a, b) => {
            let (a, b) = (value(a).variable(), value(b).variable());
            Value::Mask(match compare {
                Compare::Less => a.lt(&b),
                Compare::LessOrEqual => a.le(&b),
                Compare::Equal => a.eq(&b),
            })
        }
        Step::And(a, b) => mask(a, b, |a, b| a && b),
        Step::Or(a, b) => mask(a, b, |a, b| a || b),
        Step::Not(a) => Value::Mask(value(a).mask().map(|a| !a)),
        Step::Select(m, a, b) => {
            Value::Variable(value(a).variable().where_(value(m).mask(), &value(b).variable()))
        }
    }
}

#[track_caller]
fn replay_unary<T: Float>(unary: Unary, x: &Variable<T>) -> Variable<T> {
    match unary {
        Unary::Neg => -x,
        Unary::Exp => x.exp(),
        Unary::ExpM1 => x.exp_m1(),
        Unary::Ln => x.ln(),
        Unary::Ln1p => x.ln_1p(),
        Unary::Sqrt => x.sqrt(),
        Unary::Tanh => x.tanh(),
        Unary::Sigmoid => x.sigmoid(),
        Unary::Abs => x.abs(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Erf => x.erf(),
        Unary::Ndtr => x.ndtr(),
    }
}

#[track_caller]
fn replay_binary<T: Float>(binary: Binary, a: &Value<T>, b: &Value<T>) -> Variable<T> {
    use Binary::{Add, Atan2, Div, Mul, Pow, Scale, Sub};
    match (binary, a, b) {
        (Add, Value::Variable(a), Value::Literal(b)) | (Add, Value::Literal(b), Value::Variable(a)) => a + *b,
        (Sub, Value::Variable(a), Value::Literal(b)) => a - *b,
        (Sub, Value::Literal(a), Value::Variable(b)) => *a - b,
        (Mul, Value::Variable(a), Value::Literal(b)) | (Mul, Value::Literal(b), Value::Variable(a)) => a * *b,
        (Div, Value::Variable(a), Value::Literal(b)) => a / *b,
        (Div, Value::Literal(a), Value::Variable(b)) => *a / b,
        (Add, a, b) => &a.variable() + &b.variable(),
        (Sub, a, b) => &a.variable() - &b.variable(),
        (Mul, a, b) => &a.variable() * &b.variable(),
        (Div, a, b) => &a.variable() / &b.variable(),
        (Scale, a, b) => a.variable().scale(&b.variable()),
        (Pow, a, b) => a.variable().pow(b.variable()),
        (Atan2, a, b) => a.variable().atan2(&b.variable()),
    }
}
