//! Matrix products: 2-D, batched, with vectors, broadcasting.

use wengert_kernel::gemm::{MatMut, Start, gemm, gemm_like_packed, gemm_naive, gemm_packed};

use crate::base::dims::{self, Dims, OfTensor};
use crate::base::error::{Error, Result, expect};
use crate::base::mode::is_plain;
use crate::ops::registry::{Domain, Fitted, Listed, broadcastable};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants};
use crate::tensor::packs::{Packed, pack_of};
use crate::tensor::{Matrix, Tensor};

/// A product; a vector is a row on the left and a column on the right.
struct MatMul {
    row: bool,
    column: bool,
}

/// `out <- a b + start` for matrices, with a pack of `b` if it comes again and again.
pub(super) fn multiply<T: Float>(a: Matrix<'_, T>, b: Matrix<'_, T>, start: Start<'_, T>, out: &mut [T]) {
    let ([m, _], [_, n]) = (a.extents, b.extents);
    let c = MatMut::rows(out, m, n);
    if is_plain() {
        return gemm_naive(a.at(0), b.at(0), start, c);
    }
    match pack_of(m, b) {
        Packed::Pack(pack) => gemm_packed(a.at(0), pack.in_order(), start, c),
        Packed::Fixed(pack) => gemm_packed(a.at(0), pack.in_order(), start, c),
        Packed::NotYet => gemm_like_packed(a.at(0), b.at(0), start, c),
        Packed::Never => gemm(a.at(0), b.at(0), start, c),
    }
}

/// The operands as matrices: a vector is a row on the left and a column on the right.
fn promoted<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Result<(Tensor<T>, Tensor<T>)> {
    let misfit = || {
        Error::shape(
            "matmul",
            format!("a right operand that fits {:?}", a.shape()),
            format!("{:?}", b.shape()),
        )
    };
    if a.rank() == 0 || b.rank() == 0 {
        return Err(misfit());
    }
    let left = if a.rank() == 1 { a.unsqueeze(0)? } else { a.clone() };
    let right = if b.rank() == 1 { b.unsqueeze(1)? } else { b.clone() };
    let inner = (left.shape()[left.rank() - 1], right.shape()[right.rank() - 2]);
    if inner.0 == inner.1 { Ok((left, right)) } else { Err(misfit()) }
}

/// Whether both are matrices, the common case, and fit.
fn fit_as_they_are<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> bool {
    a.rank() == 2 && b.rank() == 2 && a.shape()[1] == b.shape()[0]
}

/// The product's shape without the axes that promoted vectors got.
fn demoted(mut shape: Dims, a_rank: usize, b_rank: usize) -> Dims {
    if b_rank == 1 {
        shape.remove(shape.len() - 1);
    }
    if a_rank == 1 {
        let row = shape.len() - if b_rank == 1 { 1 } else { 2 };
        shape.remove(row);
    }
    shape
}

/// `a` as one tall matrix, if its rows lie at one distance from each other.
fn tall<T: Float>(a: &Tensor<T>) -> Result<Tensor<T>> {
    let k = a.shape()[a.rank() - 1];
    a.reshape([dims::product(&a.shape()[..a.rank() - 1]), k])
}

/// The product of promoted operands.
fn product<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>> {
    let (m, k, n) = (a.shape()[a.rank() - 2], a.shape()[a.rank() - 1], b.shape()[b.rank() - 1]);
    if b.rank() == 2 && a.rank() > 2 {
        let mut shape = a.dims().clone();
        let last = shape.len() - 1;
        shape[last] = n;
        let shape = shape.sized("matmul")?;
        return product(&tall(a)?, b)?.reshape(&*shape);
    }
    if a.rank() == 2 && b.rank() == 2 {
        let write = |out: &mut [T]| multiply(Matrix::of(a), Matrix::of(b), Start::Zero, out);
        return Tensor::create("matmul", &[m, n][..], write);
    }
    let batch = dims::broadcast("matmul", &a.shape()[..a.rank() - 2], &b.shape()[..b.rank() - 2])?;
    let full =
        |x: &Tensor<T>, rows, cols| x.expand(&batch.iter().copied().chain([rows, cols]).collect::<Dims>());
    let (a, b) = (full(a, m, k)?, full(b, k, n)?);
    let shape: Dims = batch.iter().copied().chain([m, n]).collect();
    Tensor::create("matmul", shape, |out| {
        if out.is_empty() {
            return;
        }
        let gemm = if is_plain() { gemm_naive } else { gemm };
        for (i, out) in out.chunks_exact_mut(m * n).enumerate() {
            gemm(Matrix::of(&a).at(i), Matrix::of(&b).at(i), Start::Zero, MatMut::rows(out, m, n));
        }
    })
}

impl<T: Float> Operation<T> for MatMul {
    const NAME: &'static str = "MatMul";

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        if fit_as_they_are(inputs[0], inputs[1]) {
            return [expect(product(inputs[0], inputs[1]))].into();
        }
        let (a, b) = expect(promoted(inputs[0], inputs[1]));
        let out = expect(product(&a, &b));
        let shape = demoted(out.dims().clone(), inputs[0].rank(), inputs[1].rank());
        [expect(out.reshape(&*shape))].into()
    }

    fn saves(&self, wants: Wants) -> Saves {
        saves_of_product(wants)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let (row, column) = (self.row, self.column);
        let g = cotangents.only();
        let g = if row { g.unsqueeze(if column { -1 } else { -2 }) } else { g.clone() };
        let g = if column { g.unsqueeze(-1) } else { g };
        if gradients.wants(0) {
            let b = if column { saved.input(1).unsqueeze(1) } else { saved.input(1) };
            if !row && gradients.is_leaf(0) && saved.input_dims(0).len() == 2 && b.rank() == 2 {
                gradients.add_product(0, g.t(), b.t());
            } else {
                let mut shape = saved.input_dims(0);
                let own = shape.clone();
                if row {
                    shape.insert(0, 1);
                }
                gradients.comes_from_product(0);
                gradients.add(0, g.matmul(&b.t()).sum_to_dims(&shape).reshape(own));
            }
        }
        if gradients.wants(1) {
            let a = if row { saved.input(0).unsqueeze(0) } else { saved.input(0) };
            let mut shape = saved.input_dims(1);
            let own = shape.clone();
            if column {
                shape.push(1);
            }
            if shape.len() == 2 && !column {
                // A matrix shared by a batch: one product over all its rows.
                gradients.add_product(1, rows(&a), rows(&g));
            } else {
                gradients.add(1, a.t().matmul(&g).sum_to_dims(&shape).reshape(own));
            }
        }
    }
}

/// Each factor's cotangent needs the other factor.
pub(super) fn saves_of_product(wants: Wants) -> Saves {
    let saves = if wants.input(1) { Saves::NOTHING.and_input(0) } else { Saves::NOTHING };
    if wants.input(0) { saves.and_input(1) } else { saves }
}

/// All but the last axis as one.
#[track_caller]
pub(super) fn rows<T: Float>(x: &Variable<T>) -> Variable<T> {
    let width = x.shape()[x.rank() - 1];
    x.reshape([dims::product(&x.shape()[..x.rank() - 1]), width])
}

impl<T: Float> Variable<T> {
    /// The matrix product (`torch.matmul`): (.., m, k) by (.., k, n) gives (.., m, n), leading axes
    /// broadcast; a vector is a row on the left and a column on the right, and its axis goes.
    ///
    /// # Panics
    /// If the inner extents differ or the leading axes don't broadcast.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let a = Variable::new(Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
    /// let v = Variable::new(Tensor::from([1.0f32, 10.0]));
    /// assert_eq!(a.matmul(&v).to_vec(), vec![21.0, 43.0]);
    /// assert_eq!(a.matmul(&a.t()).to_vec(), vec![5.0, 11.0, 11.0, 25.0]);
    /// ```
    #[doc(alias = "mm")]
    #[doc(alias = "bmm")]
    #[doc(alias = "einsum")]
    #[track_caller]
    pub fn matmul(&self, other: &Variable<T>) -> Variable<T> {
        let (a, b) = (self.peek(), other.peek());
        if !fit_as_they_are(&a, &b) {
            expect(promoted(&a, &b));
        }
        drop((a, b));
        MatMul { row: self.rank() == 1, column: other.rank() == 1 }.apply1(&[self, other])
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![L::new(
        "MatMul",
        &[Domain::Any],
        &|choose, shape| {
            let (&inner, leading) = shape.split_last()?;
            let columns = [1, 2, 3, 5, 16, 33, 0][choose(7)];
            let right = match choose(5) {
                0 => vec![inner],
                1 if leading.len() > 1 => {
                    let mut batch = broadcastable(choose, &leading[..leading.len() - 1]);
                    batch.extend([inner, columns]);
                    batch
                }
                2 => vec![2, inner, columns],
                _ => vec![inner, columns],
            };
            // A batch of two stands beside one of two, of one, or none.
            let batch = leading.len().checked_sub(1).map_or(&[][..], |last| &leading[..last]);
            let fits = right.len() < 3
                || right.len() > batch.len() + 2
                || right[..right.len() - 2]
                    .iter()
                    .rev()
                    .zip(batch.iter().rev())
                    .all(|(a, b)| a == b || *a == 1 || *b == 1);
            fits.then(|| Fitted::new(vec![shape.to_vec(), right], Attributes::none()))
        },
        &|_, v| vec![v[0].matmul(v[1])],
    )]
}
