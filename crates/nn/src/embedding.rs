//! A table of vectors.

use std::fmt;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};

use crate::line::answered;
use crate::module;
use crate::watch::Watch;

/// Rows of a table by index (`torch.nn.Embedding`): indices of any shape, output that shape with the rows'
/// width behind.
///
/// Parameter: `weight` (entries, width) from N(0, 1). The row of `padding_idx` starts at zero and gets no
/// gradient.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::Embedding;
/// let embedding = Embedding::new(10, 3)?;
/// assert_eq!(embedding.forward(&Tensor::from([[1i64, 2], [4, 9]]))?.shape(), &[2, 2, 3]);
/// let error = embedding.forward(&Tensor::from([10i64])).unwrap_err();
/// assert_eq!(error.to_string(), "Embedding: every index must be in 0..10, got 10");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Embedding<T: Float = f32> {
    /// The table (entries, width).
    pub weight: Parameter<T>,
    padding_idx: Option<usize>,
}

module!(Embedding<T> { weight } keep { padding_idx } settings to_string);

impl Embedding {
    /// A table of `num_embeddings` rows of width `embedding_dim`.
    ///
    /// # Errors
    /// If there are no rows, or there is no memory for so many.
    pub fn new(num_embeddings: usize, embedding_dim: usize) -> Result<Self> {
        if num_embeddings == 0 {
            return Err(Error::argument("Embedding", "num_embeddings", "at least 1", 0));
        }
        or_refused("Embedding", || {
            let weight = Parameter::new(Tensor::randn([num_embeddings, embedding_dim]));
            Ok(Embedding { weight, padding_idx: None })
        })
    }

    /// A table of `num_embeddings` rows of width `embedding_dim`, of which row `padding_idx` stays zero.
    ///
    /// # Errors
    /// If there is no such row, or there is no memory for so many.
    pub fn with_padding(num_embeddings: usize, embedding_dim: usize, padding_idx: usize) -> Result<Self> {
        if padding_idx >= num_embeddings {
            let expected = format!("below num_embeddings {num_embeddings}");
            return Err(Error::argument("Embedding", "padding_idx", expected, padding_idx));
        }
        let mut embedding = Embedding::new(num_embeddings, embedding_dim)?;
        embedding.padding_idx = Some(padding_idx);
        let row = padding_idx * embedding_dim..(padding_idx + 1) * embedding_dim;
        embedding.weight.update("Embedding", |weight| weight[row].fill(0.0))?;
        Ok(embedding)
    }
}

impl<T: Float> Embedding<T> {
    /// The rows that `index` names: shape of the index, then the width.
    ///
    /// # Errors
    /// If an index lies outside the table, or there is no memory for the result.
    #[track_caller]
    pub fn forward(&self, index: &Tensor<i64>) -> Result<Variable<T>> {
        let rows = self.weight.shape()[0];
        Watch::of(self).output(answered("Embedding", || self.found(index, rows))?)
    }

    /// The rows that `index` names, of so many.
    #[track_caller]
    fn found(&self, index: &Tensor<i64>, rows: usize) -> Result<Variable<T>> {
        let in_order = index.contiguous();
        let mut indices = in_order.as_slice().expect("contiguous").iter();
        if let Some(&outside) = indices.find(|&&i| i < 0 || i >= rows as i64) {
            return Err(Error::argument("Embedding", "every index", format!("in 0..{rows}"), outside));
        }
        let found = self.weight.embedding(index);
        let Some(padding) = self.padding_idx else { return Ok(found) };
        // The row's value with a gradient of zero: a constant takes its place.
        let is_padding = index.map(|i| i == padding as i64).unsqueeze(-1)?;
        Ok(found.detach().where_(&is_padding, &found))
    }
}

impl<T: Float> fmt::Display for Embedding<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, width] = [0, 1].map(|axis| self.weight.shape()[axis]);
        write!(f, "Embedding({rows}, {width}")?;
        self.padding_idx.iter().try_for_each(|row| write!(f, ", padding_idx={row}"))?;
        f.write_str(")")
    }
}
