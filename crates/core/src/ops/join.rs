//! Joining variables along an axis.

use std::borrow::Borrow;

use smallvec::SmallVec;

use wengert_kernel::memory::view::View;
use wengert_kernel::rows::copy::{self, Joined};
use wengert_kernel::run::divide::dispatch_shared;

use crate::base::dims::{Dims, OfTensor, axis_of, too_many};
use crate::base::error::{Error, Result, expect};
use crate::ops::registry::{Domain, Fitted, Listed, axis};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tensor::{Element, Tensor};

/// One behind the other along an axis; each part covers `extents[i]` of it.
pub(super) struct Cat {
    pub(super) axis: usize,
    pub(super) extents: Dims,
}

impl Cat {
    /// The join of parts of these shapes along axis `dim`.
    fn of<'s>(shapes: impl Iterator<Item = &'s [usize]> + Clone, dim: isize) -> Result<Cat> {
        let first = shapes.clone().next().map(|first| axis_of("cat", dim, first.len())).transpose()?;
        let shape = same_but("cat", shapes.clone(), first)?;
        let axis = first.expect("there is a first input");
        let extents: Dims = shapes.map(|shape| shape[axis]).collect();
        let sum = extents.iter().try_fold(0usize, |sum, &extent| sum.checked_add(extent));
        let mut whole = Dims::from(shape);
        whole[axis] = sum.ok_or_else(|| too_many("cat", &extents))?;
        whole.sized("cat")?;
        Ok(Cat { axis, extents })
    }

    /// The extents of the whole; `part` are those of one of the parts.
    fn shape(&self, part: &Dims) -> Dims {
        let mut shape = part.clone();
        shape[self.axis] = self.extents.iter().sum();
        shape
    }

    fn joined<T: Element>(&self, parts: &[&Tensor<T>]) -> Tensor<T> {
        let shape = self.shape(parts[0].dims());
        let strides = shape.row_major();
        let step = strides[self.axis];
        joined(parts, shape, &strides, starts(&self.extents).map(|start| start.wrapping_mul(step)))
    }
}

impl<T: Float> Operation<T> for Cat {
    const NAME: &'static str = "Cat";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let whole = match self.axis {
            0 => one_behind_the_other(inputs, self.shape(inputs[0].dims())),
            _ => self.joined(inputs),
        };
        [whole].into()
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

impl Stack {
    /// The stack of parts of these shapes along a new axis `dim`.
    fn of<'s>(shapes: impl Iterator<Item = &'s [usize]> + Clone, dim: isize) -> Result<Stack> {
        let shape = Dims::from(same_but("stack", shapes.clone(), None)?);
        let stack = Stack { axis: axis_of("stack", dim, shape.len() + 1)? };
        stack.shape(&shape, shapes.count()).sized("stack")?;
        Ok(stack)
    }

    /// The extents of so many parts.
    fn shape(&self, part: &Dims, count: usize) -> Dims {
        let mut shape = part.clone();
        shape.insert(self.axis, count);
        shape
    }

    fn joined<T: Element>(&self, parts: &[&Tensor<T>]) -> Tensor<T> {
        let shape = self.shape(parts[0].dims(), parts.len());
        let mut strides = shape.row_major();
        let step = strides.remove(self.axis);
        joined(parts, shape, &strides, (0..parts.len()).map(|i| i.wrapping_mul(step)))
    }
}

impl<T: Float> Operation<T> for Stack {
    const NAME: &'static str = "Stack";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let whole = match self.axis {
            0 => one_behind_the_other(inputs, self.shape(inputs[0].dims(), inputs.len())),
            _ => self.joined(inputs),
        };
        [whole].into()
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
        parts.push(input.as_view());
    }
    Tensor::build(shape, |out| dispatch_shared(Joined { parts: &parts, out }))
}

/// A tensor of `shape` that the parts lie in with these strides, each from its place on; the place of one
/// without elements may be anywhere.
fn joined<T: Element>(
    parts: &[&Tensor<T>],
    shape: Dims,
    strides: &Dims,
    places: impl Iterator<Item = usize>,
) -> Tensor<T> {
    Tensor::build(shape, |out| {
        for (part, place) in parts.iter().zip(places).filter(|(part, _)| part.numel() > 0) {
            copy::place(&mut out[place..], strides, part.as_view());
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

/// The first of these shapes, which the others are equal to but along the axis.
fn same_but<'s>(
    operation: &'static str,
    shapes: impl Iterator<Item = &'s [usize]> + Clone,
    axis: Option<usize>,
) -> Result<&'s [usize]> {
    let first = shapes.clone().next().ok_or_else(|| Error::shape(operation, "at least one input", "none"))?;
    for (i, shape) in shapes.enumerate() {
        if shape.len() != first.len() || (0..first.len()).any(|a| Some(a) != axis && shape[a] != first[a]) {
            let but = axis.map_or(String::new(), |axis| format!(" but along axis {axis}"));
            let expected = format!("shapes equal to {first:?}{but}");
            return Err(Error::shape(operation, expected, format!("{shape:?} in input {i}")));
        }
    }
    Ok(first)
}

/// Variables one behind the other along axis `dim` (`torch.cat`), given as they are or by reference.
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
pub fn cat<T: Float>(inputs: &[impl Borrow<Variable<T>>], dim: isize) -> Variable<T> {
    let inputs = borrowed(inputs);
    expect(Cat::of(inputs.iter().map(|input| input.shape()), dim)).apply1(&inputs)
}

/// Variables that are given as they are or by reference.
pub(crate) fn borrowed<T: Float>(variables: &[impl Borrow<Variable<T>>]) -> SmallVec<[&Variable<T>; 8]> {
    variables.iter().map(Borrow::borrow).collect()
}

/// Variables of one shape along a new axis `dim` (`torch.stack`), given as they are or by reference.
///
/// # Panics
/// If there are none, or their shapes differ.
///
/// ```
/// use wengert_core::{stack, Tensor, Variable};
/// let (a, b) = (Variable::new(Tensor::from([1.0f32, 2.0])), Variable::new(Tensor::from([3.0f32, 4.0])));
/// assert_eq!(stack(&[&a, &b], 0).shape(), &[2, 2]);
/// assert_eq!(stack(&[&a, &b], -1).to_vec(), vec![1.0, 3.0, 2.0, 4.0]);
/// let all = vec![a, b];
/// assert_eq!(stack(&all, 0).shape(), &[2, 2]);
/// ```
#[track_caller]
pub fn stack<T: Float>(inputs: &[impl Borrow<Variable<T>>], dim: isize) -> Variable<T> {
    let inputs = borrowed(inputs);
    expect(Stack::of(inputs.iter().map(|input| input.shape()), dim)).apply1(&inputs)
}

impl<T: Element> Tensor<T> {
    /// Tensors one behind the other along axis `dim` (`torch.cat`): [`cat`] without derivatives, of any
    /// elements.
    ///
    /// # Panics
    /// If there are none, their shapes differ along another axis, or a tensor can't have so many elements.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (a, b) = (Tensor::from([[1i64], [2]]), Tensor::from([[3i64, 4], [5, 6]]));
    /// assert_eq!(Tensor::cat(&[&a, &b], 1), Tensor::from([[1i64, 3, 4], [2, 5, 6]]));
    /// ```
    #[doc(alias = "concatenate")]
    #[doc(alias = "concat")]
    #[track_caller]
    pub fn cat(parts: &[&Self], dim: isize) -> Self {
        expect(Cat::of(parts.iter().map(|part| part.shape()), dim)).joined(parts)
    }

    /// Tensors of one shape along a new axis `dim` (`torch.stack`): [`stack`] without derivatives, of any
    /// elements.
    ///
    /// # Panics
    /// If there are none, or their shapes differ.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let masks = [Tensor::from([true, false]), Tensor::from([false, false])];
    /// let both = Tensor::stack(&[&masks[0], &masks[1]], 0);
    /// assert_eq!(both, Tensor::from([[true, false], [false, false]]));
    /// ```
    #[track_caller]
    pub fn stack(parts: &[&Self], dim: isize) -> Self {
        expect(Stack::of(parts.iter().map(|part| part.shape()), dim)).joined(parts)
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        L::new(
            "Cat",
            &[Domain::Any],
            &|choose, shape| {
                let axis = axis(choose, shape)?;
                let mut shapes = vec![shape.to_vec()];
                for _ in 0..choose(3) {
                    let mut other = shape.to_vec();
                    other[axis] = [shape[axis], 1, 3, 0][choose(4)];
                    shapes.push(other);
                }
                Some(Fitted::new(shapes, Attributes::none().int("dim", axis as i64)))
            },
            &|attributes, v| vec![cat(v, attributes.get_int("dim"))],
        )
        .exact(),
        L::new(
            "Stack",
            &[Domain::Any],
            &|choose, shape| {
                let dim = choose(shape.len() + 1) as i64;
                Some(Fitted::new(vec![shape.to_vec(); choose(3) + 1], Attributes::none().int("dim", dim)))
            },
            &|attributes, v| vec![stack(v, attributes.get_int("dim"))],
        )
        .exact(),
    ]
}
