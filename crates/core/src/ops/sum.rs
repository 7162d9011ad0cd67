//! Sums and means over axes; the sum that undoes broadcasting.

use wengert_kernel::rows::reduce;
use wengert_kernel::run::divide::dispatch_shared;

use crate::base::dims::{Dims, OfTensor, axes_of, product};
use crate::base::error::expect;
use crate::ops::registry::{Choose, Domain, Fitted, Listed, axes, broadcastable};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tensor::Tensor;

/// A sum over axes; the rest is shaped as asked.
#[derive(Clone)]
struct Sum {
    axes: Dims,
    to: Dims,
    /// Whether all axes stay, or none; none if that differs from one to the other, as when broadcasting is
    /// undone.
    keepdim: Option<bool>,
}

impl Sum {
    /// Over `dims` (all if empty), which stay with extent 1 or go.
    #[track_caller]
    fn over(operation: &'static str, shape: &[usize], dims: &[isize], keepdim: bool) -> Self {
        let axes = expect(axes_of(operation, dims, shape.len()));
        let to = (0..shape.len()).filter_map(|axis| match axes.contains(&axis) {
            false => Some(shape[axis]),
            true => keepdim.then_some(1),
        });
        Sum { to: expect(to.collect::<Dims>().sized(operation)), axes, keepdim: Some(keepdim) }
    }

    fn attributes(&self) -> Attributes {
        match self.keepdim {
            Some(keepdim) => Attributes::none().dims("dim", &self.axes).flag("keepdim", keepdim),
            None => Attributes::none().ints("to", &self.to),
        }
    }

    fn compute<T: Float>(&self, x: &Tensor<T>) -> Tensor<T> {
        let mut shape = x.dims().clone();
        let mut sum = x.contiguous();
        // From the last axis on, runs of neighbouring axes at once.
        let mut axis = shape.len();
        while axis > 0 {
            let end = axis;
            while axis > 0 && self.axes.contains(&(axis - 1)) {
                axis -= 1;
            }
            if axis < end {
                sum = sum_axes(&sum, &shape, axis, end);
                (axis..end).for_each(|a| shape[a] = 1);
            } else {
                axis -= 1;
            }
        }
        let strides = self.to.row_major();
        sum.with_layout(sum.storage_offset(), self.to.clone(), strides)
    }

    /// A cotangent of the sum, spread over what was summed.
    fn spread<T: Float>(&self, cotangent: &Variable<T>, shape: &Dims) -> Variable<T> {
        let mut kept = shape.clone();
        self.axes.iter().for_each(|&axis| kept[axis] = 1);
        cotangent.reshape(&*kept).expand(&**shape)
    }

    fn count(&self, shape: &[usize]) -> usize {
        product(&self.axes.iter().map(|&axis| shape[axis]).collect::<Dims>())
    }
}

/// Row-major `x` of `shape` summed over axes `start..end`.
fn sum_axes<T: Float>(x: &Tensor<T>, shape: &Dims, start: usize, end: usize) -> Tensor<T> {
    let mut to = shape.clone();
    to[start..end].fill(1);
    let source = x.in_order();
    let (reduced, inner) = (product(&shape[start..end]), product(&shape[end..]));
    Tensor::build(to, |out| dispatch_shared(reduce::Sum { source, out, reduced, inner }))
}

impl<T: Float> Operation<T> for Sum {
    const NAME: &'static str = "Sum";

    fn attributes(&self) -> Attributes {
        self.attributes()
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [self.compute(inputs[0])].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, self.spread(cotangents.only(), &saved.input_dims(0)));
    }
}

struct Mean {
    sum: Sum,
}

impl<T: Float> Operation<T> for Mean {
    const NAME: &'static str = "Mean";

    fn attributes(&self) -> Attributes {
        self.sum.attributes()
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let mut mean = self.sum.compute(inputs[0]);
        let count = T::from_f64(self.sum.count(inputs[0].shape()) as f64);
        match mean.data_mut() {
            Ok(elements) => elements.iter_mut().for_each(|x| *x = *x / count),
            // Nothing was summed, so this is the input itself.
            Err(_) => mean = mean.map(|x| x / count),
        }
        [mean].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let shape = saved.input_dims(0);
        let share = cotangents.only() / self.sum.count(&shape) as f64;
        gradients.add(0, self.sum.spread(&share, &shape));
    }
}

impl<T: Float> Variable<T> {
    /// The sum of all elements (`torch.sum`).
    #[track_caller]
    pub fn sum(&self) -> Variable<T> {
        self.sum_dim(&[])
    }

    /// The sum over axes `dims`, all if there are none (`torch.sum`); they go, and stay with extent 1 in
    /// [`Variable::sum_keepdim`].
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.sum_dim(&[0]).to_vec(), vec![4.0, 6.0]);
    /// assert_eq!(x.sum_keepdim(&[-1]).shape(), &[2, 1]);
    /// ```
    #[doc(alias = "sum")]
    #[doc(alias = "reduce_sum")]
    #[track_caller]
    pub fn sum_dim(&self, dims: &[isize]) -> Variable<T> {
        self.sum_dim_with(dims, false)
    }

    /// [`Variable::sum_dim`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[doc(alias = "keepdim")]
    #[doc(alias = "keepdims")]
    #[track_caller]
    pub fn sum_keepdim(&self, dims: &[isize]) -> Variable<T> {
        self.sum_dim_with(dims, true)
    }

    #[track_caller]
    pub(super) fn sum_dim_with(&self, dims: &[isize], keepdim: bool) -> Variable<T> {
        Sum::over("sum", self.shape(), dims, keepdim).apply1(&[self])
    }

    /// The mean of all elements (`torch.mean`).
    #[track_caller]
    pub fn mean(&self) -> Variable<T> {
        self.mean_dim(&[])
    }

    /// The mean over axes `dims`, all if there are none (`torch.mean`).
    #[doc(alias = "mean")]
    #[doc(alias = "reduce_mean")]
    #[doc(alias = "average")]
    #[track_caller]
    pub fn mean_dim(&self, dims: &[isize]) -> Variable<T> {
        self.mean_dim_with(dims, false)
    }

    /// [`Variable::mean_dim`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn mean_keepdim(&self, dims: &[isize]) -> Variable<T> {
        self.mean_dim_with(dims, true)
    }

    #[track_caller]
    pub(super) fn mean_dim_with(&self, dims: &[isize], keepdim: bool) -> Variable<T> {
        Mean { sum: Sum::over("mean", self.shape(), dims, keepdim) }.apply1(&[self])
    }

    /// The sum over the axes along which `shape` broadcasts to this variable's shape: broadcasting undone.
    ///
    /// # Panics
    /// If `shape` does not broadcast to this one.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::<f32>::ones([4, 3])).sum_to([1, 3]).to_vec(), vec![4.0; 3]);
    /// ```
    #[doc(alias = "sum_to_size")]
    #[track_caller]
    pub fn sum_to(&self, shape: impl AsRef<[usize]>) -> Variable<T> {
        self.sum_to_dims(&Dims::from(shape.as_ref()))
    }

    #[track_caller]
    #[inline]
    pub(crate) fn sum_to_dims(&self, to: &Dims) -> Variable<T> {
        if self.dims() == to { self.clone() } else { self.sum_stretched(to) }
    }

    #[track_caller]
    fn sum_stretched(&self, to: &[usize]) -> Variable<T> {
        let own = self.shape();
        let extra = own.len().checked_sub(to.len());
        let fits = extra.is_some_and(|extra| to.iter().zip(&own[extra..]).all(|(&t, &s)| t == s || t == 1));
        assert!(fits, "sum_to: expected a shape that broadcasts to {own:?}, got {to:?}");
        let extra = extra.unwrap_or(0);
        let stretched = |&axis: &usize| axis < extra || (to[axis - extra] == 1 && own[axis] != 1);
        let axes = (0..own.len()).filter(stretched).collect();
        Sum { axes, to: Dims::from(to), keepdim: None }.apply1(&[self])
    }
}

/// Axes to reduce, and whether they stay.
pub(super) fn reduction(choose: &mut Choose<'_>, shape: &[usize]) -> Attributes {
    let axes = axes(choose, shape);
    Attributes::none().dims("dim", &axes).flag("keepdim", choose(2) == 1)
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        L::new(
            "Sum",
            &[Domain::Any],
            &|choose, shape| {
                let to = choose(4) == 3;
                let undone =
                    |choose: &mut Choose<'_>| Attributes::none().ints("to", &broadcastable(choose, shape));
                Fitted::one(shape, if to { undone(choose) } else { reduction(choose, shape) })
            },
            &|attributes, v| match attributes.get("to") {
                Some(_) => vec![v[0].sum_to(attributes.get_ints("to"))],
                None => vec![v[0].sum_dim_with(&attributes.get_ints("dim"), attributes.has_flag("keepdim"))],
            },
        ),
        L::new(
            "Mean",
            &[Domain::Any],
            &|choose, shape| Fitted::one(shape, reduction(choose, shape)),
            &|attributes, v| {
                vec![v[0].mean_dim_with(&attributes.get_ints("dim"), attributes.has_flag("keepdim"))]
            },
        ),
    ]
}
