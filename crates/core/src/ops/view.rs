//! Views of variables: no element is copied, and cotangents go back into the part that was viewed.

use crate::base::dims::Dims;
use crate::base::error::{Error, expect};
use crate::ops::registry::{Domain, Fitted, Listed, axis, broadcastable};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::record::record1;
use crate::tape::rule::{MatrixView, Rule};
use crate::tape::{Attribute, Attributes, Cotangents, Gradients, Saved};
use crate::tensor::parts::flattened;
use crate::tensor::{self, Region, Tensor};

/// Views of a part: their cotangents are added to that region, zero elsewhere.
macro_rules! part {
    ($name:ident { $($field:ident: $type:ty),* } $view:ident) => {
        struct $name { $($field: $type),* }

        impl $name {
            fn region(&self, base: &[usize]) -> Region {
                expect(Region::of(base, |axes| tensor::$view(axes, $(self.$field),*)))
            }

            #[track_caller]
            fn view<T: Float>(self, x: &Variable<T>) -> Variable<T> {
                let value = x.peek();
                let out = expect(value.$view($(self.$field),*));
                record1(self, &[x], &[&value], out)
            }
        }

        impl<T: Float> Rule<T> for $name {
            fn name(&self) -> &'static &'static str {
                &stringify!($name)
            }

            fn attributes(&self) -> Attributes {
                Attributes::none()$(.with(stringify!($field), (&self.$field).into()))*
            }

            fn pullback(
                &self,
                saved: &Saved<'_, T>,
                cotangents: &Cotangents<T>,
                gradients: &mut Gradients<'_, T>,
            ) {
                gradients.add_region(0, || self.region(&saved.input_dims(0)), cotangents.only().clone());
            }

            fn matrix_view(&self, base: &Dims) -> Option<MatrixView> {
                let region = self.region(base);
                (base.len() == 2 && region.shape.len() == 2).then_some(MatrixView::Part(region))
            }
        }
    };
}

part!(Select { dim: isize, index: usize } select);
part!(Narrow { dim: isize, start: usize, length: usize } narrow);
part!(Slice { dim: isize, start: usize, end: usize, step: usize } slice);

/// Views of the whole: their cotangents are viewed back.
macro_rules! whole {
    (
        $name:ident { $($field:ident: $type:ty),* };
        view($this:ident, $x:ident) $view:expr;
        back($g:ident, $shape:ident) $back:expr
        $(; matrix($v:ident, $base:ident) $matrix:expr)?
    ) => {
        struct $name { $($field: $type),* }

        impl $name {
            #[track_caller]
            fn view<T: Float>(self, x: &Variable<T>) -> Variable<T> {
                let value = x.peek();
                let out = {
                    let ($this, $x): (&Self, &Tensor<T>) = (&self, &value);
                    let _ = $this;
                    expect($view)
                };
                record1(self, &[x], &[&value], out)
            }
        }

        impl<T: Float> Rule<T> for $name {
            fn name(&self) -> &'static &'static str {
                &stringify!($name)
            }

            fn attributes(&self) -> Attributes {
                Attributes::none()$(.with(stringify!($field), (&self.$field).into()))*
            }

            fn pullback(
                &self,
                saved: &Saved<'_, T>,
                cotangents: &Cotangents<T>,
                gradients: &mut Gradients<'_, T>,
            ) {
                let ($this, $g, $shape) = (self, cotangents.only(), saved.input_dims(0));
                let _ = ($this, &$shape);
                gradients.add(0, $back);
            }

            $(fn matrix_view(&self, $base: &Dims) -> Option<MatrixView> {
                let $v = self;
                $matrix
            })?
        }
    };
}

whole!(
    Transpose { dim0: isize, dim1: isize };
    view(v, x) x.transpose(v.dim0, v.dim1);
    back(g, shape) g.transpose(v.dim0, v.dim1);
    matrix(v, base) (base.len() == 2 && (v.dim0 - v.dim1) % 2 != 0).then_some(MatrixView::Transposed)
);
whole!(
    Permute { dims: Vec<isize> };
    view(v, x) x.permute(&v.dims);
    back(g, shape) g.permute(&inverse(&v.dims))
);
whole!(Reshape { to: Dims }; view(v, x) x.reshape(&*v.to); back(g, shape) g.reshape(&*shape));
whole!(Expand { to: Dims }; view(v, x) x.expand(&v.to); back(g, shape) g.sum_to(&shape));
whole!(Squeeze { dim: isize }; view(v, x) x.squeeze(v.dim); back(g, shape) g.reshape(&*shape));
whole!(Unsqueeze { dim: isize }; view(v, x) x.unsqueeze(v.dim); back(g, shape) g.reshape(&*shape));
whole!(Contiguous {}; view(_v, x) Ok::<_, Error>(x.contiguous()); back(g, shape) g.clone());

fn inverse(dims: &[isize]) -> Vec<isize> {
    let rank = dims.len() as isize;
    let mut inverse = vec![0; dims.len()];
    dims.iter().enumerate().for_each(|(to, &from)| inverse[from.rem_euclid(rank) as usize] = to as isize);
    inverse
}

impl<T: Float> Variable<T> {
    /// The slice at `index` of axis `dim`, without that axis (`torch.select`).
    ///
    /// # Panics
    /// If there is no such axis or index.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0], [3.0, 4.0]])).requires_grad_(true);
    /// x.select(0, 1).sum().backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), vec![0.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "index")]
    #[track_caller]
    pub fn select(&self, dim: isize, index: usize) -> Variable<T> {
        Select { dim, index }.view(self)
    }

    /// `length` entries of axis `dim` from `start` on (`torch.narrow`).
    ///
    /// # Panics
    /// If there is no such axis, or `start + length` is beyond its extent.
    #[doc(alias = "slice_in_dim")]
    #[track_caller]
    pub fn narrow(&self, dim: isize, start: usize, length: usize) -> Variable<T> {
        Narrow { dim, start, length }.view(self)
    }

    /// Every `step`-th entry of axis `dim` from `start` to before `end` (`x[start:end:step]`).
    ///
    /// # Panics
    /// If there is no such axis, or `step` is 0.
    #[track_caller]
    pub fn slice(&self, dim: isize, start: usize, end: usize, step: usize) -> Variable<T> {
        Slice { dim, start, end, step }.view(self)
    }

    /// Axes `dim0` and `dim1` exchanged (`torch.transpose`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::<f32>::zeros([2, 3, 4])).transpose(0, -1).shape(), &[4, 3, 2]);
    /// ```
    #[doc(alias = "swapaxes")]
    #[doc(alias = "swapdims")]
    #[track_caller]
    pub fn transpose(&self, dim0: isize, dim1: isize) -> Variable<T> {
        Transpose { dim0, dim1 }.view(self)
    }

    /// The last two axes exchanged; a variable of fewer axes is itself.
    #[doc(alias = "T")]
    #[doc(alias = "mT")]
    #[doc(alias = "transpose_last")]
    #[track_caller]
    pub fn t(&self) -> Variable<T> {
        if self.rank() < 2 { self.clone() } else { self.transpose(-2, -1) }
    }

    /// The axes in the order `dims` (`torch.permute`).
    ///
    /// # Panics
    /// If `dims` does not name each axis once.
    #[doc(alias = "movedim")]
    #[doc(alias = "moveaxis")]
    #[track_caller]
    pub fn permute(&self, dims: &[isize]) -> Variable<T> {
        Permute { dims: dims.to_vec() }.view(self)
    }

    /// The elements in another shape (`torch.reshape`): a view where strides allow it, else a copy.
    ///
    /// # Panics
    /// If the number of elements would change.
    #[track_caller]
    pub fn reshape(&self, shape: impl AsRef<[usize]>) -> Variable<T> {
        if self.shape() == shape.as_ref() {
            return self.clone();
        }
        Reshape { to: Dims::from(shape.as_ref()) }.view(self)
    }

    /// The elements in another shape, under another name in PyTorch (`torch.Tensor.view`):
    /// [`Variable::reshape`], which copies where PyTorch's refuses.
    ///
    /// # Panics
    /// If the number of elements would change.
    #[track_caller]
    pub fn view(&self, shape: impl AsRef<[usize]>) -> Variable<T> {
        self.reshape(shape)
    }

    /// Axes `start_dim` to `end_dim`, both included, as one (`torch.flatten`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::<f32>::zeros([2, 3, 4]));
    /// assert_eq!((x.flatten(0, -1).shape(), x.flatten(1, 2).shape()), (&[24][..], &[2, 12][..]));
    /// ```
    #[doc(alias = "ravel")]
    #[track_caller]
    pub fn flatten(&self, start_dim: isize, end_dim: isize) -> Variable<T> {
        self.reshape(expect(flattened(self.shape(), start_dim, end_dim)))
    }

    /// The variable repeated along new leading axes and axes of extent 1, without copying (`torch.expand`).
    ///
    /// # Panics
    /// If the variable does not broadcast to `shape`.
    #[doc(alias = "broadcast_to")]
    #[track_caller]
    pub fn expand(&self, shape: impl AsRef<[usize]>) -> Variable<T> {
        if self.shape() == shape.as_ref() {
            return self.clone();
        }
        Expand { to: Dims::from(shape.as_ref()) }.view(self)
    }

    /// Axis `dim` removed if its extent is 1 (`torch.squeeze`).
    #[track_caller]
    pub fn squeeze(&self, dim: isize) -> Variable<T> {
        Squeeze { dim }.view(self)
    }

    /// A new axis of extent 1 before axis `dim`; -1 appends it (`torch.unsqueeze`).
    #[doc(alias = "expand_dims")]
    #[doc(alias = "newaxis")]
    #[track_caller]
    pub fn unsqueeze(&self, dim: isize) -> Variable<T> {
        Unsqueeze { dim }.view(self)
    }

    /// The value with its elements in row-major order, copied if they are not
    /// (`torch.Tensor.contiguous`).
    #[track_caller]
    pub fn contiguous(&self) -> Variable<T> {
        if self.peek().is_contiguous() { self.clone() } else { Contiguous {}.view(self) }
    }
}

/// Arguments of views, as data.
macro_rules! attribute {
    ($type:ty, |$value:ident| $attribute:expr) => {
        impl From<&$type> for Attribute {
            fn from($value: &$type) -> Self {
                $attribute
            }
        }
    };
}

attribute!(isize, |value| Attribute::Int(*value as i64));
attribute!(usize, |value| Attribute::Int(i64::try_from(*value).unwrap_or(i64::MAX)));
attribute!(Dims, |value| Attribute::Ints(value.iter().map(|&extent| extent as i64).collect()));
attribute!(Vec<isize>, |value| Attribute::Ints(value.iter().map(|&axis| axis as i64).collect()));

/// Another shape of as many elements.
fn reshaped(choose: &mut dyn FnMut(usize) -> usize, shape: &[usize]) -> Vec<usize> {
    let count = shape.iter().product();
    match choose(4) {
        0 => vec![count],
        1 if count % 2 == 0 => vec![2, count / 2],
        2 => [&[1], shape].concat(),
        _ => {
            let at = choose(shape.len() + 1);
            [shape[..at].iter().product(), shape[at..].iter().product()].to_vec()
        }
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    macro_rules! view {
        ($name:literal, |$choose:ident, $shape:ident| $attributes:expr, |$a:ident, $x:ident| $value:expr) => {
            L::new($name, &[Domain::Any], &|$choose, $shape| Fitted::one($shape, $attributes), &|$a, v| {
                let $x = v[0];
                vec![$value]
            })
            .exact()
        };
    }
    vec![
        view!(
            "Select",
            |choose, shape| {
                let axis = axis(choose, shape).filter(|&axis| shape[axis] > 0)?;
                Attributes::none().int("dim", axis as i64).int("index", choose(shape[axis]) as i64)
            },
            |a, x| x.select(a.get_int("dim"), a.get_int("index"))
        ),
        view!(
            "Narrow",
            |choose, shape| {
                let axis = axis(choose, shape)?;
                let start = choose(shape[axis] + 1);
                let length = choose(shape[axis] - start + 1);
                Attributes::none()
                    .int("dim", axis as i64)
                    .int("start", start as i64)
                    .int("length", length as i64)
            },
            |a, x| x.narrow(a.get_int("dim"), a.get_int("start"), a.get_int("length"))
        ),
        view!(
            "Slice",
            |choose, shape| {
                let axis = axis(choose, shape)?;
                let start = choose(shape[axis] + 1);
                let attributes = Attributes::none().int("dim", axis as i64).int("start", start as i64);
                attributes.int("end", shape[axis] as i64).int("step", choose(3) as i64 + 1)
            },
            |a, x| x.slice(a.get_int("dim"), a.get_int("start"), a.get_int("end"), a.get_int("step"))
        ),
        view!(
            "Transpose",
            |choose, shape| {
                let (dim0, dim1) = (axis(choose, shape)?, axis(choose, shape)?);
                Attributes::none().int("dim0", dim0 as i64).int("dim1", dim1 as i64)
            },
            |a, x| x.transpose(a.get_int("dim0"), a.get_int("dim1"))
        ),
        view!(
            "Permute",
            |choose, shape| {
                let mut dims: Vec<usize> = (0..shape.len()).collect();
                (1..dims.len()).for_each(|i| dims.swap(i, choose(i + 1)));
                Attributes::none().ints("dims", &dims)
            },
            |a, x| x.permute(&a.get_ints("dims"))
        ),
        view!(
            "Reshape",
            |choose, shape| Attributes::none().ints("to", &reshaped(choose, shape)),
            |attributes, x| x.reshape(attributes.get_ints("to"))
        ),
        L::new(
            "Expand",
            &[Domain::Any],
            &|choose, to| {
                let from = broadcastable(choose, to);
                Some(Fitted::new(vec![from], Attributes::none().ints("to", to)))
            },
            &|a, v| vec![v[0].expand(a.get_ints("to"))],
        ),
        view!(
            "Squeeze",
            |choose, shape| Attributes::none().int("dim", axis(choose, shape)? as i64),
            |a, x| x.squeeze(a.get_int("dim"))
        ),
        view!(
            "Unsqueeze",
            |choose, shape| Attributes::none().int("dim", choose(shape.len() + 1) as i64),
            |a, x| x.unsqueeze(a.get_int("dim"))
        ),
        view!("Contiguous", |_choose, shape| Attributes::none(), |_a, x| x.contiguous()),
    ]
}
