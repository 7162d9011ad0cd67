//! Extremes over axes, and where they are.

use std::sync::OnceLock;

use wengert_kernel::rows::reduce::best;

use crate::base::dims::{axes_of, axis_of, checked_count, product};
use crate::base::error::expect;
use crate::base::mode::no_grad;
use crate::ops::registry::{Domain, Fitted, Listed, axes, axis};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tensor::{Element, Tensor};

/// The largest or smallest element along an axis (kept with extent 1), and its first place.
#[track_caller]
fn extreme<T: Element>(x: &Tensor<T>, axis: usize, max: bool) -> (Tensor<T>, Tensor<i64>) {
    let shape = x.dims();
    let (reduced, inner) = (shape[axis], product(&shape[axis + 1..]));
    let mut to = shape.clone();
    to[axis] = 1;
    assert!(
        reduced > 0 || checked_count(&to) == Some(0),
        "max, min: expected an axis with elements, got shape {shape:?}"
    );
    let source = x.contiguous();
    let mut values = Tensor::unspecified(to.clone());
    let better = |a: T, b: T| if max { a > b } else { a < b };
    let places = Tensor::build(to, |places| {
        best(source.in_order(), reduced, inner, better, values.fresh_mut(), places)
    });
    (values, places)
}

/// An extreme over axes, kept with extent 1; elements that equal it share the cotangent evenly.
struct Extreme<T: Float, const MAX: bool> {
    axes: Vec<usize>,
    /// Each element's share; `forward` finds it.
    share: OnceLock<Tensor<T>>,
}

impl<T: Float, const MAX: bool> Operation<T> for Extreme<T, MAX> {
    const NAME: &'static str = if MAX { "Amax" } else { "Amin" };

    fn attributes(&self) -> Attributes {
        Attributes::none().dims("dim", &self.axes)
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let x = inputs[0];
        let mut value = x.clone();
        for &axis in &self.axes {
            value = extreme(&value, axis, MAX).0;
        }
        let is_nan = |x: T| x.to_f64().is_nan();
        let same = |a: T, b: T| if a == b || (is_nan(a) && is_nan(b)) { T::ONE } else { T::ZERO };
        let equal = Variable::from(expect(x.zip(&value, same)));
        let dims: Vec<isize> = self.axes.iter().map(|&axis| axis as isize).collect();
        let share = if dims.is_empty() { equal } else { no_grad(|| &equal / equal.sum_keepdim(&dims)) };
        // An operation is applied once, so nothing is there yet.
        let _ = self.share.set(share.value());
        [value].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let share = self.share.get().expect("forward has set it").clone();
        gradients.add(0, cotangents.only() * Variable::from(share));
    }
}

/// The extreme along one axis; the cotangent goes to the first place it was found.
struct ExtremeAlong<const MAX: bool> {
    axis: usize,
    places: Tensor<i64>,
}

impl<T: Float, const MAX: bool> Operation<T> for ExtremeAlong<MAX> {
    const NAME: &'static str = if MAX { "Max" } else { "Min" };

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32)
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [expect(super::index::gathered(inputs[0], self.axis, &self.places))].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let base = Variable::from(Tensor::zeros(saved.input_shape(0)));
        gradients.add(0, base.scatter_add(self.axis as isize, &self.places, cotangents.only()));
    }
}

impl<T: Float> Variable<T> {
    #[track_caller]
    fn extreme_over<const MAX: bool>(&self, dims: &[isize], keepdim: bool) -> Variable<T> {
        let axes = expect(axes_of("amax, amin", dims, self.rank())).to_vec();
        let kept: Vec<usize> =
            (0..self.rank()).filter(|axis| !axes.contains(axis)).map(|axis| self.shape()[axis]).collect();
        let out = Extreme::<T, MAX> { axes, share: OnceLock::new() }.apply1(&[self]);
        if keepdim { out } else { out.reshape(kept) }
    }

    #[track_caller]
    fn extreme_along<const MAX: bool>(&self, dim: isize, keepdim: bool) -> (Variable<T>, Tensor<i64>) {
        let axis = expect(axis_of("max, min", dim, self.rank()));
        let (_, places) = extreme(&self.peek(), axis, MAX);
        let operation = ExtremeAlong::<MAX> { axis, places: places.clone() };
        let out = operation.apply1(&[self]);
        if keepdim { (out, places) } else { (out.squeeze(dim), expect(places.squeeze(dim))) }
    }

    /// The largest element; equals share the derivative evenly (`torch.max`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 3.0, 3.0])).requires_grad_(true);
    /// x.max().backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), vec![0.0, 0.5, 0.5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn max(&self) -> Variable<T> {
        self.amax(&[])
    }

    /// The smallest element; equals share the derivative evenly (`torch.min`).
    #[track_caller]
    pub fn min(&self) -> Variable<T> {
        self.amin(&[])
    }

    /// The largest element over axes `dims`; equals share the derivative evenly (`torch.amax`).
    #[doc(alias = "reduce_max")]
    #[track_caller]
    pub fn amax(&self, dims: &[isize]) -> Variable<T> {
        self.amax_with(dims, false)
    }

    /// [`Variable::amax`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn amax_keepdim(&self, dims: &[isize]) -> Variable<T> {
        self.amax_with(dims, true)
    }

    #[track_caller]
    pub(super) fn amax_with(&self, dims: &[isize], keepdim: bool) -> Variable<T> {
        self.extreme_over::<true>(dims, keepdim)
    }

    /// The smallest element over axes `dims`; equals share the derivative evenly (`torch.amin`).
    #[doc(alias = "reduce_min")]
    #[track_caller]
    pub fn amin(&self, dims: &[isize]) -> Variable<T> {
        self.amin_with(dims, false)
    }

    /// [`Variable::amin`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn amin_keepdim(&self, dims: &[isize]) -> Variable<T> {
        self.amin_with(dims, true)
    }

    #[track_caller]
    pub(super) fn amin_with(&self, dims: &[isize], keepdim: bool) -> Variable<T> {
        self.extreme_over::<false>(dims, keepdim)
    }

    /// The largest element along axis `dim` and its first place, which gets all of the derivative
    /// (`torch.max(dim)`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 5.0], [7.0, 2.0]]));
    /// let (values, places) = x.max_dim(1);
    /// assert_eq!((values.to_vec(), places.to_vec()), (vec![5.0, 7.0], vec![1, 0]));
    /// ```
    #[doc(alias = "max")]
    #[track_caller]
    pub fn max_dim(&self, dim: isize) -> (Variable<T>, Tensor<i64>) {
        self.max_dim_with(dim, false)
    }

    /// [`Variable::max_dim`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn max_keepdim(&self, dim: isize) -> (Variable<T>, Tensor<i64>) {
        self.max_dim_with(dim, true)
    }

    #[track_caller]
    pub(super) fn max_dim_with(&self, dim: isize, keepdim: bool) -> (Variable<T>, Tensor<i64>) {
        self.extreme_along::<true>(dim, keepdim)
    }

    /// The smallest element along axis `dim` and its first place (`torch.min(dim)`).
    #[doc(alias = "min")]
    #[track_caller]
    pub fn min_dim(&self, dim: isize) -> (Variable<T>, Tensor<i64>) {
        self.min_dim_with(dim, false)
    }

    /// [`Variable::min_dim`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn min_keepdim(&self, dim: isize) -> (Variable<T>, Tensor<i64>) {
        self.min_dim_with(dim, true)
    }

    #[track_caller]
    pub(super) fn min_dim_with(&self, dim: isize, keepdim: bool) -> (Variable<T>, Tensor<i64>) {
        self.extreme_along::<false>(dim, keepdim)
    }

    /// The first place of the largest element along axis `dim` (`torch.argmax`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([1.0f32, 5.0, 2.0])).argmax(0).item()?, 1);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "arg_max")]
    #[track_caller]
    pub fn argmax(&self, dim: isize) -> Tensor<i64> {
        self.peek().argmax(dim)
    }

    /// The first place of the smallest element along axis `dim` (`torch.argmin`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([3.0f32, 1.0, 1.0])).argmin(0).item()?, 1);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "arg_min")]
    #[track_caller]
    pub fn argmin(&self, dim: isize) -> Tensor<i64> {
        self.peek().argmin(dim)
    }
}

impl<T: Element> Tensor<T> {
    /// The largest element along axis `dim`, which goes, and its first place; a NaN is the largest
    /// (`torch.max` with `dim`).
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (values, places) = Tensor::from([[1i64, 5], [7, 2]]).max_dim(1);
    /// assert_eq!((values.to_vec(), places.to_vec()), (vec![5, 7], vec![1, 0]));
    /// ```
    #[doc(alias = "max")]
    #[track_caller]
    pub fn max_dim(&self, dim: isize) -> (Tensor<T>, Tensor<i64>) {
        self.extreme_along(dim, true, false)
    }

    /// The largest element along axis `dim`, which stays with extent 1, and its first place (`torch.max` with
    /// `dim` and `keepdim=True`).
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    #[track_caller]
    pub fn max_keepdim(&self, dim: isize) -> (Tensor<T>, Tensor<i64>) {
        self.extreme_along(dim, true, true)
    }

    /// The smallest element along axis `dim`, which goes, and its first place; a NaN is the smallest
    /// (`torch.min` with `dim`).
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (values, places) = Tensor::from([[1i64, 5], [7, 2]]).min_dim(0);
    /// assert_eq!((values.to_vec(), places.to_vec()), (vec![1, 2], vec![0, 1]));
    /// ```
    #[doc(alias = "min")]
    #[track_caller]
    pub fn min_dim(&self, dim: isize) -> (Tensor<T>, Tensor<i64>) {
        self.extreme_along(dim, false, false)
    }

    /// The smallest element along axis `dim`, which stays with extent 1, and its first place (`torch.min`
    /// with `dim` and `keepdim=True`).
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    #[track_caller]
    pub fn min_keepdim(&self, dim: isize) -> (Tensor<T>, Tensor<i64>) {
        self.extreme_along(dim, false, true)
    }

    /// The first place of the largest element along axis `dim`, which goes; a NaN is the largest
    /// (`torch.argmax`).
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let logits = Tensor::from([[0.5f32, 2.0, 2.0], [1.0, -1.0, 0.0]]);
    /// assert_eq!(logits.argmax(-1).to_vec(), [1, 0]);
    /// ```
    #[doc(alias = "arg_max")]
    #[track_caller]
    pub fn argmax(&self, dim: isize) -> Tensor<i64> {
        self.max_dim(dim).1
    }

    /// The first place of the smallest element along axis `dim`, which goes; a NaN is the smallest
    /// (`torch.argmin`).
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([3i64, 1, 1]).argmin(0).item()?, 1);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "arg_min")]
    #[track_caller]
    pub fn argmin(&self, dim: isize) -> Tensor<i64> {
        self.min_dim(dim).1
    }

    #[track_caller]
    fn extreme_along(&self, dim: isize, max: bool, keepdim: bool) -> (Tensor<T>, Tensor<i64>) {
        let axis = expect(axis_of("max, min", dim, self.rank()));
        let (values, places) = extreme(self, axis, max);
        if keepdim { (values, places) } else { (expect(values.squeeze(dim)), expect(places.squeeze(dim))) }
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    macro_rules! extremes {
        ($over:literal $over_method:ident, $along:literal $along_method:ident) => {
            [
                L::new(
                    $over,
                    &[Domain::Distinct],
                    &|choose, shape| {
                        let attributes = Attributes::none().dims("dim", &axes(choose, shape));
                        if shape.contains(&0) { None } else { Fitted::one(shape, attributes) }
                    },
                    &|attributes, v| vec![v[0].$over_method(&attributes.get_ints("dim"))],
                ),
                L::new(
                    $along,
                    &[Domain::Distinct],
                    &|choose, shape| {
                        let axis = axis(choose, shape).filter(|&axis| shape[axis] > 0)?;
                        Fitted::one(shape, Attributes::none().int("dim", axis as i64))
                    },
                    &|attributes, v| vec![v[0].$along_method(attributes.get_int("dim")).0],
                )
                .exact(),
            ]
        };
    }
    let both = [
        extremes!("Amax" amax_keepdim, "Max" max_keepdim),
        extremes!("Amin" amin_keepdim, "Min" min_keepdim),
    ];
    both.into_iter().flatten().collect()
}
