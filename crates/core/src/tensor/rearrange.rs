//! Tensors of the same elements in other places, several times, or among others.

use wengert_kernel::rows::copy;

use super::{Element, Indices, Region, Tensor, checked_indices, narrow};
use crate::base::dims::{Dims, OfTensor, axes_of, axis_of, product, too_many};
use crate::base::error::{Error, Result, expect};

/// Axes moved round in a circle: each one, and by how much, which is less than its extent.
pub(crate) type Shifts = Vec<(usize, usize)>;

/// What `shifts` along `dims` are in a tensor of this shape.
pub(crate) fn shifts(shape: &[usize], shifts: &[isize], dims: &[isize]) -> Result<Shifts> {
    if shifts.len() != dims.len() {
        let expected = format!("as many shifts as dims, {}", dims.len());
        return Err(Error::shape("roll", expected, shifts.len()));
    }
    let along = |(&dim, &shift)| {
        let axis = axis_of("roll", dim, shape.len())?;
        Ok((axis, shift_along(shape[axis], shift)))
    };
    dims.iter().zip(shifts).map(along).collect()
}

/// A shift as one forward by less than the extent.
fn shift_along(extent: usize, shift: isize) -> usize {
    let distance = shift.unsigned_abs().checked_rem(extent).unwrap_or(0);
    if shift < 0 && distance > 0 { extent - distance } else { distance }
}

/// A border around a tensor: what it adds before and behind each axis.
#[derive(Clone)]
pub(crate) struct Border(Vec<(usize, usize)>);

/// A part of an axis: its number, the start, the length.
pub(crate) type AxisPart = (usize, usize, usize);

impl Border {
    /// What `pad` says of a tensor of this shape: the parts that are kept where it takes elements away, and
    /// then the border; none where it adds nothing.
    pub(crate) fn of(shape: &[usize], pad: &[isize]) -> Result<(Vec<AxisPart>, Option<Border>)> {
        let (rank, count) = (shape.len(), pad.len());
        if count % 2 != 0 || count / 2 > rank {
            let expected = format!("two numbers for each of at most {rank} axes");
            return Err(Error::shape("pad", expected, format!("{pad:?}")));
        }
        let (mut kept, mut rest) = (Vec::new(), Dims::from(shape));
        let mut border = Border(vec![(0, 0); rank]);
        for (sides, axis) in pad.chunks_exact(2).zip((0..rank).rev()) {
            let [before, behind] = [sides[0], sides[1]].map(|side| side.min(0).unsigned_abs());
            let left = shape[axis].checked_sub(before).and_then(|left| left.checked_sub(behind));
            let left = left.ok_or_else(|| {
                let expected =
                    format!("to take at most {} elements from axis {axis} in {shape:?}", shape[axis]);
                Error::shape("pad", expected, format!("{pad:?}"))
            })?;
            if left < shape[axis] {
                kept.push((axis, before, left));
                rest[axis] = left;
            }
            border.0[axis] = (sides[0].max(0) as usize, sides[1].max(0) as usize);
        }
        border.outer(&rest)?;
        let adds = border.0.iter().any(|&sides| sides != (0, 0));
        Ok((kept, adds.then_some(border)))
    }

    /// The numbers that say so: two for the last axis, then two for the one before it, and so on.
    pub(crate) fn sides(&self) -> Vec<usize> {
        self.0.iter().rev().flat_map(|&(before, behind)| [before, behind]).collect()
    }

    /// Where what is inside begins along each axis.
    pub(crate) fn starts(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|&(before, _)| before)
    }

    /// The extents with the border.
    fn outer(&self, shape: &[usize]) -> Result<Dims> {
        let extents = shape.iter().zip(&self.0);
        let outer: Option<Dims> =
            extents.map(|(n, (before, behind))| n.checked_add(before + behind)).collect();
        outer.ok_or_else(|| too_many("pad", shape))?.sized("pad")
    }

    /// The part that is not border.
    fn inner(&self, shape: &[usize]) -> Region {
        let inner = Region::of(shape, |axes| {
            self.0.iter().enumerate().try_for_each(|(axis, &(before, behind))| {
                narrow(axes, axis as isize, before, shape[axis] - before - behind)
            })
        });
        expect(inner)
    }

    /// The tensor with the border, whose elements are `value`.
    #[track_caller]
    pub(crate) fn around<T: Element>(&self, x: &Tensor<T>, value: T) -> Tensor<T> {
        let shape = expect(self.outer(x.shape()));
        let region = self.inner(&shape);
        Tensor::build(shape, |out| {
            out.fill(value);
            if x.numel() > 0 {
                copy::place(&mut out[region.offset..], &region.strides, x.as_view());
            }
        })
    }
}

/// The shapes on the way to `repeats` copies of a tensor: with an axis of extent 1 before each of its own,
/// these expanded, and both as one.
pub(crate) fn repeated(shape: &[usize], repeats: &[usize]) -> Result<[Dims; 3]> {
    let rank = shape.len();
    if repeats.len() < rank {
        let expected = format!("at least {rank} repeats, one for each axis");
        return Err(Error::shape("repeat", expected, format!("{repeats:?}")));
    }
    let own = || std::iter::repeat_n(1, repeats.len() - rank).chain(shape.iter().copied());
    let all: Option<Dims> = own().zip(repeats).map(|(n, r)| n.checked_mul(*r)).collect();
    let all = all.ok_or_else(|| too_many("repeat", repeats))?.sized("repeat")?;
    let apart = own().flat_map(|n| [1, n]).collect();
    let expanded = own().zip(repeats).flat_map(|(n, &r)| [r, n]).collect();
    Ok([apart, expanded, all])
}

/// Slices of `axis` at the indices, in the shape `to`.
pub(crate) struct IndexSelect {
    pub(crate) axis: usize,
    pub(crate) index: Indices,
    pub(crate) to: Dims,
}

impl IndexSelect {
    /// The entries of axis `dim` of a tensor of this shape.
    pub(crate) fn new(shape: &[usize], dim: isize, index: &Tensor<i64>) -> Result<Self> {
        let axis = axis_of("index_select", dim, shape.len())?;
        if index.rank() != 1 {
            return Err(Error::shape("index_select", "a 1-D index", format!("shape {:?}", index.shape())));
        }
        let mut to = Dims::from(shape);
        to[axis] = index.numel();
        let to = to.sized("index_select")?;
        Ok(IndexSelect { axis, index: checked_indices("index_select", index, shape[axis])?, to })
    }

    #[track_caller]
    pub(crate) fn of<T: Element>(&self, x: &Tensor<T>) -> Tensor<T> {
        let x = x.contiguous();
        let (extent, inner) = (x.shape()[self.axis], product(&x.shape()[self.axis + 1..]));
        let source = x.in_order();
        Tensor::build(self.to.clone(), |out| {
            let rows =
                out.chunks_exact_mut(inner.max(1)).enumerate().take(if inner == 0 { 0 } else { usize::MAX });
            for (n, row) in rows {
                let (outer, place) = (n / self.index.len(), self.index.at(n % self.index.len()));
                let start = (outer * extent + place) * inner;
                row.copy_from_slice(&source[start..start + inner]);
            }
        })
    }
}

impl<T: Element> Tensor<T> {
    /// Slices of axis `dim` at the indices of a 1-D tensor (`torch.index_select`).
    ///
    /// # Panics
    /// If there is no such axis, or an index lies outside it.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// // Inputs and their targets in one random order.
    /// let (inputs, targets) = (Tensor::from([[0.5f32], [1.5], [2.5]]), Tensor::from([0i64, 1, 2]));
    /// let order = Tensor::<i64>::randperm(3);
    /// let (inputs, targets) = (inputs.index_select(0, &order), targets.index_select(0, &order));
    /// assert_eq!(inputs.to_vec(), targets.to_vec().iter().map(|&i| i as f32 + 0.5).collect::<Vec<_>>());
    /// ```
    #[doc(alias = "take")]
    #[track_caller]
    pub fn index_select(&self, dim: isize, index: &Tensor<i64>) -> Self {
        expect(IndexSelect::new(self.shape(), dim, index)).of(self)
    }

    /// The slices of `axis`, slice `i` taken from `from(i)`.
    fn rearranged(&self, axis: usize, from: impl Fn(usize) -> usize) -> Self {
        let x = self.contiguous();
        let (extent, inner) = (x.shape()[axis], product(&x.shape()[axis + 1..]));
        let source = x.in_order();
        Tensor::build(x.dims().clone(), |out| {
            for (n, slice) in out.chunks_exact_mut(inner.max(1)).enumerate() {
                let start = (n / extent * extent + from(n % extent)) * inner;
                slice.copy_from_slice(&source[start..start + inner]);
            }
        })
    }

    /// The tensor with these axes in reverse order.
    pub(crate) fn flipped(&self, axes: &[usize]) -> Self {
        axes.iter().fold(self.clone(), |x, &axis| {
            let extent = x.shape()[axis];
            x.rearranged(axis, |i| extent - 1 - i)
        })
    }

    pub(crate) fn rolled(&self, shifts: &[(usize, usize)]) -> Self {
        shifts.iter().fold(self.clone(), |x, &(axis, shift)| {
            let extent = x.shape()[axis];
            x.rearranged(axis, |i| if i >= shift { i - shift } else { extent - (shift - i) })
        })
    }

    /// The elements along axes `dims` in reverse order (`torch.flip`).
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([[1i64, 2], [3, 4]]).flip(&[0]).to_vec(), [3, 4, 1, 2]);
    /// ```
    #[doc(alias = "reverse")]
    #[track_caller]
    pub fn flip(&self, dims: &[isize]) -> Self {
        if dims.is_empty() { self.clone() } else { self.flipped(&expect(axes_of("flip", dims, self.rank()))) }
    }

    /// The elements along each of `dims` moved by its shift, those pushed out at the end coming in at the
    /// front; without dims, of the flattened tensor (`torch.roll`).
    ///
    /// # Panics
    /// If there is not a shift for each axis, or there is no such axis.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([true, false, false]).roll(&[1], &[0]).to_vec(), [false, true, false]);
    /// ```
    #[track_caller]
    pub fn roll(&self, by: &[isize], dims: &[isize]) -> Self {
        if dims.is_empty() && by.len() == 1 {
            let flat = expect(self.reshape([self.numel()])).roll(by, &[0]);
            return expect(flat.reshape(self.shape()));
        }
        self.rolled(&expect(shifts(self.shape(), by, dims)))
    }

    /// Copies side by side, `repeats` of them along each axis; more repeats than axes add axes in front
    /// (`torch.Tensor.repeat`).
    ///
    /// # Panics
    /// If there are fewer repeats than axes, or a tensor can't have so many elements.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let mask = Tensor::from([true, false]).repeat(&[2, 2]);
    /// assert_eq!(mask, Tensor::from([[true, false, true, false]; 2]));
    /// ```
    #[doc(alias = "tile")]
    #[track_caller]
    pub fn repeat(&self, repeats: &[usize]) -> Self {
        let [apart, expanded, all] = expect(repeated(self.shape(), repeats));
        let copies = self.reshape(apart).and_then(|x| x.expand(&expanded)?.reshape(all));
        expect(copies)
    }

    /// `value` put before and behind the last axes: `pad` has two numbers for the last axis, then two for
    /// the one before it, and so on; a negative one takes elements away (`torch.nn.functional.pad`,
    /// mode `constant`). The value is cast as [`Tensor::cast`] does: for masks anything but 0 is true, and
    /// `true` and `false` may be given.
    ///
    /// # Panics
    /// If `pad` has an odd length, names more axes than there are, takes away more than there is, or adds
    /// more than a tensor can have.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let tokens = Tensor::from([[5i64, 6], [7, 8]]);
    /// assert_eq!(tokens.pad(&[0, 1], 0).to_vec(), [5, 6, 0, 7, 8, 0]);
    /// assert_eq!(Tensor::from([true]).pad(&[1, 0], false).to_vec(), [false, true]);
    /// ```
    #[doc(alias = "constant_pad_nd")]
    #[track_caller]
    pub fn pad(&self, pad: &[isize], value: impl Into<f64>) -> Self {
        let (kept, border) = expect(Border::of(self.shape(), pad));
        let inside =
            kept.into_iter().fold(self.clone(), |x, (axis, start, len)| x.narrow_at(axis, start, len));
        border.map_or_else(|| inside.clone(), |border| border.around(&inside, T::from_f64(value.into())))
    }
}
