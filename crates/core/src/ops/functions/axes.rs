//! Functions of the elements along axes: statistics and softmax.

use super::functions;
use crate::base::mode::unrecorded;
use crate::ops::operands::constant;
use crate::tape::Float;
use crate::tensor::Tensor;

functions! {
    /// The mean of all elements, a scalar (`torch.mean`).
    mean();
    /// The mean over axes `dims`, which go; all if there are none (`torch.mean`).
    #[doc(alias = "mean")]
    #[doc(alias = "reduce_mean")]
    #[doc(alias = "average")]
    mean_dim(dims: &[isize]);
    /// The mean over axes `dims`, which stay with extent 1; all if there are none (`torch.mean` with
    /// `keepdim=True`).
    mean_keepdim(dims: &[isize]);
    /// The variance over axes `dims`, which go; all if there are none: the sum of squared distances from the
    /// mean over `n - correction` (`torch.var`, whose default correction is 1).
    #[doc(alias = "var")]
    var_dim(dims: &[isize], correction: usize);
    /// The variance over axes `dims`, which stay with extent 1; all if there are none: the sum of squared
    /// distances from the mean over `n - correction` (`torch.var` with `keepdim=True`).
    var_keepdim(dims: &[isize], correction: usize);
    /// The standard deviation over axes `dims`, which go; all if there are none: the square root of
    /// [`Tensor::var_dim`] (`torch.std`).
    #[doc(alias = "std")]
    std_dim(dims: &[isize], correction: usize);
    /// The standard deviation over axes `dims`, which stay with extent 1; all if there are none: the square
    /// root of [`Tensor::var_keepdim`] (`torch.std` with `keepdim=True`).
    std_keepdim(dims: &[isize], correction: usize);
    /// The p-norm `(sum |x|^p)^(1/p)` over axes `dims`, which go; all if there are none: the largest size for
    /// an infinite `p`, the smallest for a negative infinite one, the number of elements that are not 0 for 0
    /// (`torch.linalg.vector_norm`).
    #[doc(alias = "vector_norm")]
    #[doc(alias = "linalg_norm")]
    norm(p: f64, dims: &[isize]);
    /// The p-norm over axes `dims`, which stay with extent 1; all if there are none
    /// (`torch.linalg.vector_norm` with `keepdim=True`).
    norm_keepdim(p: f64, dims: &[isize]);

    /// `exp(x) / sum exp(x)` along axis `dim`, for numbers of any size (`torch.softmax`).
    softmax(dim: isize);
    /// `softmax(-x)` along axis `dim`: the smallest gets most (`torch.nn.functional.softmin`).
    softmin(dim: isize);
    /// `x - ln(sum exp(x))` along axis `dim`; numbers of any size keep their differences
    /// (`torch.log_softmax`).
    log_softmax(dim: isize);
    /// `ln(sum exp(x))` along axis `dim`, which goes (`torch.logsumexp`).
    logsumexp(dim: isize);
    /// `ln(sum exp(x))` along axis `dim`, which stays with extent 1 (`torch.logsumexp` with `keepdim=True`).
    logsumexp_keepdim(dim: isize);
    /// `a sigmoid(b)` for the two halves `a` and `b` of axis `dim` (`torch.nn.functional.glu`, whose default
    /// is -1).
    ///
    /// # Panics
    /// If the axis has an odd extent.
    glu(dim: isize);
}

impl<T: Float> Tensor<T> {
    /// The sum over the axes along which `shape` broadcasts to this tensor's shape: broadcasting undone
    /// (`torch.Tensor.sum_to_size`).
    ///
    /// # Panics
    /// If `shape` does not broadcast to this one.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::<f32>::ones([4, 3]).sum_to([1, 3]).to_vec(), [4.0; 3]);
    /// ```
    #[doc(alias = "sum_to_size")]
    #[track_caller]
    pub fn sum_to(&self, shape: impl AsRef<[usize]>) -> Tensor<T> {
        let _unrecorded = unrecorded();
        constant(self).sum_to(shape).value()
    }
}
