//! A formula that is interpreted: what there is of it in a program that is to be small before it is fast.
//!
//! A kernel for each formula, type and direction is most of the code of this library. Here a formula is its
//! steps, which one kernel for all of so many inputs and outputs goes through, element by element. The steps
//! are those of the formula as it is written, nothing folded, so numbers are the same to the bit.

use smallvec::SmallVec;
use wengert_kernel::formula::{BackwardJob, Formula, ForwardJob};
use wengert_kernel::number::{Arithmetic, ByType};
use wengert_kernel::real::{Dual, Real};

use super::Pointwise;
use super::compiled::Compiled;
use super::dependence::{Dependence, dependence_of};
use super::symbol::{Tracing, symbols};
use super::trace::Trace;
use crate::tape::Float;
use crate::tape::program::{Binary, Compare, Program, Step, Unary};

/// A formula as its steps.
pub(super) struct Steps<const I: usize, const O: usize> {
    name: &'static &'static str,
    constants: Vec<(&'static str, f64)>,
    program: Program,
}

impl<const I: usize, const O: usize> Steps<I, O> {
    #[inline(never)]
    pub(super) fn of<P: Pointwise<I, O>>(formula: &P) -> Self {
        let tracing = Tracing::begin_as_written();
        let results = formula.eval(symbols());
        Steps { name: &P::NAME, constants: formula.constants(), program: tracing.end(&[&results]) }
    }
}

/// What a step comes to.
#[derive(Clone, Copy)]
enum Slot<R: Real> {
    Number(R),
    Mask(R::Mask),
}

impl<R: Real> Slot<R> {
    fn number(self) -> R {
        match self {
            Slot::Number(number) => number,
            Slot::Mask(_) => unreachable!("masks and numbers are of different types in a formula"),
        }
    }

    fn mask(self) -> R::Mask {
        match self {
            Slot::Mask(mask) => mask,
            Slot::Number(_) => unreachable!("masks and numbers are of different types in a formula"),
        }
    }
}

/// A step, from those before it.
#[inline(never)]
fn step<R: Real>(step: Step, slots: &[Slot<R>], inputs: &[R]) -> Slot<R> {
    let number = |place: usize| slots[place].number();
    let mask = |place: usize| slots[place].mask();
    match step {
        Step::Input(i) => Slot::Number(inputs[i]),
        Step::Literal(value) => Slot::Number(R::lit(value)),
        Step::Unary(function, a) => Slot::Number(unary(function, number(a))),
        Step::Binary(function, a, b) => Slot::Number(binary(function, number(a), number(b))),
        Step::MulAdd(a, b, c) => Slot::Number(number(a).mul_add(number(b), number(c))),
        Step::Compare(compare, a, b) => Slot::Mask(match compare {
            Compare::Less => number(a).lt(number(b)),
            Compare::LessOrEqual => number(a).le(number(b)),
            Compare::Equal => number(a).eq(number(b)),
        }),
        Step::And(a, b) => Slot::Mask(mask(a) & mask(b)),
        Step::Or(a, b) => Slot::Mask(mask(a) | mask(b)),
        Step::Not(a) => Slot::Mask(!mask(a)),
        Step::Select(m, a, b) => Slot::Number(R::select(mask(m), number(a), number(b))),
    }
}

fn unary<R: Real>(function: Unary, x: R) -> R {
    unary_of!(function, x)
}

fn binary<R: Real>(function: Binary, a: R, b: R) -> R {
    match function {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Scale => a.scale(b),
        Binary::Pow => a.pow(b),
        Binary::Atan2 => a.atan2(b),
    }
}

impl<const I: usize, const O: usize> Formula<I, O> for Steps<I, O> {
    #[inline(never)]
    fn eval<R: Real>(&self, inputs: [R; I]) -> [R; O] {
        let mut slots: SmallVec<[Slot<R>; 16]> = SmallVec::new();
        for at in &self.program.steps {
            let slot = step(*at, &slots, &inputs);
            slots.push(slot);
        }
        std::array::from_fn(|k| slots[self.program.results[k]].number())
    }

    /// Direction by direction: numbers are the same, and it is compiled for one direction alone.
    #[inline(never)]
    fn eval_and_pull<R: Real>(&self, inputs: [R; I], cotangents: [R; O]) -> ([R; O], [R; I]) {
        let (mut values, mut found) = (cotangents, inputs);
        for (i, found) in found.iter_mut().enumerate() {
            let dual = |place: usize| match place == i {
                true => Dual::<R, 1>::variable(inputs[place], 0),
                false => Dual::constant(inputs[place]),
            };
            let outputs = self.eval(std::array::from_fn(dual));
            let terms = (0..O).map(|o| cotangents[o].scale(outputs[o].tangent[0]));
            *found = terms.reduce(|sum, term| sum + term).expect("a formula has outputs");
            values = outputs.map(|output| output.value);
        }
        (values, found)
    }
}

impl<T: Float, const I: usize, const O: usize> Compiled<T, I, O> for Steps<I, O> {
    fn name(&self) -> &'static &'static str {
        self.name
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        self.constants.clone()
    }

    fn dependence(&self) -> Dependence<I> {
        dependence_of(self)
    }

    fn forward(&self, job: &ForwardJob<'_, T, I, O>) {
        T::choose(ForwardOf(self), job);
    }

    fn backward(&self, job: &BackwardJob<'_, T, I, O>) {
        T::choose(BackwardOf(self), job);
    }

    fn trace(&self, absent: [bool; O]) -> Trace {
        Trace::of_pullback(self, absent)
    }
}

/// The steps over numbers of one type.
struct ForwardOf<'j, const I: usize, const O: usize>(&'j Steps<I, O>);

impl<'j, const I: usize, const O: usize> ByType for ForwardOf<'j, I, O> {
    type Of<T: Arithmetic> = &'j ForwardJob<'j, T, I, O>;

    fn f32(self, job: &ForwardJob<'_, f32, I, O>) {
        job.forward(self.0);
    }

    fn f64(self, job: &ForwardJob<'_, f64, I, O>) {
        job.forward(self.0);
    }
}

/// [`ForwardOf`] for cotangents.
struct BackwardOf<'j, const I: usize, const O: usize>(&'j Steps<I, O>);

impl<'j, const I: usize, const O: usize> ByType for BackwardOf<'j, I, O> {
    type Of<T: Arithmetic> = &'j BackwardJob<'j, T, I, O>;

    fn f32(self, job: &BackwardJob<'_, f32, I, O>) {
        job.backward(self.0);
    }

    fn f64(self, job: &BackwardJob<'_, f64, I, O>) {
        job.backward(self.0);
    }
}
