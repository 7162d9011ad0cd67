//! Batch normalisation as a module.

use std::fmt;

use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable, no_grad};

use crate::buffer::Buffer;
use crate::line::answered;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::repr::python;
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// `(x - E[x]) / sqrt(Var[x] + eps) * weight + bias` for each channel (`torch.nn.BatchNorm1d`; Ioffe and
/// Szegedy 2015, arXiv 1502.03167). Input (N, C) or (N, C, L).
///
/// In training mean and biased variance are those of the batch, and the running ones move towards them by
/// `momentum`, the variance being unbiased there; in evaluation the running ones are used. A forward that is
/// run again, as in a checkpoint, moves them again.
///
/// Parameters: `weight` (ones) and `bias` (zeros), both (C). Buffers: `running_mean`, `running_var` (C), and
/// `num_batches_tracked`. Defaults: eps 1e-5, momentum 0.1.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{BatchNorm1d, Module};
/// let mut norm = BatchNorm1d::new(1)?;
/// let x = Variable::new(Tensor::from([[1.0f32], [3.0]]));
/// assert!((norm.forward(&x)?.to_vec()[1] - 1.0).abs() < 1e-4);
/// norm.eval();
/// let running = norm.named_buffers()[0].1.tensor().to_vec();
/// assert!((running[0] - 0.2).abs() < 1e-6);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "BatchNormalization")]
#[derive(Clone, Debug)]
pub struct BatchNorm1d<T: Float = f32> {
    /// The factor of each channel, if there is one.
    pub weight: Option<Parameter<T>>,
    /// The summand of each channel, if there is one.
    pub bias: Option<Parameter<T>>,
    running: Option<Running<T>>,
    channels: usize,
    eps: f64,
    momentum: Option<f64>,
    training: bool,
}

/// The statistics that evaluation goes by.
#[derive(Clone, Debug)]
struct Running<T: Float> {
    running_mean: Buffer<T>,
    running_var: Buffer<T>,
    num_batches_tracked: Buffer<T>,
}

crate::module!(Running<T> { running_mean, running_var, num_batches_tracked });

impl BatchNorm1d {
    /// Normalisation of `num_features` channels.
    ///
    /// # Errors
    /// If there are no channels.
    pub fn new(num_features: usize) -> Result<Self> {
        if num_features == 0 {
            return Err(Error::argument("BatchNorm1d", "num_features", "at least 1", 0));
        }
        let zeros = || Tensor::<f32>::zeros([num_features]);
        let ones = || Tensor::<f32>::ones([num_features]);
        Ok(BatchNorm1d {
            weight: Some(Parameter::new(ones())),
            bias: Some(Parameter::new(zeros())),
            running: Some(Running {
                running_mean: Buffer::new(zeros()),
                running_var: Buffer::new(ones()),
                num_batches_tracked: Buffer::new(Tensor::scalar(0i64)),
            }),
            channels: num_features,
            eps: 1e-5,
            momentum: Some(0.1),
            training: true,
        })
    }
}

impl<T: Float> BatchNorm1d<T> {
    /// Sets `eps`, which is added to the variance; default 1e-5.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// Sets the share of the batch in the running statistics; default 0.1.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = Some(momentum);
        self
    }

    /// Makes the running statistics the mean over all batches so far (`momentum=None`).
    #[must_use]
    pub fn cumulative(mut self) -> Self {
        self.momentum = None;
        self
    }

    /// Leaves weight and bias out (`affine=False`).
    #[must_use]
    pub fn without_affine(mut self) -> Self {
        (self.weight, self.bias) = (None, None);
        self
    }

    /// Leaves the running statistics out: evaluation goes by those of the batch as well
    /// (`track_running_stats=False`).
    #[must_use]
    pub fn without_running_stats(mut self) -> Self {
        self.running = None;
        self
    }

    fn check(&self, x: &Variable<T>, by_batch: bool) -> Result<()> {
        let channels = self.channels;
        if !matches!(x.rank(), 2 | 3) || x.shape()[1] != channels {
            let expected = format!("an input of shape (N, {channels}) or (N, {channels}, L)");
            return Err(Error::shape("BatchNorm1d", expected, format!("{:?}", x.shape())));
        }
        if by_batch && x.numel() / channels < 2 {
            let expected = "more than one value for each channel in training";
            return Err(Error::shape("BatchNorm1d", expected, format!("{:?}", x.shape())));
        }
        Ok(())
    }

    /// The channels' values as rows (C, N L), and those rows in the input's shape.
    #[track_caller]
    fn by_batch(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let count = x.numel() / self.channels;
        let order: &[isize] = if x.rank() == 3 { &[1, 0, 2] } else { &[1, 0] };
        let rows = x.permute(order);
        let turned = rows.shape().to_vec();
        let normed = rows.reshape([self.channels, count]).layer_norm(&[count], None, None, self.eps);
        Ok(normed.reshape(&turned).permute(order))
    }

    /// The input normalised by the running statistics.
    #[track_caller]
    fn by_running(&self, x: &Variable<T>, running: &Running<T>) -> Variable<T> {
        let (mean, var) = (running.running_mean.tensor(), running.running_var.tensor());
        let scale = var.map(|var| T::from_f64(1.0 / (var.to_f64() + self.eps).sqrt()));
        let mean = self.along(&Variable::from(mean), x.rank());
        (x - mean) * self.along(&Variable::from(scale), x.rank())
    }

    /// Moves the running statistics towards those of a batch.
    fn track(&self, x: &Variable<T>, running: &Running<T>) -> Result<()> {
        let axes: &[isize] = if x.rank() == 3 { &[0, 2] } else { &[0] };
        let (mean, var) = no_grad(|| (x.mean_dim(axes).value(), x.var_dim(axes, 1).value()));
        let batches = running.num_batches_tracked.value().cast::<i64>().item()? + 1;
        let share = self.momentum.unwrap_or(1.0 / batches as f64);
        let moved = |old: &Buffer<T>, new: &Tensor<T>| {
            let step = |old: T, new: T| T::from_f64((1.0 - share) * old.to_f64() + share * new.to_f64());
            old.tensor().zip(new, step)
        };
        let (mean, var) = (moved(&running.running_mean, &mean)?, moved(&running.running_var, &var)?);
        running.num_batches_tracked.set(Tensor::scalar(batches))?;
        running.running_mean.set(mean)?;
        running.running_var.set(var)
    }

    /// A vector of the channels beside an input of this rank.
    #[track_caller]
    fn along(&self, vector: &Variable<T>, rank: usize) -> Variable<T> {
        if rank == 3 { vector.unsqueeze(-1) } else { vector.clone() }
    }
}

forward!(BatchNorm1d<T>);

impl<T: Float> Forward for BatchNorm1d<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let fixed = self.running.as_ref().filter(|_| !self.training);
        self.check(x, fixed.is_none())?;
        let norm = || {
            let mut y = match fixed {
                Some(running) => self.by_running(x, running),
                None => self.by_batch(x)?,
            };
            if let Some(weight) = &self.weight {
                y *= self.along(weight, x.rank());
            }
            if let Some(bias) = &self.bias {
                y += self.along(bias, x.rank());
            }
            // Last, so that what is refused leaves the statistics as they were.
            if let Some(running) = self.running.as_ref().filter(|_| self.training) {
                self.track(x, running)?;
            }
            Ok(y)
        };
        Watch::of(self).output(answered("BatchNorm1d", norm)?)
    }
}

impl<T: Float> Module for BatchNorm1d<T> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        visitor.field("weight", &self.weight);
        visitor.field("bias", &self.bias);
        self.running.iter().for_each(|running| running.visit(visitor));
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        visitor.mode(&mut self.training);
        self.weight.visit_mut(visitor);
        self.bias.visit_mut(visitor);
        self.running.visit_mut(visitor);
    }

    fn settings(&self) -> String {
        self.to_string()
    }
}

impl<T: Float> Cast for BatchNorm1d<T> {
    type To<U: Float> = BatchNorm1d<U>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> BatchNorm1d<U> {
        let BatchNorm1d { channels, eps, momentum, training, .. } = *self;
        let (weight, bias) = (self.weight.cast_with(memo), self.bias.cast_with(memo));
        let running = self.running.cast_with(memo);
        BatchNorm1d { weight, bias, running, channels, eps, momentum, training }
    }
}

impl<T: Float> fmt::Display for BatchNorm1d<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let truth = |holds: bool| if holds { "True" } else { "False" };
        let momentum = self.momentum.map_or("None".to_string(), python);
        write!(f, "BatchNorm1d({}, eps={}, momentum={momentum}, ", self.channels, python(self.eps))?;
        write!(f, "affine={}, bias={}, ", truth(self.weight.is_some()), truth(self.bias.is_some()))?;
        write!(f, "track_running_stats={})", truth(self.running.is_some()))
    }
}
