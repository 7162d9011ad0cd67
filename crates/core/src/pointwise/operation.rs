//! The one operation that applies any pointwise formula.

use smallvec::SmallVec;

use super::{Pointwise, symbol};
use crate::dims::{self, Dims};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::kernel::plan::Plan;
use crate::kernel::pointwise::Job;
use crate::operation::{Cotangents, Gradients, Operation, Outputs, Saved, Saves};
use crate::tape::is_recording;
use crate::tensor::Tensor;
use crate::variable::Variable;

/// Applies `formula` and records it.
#[track_caller]
pub(crate) fn apply<T, P, const I: usize, const O: usize>(formula: P, inputs: [&Variable<T>; I]) -> [Variable<T>; O]
where
    T: Float,
    P: Pointwise<I, O>,
{
    let mut outputs = Formula(formula).apply(&inputs).into_iter();
    std::array::from_fn(|_| outputs.next().expect("as many outputs as the formula has"))
}

/// A formula as an operation on tensors that broadcast.
struct Formula<P, const I: usize, const O: usize>(P);

impl<T, P, const I: usize, const O: usize> Operation<T> for Formula<P, I, O>
where
    T: Float,
    P: Pointwise<I, O>,
{
    const NAME: &'static str = P::NAME;

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let shape = crate::error::expect(common_shape(P::NAME, inputs.iter().map(|input| input.shape())));
        let outputs = (0..O).map(|_| Tensor::unspecified(shape.clone())).collect();
        run(&shape, inputs.iter().copied(), outputs, [true; O], |job| T::forward(&self.0, job))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let inputs: [&Variable<T>; I] = std::array::from_fn(|i| saved.input(i));
        let wanted: [bool; I] = std::array::from_fn(|i| gradients.wants(i));
        let found = if is_recording() {
            symbol::replay_pullback(&self.0, inputs, cotangents, wanted)
        } else {
            fused_pullback(&self.0, inputs, cotangents, wanted)
        };
        for (i, cotangent) in found.into_iter().enumerate() {
            if let Some(cotangent) = cotangent {
                gradients.add(i, cotangent.sum_to(inputs[i].shape()));
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
    let zero = Variable::from(Tensor::scalar(T::ZERO));
    let sources: SmallVec<[_; 8]> =
        inputs.into_iter().chain((0..O).map(|k| cotangents.get(k).unwrap_or(&zero))).map(Variable::peek).collect();
    let shape = crate::error::expect(common_shape(P::NAME, sources.iter().map(|source| source.shape())));
    let outputs = wanted.iter().filter(|w| **w).map(|_| Tensor::unspecified(shape.clone())).collect();
    let results = run(&shape, sources.iter().map(|s| &**s), outputs, wanted, |job| T::backward(formula, job));
    let mut results = results.into_iter();
    wanted.map(|w| w.then(|| Variable::from(results.next().expect("one for each that is wanted"))))
}

fn common_shape<'s>(name: &'static str, shapes: impl Iterator<Item = &'s [usize]>) -> Result<Dims> {
    let mut shapes = shapes;
    let first = Dims::from(shapes.next().expect("a formula has an input"));
    shapes.try_fold(first, |common, shape| {
        if *common == *shape { Ok::<_, Error>(common) } else { dims::broadcast(name, &common, shape) }
    })
}

/// Runs a kernel over sources that broadcast to `shape`; there is an output for each result that is wanted.
fn run<'s, T: Float, const R: usize>(
    shape: &Dims,
    sources: impl Iterator<Item = &'s Tensor<T>> + Clone,
    mut outputs: Outputs<Tensor<T>>,
    wanted: [bool; R],
    kernel: impl FnOnce(&Job<'_, T>),
) -> Outputs<Tensor<T>> {
    let in_order = |source: &Tensor<T>| *source.shape() == **shape && source.is_contiguous();
    let plan = if sources.clone().all(in_order) {
        Plan::contiguous(shape.count(), sources.clone().count() + R)
    } else {
        let row_major = shape.row_major();
        let strides = sources.clone().map(|s| broadcast_strides(s, shape)).chain((0..R).map(|_| row_major.clone()));
        let strides: SmallVec<[Dims; 8]> = strides.collect();
        Plan::new(shape, &strides.iter().map(|s| &**s).collect::<SmallVec<[&[usize]; 8]>>())
    };
    let mut made = outputs.iter_mut().map(Tensor::fresh_mut);
    let results = wanted.iter().map(|&w| if w { made.next() } else { None });
    kernel(&Job::new(&plan, sources.map(Tensor::raw), results));
    outputs
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
