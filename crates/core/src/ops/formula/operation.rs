//! The one operation that applies any pointwise formula.
//!
//! Arrays are walked by loops: closures for `map` are not always compiled in place, and a short operation
//! is paid for by the call.
#![allow(clippy::needless_range_loop, reason = "arrays of operands are walked side by side")]

use wengert_kernel::formula::BackwardJob;
use wengert_kernel::formula::plan::has_rows_in_order;

use super::compiled::Compiled;
use super::run::{lie_in_order, make_alike, run, run_over};
use super::trace;
use crate::tape::program::Program;
use crate::tape::record::{record, record1};
use crate::tape::rule::Rule;
use crate::tape::{Attributes, Cotangents, Float, Gradients, Saved, Saves, Variable, Wants, look_at};
use crate::tensor::Tensor;
use crate::tensor::storage::Claim;

/// Applies `formula` and records it.
#[track_caller]
pub(crate) fn apply<T, P, const I: usize, const O: usize>(
    formula: P,
    inputs: [&Variable<T>; I],
) -> [Variable<T>; O]
where
    T: Float,
    P: Compiled<T, I, O>,
{
    let mut held = [const { None }; I];
    let tensors = look_at(inputs, &mut held);
    let outputs = forward(&formula, tensors);
    record(Formula(formula), &inputs, &tensors, outputs)
}

/// [`apply`] for a formula with one result, which is written where the caller wants it.
#[track_caller]
pub(crate) fn apply1<T, P, const I: usize>(formula: P, inputs: [&Variable<T>; I]) -> Variable<T>
where
    T: Float,
    P: Compiled<T, I, 1>,
{
    let mut held = [const { None }; I];
    let tensors = look_at(inputs, &mut held);
    let [output] = forward(&formula, tensors);
    record1(Formula(formula), &inputs, &tensors, output)
}

/// A formula as an operation on tensors that broadcast.
struct Formula<P, const I: usize, const O: usize>(P);

impl<T, P, const I: usize, const O: usize> Rule<T> for Formula<P, I, O>
where
    T: Float,
    P: Compiled<T, I, O>,
{
    fn name(&self) -> &'static &'static str {
        self.0.name()
    }

    fn attributes(&self) -> Attributes {
        let constants = self.0.constants().into_iter();
        constants.fold(Attributes::none(), |attributes, (name, value)| attributes.float(name, value))
    }

    fn program(&self) -> Option<Program> {
        let formula: &dyn Compiled<T, I, O> = &self.0;
        Some(formula.trace([true; O]).forward(I))
    }

    #[inline]
    fn saves(&self, wants: Wants) -> Saves {
        let on = self.0.dependence().on;
        let mut needed = 0;
        for i in 0..I {
            needed |= if wants.input(i) { on[i] } else { 0 };
        }
        Saves::inputs(needed)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let found = recorded_pullback(&self.0, saved, cotangents, wanted(gradients));
        for (i, cotangent) in found.into_iter().enumerate() {
            if let Some(cotangent) = cotangent {
                gradients.arrive_summed(i, cotangent);
            }
        }
    }

    fn fused(&self, saved: &Saved<'_, T>, cotangents: &mut Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        value_pullback(&self.0, saved, cotangents, gradients, wanted(gradients));
    }
}

/// Which cotangents are.
#[inline(always)]
fn wanted<T: Float, const I: usize>(gradients: &Gradients<'_, T>) -> [bool; I] {
    let mut wanted = [false; I];
    for i in 0..I {
        wanted[i] = gradients.wants(i);
    }
    wanted
}

/// The cotangents of the inputs as values: to where they are claimed to, else one of them over the output's
/// cotangent that it comes from, if nobody else holds that. An output's cotangent that an input's equals
/// goes on as it is.
fn value_pullback<T: Float, const I: usize, const O: usize>(
    formula: &dyn Compiled<T, I, O>,
    saved: &Saved<'_, T>,
    cotangents: &mut Cotangents<T>,
    gradients: &mut Gradients<'_, T>,
    mut wanted: [bool; I],
) {
    let unchanged = formula.dependence().same;
    let mut claims = [const { None }; I];
    let (mut same, mut any_same, mut any_computed) = ([None; I], false, false);
    for i in 0..I {
        if wanted[i] {
            claims[i] = claim(i, cotangents, gradients);
            if let Some(k) = unchanged[i]
                && claims[i].is_none()
                && cotangents.get(k.into()).is_some()
            {
                (same[i], wanted[i]) = (Some(k), false);
            }
            any_same |= !wanted[i];
            any_computed |= wanted[i];
        }
    }
    if any_computed {
        let over = if any_same { None } else { over(cotangents, gradients, wanted, &claims) };
        let over = fused_pullback(formula, saved, cotangents, wanted, &mut claims, over);
        for i in 0..I {
            if let Some(claim) = claims[i].take() {
                gradients.add_value(i, Tensor::from(claim.written()));
            }
        }
        if let Some(Over { result, cotangent }) = over {
            gradients.pass_on(result, cotangent);
        }
    }
    for i in 0..I {
        if let Some(k) = same[i] {
            gradients.add_same(i, k.into(), cotangents);
        }
    }
}

/// A result that is written over a cotangent that it is computed from.
#[derive(Clone, Copy)]
pub(super) struct Over {
    pub(super) result: usize,
    pub(super) cotangent: usize,
}

/// The first result without a place, over the first cotangent that nobody else holds.
#[inline(always)]
fn over<T: Float, const I: usize>(
    cotangents: &Cotangents<T>,
    gradients: &Gradients<'_, T>,
    wanted: [bool; I],
    claims: &[Option<Claim<T>>; I],
) -> Option<Over> {
    let mut result = 0;
    while result < I && !(wanted[result] && claims[result].is_none()) {
        result += 1;
    }
    if result == I {
        return None;
    }
    for cotangent in 0..cotangents.len() {
        if cotangents
            .get(cotangent)
            .is_some_and(|value| value.is_sole() && gradients.may_pass_on(result, value))
        {
            return Some(Over { result, cotangent });
        }
    }
    None
}

/// The outputs, in one pass over the inputs.
#[track_caller]
#[inline(always)]
fn forward<T: Float, const I: usize, const O: usize>(
    formula: &dyn Compiled<T, I, O>,
    inputs: [&Tensor<T>; I],
) -> [Tensor<T>; O] {
    let mut claims = [const { None }; O];
    run(formula.name(), inputs, [], [true; O], &mut claims, |job| formula.forward(job));
    std::array::from_fn(|k| Tensor::from(claims[k].take().expect("all are wanted").written()))
}

/// The place where the pullback may write the cotangent of input `i`, if that is known already.
#[inline(always)]
fn claim<T: Float>(
    i: usize,
    cotangents: &Cotangents<T>,
    gradients: &mut Gradients<'_, T>,
) -> Option<Claim<T>> {
    let claim = gradients.claim(i)?;
    let shape = cotangents.any().dims();
    let reads = cotangents.values.iter().flatten().any(|value| claim.shares_memory(value.peek().elements()));
    let layout = claim.layout();
    (layout.shape() == shape && !reads && has_rows_in_order(shape, layout.strides())).then_some(claim)
}

/// All cotangents of the inputs as operations on variables.
fn recorded_pullback<T: Float, const I: usize, const O: usize>(
    formula: &dyn Compiled<T, I, O>,
    saved: &Saved<'_, T>,
    cotangents: &Cotangents<T>,
    wanted: [bool; I],
) -> trace::Replayed<T> {
    // The value of an input that was not saved has no influence: any cotangent can stand for it.
    let input = |i: usize| match saved.tensor(i) {
        Some(_) => saved.input(i),
        None => cotangents.any().clone(),
    };
    let inputs: [Variable<T>; I] = std::array::from_fn(input);
    let trace = formula.trace(std::array::from_fn(|k| cotangents.get(k).is_none()));
    trace::replay_pullback(trace, &inputs, cotangents, &wanted)
}

/// Writes all cotangents of the inputs that are wanted, in one pass over inputs and cotangents, in the
/// shape all broadcast to; gives `over` if it was made use of.
fn fused_pullback<T: Float, const I: usize, const O: usize>(
    formula: &dyn Compiled<T, I, O>,
    saved: &Saved<'_, T>,
    cotangents: &mut Cotangents<T>,
    wanted: [bool; I],
    claims: &mut [Option<Claim<T>>; I],
    over: Option<Over>,
) -> Option<Over> {
    let all = O == 1 || (0..O).all(|k| cotangents.get(k).is_some());
    let zero = if all { None } else { Some(Tensor::scalar(T::ZERO)) };
    let zero = zero.as_ref();
    let (mut held, mut any_held) = ([const { None }; O], None);
    let any = cotangents.any().look(&mut any_held);
    let mut sources = [any; O];
    if O > 1 {
        for (k, held) in held.iter_mut().enumerate() {
            let value = cotangents.get(k).map(|value| value.look(held));
            sources[k] = value.or(zero).expect("absent ones are zero");
        }
    }
    // The value of an input that was not saved has no influence: any cotangent can stand for it.
    let mut inputs = [any; I];
    for i in 0..I {
        if let Some(value) = saved.tensor(i) {
            inputs[i] = value;
        }
    }
    let kernel = |job: &BackwardJob<'_, T, I, O>| formula.backward(job);
    match over {
        Some(over) if lie_in_order(inputs, sources, claims) => {
            let mut wanted = wanted;
            wanted[over.result] = false;
            make_alike(inputs[0], wanted, claims);
            let len = inputs[0].raw_len();
            run_over(saved, cotangents, claims, over, len, kernel);
            Some(over)
        }
        _ => {
            run(formula.name(), inputs, sources, wanted, claims, kernel);
            None
        }
    }
}
