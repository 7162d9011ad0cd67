//! Choosing elements by index, and adding to chosen places.

use crate::base::dims::{Dims, OfTensor, axis_of, product};
use crate::base::error::{Error, Result, expect};
use crate::ops::registry::{Choose, Domain, Fitted, Listed, axis, indices};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tensor::Element;
use crate::tensor::memory;
use crate::tensor::{IndexSelect, Indices, Region, Tensor, checked_indices, narrow};

/// The adjoint of [`IndexSelect`]: slices added to those places of zeros of the shape `to`.
struct IndexAdd {
    axis: usize,
    index: Indices,
    to: Dims,
}

impl<T: Float> Operation<T> for IndexSelect {
    const NAME: &'static str = "IndexSelect";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32).indices("index", self.index.tensor())
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [self.of(inputs[0])].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let adjoint = IndexAdd { axis: self.axis, index: self.index.clone(), to: saved.input_dims(0) };
        gradients.add(0, adjoint.apply1(&[cotangents.only()]));
    }
}

impl<T: Float> Operation<T> for IndexAdd {
    const NAME: &'static str = "IndexAdd";

    fn attributes(&self) -> Attributes {
        let attributes =
            Attributes::none().int("dim", self.axis as u32).indices("index", self.index.tensor());
        attributes.ints("to", &self.to)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let x = inputs[0].contiguous();
        let (extent, inner) = (self.to[self.axis], product(&self.to[self.axis + 1..]));
        let source = x.in_order();
        let out = Tensor::build(self.to.clone(), |out| {
            out.fill(T::ZERO);
            for (n, row) in source.chunks_exact(inner.max(1)).enumerate() {
                let (outer, place) = (n / self.index.len(), self.index.at(n % self.index.len()));
                let start = (outer * extent + place) * inner;
                out[start..start + inner].iter_mut().zip(row).for_each(|(y, &x)| *y = *y + x);
            }
        });
        [out].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let adjoint = IndexSelect { axis: self.axis, index: self.index.clone(), to: saved.input_dims(0) };
        gradients.add(0, adjoint.apply1(&[cotangents.only()]));
    }
}

/// Where each entry of `index` points to in a row-major tensor of shape `base`, its own place but along
/// `axis`.
fn pointed(operation: &'static str, base: &[usize], axis: usize, index: &Tensor<i64>) -> Result<Vec<usize>> {
    let others_fit = index.rank() == base.len()
        && index.shape().iter().zip(base).enumerate().all(|(a, (i, b))| a == axis || i <= b);
    if !others_fit {
        let expected = format!("an index that fits {base:?} but along axis {axis}");
        return Err(Error::shape(operation, expected, format!("{:?}", index.shape())));
    }
    let strides = Dims::from(base).row_major();
    let mut at = vec![0; base.len()];
    let indices = checked_indices(operation, index, base[axis])?;
    let mut places = memory::vec_of(indices.len());
    places.extend(indices.iter());
    for place in &mut places {
        let along: usize = at
            .iter()
            .zip(strides.iter())
            .enumerate()
            .filter(|(a, _)| *a != axis)
            .map(|(_, (i, s))| i * s)
            .sum();
        *place = along + *place * strides[axis];
        advance(&mut at, index.shape());
    }
    Ok(places)
}

/// The next index in row-major order.
fn advance(at: &mut [usize], shape: &[usize]) {
    for axis in (0..at.len()).rev() {
        at[axis] += 1;
        if at[axis] < shape[axis] {
            return;
        }
        at[axis] = 0;
    }
}

/// `out[i][j].. = x[index[i][j]..][j]..`: each entry of `index` picks along `axis`.
pub(super) fn gathered<T: Element>(x: &Tensor<T>, axis: usize, index: &Tensor<i64>) -> Result<Tensor<T>> {
    let places = pointed("gather", x.shape(), axis, index)?;
    let source = x.contiguous();
    let source = source.in_order();
    Ok(Tensor::from_fn(index.shape(), |n| source[places[n]]))
}

struct Gather {
    axis: usize,
    index: Tensor<i64>,
}

impl<T: Float> Operation<T> for Gather {
    const NAME: &'static str = "Gather";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32).indices("index", &self.index)
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [expect(gathered(inputs[0], self.axis, &self.index))].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let zeros = Variable::from(Tensor::zeros(saved.input_shape(0)));
        gradients.add(0, zeros.scatter_add(self.axis as isize, &self.index, cotangents.only()));
    }
}

struct ScatterAdd {
    axis: usize,
    index: Tensor<i64>,
}

impl<T: Float> Operation<T> for ScatterAdd {
    const NAME: &'static str = "ScatterAdd";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32).indices("index", &self.index)
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let (base, source) = (inputs[0], inputs[1]);
        let places = expect(pointed("scatter_add", base.shape(), self.axis, &self.index));
        if source.rank() != base.rank() {
            let expected = format!("a source of rank {}", base.rank());
            expect(Err(Error::shape("scatter_add", expected, format!("{:?}", source.shape()))))
        }
        let region = self
            .index
            .shape()
            .iter()
            .enumerate()
            .try_fold(source.clone(), |part, (axis, &extent)| part.narrow(axis as isize, 0, extent));
        let source = expect(region).contiguous();
        let mut out = base.copy();
        let sums = out.fresh_mut();
        places.iter().zip(source.in_order()).for_each(|(&place, &x)| sums[place] = sums[place] + x);
        [out].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, cotangents.only().clone());
        if gradients.wants(1) {
            let picked = cotangents.only().gather(self.axis as isize, &self.index);
            gradients.add(1, picked.padded_to(&saved.input_shape(1)));
        }
    }
}

impl<T: Float> Variable<T> {
    /// Slices of axis `dim` at the indices of a 1-D tensor (`torch.index_select`).
    ///
    /// # Panics
    /// If an index lies outside the axis.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0, 3.0]]));
    /// assert_eq!(x.index_select(1, &Tensor::from([2i64, 2, 0])).to_vec(), vec![3.0, 3.0, 1.0]);
    /// ```
    #[doc(alias = "take")]
    #[track_caller]
    pub fn index_select(&self, dim: isize, index: &Tensor<i64>) -> Variable<T> {
        expect(IndexSelect::new(self.shape(), dim, index)).apply1(&[self])
    }

    /// Rows of this matrix (V, D) at the indices: shape of the index, then D
    /// (`torch.nn.functional.embedding`).
    ///
    /// # Panics
    /// If this is no matrix, or an index lies outside 0..V.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let weight = Variable::new(Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
    /// assert_eq!(weight.embedding(&Tensor::from([[1i64], [0]])).shape(), &[2, 1, 2]);
    /// ```
    #[doc(alias = "lookup")]
    #[track_caller]
    pub fn embedding(&self, index: &Tensor<i64>) -> Variable<T> {
        assert!(self.rank() == 2, "embedding: expected a weight of shape (V, D), got {:?}", self.shape());
        let mut to = Dims::from(index.shape());
        to.push(self.shape()[1]);
        let to = expect(to.sized("embedding"));
        let index = expect(checked_indices("embedding", index, self.shape()[0]));
        IndexSelect { axis: 0, index, to }.apply1(&[self])
    }

    /// `out[i][j] = self[index[i][j]][j]` for axis 0, and so on: each index picks along axis `dim`
    /// (`torch.gather`).
    ///
    /// # Panics
    /// If the index has another rank, is longer than this variable along another axis, or points outside.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.gather(1, &Tensor::from([[0i64], [1]])).to_vec(), vec![1.0, 4.0]);
    /// ```
    #[doc(alias = "take_along_dim")]
    #[doc(alias = "take_along_axis")]
    #[track_caller]
    pub fn gather(&self, dim: isize, index: &Tensor<i64>) -> Variable<T> {
        let axis = expect(axis_of("gather", dim, self.rank()));
        Gather { axis, index: index.clone() }.apply1(&[self])
    }

    /// A copy with each element of `source` added at the place that its index points to along axis `dim`:
    /// `out[index[i][j]][j] += source[i][j]` for axis 0 (`torch.scatter_add`). Elements of `source` beyond
    /// the index's extents are not used.
    ///
    /// # Panics
    /// If the index or the source has another rank, the index is longer than this variable along another axis
    /// or than the source along any, or points outside.
    #[track_caller]
    pub fn scatter_add(&self, dim: isize, index: &Tensor<i64>, source: &Variable<T>) -> Variable<T> {
        let axis = expect(axis_of("scatter_add", dim, self.rank()));
        ScatterAdd { axis, index: index.clone() }.apply1(&[self, source])
    }

    /// Zeros appended along each axis up to `shape`.
    #[track_caller]
    fn padded_to(&self, shape: &[usize]) -> Variable<T> {
        if self.shape() == shape {
            return self.clone();
        }
        let leading = Region::of(shape, |axes| {
            let mut extents = self.shape().iter().enumerate();
            extents.try_for_each(|(axis, &extent)| narrow(axes, axis as isize, 0, extent))
        });
        super::region::Embed::one(expect(leading)).apply1(&[self])
    }
}

/// An axis with elements, and some of its places, now and then the same one twice.
fn places(choose: &mut Choose<'_>, shape: &[usize]) -> Option<(usize, Tensor<i64>)> {
    let axis = axis(choose, shape).filter(|&axis| shape[axis] > 0)?;
    let count = choose(4);
    Some((axis, indices(choose, &[count], shape[axis])))
}

/// An axis, and an index that picks along it from a tensor of this shape.
fn picks(choose: &mut Choose<'_>, shape: &[usize]) -> Option<(usize, Tensor<i64>)> {
    let axis = axis(choose, shape).filter(|&axis| shape[axis] > 0)?;
    let mut index = shape.to_vec();
    index[axis] = choose(4);
    Some((axis, indices(choose, &index, shape[axis])))
}

/// Slices added to places of zeros, arguments checked.
#[track_caller]
fn index_add<T: Float>(x: &Variable<T>, axis: usize, index: &Tensor<i64>, to: &[usize]) -> Variable<T> {
    assert!(axis < to.len(), "index_add: dim must be below {}, got {axis}", to.len());
    let expected = [&to[..axis], index.shape(), &to[axis + 1..]].concat();
    assert_eq!(
        x.shape(),
        expected,
        "index_add: the shape of slices at an index {:?} of {to:?}",
        index.shape()
    );
    let index = expect(checked_indices("index_add", index, to[axis]));
    IndexAdd { axis, index, to: Dims::from(to) }.apply1(&[x])
}

impl<T: Element> Tensor<T> {
    /// `out[i][j] = self[index[i][j]][j]` for axis 0, and so on: each index picks along axis `dim`
    /// (`torch.gather`).
    ///
    /// # Panics
    /// If the index has another rank, is longer than this tensor along another axis, or points outside.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([[1i64, 2], [3, 4]]);
    /// assert_eq!(x.gather(1, &Tensor::from([[0i64], [1]])).to_vec(), [1, 4]);
    /// ```
    #[doc(alias = "take_along_dim")]
    #[doc(alias = "take_along_axis")]
    #[track_caller]
    pub fn gather(&self, dim: isize, index: &Tensor<i64>) -> Self {
        expect(axis_of("gather", dim, self.rank()).and_then(|axis| gathered(self, axis, index)))
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        L::new(
            "IndexSelect",
            &[Domain::Any],
            &|choose, shape| {
                let (axis, mut index) = places(choose, shape)?;
                if axis == 0 && shape.len() == 2 && choose(2) == 1 {
                    index = indices(choose, &[2, 2], shape[0]);
                }
                Fitted::one(shape, Attributes::none().int("dim", axis as i64).indices("index", &index))
            },
            &|attributes, v| match attributes.get_indices("index") {
                index if index.rank() == 1 => vec![v[0].index_select(attributes.get_int("dim"), index)],
                index => vec![v[0].embedding(index)],
            },
        )
        .exact(),
        L::new(
            "IndexAdd",
            &[Domain::Any],
            &|choose, shape| {
                let axis = axis(choose, shape)?;
                let mut to = shape.to_vec();
                to[axis] = choose(3) + 1;
                let index = indices(choose, &shape[axis..=axis], to[axis]);
                let attributes = Attributes::none().int("dim", axis as i64).indices("index", &index);
                Fitted::one(shape, attributes.ints("to", &to))
            },
            &|attributes, v| {
                let (axis, to) = (attributes.get_int("dim"), attributes.get_ints("to"));
                vec![index_add(v[0], axis, attributes.get_indices("index"), &to)]
            },
        ),
        L::new(
            "Gather",
            &[Domain::Any],
            &|choose, shape| {
                let (axis, index) = picks(choose, shape)?;
                Fitted::one(shape, Attributes::none().int("dim", axis as i64).indices("index", &index))
            },
            &|attributes, v| vec![v[0].gather(attributes.get_int("dim"), attributes.get_indices("index"))],
        )
        .exact(),
        L::new(
            "ScatterAdd",
            &[Domain::Any],
            &|choose, shape| {
                let (axis, index) = picks(choose, shape)?;
                let mut source = index.shape().to_vec();
                source[axis] += choose(2);
                let attributes = Attributes::none().int("dim", axis as i64).indices("index", &index);
                Some(Fitted::new(vec![shape.to_vec(), source], attributes))
            },
            &|attributes, v| {
                vec![v[0].scatter_add(attributes.get_int("dim"), attributes.get_indices("index"), v[1])]
            },
        )
        .exact(),
    ]
}
