//! Taking variables apart along an axis.

use smallvec::SmallVec;

use wengert_kernel::memory::cut::Division;
use wengert_kernel::memory::layout::Axes;

use super::join::{Cat, Stack};
use crate::base::dims::{Dims, axis_of};
use crate::base::error::expect;
use crate::ops::registry::{Domain, Fitted, Listed, axis};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::record::{record, record_all};
use crate::tape::rule::{Flow, Rule};
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Saved};
use crate::tensor::memory;
use crate::tensor::parts::{axis_of_parts, chunk_extents, equal_parts};
use crate::tensor::{Region, Tensor};

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

    /// The parts as variables.
    #[track_caller]
    fn take_apart<T: Float>(self, x: &Variable<T>) -> Vec<Variable<T>> {
        let base = x.peek();
        let parts = (0..self.count()).map(|k| self.view(&base, k)).collect();
        record_all(self, &[x], &[&base], parts).into_vec()
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

impl<T: Float> Rule<T> for Split {
    fn name(&self) -> &'static &'static str {
        &"Split"
    }

    fn attributes(&self) -> Attributes {
        let attributes = Attributes::none().ints("sizes", &self.extents()).int("dim", self.axis as u32);
        attributes.flag("unbind", self.unbind)
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

impl<T: Float> Variable<T> {
    /// Parts of the given extents along axis `dim` (`torch.split`); all are views, recorded as one
    /// operation.
    ///
    /// # Panics
    /// If the extents don't add up to the axis.
    #[doc(alias = "array_split")]
    #[track_caller]
    pub fn split(&self, extents: &[usize], dim: isize) -> Vec<Variable<T>> {
        let axis = expect(axis_of_parts(self.shape(), extents, dim));
        Split::of(axis, extents.iter().copied(), false).take_apart(self)
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
        let (axis, extent) = expect(equal_parts(self.shape(), N, dim));
        let split = Split::of(axis, std::iter::repeat_n(extent, N), false);
        let base = self.peek();
        let outputs = std::array::from_fn(|k| split.view(&base, k));
        record(split, &[self], &[&base], outputs)
    }

    /// Parts of equal extent along axis `dim`, at most `chunks`, the last one smaller if need be
    /// (`torch.chunk`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let gates = Variable::new(Tensor::from([[1.0f32, 2.0, 3.0, 4.0]]));
    /// let parts = gates.chunk(2, -1);
    /// assert_eq!(parts[1].to_vec(), vec![3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn chunk(&self, chunks: usize, dim: isize) -> Vec<Variable<T>> {
        self.split(&expect(chunk_extents(self.shape(), chunks, dim)), dim)
    }

    /// The slices along axis `dim`, without it (`torch.unbind`); all are views, recorded as one operation.
    #[doc(alias = "unstack")]
    #[track_caller]
    pub fn unbind(&self, dim: isize) -> Vec<Variable<T>> {
        let axis = expect(axis_of("unbind", dim, self.rank()));
        let slices = self.shape()[axis];
        if slices == 0 {
            return Vec::new();
        }
        Split::of(axis, std::iter::repeat_n(1, slices), true).take_apart(self)
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        L::new(
            "Split",
            &[Domain::Any],
            &|choose, shape| {
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
            &|attributes, v| match attributes.has_flag("unbind") {
                true => v[0].unbind(attributes.get_int("dim")),
                false => v[0].split(&attributes.get_ints("sizes"), attributes.get_int("dim")),
            },
        )
        .exact(),
    ]
}
