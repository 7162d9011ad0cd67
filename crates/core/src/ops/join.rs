//! Joining variables along an axis, and taking them apart.

use std::borrow::Borrow;

use smallvec::SmallVec;

use wengert_kernel::memory::cut::Division;
use wengert_kernel::memory::region::Axes;
use wengert_kernel::memory::view::View;
use wengert_kernel::rows::copy::{self, Joined};
use wengert_kernel::run::divide::dispatch_shared;

use crate::dims::{Dims, OfTensor, axis_of, too_many};
use crate::element::Float;
use crate::error::{Error, Result, expect};
use crate::memory;
use crate::operation::{Attributes, Cotangents, Flow, Gradients, Operation, Outputs, Saved, record};
use crate::registry::{Domain, Fitted, OperationEntry, axis};
use crate::tensor::{Region, Tensor};
use crate::variable::Variable;

/// One behind the other along an axis; each part covers `extents[i]` of it.
struct Cat {
    axis: usize,
    extents: Dims,
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
struct Stack {
    axis: usize,
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

/// A tensor of `shape` that the inputs lie in along `axis`, with these strides, each from its place on; the place of one without
/// elements may be anywhere.
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

/// Into parts along an axis: one operation, an output for each part, all of them views.
struct Split {
    axis: usize,
    /// Where each part begins, and where the last one ends; the gates of a cell lie inline.
    bounds: SmallVec<[usize; 6]>,
    /// Whether the parts, of extent 1, lose the axis.
    unbind: bool,
}

impl Split {
    #[track_caller]
    fn of(axis: usize, extents: impl ExactSizeIterator<Item = usize>, unbind: bool) -> Self {
        let mut bounds = SmallVec::new();
        if bounds.try_reserve_exact(extents.len().saturating_add(1)).is_err() {
            memory::refuse::<usize>(&[extents.len()]);
        }
        bounds.push(0);
        for extent in extents {
            bounds.push(bounds[bounds.len() - 1] + extent);
        }
        Split { axis, bounds, unbind }
    }

    /// Leaves part `k`.
    #[inline]
    fn part(&self, axes: &mut Axes<'_>, k: usize) {
        let start = self.bounds[k];
        if self.unbind {
            axes.select(self.axis, start);
        } else {
            axes.narrow(self.axis, start, self.bounds[k + 1] - start);
        }
    }

    #[inline]
    fn view<T: Float>(&self, base: &Tensor<T>, k: usize) -> Tensor<T> {
        base.seen(|axes| self.part(axes, k))
    }

    fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    fn extents(&self) -> Dims {
        let mut extents = Dims::default();
        self.bounds.windows(2).for_each(|bounds| extents.push(bounds[1] - bounds[0]));
        extents
    }

    /// The cotangent of the whole, if each part was written to its place there.
    fn put_together<T: Float>(&self, cotangents: &Cotangents<T>) -> Option<Tensor<T>> {
        let values = cotangents.values.iter().map(|value| value.as_ref()?.plain().map(Tensor::elements));
        cotangents.parts.as_ref()?.join(values).map(Tensor::from)
    }
}

impl<T: Float> Operation<T> for Split {
    const NAME: &'static str = "Split";

    fn attributes(&self) -> Attributes {
        let attributes = Attributes::none().ints("sizes", &self.extents()).int("dim", self.axis as u32);
        attributes.flag("unbind", self.unbind)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        (0..self.count()).map(|k| self.view(inputs[0], k)).collect()
    }

    fn flow(&self) -> Flow {
        Flow::Parts
    }

    fn division(&self) -> Option<Division<'_>> {
        Some(Division { axis: self.axis, bounds: &self.bounds, unbind: self.unbind })
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        if let Some(whole) = self.put_together(cotangents) {
            return gradients.add(0, Variable::from(whole));
        }
        let parts: SmallVec<[&Variable<T>; 8]> = cotangents.values.iter().flatten().collect();
        if parts.len() < cotangents.len() {
            self.embed_parts(&saved.input_dims(0), cotangents, gradients);
        } else if self.unbind {
            gradients.add(0, Stack { axis: self.axis }.apply1(&parts));
        } else {
            gradients.add(0, Cat { axis: self.axis, extents: self.extents() }.apply1(&parts));
        }
    }
}

impl Split {
    /// Adds a term for each part that something came back to; the others are zero.
    fn embed_parts<T: Float>(
        &self,
        base: &Dims,
        cotangents: &Cotangents<T>,
        gradients: &mut Gradients<'_, T>,
    ) {
        for k in 0..self.count() {
            if let Some(cotangent) = cotangents.get(k) {
                let part = |axes: &mut Axes<'_>| {
                    self.part(axes, k);
                    Ok(())
                };
                gradients.add_region(0, || expect(Region::of(base, part)), cotangent.clone());
            }
        }
    }
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

/// Whether a tensor can have all that `cat` puts into it: parts of this shape, but for these extents along the axis.
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

impl<T: Float> Variable<T> {
    /// Parts of the given extents along axis `dim` (`torch.split`); all are views, recorded as one operation.
    ///
    /// # Panics
    /// If the extents don't add up to the axis.
    #[track_caller]
    pub fn split(&self, extents: &[usize], dim: isize) -> Vec<Variable<T>> {
        let axis = expect(axis_of("split", dim, self.rank()));
        let extent = self.shape()[axis];
        let sum = extents.iter().try_fold(0usize, |sum, &extent| sum.checked_add(extent));
        assert!(sum == Some(extent), "split: expected extents that add up to {extent}, got {extents:?}");
        Split::of(axis, extents.iter().copied(), false).apply(&[self]).into_vec()
    }

    /// `N` parts of the same extent along axis `dim`: the gates of a cell.
    ///
    /// # Panics
    /// If the axis is not `N` times an extent.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let gates = Variable::new(Tensor::from([[1.0f32, 2.0, 3.0, 4.0]]));
    /// let [input, forget] = gates.parts(-1);
    /// assert_eq!((input.to_vec(), forget.to_vec()), (vec![1.0, 2.0], vec![3.0, 4.0]));
    /// ```
    #[track_caller]
    pub fn parts<const N: usize>(&self, dim: isize) -> [Variable<T>; N] {
        let axis = expect(axis_of("parts", dim, self.rank()));
        let extent = self.shape()[axis];
        assert!(
            N > 0 && extent.is_multiple_of(N),
            "parts: expected {N} equal parts of axis {axis}, got extent {extent}"
        );
        let split = Split::of(axis, std::iter::repeat_n(extent / N, N), false);
        let base = self.peek();
        let outputs = std::array::from_fn(|k| split.view(&base, k));
        record(split, &[self], &[&base], outputs)
    }

    /// At most `chunks` parts of equal extent along axis `dim`, the last one smaller if need be (`torch.chunk`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let gates = Variable::new(Tensor::from([[1.0f32, 2.0, 3.0, 4.0]]));
    /// let parts = gates.chunk(2, -1);
    /// assert_eq!(parts[1].to_vec(), vec![3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn chunk(&self, chunks: usize, dim: isize) -> Vec<Variable<T>> {
        assert!(chunks > 0, "chunk: expected at least one chunk, got 0");
        let axis = expect(axis_of("chunk", dim, self.rank()));
        let extent = self.shape()[axis];
        let size = extent.div_ceil(chunks).max(1);
        let extents: Vec<usize> = match extent {
            0 => memory::filled(0, chunks),
            _ => {
                let mut extents = memory::filled(size, extent.div_ceil(size));
                let last = extents.len() - 1;
                extents[last] = extent - last * size;
                extents
            }
        };
        self.split(&extents, dim)
    }

    /// The slices along axis `dim`, without it (`torch.unbind`); all are views, recorded as one operation.
    #[track_caller]
    pub fn unbind(&self, dim: isize) -> Vec<Variable<T>> {
        let axis = expect(axis_of("unbind", dim, self.rank()));
        let slices = self.shape()[axis];
        if slices == 0 {
            return Vec::new();
        }
        Split::of(axis, std::iter::repeat_n(1, slices), true).apply(&[self]).into_vec()
    }
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
        OperationEntry::new(
            "Split",
            &[Domain::Any],
            |choose, shape| {
                let axis = axis(choose, shape).filter(|&axis| shape[axis] > 0)?;
                let extent = shape[axis];
                let (sizes, unbind) = match choose(4) {
                    0 if extent <= 16 => (vec![1; extent], true),
                    1 if extent % 2 == 0 => (vec![extent / 2; 2], false),
                    2 if extent <= 8 => (vec![1; extent], false),
                    _ => {
                        let first = choose(extent + 1);
                        (vec![first, extent - first], false)
                    }
                };
                let attributes = Attributes::none().ints("sizes", &sizes).int("dim", axis as i64);
                Fitted::one(shape, attributes.flag("unbind", unbind))
            },
            |attributes, v| match attributes.has_flag("unbind") {
                true => v[0].unbind(attributes.get_int("dim")),
                false => v[0].split(&attributes.get_ints("sizes"), attributes.get_int("dim")),
            },
        )
        .exact(),
    ]
}
