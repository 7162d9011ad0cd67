//! The one operation that applies any pointwise formula.

use std::borrow::Cow;

use super::{Pointwise, symbol};
use crate::dims::{self, Dims};
use crate::element::Float;
use crate::error::{Result, expect};
use crate::kernel::plan::Plan;
use crate::kernel::pointwise::Job;
use crate::kernel::shared::Unique;
use crate::operation::{Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants, record};
use crate::pool;
use crate::storage::Storage;
use crate::tape::is_recording;
use crate::tensor::Tensor;
use crate::variable::{Peek, Variable};

/// Applies `formula` and records it.
#[track_caller]
pub(crate) fn apply<T, P, const I: usize, const O: usize>(
    formula: P,
    inputs: [&Variable<T>; I],
) -> [Variable<T>; O]
where
    T: Float,
    P: Pointwise<I, O>,
{
    let peeks: [Peek<'_, T>; I] = std::array::from_fn(|i| inputs[i].peek());
    let tensors: [&Tensor<T>; I] = std::array::from_fn(|i| &*peeks[i]);
    let outputs = run(P::NAME, tensors, [], [true; O], |job| T::forward(&formula, job));
    record(Formula(formula), &inputs, &tensors, outputs.map(|output| output.expect("all are wanted")))
}

/// A formula as an operation on tensors that broadcast.
struct Formula<P, const I: usize, const O: usize>(P);

impl<T, P, const I: usize, const O: usize> Operation<T> for Formula<P, I, O>
where
    T: Float,
    P: Pointwise<I, O>,
{
    const NAME: &'static str = P::NAME;

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let inputs: [&Tensor<T>; I] = inputs.try_into().expect("as many inputs as the formula has");
        let outputs = run(P::NAME, inputs, [], [true; O], |job| T::forward(&self.0, job));
        outputs.into_iter().flatten().collect()
    }

    #[inline]
    fn saves(&self, wants: Wants) -> Saves {
        let mut needed = 0;
        for (i, on) in self.0.dependence().into_iter().enumerate() {
            needed |= if wants.input(i) { on } else { 0 };
        }
        Saves::inputs(needed)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let wanted: [bool; I] = std::array::from_fn(|i| gradients.wants(i));
        if is_recording() {
            let found = recorded_pullback(&self.0, saved, cotangents, wanted);
            give(found, |i, cotangent| gradients.add_broadcast(i, cotangent));
        } else {
            let found = fused_pullback(&self.0, saved, cotangents, wanted);
            give(found, |i, cotangent| gradients.add_broadcast_value(i, cotangent));
        }
    }
}

/// Hands out what was found.
#[inline(always)]
fn give<V, const I: usize>(found: [Option<V>; I], mut to: impl FnMut(usize, V)) {
    for (i, cotangent) in found.into_iter().enumerate() {
        if let Some(cotangent) = cotangent {
            to(i, cotangent);
        }
    }
}

/// All cotangents of the inputs as operations on variables.
fn recorded_pullback<T, P, const I: usize, const O: usize>(
    formula: &P,
    saved: &Saved<'_, T>,
    cotangents: &Cotangents<T>,
    wanted: [bool; I],
) -> [Option<Variable<T>>; I]
where
    T: Float,
    P: Pointwise<I, O>,
{
    // The value of an input that was not saved has no influence: any cotangent can stand for it.
    let input = |i: usize| match saved.tensor(i) {
        Some(_) => saved.input(i),
        None => cotangents.any().clone(),
    };
    let inputs: [Variable<T>; I] = std::array::from_fn(input);
    symbol::replay_pullback(formula, inputs.each_ref(), cotangents, wanted)
}

/// All cotangents of the inputs in one pass over inputs and cotangents, in the shape all broadcast to.
fn fused_pullback<T, P, const I: usize, const O: usize>(
    formula: &P,
    saved: &Saved<'_, T>,
    cotangents: &Cotangents<T>,
    wanted: [bool; I],
) -> [Option<Tensor<T>>; I]
where
    T: Float,
    P: Pointwise<I, O>,
{
    let zero = if (0..O).all(|k| cotangents.get(k).is_some()) { None } else { Some(Tensor::scalar(T::ZERO)) };
    let found: [Option<Peek<'_, T>>; O] = std::array::from_fn(|k| cotangents.get(k).map(Variable::peek));
    let stand_in =
        found.iter().flatten().next().expect("a node is visited only if something came back to it");
    let sources: [&Tensor<T>; O] =
        std::array::from_fn(|k| found[k].as_deref().or(zero.as_ref()).expect("absent ones are zero"));
    // The value of an input that was not saved has no influence: any cotangent can stand for it.
    let inputs: [&Tensor<T>; I] = std::array::from_fn(|i| saved.tensor(i).unwrap_or(stand_in));
    run(P::NAME, inputs, sources, wanted, |job| T::backward(formula, job))
}

/// Runs a kernel over sources that broadcast to one shape; gives those results that are wanted.
///
/// # Panics
/// If they don't broadcast.
#[track_caller]
#[inline(always)]
fn run<T: Float, const I: usize, const C: usize, const O: usize>(
    name: &'static str,
    inputs: [&Tensor<T>; I],
    cotangents: [&Tensor<T>; C],
    wanted: [bool; O],
    kernel: impl FnOnce(&Job<'_, T, I, C, O>),
) -> [Option<Tensor<T>>; O] {
    let first = inputs[0];
    let mut in_order = true;
    for source in inputs.iter().chain(&cotangents) {
        in_order = in_order && source.lies_like(first);
    }
    let from: [&[T]; I] = std::array::from_fn(|i| inputs[i].room());
    let to: [&[T]; C] = std::array::from_fn(|i| cotangents[i].room());
    if in_order {
        let mut results = [const { None }; O];
        for (result, wanted) in results.iter_mut().zip(wanted) {
            if wanted {
                *result = Some(first.storage_alike());
            }
        }
        kernel(&Job::in_order(first.raw_len(), from, to, rooms(&mut results)));
        return results.map(|result| result.map(Tensor::from));
    }
    let shape = expect(common_shape(name, inputs.iter().chain(&cotangents)));
    let mut results = wanted.map(|wanted| wanted.then(|| pool::acquire(&shape)));
    let plan = plan_of(&shape, inputs, cotangents, O);
    kernel(&Job::planned(&plan, from, to, rooms(&mut results)));
    results.map(|result| result.map(Tensor::from))
}

#[inline]
fn rooms<T: Float, const O: usize>(results: &mut [Option<Unique<Storage<T>>>; O]) -> [Option<&mut [T]>; O] {
    results.each_mut().map(|result| result.as_mut().map(|storage| storage.as_mut_room()))
}

/// The shape that all operands broadcast to.
fn common_shape<'t, T: Float>(
    name: &'static str,
    tensors: impl Iterator<Item = &'t &'t Tensor<T>>,
) -> Result<Dims> {
    let mut common = Dims::default();
    for (i, tensor) in tensors.enumerate() {
        if i == 0 {
            common.clone_from(tensor.dims());
        } else if common != *tensor.dims() {
            common = dims::broadcast(name, &common, tensor.shape())?;
        }
    }
    Ok(common)
}

/// The loops over inputs, cotangents and as many row-major results.
fn plan_of<T: Float, const I: usize, const C: usize>(
    shape: &Dims,
    inputs: [&Tensor<T>; I],
    cotangents: [&Tensor<T>; C],
    results: usize,
) -> Plan {
    let inputs = inputs.map(|input| broadcast_strides(input, shape));
    let cotangents = cotangents.map(|cotangent| broadcast_strides(cotangent, shape));
    let row_major = shape.row_major();
    Plan::of(shape, I + C + results, |operand, axis| match operand.checked_sub(I) {
        None => inputs[operand][axis],
        Some(behind) if behind < C => cotangents[behind][axis],
        Some(_) => row_major[axis],
    })
}

/// The strides of `tensor` seen with `shape`: 0 along axes it is stretched over.
#[inline]
fn broadcast_strides<'t, T: Float>(tensor: &'t Tensor<T>, shape: &Dims) -> Cow<'t, Dims> {
    if tensor.dims() == shape {
        return Cow::Borrowed(tensor.stride_dims());
    }
    let missing = shape.len() - tensor.rank();
    let own = |axis: usize| match axis.checked_sub(missing) {
        Some(own) if tensor.shape()[own] == shape[axis] => tensor.strides()[own],
        _ => 0,
    };
    Cow::Owned((0..shape.len()).map(own).collect())
}
