//! Products of vectors, and the bilinear form.

use crate::base::dims::product;
use crate::tape::{Float, Variable};

impl<T: Float> Variable<T> {
    /// The inner product of two vectors (`torch.dot`).
    ///
    /// # Panics
    /// If they are no vectors of one length.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0]));
    /// assert_eq!(x.dot(&x).item()?, 5.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn dot(&self, other: &Variable<T>) -> Variable<T> {
        let (a, b) = (self.shape(), other.shape());
        assert!(a.len() == 1 && a == b, "dot: expected two vectors of one length, got {a:?} and {b:?}");
        self.matmul(other)
    }

    /// The outer product of two vectors, `out[i][j] = self[i] other[j]` (`torch.outer`).
    ///
    /// # Panics
    /// If one is no vector.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0]));
    /// assert_eq!(x.outer(&x).to_vec(), vec![1.0, 2.0, 2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn outer(&self, other: &Variable<T>) -> Variable<T> {
        let (a, b) = (self.shape(), other.shape());
        assert!(a.len() == 1 && b.len() == 1, "outer: expected two vectors, got {a:?} and {b:?}");
        self.unsqueeze(1) * other
    }

    /// `out[.., o] = sum over i, j of self[.., i] weight[o, i, j] other[.., j] + bias[o]`
    /// (`torch.nn.functional.bilinear`).
    ///
    /// # Panics
    /// If the leading axes of the two inputs differ, or the weight is not (out, in1, in2).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let (x, y) = (Variable::new(Tensor::from([[1.0f32, 2.0]])), Variable::new(Tensor::from([[3.0f32]])));
    /// let weight = Variable::new(Tensor::from([[[10.0f32], [1.0]]]));
    /// assert_eq!(x.bilinear(&y, &weight, None).to_vec(), vec![36.0]);
    /// ```
    #[track_caller]
    pub fn bilinear(
        &self,
        other: &Variable<T>,
        weight: &Variable<T>,
        bias: Option<&Variable<T>>,
    ) -> Variable<T> {
        let (x, y, w) = (self.shape(), other.shape(), weight.shape());
        let fits = match (x.split_last(), y.split_last(), w) {
            (Some((i, before)), Some((j, beside)), [_, in1, in2]) => (before, i, j) == (beside, in1, in2),
            _ => false,
        };
        assert!(
            fits,
            "bilinear: expected (.., in1), (.., in2) and (out, in1, in2), got {x:?}, {y:?} and {w:?}"
        );
        let rows = product(&x[..x.len() - 1]);
        let (out, in1, in2) = (w[0], w[1], w[2]);
        let by_first = weight.transpose(0, 1).reshape([in1, product(&[out, in2])]);
        let left = self.reshape([rows, in1]).matmul(&by_first).reshape([rows, out, in2]);
        let product = left.matmul(&other.reshape([rows, in2, 1]));
        let product = product.reshape([&x[..x.len() - 1], &[out]].concat());
        match bias {
            Some(bias) => product + bias,
            None => product,
        }
    }
}
