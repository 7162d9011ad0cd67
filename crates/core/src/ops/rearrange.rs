//! The same elements in other places, several times, or among others.

use wengert_kernel::rows::copy;

use crate::base::dims::{Dims, OfTensor, axes_of, axis_of, product, too_many};
use crate::base::error::{Result, expect};
use crate::ops::registry::{Domain, Fitted, OperationEntry, axis};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attribute, Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tensor::Element;
use crate::tensor::{Region, Tensor, narrow};

/// The slices of `axis`, slice `i` taken from `from(i)`.
fn rearranged<T: Element>(x: &Tensor<T>, axis: usize, from: impl Fn(usize) -> usize) -> Tensor<T> {
    let x = x.contiguous();
    let (extent, inner) = (x.shape()[axis], product(&x.shape()[axis + 1..]));
    let source = x.in_order();
    Tensor::build(x.dims().clone(), |out| {
        for (n, slice) in out.chunks_exact_mut(inner.max(1)).enumerate() {
            let start = (n / extent * extent + from(n % extent)) * inner;
            slice.copy_from_slice(&source[start..start + inner]);
        }
    })
}

/// Axes in reverse order; its own pullback.
#[derive(Clone)]
struct Flip {
    axes: Dims,
}

impl<T: Float> Operation<T> for Flip {
    const NAME: &'static str = "Flip";

    fn attributes(&self) -> Attributes {
        Attributes::none().dims("dims", &self.axes)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let mut out = inputs[0].clone();
        for &axis in self.axes.iter() {
            let extent = out.shape()[axis];
            out = rearranged(&out, axis, |i| extent - 1 - i);
        }
        [out].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, self.clone().apply1(&[cotangents.only()]));
    }
}

/// Axes moved round in a circle.
struct Roll {
    /// Axis, and by how much, which is less than its extent.
    shifts: Vec<(usize, usize)>,
}

impl<T: Float> Operation<T> for Roll {
    const NAME: &'static str = "Roll";

    fn attributes(&self) -> Attributes {
        let shifts = self.shifts.iter().map(|&(_, shift)| shift as i64).collect();
        let axes: Vec<usize> = self.shifts.iter().map(|&(axis, _)| axis).collect();
        Attributes::none().with("shifts", Attribute::Ints(shifts)).dims("dims", &axes)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let mut out = inputs[0].clone();
        for &(axis, shift) in &self.shifts {
            let extent = out.shape()[axis];
            out = rearranged(&out, axis, |i| if i >= shift { i - shift } else { extent - (shift - i) });
        }
        [out].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let shape = cotangents.only().shape();
        let back = |&(axis, shift): &(usize, usize)| (axis, (shape[axis] - shift) % shape[axis].max(1));
        let back = Roll { shifts: self.shifts.iter().map(back).collect() };
        gradients.add(0, back.apply1(&[cotangents.only()]));
    }
}

/// A shift as one forward by less than the extent.
fn shift_along(extent: usize, shift: isize) -> usize {
    let distance = shift.unsigned_abs().checked_rem(extent).unwrap_or(0);
    if shift < 0 && distance > 0 { extent - distance } else { distance }
}

/// A tensor with a border of one value.
struct Pad {
    /// What the border adds before and behind each axis.
    border: Vec<(usize, usize)>,
    value: f64,
}

impl Pad {
    /// The extents with the border.
    fn outer(&self, shape: &[usize]) -> Result<Dims> {
        let extents = shape.iter().zip(&self.border);
        let outer: Option<Dims> =
            extents.map(|(n, (before, behind))| n.checked_add(before + behind)).collect();
        outer.ok_or_else(|| too_many("pad", shape))?.sized("pad")
    }

    /// The part that is not border.
    fn inner(&self, shape: &[usize]) -> Region {
        let inner = Region::of(shape, |axes| {
            self.border.iter().enumerate().try_for_each(|(axis, &(before, behind))| {
                narrow(axes, axis as isize, before, shape[axis] - before - behind)
            })
        });
        expect(inner)
    }
}

impl<T: Float> Operation<T> for Pad {
    const NAME: &'static str = "Pad";

    fn attributes(&self) -> Attributes {
        let sides: Vec<usize> =
            self.border.iter().rev().flat_map(|&(before, behind)| [before, behind]).collect();
        Attributes::none().ints("pad", &sides).float("value", self.value)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let shape = expect(self.outer(inputs[0].shape()));
        let region = self.inner(&shape);
        let mut out = Tensor::full(shape, T::from_f64(self.value));
        let elements = expect(out.data_mut());
        if inputs[0].numel() > 0 {
            copy::place(&mut elements[region.offset..], &region.strides, inputs[0].view());
        }
        [out].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let shape = saved.input_dims(0);
        let starts = self.border.iter().enumerate().map(|(axis, border)| (axis, border.0));
        let part = starts.fold(cotangents.only().clone(), |part, (axis, start)| {
            part.narrow(axis as isize, start, shape[axis])
        });
        gradients.add(0, part);
    }
}

impl<T: Float> Variable<T> {
    /// The elements along axes `dims` in reverse order (`torch.flip`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.flip(&[0]).to_vec(), vec![3.0, 4.0, 1.0, 2.0]);
    /// ```
    #[doc(alias = "reverse")]
    #[track_caller]
    pub fn flip(&self, dims: &[isize]) -> Variable<T> {
        if dims.is_empty() {
            return self.clone();
        }
        Flip { axes: expect(axes_of("flip", dims, self.rank())) }.apply1(&[self])
    }

    /// The elements along each of `dims` moved by its shift, those pushed out at the end coming in at the
    /// front; without dims, of the flattened tensor (`torch.roll`).
    ///
    /// # Panics
    /// If there is not a shift for each axis.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0, 3.0]));
    /// assert_eq!(x.roll(&[1], &[0]).to_vec(), vec![3.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn roll(&self, shifts: &[isize], dims: &[isize]) -> Variable<T> {
        if dims.is_empty() && shifts.len() == 1 {
            return self.reshape([self.numel()]).roll(shifts, &[0]).reshape(self.shape());
        }
        let (given, expected) = (shifts.len(), dims.len());
        assert!(given == expected, "roll: expected as many shifts as dims, {expected}, got {given}");
        let mut moves = Vec::with_capacity(expected);
        for (&dim, &shift) in dims.iter().zip(shifts) {
            let axis = expect(axis_of("roll", dim, self.rank()));
            moves.push((axis, shift_along(self.shape()[axis], shift)));
        }
        Roll { shifts: moves }.apply1(&[self])
    }

    /// Copies side by side, `repeats` of them along each axis; more repeats than axes add axes in front
    /// (`torch.Tensor.repeat`).
    ///
    /// # Panics
    /// If there are fewer repeats than axes, or a tensor can't have so many elements.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0]));
    /// assert_eq!(x.repeat(&[2, 2]).to_vec(), vec![1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    /// ```
    #[doc(alias = "tile")]
    #[track_caller]
    pub fn repeat(&self, repeats: &[usize]) -> Variable<T> {
        let rank = self.rank();
        assert!(
            repeats.len() >= rank,
            "repeat: expected at least {rank} repeats, one for each axis, got {repeats:?}"
        );
        let mut own = vec![1usize; repeats.len() - rank];
        own.extend(self.shape());
        let pairs = |first: &dyn Fn(usize) -> usize| -> Vec<usize> {
            own.iter().enumerate().flat_map(|(axis, &n)| [first(axis), n]).collect()
        };
        let all: Option<Dims> = own.iter().zip(repeats).map(|(n, r)| n.checked_mul(*r)).collect();
        let all = expect(all.ok_or_else(|| too_many("repeat", repeats)).and_then(|all| all.sized("repeat")));
        self.reshape(pairs(&|_| 1)).expand(pairs(&|axis| repeats[axis])).reshape(&*all)
    }

    /// `value` put before and behind the last axes: `pad` has two numbers for the last axis, then two for
    /// the one before it, and so on; a negative one takes elements away (`torch.nn.functional.pad`,
    /// mode `constant`).
    ///
    /// # Panics
    /// If `pad` has an odd length, names more axes than there are, takes away more than there is, or adds
    /// more than a tensor can have.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0]]));
    /// assert_eq!(x.pad(&[1, 0], 9.0).to_vec(), vec![9.0, 1.0, 2.0]);
    /// assert_eq!(x.pad(&[0, -1, 1, 0], 0.0).to_vec(), vec![0.0, 1.0]);
    /// ```
    #[doc(alias = "ZeroPadding1D")]
    #[track_caller]
    pub fn pad(&self, pad: &[isize], value: f64) -> Variable<T> {
        let (rank, count) = (self.rank(), pad.len());
        let fits = count % 2 == 0 && count / 2 <= rank;
        assert!(fits, "pad: expected two numbers for each of at most {rank} axes, got {pad:?}");
        let mut border = vec![(0, 0); rank];
        let mut kept = self.clone();
        for (i, sides) in pad.chunks_exact(2).enumerate() {
            let axis = rank - 1 - i;
            let [cut_before, cut_behind] = [0, 1].map(|k| sides[k].min(0).unsigned_abs());
            let extent = self.shape()[axis];
            let left = extent.checked_sub(cut_before).and_then(|left| left.checked_sub(cut_behind));
            assert!(
                left.is_some(),
                "pad: axis {axis} has {extent} elements in {:?}, got {pad:?}",
                self.shape()
            );
            if cut_before > 0 || cut_behind > 0 {
                kept = kept.narrow(axis as isize, cut_before, left.unwrap_or(0));
            }
            border[axis] = (sides[0].max(0) as usize, sides[1].max(0) as usize);
        }
        if border.iter().all(|&sides| sides == (0, 0)) {
            return kept;
        }
        let pad = Pad { border, value };
        expect(pad.outer(kept.shape()));
        pad.apply1(&[&kept])
    }
}

pub(super) fn operations<T: Float>() -> Vec<OperationEntry<T>> {
    vec![
        OperationEntry::new(
            "Flip",
            &[Domain::Any],
            |choose, shape| {
                let first = axis(choose, shape)?;
                let axes: Vec<usize> =
                    (0..shape.len()).filter(|&axis| axis == first || choose(2) == 1).collect();
                Fitted::one(shape, Attributes::none().dims("dims", &axes))
            },
            |attributes, v| vec![v[0].flip(&attributes.get_ints("dims"))],
        )
        .exact(),
        OperationEntry::new(
            "Roll",
            &[Domain::Any],
            |choose, shape| {
                let axis = axis(choose, shape)?;
                let shift = Attribute::Ints(vec![[1, -2, 5][choose(3)]]);
                Fitted::one(shape, Attributes::none().with("shifts", shift).dims("dims", &[axis]))
            },
            |attributes, v| vec![v[0].roll(&attributes.get_ints("shifts"), &attributes.get_ints("dims"))],
        )
        .exact(),
        OperationEntry::new(
            "Pad",
            &[Domain::Any],
            |choose, shape| {
                let sides: Vec<usize> = shape.iter().flat_map(|_| [choose(3), choose(2)]).collect();
                let value = [0.0, 1.5][choose(2)];
                Fitted::one(shape, Attributes::none().ints("pad", &sides).float("value", value))
            },
            |attributes, v| vec![v[0].pad(&attributes.get_ints("pad"), attributes.get_float("value"))],
        )
        .exact(),
    ]
}
