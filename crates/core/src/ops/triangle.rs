//! Triangles of matrices.

use crate::tape::{Float, Variable};
use crate::tensor::{Element, Tensor};

impl<T: Float> Variable<T> {
    /// The elements on and below a diagonal of the last two axes, zeros above; diagonal 0 is the main one,
    /// 1 the one above it (`torch.tril`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.tril(0).to_vec(), vec![1.0, 0.0, 3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Variable<T> {
        self.masked_fill(&outside("tril", self.shape(), |row, column| column - row > diagonal), 0.0)
    }

    /// The elements on and above a diagonal of the last two axes, zeros below (`torch.triu`).
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Variable<T> {
        self.masked_fill(&outside("triu", self.shape(), |row, column| column - row < diagonal), 0.0)
    }
}

impl<T: Element> Tensor<T> {
    /// The elements on and below a diagonal of the last two axes, zeros above; diagonal 0 is the main one,
    /// 1 the one above it (`torch.tril`).
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let causal = Tensor::<bool>::ones([3, 3]).tril(0);
    /// assert_eq!(causal, Tensor::from([[true, false, false], [true, true, false], [true, true, true]]));
    /// ```
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Self {
        self.masked_fill(&outside("tril", self.shape(), |row, column| column - row > diagonal), 0)
    }

    /// The elements on and above a diagonal of the last two axes, zeros below; diagonal 0 is the main one,
    /// 1 the one above it (`torch.triu`).
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([[1i64, 2], [3, 4]]).triu(1).to_vec(), [0, 2, 0, 0]);
    /// ```
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Self {
        self.masked_fill(&outside("triu", self.shape(), |row, column| column - row < diagonal), 0)
    }
}

/// Where `falls_out` holds of row and column of the last two axes.
#[track_caller]
fn outside(operation: &str, shape: &[usize], falls_out: impl Fn(isize, isize) -> bool) -> Tensor<bool> {
    let &[.., rows, columns] = shape else {
        panic!("{operation}: expected at least two axes, got shape {shape:?}");
    };
    Tensor::from_fn([rows, columns], |i| falls_out((i / columns) as isize, (i % columns) as isize))
}
