//! Joining variables along an axis, and taking them apart.

use crate::dims::{Dims, axis_of};
use crate::element::Float;
use crate::error::{Error, Result, expect};
use crate::kernel::copy;
use crate::operation::{Cotangents, Flow, Gradients, Operation, Outputs, Saved, record};
use crate::tensor::{Region, Tensor};
use crate::variable::Variable;

/// One behind the other along an axis; each part covers `extents[i]` of it.
struct Cat {
    axis: usize,
    extents: Dims,
}

impl<T: Float> Operation<T> for Cat {
    const NAME: &'static str = "Cat";

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let mut shape = inputs[0].dims().clone();
        shape[self.axis] = self.extents.iter().sum();
        [joined(inputs, &self.extents, self.axis, shape)].into()
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

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let views: Vec<Tensor<T>> = inputs.iter().map(|x| expect(x.unsqueeze(self.axis as isize))).collect();
        let views: Vec<&Tensor<T>> = views.iter().collect();
        let mut shape = views[0].dims().clone();
        shape[self.axis] = inputs.len();
        [joined(&views, &vec![1; inputs.len()], self.axis, shape)].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        for i in 0..cotangents.only().shape()[self.axis] {
            if gradients.wants(i) {
                gradients.add(i, cotangents.only().select(self.axis as isize, i));
            }
        }
    }
}

fn joined<T: Float>(inputs: &[&Tensor<T>], extents: &[usize], axis: usize, shape: Dims) -> Tensor<T> {
    let strides = shape.row_major();
    let mut start = 0;
    Tensor::build(shape, |out| {
        for (input, extent) in inputs.iter().zip(extents) {
            if input.numel() > 0 {
                let target = &mut out[start * strides[axis]..];
                copy::update(target, &strides, input.raw(), input.strides(), input.shape(), |_, x| x);
            }
            start += extent;
        }
    })
}

/// Into parts along an axis: one operation, an output for each part, all of them views.
struct Split {
    axis: usize,
    /// Where each part begins, and where the last one ends.
    bounds: Dims,
    /// Whether the parts, of extent 1, lose the axis.
    unbind: bool,
}

impl Split {
    fn of(axis: usize, extents: impl Iterator<Item = usize>, unbind: bool) -> Self {
        let ends = extents.scan(0, |end, extent| {
            *end += extent;
            Some(*end)
        });
        Split { axis, bounds: std::iter::once(0).chain(ends).collect(), unbind }
    }

    fn part<E: crate::element::Element>(
        &self,
        base: &Tensor<E>,
        start: usize,
        extent: usize,
    ) -> Result<Tensor<E>> {
        if self.unbind {
            base.select(self.axis as isize, start)
        } else {
            base.narrow(self.axis as isize, start, extent)
        }
    }

    fn starts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.bounds.windows(2).map(|bounds| (bounds[0], bounds[1] - bounds[0]))
    }

    /// The cotangent of the whole, if each part was written to its place there.
    fn put_together<T: Float>(&self, cotangents: &Cotangents<T>) -> Option<Tensor<T>> {
        let whole = cotangents.parts.as_ref()?.whole();
        let step = whole.strides()[self.axis];
        let in_place = |(k, start): (usize, &usize)| {
            let value = cotangents.get(k)?.peek();
            let at = whole.storage_offset() + start * step;
            (value.shares_storage(whole) && value.storage_offset() == at).then_some(())
        };
        self.bounds[..cotangents.len()].iter().enumerate().try_for_each(in_place)?;
        Some(whole.clone())
    }
}

impl<T: Float> Operation<T> for Split {
    const NAME: &'static str = "Split";

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        self.starts().map(|(start, extent)| expect(self.part(inputs[0], start, extent))).collect()
    }

    fn flow(&self) -> Flow {
        Flow::Parts
    }

    fn part(&self, base: &Tensor<T>, k: usize) -> Option<Tensor<T>> {
        self.part(base, self.bounds[k], self.bounds[k + 1] - self.bounds[k]).ok()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        if let Some(whole) = self.put_together(cotangents) {
            return gradients.add(0, Variable::from(whole));
        }
        let all: Option<Vec<&Variable<T>>> = (0..cotangents.len()).map(|k| cotangents.get(k)).collect();
        match all {
            Some(parts) if self.unbind => gradients.add(0, Stack { axis: self.axis }.apply1(&parts)),
            Some(parts) => {
                gradients.add(
                    0,
                    Cat { axis: self.axis, extents: self.starts().map(|(_, extent)| extent).collect() }
                        .apply1(&parts),
                );
            }
            // Parts that nothing came back to are zero.
            None => {
                let base = saved.input_dims(0);
                for (k, (start, extent)) in self.starts().enumerate() {
                    if let Some(cotangent) = cotangents.get(k) {
                        let region = || expect(Region::of(&base, |base| self.part(base, start, extent)));
                        gradients.add_region(0, region, cotangent.clone());
                    }
                }
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

/// Variables one behind the other along axis `dim` (`torch.cat`).
///
/// # Panics
/// If there are none, or their shapes differ along another axis.
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
    Cat { axis, extents: inputs.iter().map(|input| input.shape()[axis]).collect() }.apply1(inputs)
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
    Stack { axis: expect(axis_of("stack", dim, inputs[0].rank() + 1)) }.apply1(inputs)
}

impl<T: Float> Variable<T> {
    /// Parts of the given extents along axis `dim` (`torch.split`); all are views, recorded as one operation.
    ///
    /// # Panics
    /// If the extents don't add up to the axis.
    #[track_caller]
    pub fn split(&self, extents: &[usize], dim: isize) -> Vec<Variable<T>> {
        let axis = expect(axis_of("split", dim, self.rank()));
        let (sum, extent) = (extents.iter().sum::<usize>(), self.shape()[axis]);
        assert!(sum == extent, "split: expected extents that add up to {extent}, got {extents:?}");
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
        let part = |k: usize| expect(split.part(&base, k * (extent / N), extent / N));
        let outputs = std::array::from_fn(part);
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
            0 => vec![0; chunks],
            _ => (0..extent).step_by(size).map(|start| size.min(extent - start)).collect(),
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
