//! Attention by a small network.

use std::fmt;

use wengert_core::{AsVariable, Error, Float, Result, Tensor, Variable};

use super::weights;
use crate::line::answered;
use crate::linear::Linear;
use crate::module;

const NAME: &str = "AdditiveAttention";

/// Additive attention (Bahdanau et al. 2014, arXiv 1409.0473): `score = v^T tanh(W q + U k)` for a query and
/// each key, whose softmax weights the values.
///
/// Parameters: `query.weight` (hidden, query_size), `key.weight` (hidden, key_size), `score.weight`
/// (1, hidden), each as of a [`Linear`] without bias.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::AdditiveAttention;
/// let attention = AdditiveAttention::new(8, 6, 16)?;
/// let memory = Tensor::randn([2, 5, 6]); // what an encoder gave for 5 steps
/// let state = Tensor::randn([2, 8]); // of a decoder
/// let mask = Tensor::from([[true, true, true, true, true], [true, true, false, false, false]]);
/// let (context, weights) = attention.forward(&state, &memory, &memory, Some(&mask))?;
/// assert_eq!((context.shape(), weights.shape()), (&[2, 6][..], &[2, 5][..]));
/// assert_eq!(weights.to_vec()[7..], [0.0; 3]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "BahdanauAttention")]
#[derive(Clone, Debug)]
pub struct AdditiveAttention<T: Float = f32> {
    query: Linear<T>,
    key: Linear<T>,
    score: Linear<T>,
}

module!(AdditiveAttention<T> { query, key, score });

impl AdditiveAttention {
    /// Attention of queries of width `query_size` to keys of width `key_size` through `hidden_size` units.
    ///
    /// # Errors
    /// If a size is zero, or there is no memory for so many weights.
    pub fn new(query_size: usize, key_size: usize, hidden_size: usize) -> Result<Self> {
        let sizes = [("query_size", query_size), ("key_size", key_size), ("hidden_size", hidden_size)];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(Error::argument(NAME, name, "at least 1", 0));
        }
        Ok(AdditiveAttention {
            query: Linear::without_bias(query_size, hidden_size)?,
            key: Linear::without_bias(key_size, hidden_size)?,
            score: Linear::without_bias(hidden_size, 1)?,
        })
    }
}

impl<T: Float> AdditiveAttention<T> {
    /// `U k` for keys (N, S, key_size): the part that does not depend on the query, to be computed once for
    /// all steps of a decoder and given to [`AdditiveAttention::attend`].
    ///
    /// # Errors
    /// If the keys have another shape.
    #[track_caller]
    pub fn project(&self, keys: &impl AsVariable<T>) -> Result<Variable<T>> {
        let keys = keys.as_variable();
        let width = self.key.weight.shape()[1];
        if keys.rank() != 3 || keys.shape()[2] != width {
            return Err(refused(format!("keys of shape (N, S, {width})"), keys.shape()));
        }
        answered(NAME, || Ok(keys.linear(&self.key.weight, None)))
    }

    /// The weighted sum of values (N, S, V) and the weights, for a query (N, query_size), giving (N, V) and
    /// (N, S), or for queries (N, L, query_size), giving (N, L, V) and (N, L, S). `mask` (N, S) says which
    /// keys count; a sample without any gets weights and context of zero.
    ///
    /// # Errors
    /// If the shapes don't go together.
    #[track_caller]
    pub fn forward(
        &self,
        query: &impl AsVariable<T>,
        keys: &impl AsVariable<T>,
        values: &impl AsVariable<T>,
        mask: Option<&Tensor<bool>>,
    ) -> Result<(Variable<T>, Variable<T>)> {
        self.attend(query, &self.project(keys)?, values, mask)
    }

    /// [`AdditiveAttention::forward`] with keys that [`AdditiveAttention::project`] has seen.
    ///
    /// # Errors
    /// If the shapes don't go together.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_nn::AdditiveAttention;
    /// let attention = AdditiveAttention::new(8, 6, 16)?;
    /// let memory = Tensor::randn([2, 5, 6]);
    /// let projected = attention.project(&memory)?;
    /// for state in [Tensor::zeros([2, 8]), Tensor::ones([2, 8])] {
    ///     let (context, _) = attention.attend(&state, &projected, &memory, None)?;
    ///     assert_eq!(context.shape(), &[2, 6]);
    /// }
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn attend(
        &self,
        query: &impl AsVariable<T>,
        projected: &impl AsVariable<T>,
        values: &impl AsVariable<T>,
        mask: Option<&Tensor<bool>>,
    ) -> Result<(Variable<T>, Variable<T>)> {
        let (query, projected, values) =
            (&query.as_variable(), &projected.as_variable(), &values.as_variable());
        self.check(query, projected, values, mask)?;
        answered(NAME, || {
            let alone = query.rank() == 2;
            let queries = if alone { query.unsqueeze(1) } else { query.clone() };
            let seen = queries.linear(&self.query.weight, None).unsqueeze(2);
            // (N, L, S, hidden) to (N, L, S).
            let fit = (seen + projected.unsqueeze(1)).tanh();
            let mut scores = fit.linear(&self.score.weight, None).squeeze(-1);
            if let Some(mask) = mask {
                let masked = mask.map(|counts| !counts).unsqueeze(1)?;
                scores = scores.masked_fill(&masked, f64::NEG_INFINITY);
            }
            let share = weights(&scores);
            let context = share.matmul(values);
            Ok(if alone { (context.squeeze(1), share.squeeze(1)) } else { (context, share) })
        })
    }

    fn check(
        &self,
        query: &Variable<T>,
        projected: &Variable<T>,
        values: &Variable<T>,
        mask: Option<&Tensor<bool>>,
    ) -> Result<()> {
        let &[hidden, width] = self.query.weight.shape() else {
            return Err(refused(
                "a weight of queries (hidden, query_size)".to_string(),
                self.query.weight.shape(),
            ));
        };
        if projected.rank() != 3 || projected.shape()[2] != hidden {
            return Err(refused(format!("projected keys of shape (N, S, {hidden})"), projected.shape()));
        }
        let [samples, steps] = [0, 1].map(|axis| projected.shape()[axis]);
        let q = query.shape();
        if !matches!(q.len(), 2 | 3) || q[0] != samples || q[q.len() - 1] != width {
            let expected = format!("a query of shape ({samples}, {width}) or ({samples}, L, {width})");
            return Err(refused(expected, q));
        }
        if values.rank() != 3 || values.shape()[..2] != [samples, steps] {
            return Err(refused(format!("values of shape ({samples}, {steps}, V)"), values.shape()));
        }
        match mask.filter(|mask| mask.shape() != [samples, steps]) {
            None => Ok(()),
            Some(mask) => Err(refused(format!("a mask of shape ({samples}, {steps})"), mask.shape())),
        }
    }
}

fn refused(expected: String, got: &[usize]) -> Error {
    Error::shape(NAME, expected, format!("{got:?}"))
}

impl<T: Float> fmt::Display for AdditiveAttention<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (query, key) = (self.query.weight.shape(), self.key.weight.shape());
        write!(f, "AdditiveAttention({}, {}, {})", query[1], key[1], query[0])
    }
}
