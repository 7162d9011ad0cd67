//! Products, and what models are made of beside them.

use super::functions;
use crate::base::error::Result;
use crate::base::mode::unrecorded;
use crate::ops::operands::constant;
use crate::tape::{Float, Variable};
use crate::tensor::Tensor;

functions! {
    /// The matrix product (`torch.matmul`): (.., m, k) by (.., k, n) gives (.., m, n), leading axes
    /// broadcast; a vector is a row on the left and a column on the right, and its axis goes.
    ///
    /// # Panics
    /// If the inner extents differ or the leading axes don't broadcast.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (a, b) = (Tensor::from([[1.0f32, 2.0]]), Tensor::from([[3.0f32], [4.0]]));
    /// assert_eq!((&a.matmul(&b) * 2 - 1.0).to_vec(), [21.0]);
    /// ```
    #[doc(alias = "mm")]
    #[doc(alias = "bmm")]
    matmul()[other];
    /// The inner product of two vectors, a scalar (`torch.dot`).
    ///
    /// # Panics
    /// If they are no vectors of one length.
    dot()[other];
    /// The outer product of two vectors, `out[i][j] = self[i] other[j]` (`torch.outer`).
    ///
    /// # Panics
    /// If one is no vector.
    outer()[other];
    /// Rows of this matrix (V, D) at the indices: shape of the index, then D
    /// (`torch.nn.functional.embedding`).
    ///
    /// # Panics
    /// If this is no matrix, or an index lies outside 0..V.
    #[doc(alias = "lookup")]
    embedding(index: &Tensor<i64>);
    /// A copy with each element of `source` added at the place that its index points to along axis `dim`:
    /// `out[index[i][j]][j] += source[i][j]` for axis 0 (`torch.scatter_add`). Elements of `source` beyond
    /// the index's extents are not used.
    ///
    /// # Panics
    /// If the index or the source has another rank, the index is longer than this tensor along another axis
    /// or than the source along any, or points outside.
    scatter_add(dim: isize, index: &Tensor<i64>)[source];
}

impl<T: Float> Tensor<T> {
    /// The linear recurrence `y_t = a_t y_(t-1) + b_t` along axis `dim`, from `y_(-1) = 0`; `self` is `a`.
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (a, b) = (Tensor::from([0.5f32, 0.5, 0.5]), Tensor::from([4.0f32, 0.0, 1.0]));
    /// assert_eq!(a.linear_scan(&b, 0).to_vec(), [4.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn linear_scan(&self, b: &Tensor<T>, dim: isize) -> Tensor<T> {
        let _unrecorded = unrecorded();
        constant(self).linear_scan(&constant(b), dim).value()
    }

    /// `x W^T + b` (`torch.nn.functional.linear`): x of shape (.., in), W (out, in), b any shape that
    /// broadcasts to the result (.., out).
    ///
    /// # Panics
    /// If the shapes don't fit.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (x, w) = (Tensor::from([[1.0f32, 2.0]]), Tensor::from([[1.0f32, 1.0], [0.0, 1.0]]));
    /// assert_eq!(x.linear(&w, Some(&Tensor::from([0.5f32, 0.0]))).to_vec(), [3.5, 2.0]);
    /// ```
    #[doc(alias = "dense")]
    #[doc(alias = "addmm")]
    #[track_caller]
    pub fn linear(&self, weight: &Tensor<T>, bias: Option<&Tensor<T>>) -> Tensor<T> {
        let _unrecorded = unrecorded();
        let bias = bias.map(constant);
        constant(self).linear(&constant(weight), bias.as_ref()).value()
    }

    /// `out[.., o] = sum over i, j of self[.., i] weight[o, i, j] other[.., j] + bias[o]`
    /// (`torch.nn.functional.bilinear`).
    ///
    /// # Panics
    /// If the leading axes of the two inputs differ, or the weight is not (out, in1, in2).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (x, y) = (Tensor::from([[1.0f32, 2.0]]), Tensor::from([[3.0f32]]));
    /// assert_eq!(x.bilinear(&y, &Tensor::from([[[10.0f32], [1.0]]]), None).to_vec(), [36.0]);
    /// ```
    #[track_caller]
    pub fn bilinear(&self, other: &Tensor<T>, weight: &Tensor<T>, bias: Option<&Tensor<T>>) -> Tensor<T> {
        let _unrecorded = unrecorded();
        let bias = bias.map(constant);
        constant(self).bilinear(&constant(other), &constant(weight), bias.as_ref()).value()
    }

    /// The tensor normalised over the last axes, which `weight` and `bias` (ones and zeros if none) span:
    /// `(x - E[x]) / sqrt(Var[x] + eps) * weight + bias`, the variance biased
    /// (`torch.nn.functional.layer_norm`).
    ///
    /// # Panics
    /// If `normalized_shape`, the weight's or the bias's shape is not that of the last axes.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([[1.0f64, 3.0]]).layer_norm(&[2], None, None, 0.0).to_vec(), [-1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: &[usize],
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        eps: f64,
    ) -> Tensor<T> {
        let _unrecorded = unrecorded();
        let [weight, bias] = [weight, bias].map(|affine| affine.map(constant));
        constant(self).layer_norm(normalized_shape, weight.as_ref(), bias.as_ref(), eps).value()
    }

    /// `-ln softmax(x)[target]` of each row of the last axis; 0, whatever is in the row, where the target is
    /// `ignored` (`torch.nn.functional.cross_entropy` with `reduction="none"`).
    ///
    /// # Errors
    /// If the targets' shape is not this one's without the last axis, there are no classes, or a target is
    /// no class.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let logits = Tensor::from([[0.0f64, 0.0], [1000.0, 0.0], [5.0, 3.0]]);
    /// let losses = logits.cross_entropy(&Tensor::from([0i64, 1, -1]), -1)?;
    /// assert_eq!(losses.to_vec(), [2f64.ln(), 1000.0, 0.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "sparse_softmax_cross_entropy")]
    #[track_caller]
    pub fn cross_entropy(&self, targets: &Tensor<i64>, ignored: i64) -> Result<Tensor<T>> {
        let _unrecorded = unrecorded();
        constant(self).cross_entropy(targets, ignored).map(|losses: Variable<T>| losses.value())
    }
}
