//! The one operation that applies any pointwise formula.

use smallvec::SmallVec;

use super::{Pointwise, symbol};
use crate::dims::{self, Dims};
use crate::element::Float;
use crate::error::{Result, expect};
use crate::kernel::plan::Plan;
use crate::kernel::pointwise::Job;
use crate::operation::{Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants, record};
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
    let peeks = inputs.map(Variable::peek);
    let tensors = peeks.each_ref().map(|peek| &**peek);
    let outputs = run(P::NAME, &tensors, [true; O], |job| T::forward(&formula, job));
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
        let outputs = run(P::NAME, &inputs, [true; O], |job| T::forward(&self.0, job));
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
        // The value of an input that was not saved has no influence: any cotangent can stand for it.
        let stand_in = cotangents.any();
        let inputs: [&Variable<T>; I] = std::array::from_fn(|i| saved.find_input(i).unwrap_or(stand_in));
        let wanted: [bool; I] = std::array::from_fn(|i| gradients.wants(i));
        let found = if is_recording() {
            symbol::replay_pullback(&self.0, inputs, cotangents, wanted)
        } else {
            fused_pullback(&self.0, inputs, cotangents, wanted)
        };
        for (i, cotangent) in found.into_iter().enumerate() {
            if let Some(cotangent) = cotangent {
                let fits = saved.fits_input(i, cotangent.dims());
                gradients.add(i, if fits { cotangent } else { cotangent.sum_to_dims(&saved.input_dims(i)) });
            }
        }
    }
}

/// All cotangents of the inputs in one pass over inputs and cotangents, in the shape all broadcast to.
fn fused_pullback<T, P, const I: usize, const O: usize>(
    formula: &P,
    inputs: [&Variable<T>; I],
    cotangents: &Cotangents<T>,
    wanted: [bool; I],
) -> [Option<Variable<T>>; I]
where
    T: Float,
    P: Pointwise<I, O>,
{
    let peeks = inputs.map(Variable::peek);
    let zero = if (0..O).all(|k| cotangents.get(k).is_some()) { None } else { Some(Tensor::scalar(T::ZERO)) };
    let found: [Option<Peek<'_, T>>; O] = std::array::from_fn(|k| cotangents.get(k).map(Variable::peek));
    let mut sources: SmallVec<[&Tensor<T>; 8]> = SmallVec::new();
    peeks.iter().for_each(|peek| sources.push(peek));
    for cotangent in &found {
        sources.push(cotangent.as_deref().or(zero.as_ref()).expect("absent ones are zero"));
    }
    let results = run(P::NAME, &sources, wanted, |job| T::backward(formula, job));
    results.map(|result| result.map(Variable::from))
}

/// Runs a kernel over sources that broadcast to one shape; gives those results that are wanted.
///
/// # Panics
/// If they don't broadcast.
#[track_caller]
#[inline]
fn run<T: Float, const R: usize>(
    name: &'static str,
    sources: &[&Tensor<T>],
    wanted: [bool; R],
    kernel: impl FnOnce(&Job<'_, T>),
) -> [Option<Tensor<T>>; R] {
    let first = sources[0];
    if sources.iter().all(|source| source.is_contiguous() && source.dims() == first.dims()) {
        let mut results = wanted.map(|wanted| wanted.then(|| first.unspecified_as()));
        execute(Job::in_order(first.raw_len()), sources, &mut results, kernel);
        return results;
    }
    let shape = expect(common_shape(name, sources));
    let mut results = wanted.map(|wanted| wanted.then(|| Tensor::unspecified_like(&shape)));
    execute(Job::planned(&plan_of(&shape, sources, R)), sources, &mut results, kernel);
    results
}

#[inline]
fn execute<'t, T: Float>(
    mut job: Job<'t, T>,
    sources: &[&'t Tensor<T>],
    results: &'t mut [Option<Tensor<T>>],
    kernel: impl FnOnce(&Job<'t, T>),
) {
    sources.iter().for_each(|source| job.source(source.raw()));
    results.iter_mut().for_each(|result| job.result(result.as_mut().map(Tensor::fresh_mut)));
    kernel(&job);
}

/// The shape that all operands broadcast to.
fn common_shape<T: Float>(name: &'static str, tensors: &[&Tensor<T>]) -> Result<Dims> {
    let first = tensors[0].dims().clone();
    tensors[1..].iter().try_fold(first, |common, tensor| dims::broadcast(name, &common, tensor.shape()))
}

fn plan_of<T: Float>(shape: &Dims, sources: &[&Tensor<T>], results: usize) -> Plan {
    let row_major = shape.row_major();
    let mut strides: SmallVec<[Dims; 8]> = SmallVec::new();
    sources.iter().for_each(|source| strides.push(broadcast_strides(source, shape)));
    (0..results).for_each(|_| strides.push(row_major.clone()));
    Plan::new(shape, &strides)
}

/// The strides of `tensor` seen with `shape`: 0 along axes it is stretched over.
fn broadcast_strides<T: Float>(tensor: &Tensor<T>, shape: &Dims) -> Dims {
    let missing = shape.len() - tensor.rank();
    let own = |axis: usize| match axis.checked_sub(missing) {
        Some(own) if tensor.shape()[own] == shape[axis] => tensor.strides()[own],
        _ => 0,
    };
    (0..shape.len()).map(own).collect()
}
