//! Attention by scaled products.

use wengert_core::{AsVariable, Error, Float, Result, Tensor, Variable};

use super::weights;
use crate::line::answered;

/// Masks and settings of [`scaled_dot_product_attention`]; nothing is masked by default.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::AttentionOptions;
/// let options = AttentionOptions::<f32>::default().mask(Tensor::from([[true, false]])).scale(0.5);
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AttentionOptions<T: Float = f32> {
    mask: Option<Tensor<bool>>,
    bias: Option<Variable<T>>,
    causal: bool,
    dropout: f64,
    scale: Option<f64>,
}

impl<T: Float> Default for AttentionOptions<T> {
    fn default() -> Self {
        AttentionOptions { mask: None, bias: None, causal: false, dropout: 0.0, scale: None }
    }
}

impl<T: Float> AttentionOptions<T> {
    /// Sets where a query may attend to a key, as a mask that broadcasts to (.., L, S).
    #[doc(alias = "attn_mask")]
    pub fn mask(mut self, mask: Tensor<bool>) -> Self {
        self.mask = Some(mask);
        self
    }

    /// Sets numbers that are added to the scores, broadcasting to (.., L, S); minus infinity masks.
    pub fn bias(mut self, bias: impl Into<Variable<T>>) -> Self {
        self.bias = Some(bias.into());
        self
    }

    /// Sets whether query i attends to keys up to i alone, together with whatever mask there is; default no.
    #[doc(alias = "is_causal")]
    pub fn causal(mut self, on: bool) -> Self {
        self.causal = on;
        self
    }

    /// Sets the probability with which a weight is dropped; default 0. Whoever evaluates sets none.
    #[doc(alias = "dropout_p")]
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = p;
        self
    }

    /// Sets the factor of the scores; default `1 / sqrt(E)`.
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = Some(scale);
        self
    }

    /// Where scores of this shape count; none if all do.
    fn allowed(&self, shape: &[usize]) -> Result<Option<Tensor<bool>>> {
        let [queries, keys] = [shape[shape.len() - 2], shape[shape.len() - 1]];
        let past = self.causal.then(|| Tensor::from_fn([queries, keys], |i| i % keys <= i / keys));
        match (&self.mask, past) {
            (Some(mask), Some(past)) => Ok(Some(mask.zip(&past, |a, b| a && b)?)),
            (Some(mask), None) => Ok(Some(mask.clone())),
            (None, past) => Ok(past),
        }
    }
}

/// Refuses what does not broadcast to the scores.
fn check_mask(what: &str, mask: &[usize], scores: &[usize]) -> Result<()> {
    let fits = |(own, scores): (&usize, &usize)| *own == 1 || own == scores;
    if mask.len() <= scores.len() && mask.iter().rev().zip(scores.iter().rev()).all(fits) {
        return Ok(());
    }
    let expected = format!("{what} that broadcasts to {scores:?}");
    Err(Error::shape("scaled_dot_product_attention", expected, format!("{mask:?}")))
}

/// Refuses queries, keys and values that don't go together.
fn check<T: Float>(query: &Variable<T>, key: &Variable<T>, value: &Variable<T>) -> Result<()> {
    let (q, k, v) = (query.shape(), key.shape(), value.shape());
    let rank = q.len();
    let fit = rank >= 2
        && k.len() == rank
        && v.len() == rank
        && q[rank - 1] == k[rank - 1]
        && k[..rank - 1] == v[..rank - 1]
        && q[..rank - 2] == k[..rank - 2];
    if fit {
        return Ok(());
    }
    let expected = "queries (.., L, E), keys (.., S, E) and values (.., S, V)";
    Err(Error::shape("scaled_dot_product_attention", expected, format!("{q:?}, {k:?} and {v:?}")))
}

/// `softmax(Q K^T / sqrt(E) + mask) V` (`torch.nn.functional.scaled_dot_product_attention`; Vaswani et al.
/// 2017, arXiv 1706.03762): queries (.., L, E), keys (.., S, E) and values (.., S, V) to (.., L, V). A query
/// that may attend to no key gets zeros, and so do its gradients.
///
/// # Errors
/// If the shapes don't go together, a mask does not broadcast to (.., L, S), the probability of dropout is
/// not in [0, 1], or there is no memory for the scores or the result.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{AttentionOptions, scaled_dot_product_attention};
/// let q = Tensor::<f32>::ones([1, 2, 4]);
/// let v = Tensor::from([[[1.0f32], [3.0]]]);
/// let out = scaled_dot_product_attention(&q, &q, &v, &AttentionOptions::default().causal(true))?;
/// assert_eq!(out.to_vec(), vec![1.0, 2.0]);
/// let masked = AttentionOptions::default().mask(Tensor::from([[false, false], [false, true]]));
/// assert_eq!(scaled_dot_product_attention(&q, &q, &v, &masked)?.to_vec(), vec![0.0, 3.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "Attention")]
#[track_caller]
pub fn scaled_dot_product_attention<T: Float>(
    query: &impl AsVariable<T>,
    key: &impl AsVariable<T>,
    value: &impl AsVariable<T>,
    options: &AttentionOptions<T>,
) -> Result<Variable<T>> {
    let (query, key, value) = (&query.as_variable(), &key.as_variable(), &value.as_variable());
    check(query, key, value)?;
    answered("scaled_dot_product_attention", || {
        let width = query.shape()[query.rank() - 1];
        let scale = options.scale.unwrap_or(1.0 / (width as f64).sqrt());
        let mut scores = (query * scale).matmul(&key.transpose(-2, -1));
        let shape = scores.shape().to_vec();
        if let Some(bias) = &options.bias {
            check_mask("a bias", bias.shape(), &shape)?;
            scores += bias;
        }
        if let Some(mask) = &options.mask {
            check_mask("a mask", mask.shape(), &shape)?;
        }
        if let Some(allowed) = options.allowed(&shape)? {
            scores = scores.masked_fill(&allowed.map(|allowed| !allowed), f64::NEG_INFINITY);
        }
        let mut share = weights(&scores);
        if options.dropout != 0.0 {
            share = share.dropout(options.dropout)?;
        }
        Ok(share.matmul(value))
    })
}
