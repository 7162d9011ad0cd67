//! Triangles of matrices.

use crate::tape::{Float, Variable};
use crate::tensor::Tensor;

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
        self.without("tril", |row, column| column - row > diagonal)
    }

    /// The elements on and above a diagonal of the last two axes, zeros below (`torch.triu`).
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Variable<T> {
        self.without("triu", |row, column| column - row < diagonal)
    }

    /// Zeros where `falls_out` holds of row and column.
    #[track_caller]
    fn without(&self, operation: &str, falls_out: impl Fn(isize, isize) -> bool) -> Variable<T> {
        let &[.., rows, columns] = self.shape() else {
            panic!("{operation}: expected at least two axes, got shape {:?}", self.shape());
        };
        let out = |i: usize| falls_out((i / columns) as isize, (i % columns) as isize);
        self.masked_fill(&Tensor::from_fn([rows, columns], out), 0.0)
    }
}
