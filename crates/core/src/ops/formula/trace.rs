//! What was traced of a formula, replayed as recorded operations on variables.

use smallvec::SmallVec;
use wengert_kernel::formula::{Formula, value_and_vjp};
use wengert_kernel::real::Real;

use super::symbol::{Symbol, Tracing, symbols};
use super::{Of, Pointwise};
use crate::tape::float::once;
use crate::tape::program::{Binary, Compare, Program, Step, Unary};
use crate::tape::{Cotangents, Float, Variable};
use crate::tensor::Tensor;

/// The steps of a formula and of its pullback, inputs first, then cotangents. The results are the inputs'
/// cotangents, and behind these the formula's own.
#[doc(hidden)]
#[derive(Debug)]
pub struct Trace(Program);

/// The pullback of a formula, where the cotangents of some outputs are `absent`.
#[doc(hidden)]
pub fn trace<P, const I: usize, const O: usize>(formula: &P, absent: [bool; O]) -> Trace
where
    P: Pointwise<I, O>,
{
    Trace::of_pullback(&Of(formula), absent)
}

impl Trace {
    /// The pullback of a formula, where the cotangents of some outputs are `absent`.
    pub(super) fn of_pullback<F, const I: usize, const O: usize>(formula: &F, absent: [bool; O]) -> Self
    where
        F: Formula<I, O>,
    {
        let tracing = Tracing::begin();
        let (inputs, cotangents) = (symbols(), cotangents(I, absent));
        let (values, found) = value_and_vjp(formula, inputs, cotangents);
        Trace(tracing.end(&[&found, &values]))
    }

    /// The steps of the formula alone, which has so many inputs.
    pub(super) fn forward(&self, inputs: usize) -> Program {
        self.0.behind_result(inputs)
    }

    /// [`replay_pullback`].
    #[track_caller]
    fn replay<T: Float>(
        self,
        inputs: &[Variable<T>],
        cotangents: &Cotangents<T>,
        wanted: &[bool],
    ) -> Replayed<T> {
        let count = inputs.len();
        let Trace(Program { steps, results }) = &self;
        let mut values: Vec<Option<Value<T>>> = Vec::with_capacity(steps.len());
        for (step, needed) in steps.iter().zip(self.0.needed(wanted.iter().copied())) {
            let value = needed.then(|| match *step {
                Step::Input(i) if i < count => Value::Variable(inputs[i].clone()),
                Step::Input(k) => {
                    Value::Variable(cotangents.get(k - count).expect("absent ones are literals").clone())
                }
                step => {
                    replay(step, |place| values[place].as_ref().expect("operands of needed steps are needed"))
                }
            });
            values.push(value);
        }
        let result = |i: usize| match values[results[i]].as_ref().expect("wanted results are needed") {
            // A derivative that depends on nothing is all zeros. Others have the shape of the cotangents,
            // which may have fewer elements than an input: none.
            zero @ Value::Literal(_) => zero.variable().expand(inputs[i].shape()),
            found => found.variable(),
        };
        (0..count).map(|i| wanted[i].then(|| result(i))).collect()
    }
}

/// The cotangents, which come behind so many inputs.
fn cotangents<const O: usize>(inputs: usize, absent: [bool; O]) -> [Symbol; O] {
    std::array::from_fn(|k| if absent[k] { Symbol::lit(0.0) } else { Symbol::input(inputs + k) })
}

/// Derivatives of the wanted inputs.
pub(super) type Replayed<T> = SmallVec<[Option<Variable<T>>; 4]>;

once! {
    /// The cotangents of the wanted inputs as recorded operations, before broadcasting is undone.
    pub(super) fn replay_pullback<'r, T>(
        trace: Trace,
        inputs: &'r [Variable<T>],
        cotangents: &'r Cotangents<T>,
        wanted: &'r [bool],
    ) -> Replayed<T> = Trace::replay;
}

once! {
    /// Runs a formula's steps as operations on variables, which are recorded one by one.
    pub(crate) fn run_program<'r, T>(
        program: &'r Program,
        inputs: &'r [&'r Variable<T>],
    ) -> Vec<Variable<T>> = run_steps;
}

#[track_caller]
fn run_steps<T: Float>(program: &Program, inputs: &[&Variable<T>]) -> Vec<Variable<T>> {
    let mut values: Vec<Value<T>> = Vec::with_capacity(program.steps.len());
    for step in &program.steps {
        values.push(match *step {
            Step::Input(i) => Value::Variable(inputs[i].clone()),
            step => replay(step, |place| &values[place]),
        });
    }
    program.results.iter().map(|&result| values[result].variable()).collect()
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
    unary_of!(unary, x)
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
