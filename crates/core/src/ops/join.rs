//! Joining variables along an axis.

use std::borrow::Borrow;

use smallvec::SmallVec;

use wengert_kernel::memory::view::View;
use wengert_kernel::rows::copy::{self, Joined};
use wengert_kernel::run::divide::dispatch_shared;

use crate::base::dims::{Dims, OfTensor, axis_of, too_many};
use crate::base::error::{Error, Result, expect};
use crate::ops::registry::{Domain, Fitted, OperationEntry, axis};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tensor::Tensor;

/// One behind the other along an axis; each part covers `extents[i]` of it.
pub(super) struct Cat {
    pub(super) axis: usize,
    pub(super) extents: Dims,
}

impl<T: Float> Operation<T> for Cat {
    const NAME: &'static str = "Cat";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let mut shape = inputs[0].dims().clone();
        shape[self.axis] = self.extents.iter().sum();
        let strides = shape.row_major();
        let step = strides[self.axis];
        let places = starts(&self.extents).map(|start| start.wrapping_mul(step));
        [joined(inputs, self.axis, shape, &strides, places)].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let mut start = 0;
        for (i, &extent) in self.extents.iter().enumerate() {
            if gradients.wants(i) {
                gradients.add(i, cotangents.only().narrow(self.axis as isize, start, extent));
            }
            start += extent;
        }
    }
}

/// Along a new axis.
pub(super) struct Stack {
    pub(super) axis: usize,
}

impl<T: Float> Operation<T> for Stack {
    const NAME: &'static str = "Stack";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let mut shape = inputs[0].dims().clone();
        shape.insert(self.axis, inputs.len());
        let mut strides = shape.row_major();
        let step = strides.remove(self.axis);
        let places = (0..inputs.len()).map(|i| i.wrapping_mul(step));
        [joined(inputs, self.axis, shape, &strides, places)].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        for i in 0..cotangents.only().shape()[self.axis] {
            if gradients.wants(i) {
                gradients.add(i, cotangents.only().select(self.axis as isize, i));
            }
        }
    }
}

/// The inputs along the first axis of a tensor of `shape`, which as many threads copy as it is worth.
pub(crate) fn one_behind_the_other<T: Float>(inputs: &[impl Borrow<Tensor<T>>], shape: Dims) -> Tensor<T> {
    let mut parts: SmallVec<[View<'_, T>; 8]> = SmallVec::with_capacity(inputs.len());
    for input in inputs.iter().map(Borrow::borrow) {
        parts.push(input.view());
    }
    Tensor::build(shape, |out| dispatch_shared(Joined { parts: &parts, out }))
}

/// A tensor of `shape` that the inputs lie in along `axis`, with these strides, each from its place on; the
/// place of one without elements may be anywhere.
fn joined<T: Float>(
    inputs: &[&Tensor<T>],
    axis: usize,
    shape: Dims,
    strides: &Dims,
    places: impl Iterator<Item = usize>,
) -> Tensor<T> {
    if axis == 0 {
        return one_behind_the_other(inputs, shape);
    }
    Tensor::build(shape, |out| {
        for (input, place) in inputs.iter().zip(places).filter(|(input, _)| input.numel() > 0) {
            copy::place(&mut out[place..], strides, input.view());
        }
    })
}

/// Where parts of these extents begin.
fn starts(extents: &[usize]) -> impl Iterator<Item = usize> {
    extents.iter().scan(0, |end, extent| {
        *end += extent;
        Some(*end - extent)
    })
}

fn same_but<T: Float>(operation: &'static str, inputs: &[&Variable<T>], axis: Option<usize>) -> Result<()> {
    let first = inputs.first().ok_or_else(|| Error::shape(operation, "at least one input", "none"))?.shape();
    for (i, input) in inputs.iter().enumerate() {
        let shape = input.shape();
        if shape.len() != first.len() || (0..first.len()).any(|a| Some(a) != axis && shape[a] != first[a]) {
            let but = axis.map_or(String::new(), |axis| format!(" but along axis {axis}"));
            let expected = format!("shapes equal to {first:?}{but}");
            return Err(Error::shape(operation, expected, format!("{shape:?} in input {i}")));
        }
    }
    Ok(())
}

/// Whether a tensor can have all that `cat` puts into it: parts of this shape, but for these extents along
/// the axis.
fn side_by_side(shape: &Dims, axis: usize, extents: &[usize]) -> Result<()> {
    let mut whole = shape.clone();
    let sum = extents.iter().try_fold(0usize, |sum, &extent| sum.checked_add(extent));
    whole[axis] = sum.ok_or_else(|| too_many("cat", extents))?;
    whole.sized("cat").map(drop)
}

/// Variables one behind the other along axis `dim` (`torch.cat`).
///
/// # Panics
/// If there are none, their shapes differ along another axis, or a tensor can't have so many elements.
///
/// ```
/// use wengert_core::{cat, Tensor, Variable};
/// let (a, b) = (Variable::new(Tensor::from([[1.0f32]])), Variable::new(Tensor::from([[2.0f32, 3.0]])));
/// assert_eq!(cat(&[&a, &b], 1).to_vec(), vec![1.0, 2.0, 3.0]);
/// ```
#[doc(alias = "concatenate")]
#[doc(alias = "concat")]
#[doc(alias = "hstack")]
#[doc(alias = "vstack")]
#[track_caller]
pub fn cat<T: Float>(inputs: &[&Variable<T>], dim: isize) -> Variable<T> {
    let axis = inputs.first().map(|first| expect(axis_of("cat", dim, first.rank())));
    expect(same_but("cat", inputs, axis));
    let axis = axis.expect("there is a first input");
    let extents: Dims = inputs.iter().map(|input| input.shape()[axis]).collect();
    expect(side_by_side(inputs[0].dims(), axis, &extents));
    Cat { axis, extents }.apply1(inputs)
}

/// Variables of one shape along a new axis `dim` (`torch.stack`).
///
/// # Panics
/// If there are none, or their shapes differ.
///
/// ```
/// use wengert_core::{stack, Tensor, Variable};
/// let (a, b) = (Variable::new(Tensor::from([1.0f32, 2.0])), Variable::new(Tensor::from([3.0f32, 4.0])));
/// assert_eq!(stack(&[&a, &b], 0).shape(), &[2, 2]);
/// assert_eq!(stack(&[&a, &b], -1).to_vec(), vec![1.0, 3.0, 2.0, 4.0]);
/// ```
#[track_caller]
pub fn stack<T: Float>(inputs: &[&Variable<T>], dim: isize) -> Variable<T> {
    expect(same_but("stack", inputs, None));
    let axis = expect(axis_of("stack", dim, inputs[0].rank() + 1));
    let mut shape = inputs[0].dims().clone();
    shape.insert(axis, inputs.len());
    expect(shape.sized("stack"));
    Stack { axis }.apply1(inputs)
}

pub(super) fn operations<T: Float>() -> Vec<OperationEntry<T>> {
    vec![
        OperationEntry::new(
            "Cat",
            &[Domain::Any],
            |choose, shape| {
                let axis = axis(choose, shape)?;
                let mut shapes = vec![shape.to_vec()];
                for _ in 0..choose(3) {
                    let mut other = shape.to_vec();
                    other[axis] = [shape[axis], 1, 3, 0][choose(4)];
                    shapes.push(other);
                }
                Some(Fitted::new(shapes, Attributes::none().int("dim", axis as i64)))
            },
            |attributes, v| vec![cat(v, attributes.get_int("dim"))],
        )
        .exact(),
        OperationEntry::new(
            "Stack",
            &[Domain::Any],
            |choose, shape| {
                let dim = choose(shape.len() + 1) as i64;
                Some(Fitted::new(vec![shape.to_vec(); choose(3) + 1], Attributes::none().int("dim", dim)))
            },
            |attributes, v| vec![stack(v, attributes.get_int("dim"))],
        )
        .exact(),
    ]
}
