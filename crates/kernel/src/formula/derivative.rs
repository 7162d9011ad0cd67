//! What a formula is, and its derivative.

use crate::real::{Dual, Real};

/// A formula of `I` numbers that gives `O` numbers, whatever they are.
pub trait Formula<const I: usize, const O: usize>: Sync {
    /// The outputs of the formula.
    fn eval<R: Real>(&self, inputs: [R; I]) -> [R; O];

    /// The outputs and the pullback, as [`value_and_vjp`] has them; a formula that is interpreted has
    /// another way to the same numbers.
    #[inline(always)]
    fn eval_and_pull<R: Real>(&self, inputs: [R; I], cotangents: [R; O]) -> ([R; O], [R; I]) {
        in_all_directions(self, inputs, cotangents)
    }
}

/// The formula's pullback: cotangents of the inputs from those of the outputs.
///
/// A zero cotangent stays zero beside a local derivative that is not finite.
#[inline(always)]
pub fn vjp<F, R, const I: usize, const O: usize>(formula: &F, inputs: [R; I], cotangents: [R; O]) -> [R; I]
where
    F: Formula<I, O>,
    R: Real,
{
    value_and_vjp(formula, inputs, cotangents).1
}

/// The formula's outputs, and its pullback as [`vjp`] gives it.
#[inline(always)]
pub fn value_and_vjp<F, R, const I: usize, const O: usize>(
    formula: &F,
    inputs: [R; I],
    cotangents: [R; O],
) -> ([R; O], [R; I])
where
    F: Formula<I, O>,
    R: Real,
{
    formula.eval_and_pull(inputs, cotangents)
}

/// By one evaluation with the derivatives in the directions of all inputs.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "arrays of operands are walked side by side")]
fn in_all_directions<F, R, const I: usize, const O: usize>(
    formula: &F,
    inputs: [R; I],
    cotangents: [R; O],
) -> ([R; O], [R; I])
where
    F: Formula<I, O> + ?Sized,
    R: Real,
{
    // Plain loops: a closure would be compiled without the instructions of the kernel around it.
    let mut duals = [Dual::<R, I>::constant(R::lit(0.0)); I];
    for i in 0..I {
        duals[i] = Dual::variable(inputs[i], i);
    }
    let outputs = formula.eval(duals);
    let mut found = inputs;
    for i in 0..I {
        found[i] = cotangents[0].scale(outputs[0].tangent[i]);
        for o in 1..O {
            found[i] = found[i] + cotangents[o].scale(outputs[o].tangent[i]);
        }
    }
    let mut values = cotangents;
    for o in 0..O {
        values[o] = outputs[o].value;
    }
    (values, found)
}
