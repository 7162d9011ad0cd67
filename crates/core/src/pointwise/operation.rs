//! The one operation that applies any pointwise formula.

use std::borrow::Cow;

use super::{Pointwise, symbol};
use crate::dims::{self, Dims};
use crate::element::Float;
use crate::error::{Result, expect};
use crate::kernel::claim::Claim;
use crate::kernel::plan::Plan;
use crate::kernel::pointwise::{Job, Target};
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
    let mut places = [const { Place::Anywhere }; O];
    run(P::NAME, tensors, [], &mut places, |job| T::forward(&formula, job));
    let outputs = std::array::from_fn(|k| places[k].take().expect("all are wanted"));
    record(Formula(formula), &inputs, &tensors, outputs)
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
        let mut places = [const { Place::Anywhere }; O];
        run(P::NAME, inputs, [], &mut places, |job| T::forward(&self.0, job));
        places.iter_mut().filter_map(Place::take).collect()
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
            for (i, cotangent) in found.into_iter().enumerate() {
                if let Some(cotangent) = cotangent {
                    gradients.add_broadcast(i, cotangent);
                }
            }
        } else {
            let mut places = std::array::from_fn(|i| place(wanted[i], i, cotangents, gradients));
            fused_pullback(&self.0, saved, cotangents, &mut places);
            for (i, place) in places.iter_mut().enumerate() {
                if let Some(cotangent) = place.take() {
                    gradients.add_broadcast_value(i, cotangent);
                }
            }
        }
    }
}

/// Where a pullback writes the cotangent of input `i`: to its place, if that is known already.
#[inline(always)]
fn place<T: Float>(
    wanted: bool,
    i: usize,
    cotangents: &Cotangents<T>,
    gradients: &mut Gradients<'_, T>,
) -> Place<T> {
    if !wanted {
        return Place::Nowhere;
    }
    let claim = gradients.claim(i).filter(|claim| {
        let shape = cotangents.any().dims();
        let reads = cotangents.values.iter().flatten().any(|value| claim.shares_storage(&value.peek()));
        claim.dims() == shape && !reads && claim.stride_dims().last() == Some(&1)
    });
    claim.map_or(Place::Anywhere, Place::At)
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

/// Writes all cotangents of the inputs in one pass over inputs and cotangents, in the shape all broadcast to.
#[inline(always)]
fn fused_pullback<T, P, const I: usize, const O: usize>(
    formula: &P,
    saved: &Saved<'_, T>,
    cotangents: &Cotangents<T>,
    places: &mut [Place<T>; I],
) where
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
    run(P::NAME, inputs, sources, places, |job| T::backward(formula, job))
}

/// Where a result goes.
enum Place<T: Float> {
    /// It is not wanted.
    Nowhere,
    /// To a new tensor.
    Anywhere,
    At(Claim<T>),
}

impl<T: Float> Place<T> {
    /// Becomes a place in memory, if it is only known yet that there is to be one.
    #[inline(always)]
    fn settle(&mut self, new: impl FnOnce() -> Unique<Storage<T>>) {
        if let Place::Anywhere = self {
            *self = Place::At(Claim::New(new()));
        }
    }

    /// What has been written there.
    #[inline(always)]
    fn take(&mut self) -> Option<Tensor<T>> {
        match std::mem::replace(self, Place::Nowhere) {
            Place::At(claim) => Some(claim.written()),
            _ => None,
        }
    }

    #[inline(always)]
    fn target(&mut self) -> Option<Target<'_, T>> {
        if let Place::At(claim) = self { Some(claim.target()) } else { None }
    }
}

/// Runs a kernel over sources that broadcast to one shape; it writes to those places that are wanted.
///
/// # Panics
/// If they don't broadcast.
#[track_caller]
#[inline(always)]
fn run<T: Float, const I: usize, const C: usize, const O: usize>(
    name: &'static str,
    inputs: [&Tensor<T>; I],
    cotangents: [&Tensor<T>; C],
    places: &mut [Place<T>; O],
    kernel: impl FnOnce(&Job<'_, T, I, C, O>),
) {
    let first = inputs[0];
    let mut in_order = true;
    for source in inputs.iter().chain(&cotangents) {
        in_order = in_order && source.lies_like(first);
    }
    for place in places.iter() {
        in_order = in_order && if let Place::At(claim) = place { claim.lies_like(first) } else { true };
    }
    let from: [&[T]; I] = std::array::from_fn(|i| inputs[i].room());
    let to: [&[T]; C] = std::array::from_fn(|i| cotangents[i].room());
    if in_order {
        places.iter_mut().for_each(|place| place.settle(|| first.storage_alike()));
        return kernel(&Job::in_order(first.raw_len(), from, to, places.each_mut().map(Place::target)));
    }
    let shape = expect(common_shape(name, inputs.iter().chain(&cotangents)));
    places.iter_mut().for_each(|place| place.settle(|| pool::acquire(&shape)));
    let plan = plan_of(&shape, inputs, cotangents, places);
    kernel(&Job::planned(&plan, from, to, places.each_mut().map(Place::target)));
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

/// The loops over inputs, cotangents and results.
fn plan_of<T: Float, const I: usize, const C: usize, const O: usize>(
    shape: &Dims,
    inputs: [&Tensor<T>; I],
    cotangents: [&Tensor<T>; C],
    places: &[Place<T>; O],
) -> Plan {
    let inputs = inputs.map(|input| broadcast_strides(input, shape));
    let cotangents = cotangents.map(|cotangent| broadcast_strides(cotangent, shape));
    let row_major = shape.row_major();
    let results = places
        .each_ref()
        .map(|place| if let Place::At(claim) = place { claim.stride_dims() } else { &row_major });
    Plan::of(shape, I + C + O, |operand, axis| match operand.checked_sub(I) {
        None => inputs[operand][axis],
        Some(behind) if behind < C => cotangents[behind][axis],
        Some(behind) => results[behind - C][axis],
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
