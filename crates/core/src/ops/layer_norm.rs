//! Layer normalisation (Ba et al. 2016, arXiv 1607.06450).

use crate::dims::Dims;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::kernel::rows::Normalise;
use crate::operation::{Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants};
use crate::tensor::Tensor;
use crate::variable::Variable;

/// Over the last `axes` axes: `(x - mean) / sqrt(variance + eps) * weight + bias`.
struct LayerNorm {
    axes: usize,
    eps: f64,
}

impl LayerNorm {
    fn dims(&self) -> Vec<isize> {
        (1..=self.axes as isize).map(|axis| -axis).collect()
    }
}

impl<T: Float> Operation<T> for LayerNorm {
    const NAME: &'static str = "LayerNorm";

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let (x, weight, bias) = (inputs[0].contiguous(), inputs[1].contiguous(), inputs[2].contiguous());
        let width = weight.numel();
        let out = Tensor::build(x.dims().clone(), |out| {
            T::dispatch(Normalise { source: &x.raw()[..x.numel()], out, width, eps: self.eps });
            for row in out.chunks_exact_mut(width.max(1)) {
                let affine = weight.raw().iter().zip(bias.raw());
                row.iter_mut().zip(affine).for_each(|(y, (&w, &b))| *y = *y * w + b);
            }
        });
        [out].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::NOTHING.and_input(0).and_input(1)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let (x, weight, g) = (saved.input(0), saved.input(1), cotangents.only());
        let dims = self.dims();
        let centred = &x - x.mean_dim(&dims, true);
        let deviation = (centred.square().mean_dim(&dims, true) + self.eps).sqrt();
        let normal = &centred / &deviation;
        if gradients.wants(0) {
            let h = g * &weight;
            let along = &normal * (&h * &normal).mean_dim(&dims, true);
            gradients.add(0, (&h - h.mean_dim(&dims, true) - along) / &deviation);
        }
        if gradients.wants(1) {
            gradients.add(1, (g * &normal).sum_to(weight.shape()));
        }
        if gradients.wants(2) {
            gradients.add(2, g.sum_to(weight.shape()));
        }
    }
}

impl<T: Float> Variable<T> {
    /// Normalised over the last axes, which `weight` and `bias` (ones and zeros if none) span:
    /// `(x - E[x]) / sqrt(Var[x] + eps) * weight + bias`, the variance biased (`torch.nn.functional.layer_norm`).
    ///
    /// # Errors
    /// If `normalized_shape`, the weight's or the bias's shape is not that of the last axes.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f64, 3.0]]));
    /// assert_eq!(x.layer_norm(&[2], None, None, 0.0)?.to_vec(), vec![-1.0, 1.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: &[usize],
        weight: Option<&Variable<T>>,
        bias: Option<&Variable<T>>,
        eps: f64,
    ) -> Result<Variable<T>> {
        if normalized_shape.is_empty() || !self.shape().ends_with(normalized_shape) {
            let expected = format!("an input whose last axes are {normalized_shape:?}");
            return Err(Error::shape("layer_norm", expected, format!("{:?}", self.shape())));
        }
        for affine in [weight, bias].into_iter().flatten() {
            if affine.shape() != normalized_shape {
                let expected = format!("weight and bias of shape {normalized_shape:?}");
                return Err(Error::shape("layer_norm", expected, format!("{:?}", affine.shape())));
            }
        }
        let constant =
            |value: f64| Variable::from(Tensor::full(&*Dims::from(normalized_shape), T::from_f64(value)));
        let weight = weight.cloned().unwrap_or_else(|| constant(1.0));
        let bias = bias.cloned().unwrap_or_else(|| constant(0.0));
        Ok(LayerNorm { axes: normalized_shape.len(), eps }.apply1(&[self, &weight, &bias]))
    }
}
