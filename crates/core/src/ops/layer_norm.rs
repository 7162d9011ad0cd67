//! Layer normalisation (Ba et al. 2016, arXiv 1607.06450).

use wengert_kernel::rows::layer_norm::{self, Normalise, NormaliseAffine, NormaliseBack};
use wengert_kernel::run::divide::dispatch_shared;

use crate::base::dims::Dims;
use crate::base::error::{Error, Result, expect};
use crate::ops::registry::{Domain, Fitted, Listed};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::record::record1;
use crate::tape::rule::Rule;
use crate::tape::{Attributes, Cotangents, Gradients, Saved, Saves, Wants};
use crate::tensor::Tensor;

/// Over the last `axes` axes: `(x - mean) / sqrt(variance + eps) * weight + bias`.
struct LayerNorm<T: Float> {
    axes: usize,
    eps: f64,
    /// Mean and factor of each row, which the fused pullback goes by.
    statistics: Tensor<T>,
}

/// The result, and the statistics of the rows.
fn normalised<T: Float>(inputs: &[&Tensor<T>], eps: f64) -> (Tensor<T>, Tensor<T>) {
    let (x, weight, bias) = (inputs[0].contiguous(), inputs[1].contiguous(), inputs[2].contiguous());
    let width = weight.numel();
    let rows = x.numel().checked_div(width).unwrap_or(0);
    let mut statistics = Tensor::unspecified(&[2 * rows][..]);
    let out = Tensor::build(x.dims().clone(), |out| {
        dispatch_shared(Normalise {
            source: x.in_order(),
            weight: weight.in_order(),
            bias: bias.in_order(),
            out,
            statistics: statistics.fresh_mut(),
            eps,
        });
    });
    (out, statistics)
}

impl<T: Float> LayerNorm<T> {
    fn dims(&self) -> Vec<isize> {
        (1..=self.axes as isize).map(|axis| -axis).collect()
    }
}

impl<T: Float> Rule<T> for LayerNorm<T> {
    fn name(&self) -> &'static &'static str {
        &"LayerNorm"
    }

    fn attributes(&self) -> Attributes {
        Attributes::none().int("axes", self.axes as u32).float("eps", self.eps)
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::NOTHING.and_input(0).and_input(1)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let g = cotangents.only();
        let (x, weight) = (saved.input(0), saved.input(1));
        let dims = self.dims();
        let centred = &x - x.mean_keepdim(&dims);
        let deviation = (centred.square().mean_keepdim(&dims) + self.eps).sqrt();
        let normal = &centred / &deviation;
        if gradients.wants(0) {
            let h = g * &weight;
            let along = &normal * (&h * &normal).mean_keepdim(&dims);
            gradients.add(0, (&h - h.mean_keepdim(&dims) - along) / &deviation);
        }
        if gradients.wants(1) {
            gradients.add(1, (g * &normal).sum_to(weight.shape()));
        }
        if gradients.wants(2) {
            gradients.add(2, g.sum_to(weight.shape()));
        }
    }

    /// In one pass over the rows where one thread has them all.
    fn fused(&self, saved: &Saved<'_, T>, cotangents: &mut Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let (x, weight) = (saved.expect_input(0).contiguous(), saved.expect_input(1).contiguous());
        let g = cotangents.only().peek().contiguous();
        let width = weight.numel();
        let wants_affine = gradients.wants(1) || gradients.wants(2);
        let mut of_x = gradients.wants(0).then(|| Tensor::from(x.storage_alike()));
        let mut of_affine = wants_affine.then(|| [(); 2].map(|()| Tensor::from(weight.storage_alike())));
        let (source, cotangent, statistics) = (x.in_order(), g.in_order(), self.statistics.in_order());
        let to_source = of_x.as_mut().map(|of_x| {
            let (weight, out) = (weight.in_order(), of_x.fresh_mut());
            NormaliseBack { source, weight, cotangent, statistics, out }
        });
        let to_affine = of_affine.as_mut().map(|affine| {
            let [of_weight, of_bias] = affine.each_mut().map(Tensor::fresh_mut);
            NormaliseAffine { source, cotangent, statistics, first: 0, width, of_weight, of_bias }
        });
        layer_norm::back(to_source, to_affine);
        for (i, found) in of_x.into_iter().chain(of_affine.into_iter().flatten()).enumerate() {
            let i = if gradients.wants(0) { i } else { i + 1 };
            if gradients.wants(i) {
                gradients.add_value(i, found);
            }
        }
    }
}

impl<T: Float> Variable<T> {
    /// The variable normalised over the last axes, which `weight` and `bias` (ones and zeros if none) span:
    /// `(x - E[x]) / sqrt(Var[x] + eps) * weight + bias`, the variance biased
    /// (`torch.nn.functional.layer_norm`).
    ///
    /// # Panics
    /// If `normalized_shape`, the weight's or the bias's shape is not that of the last axes.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f64, 3.0]]));
    /// assert_eq!(x.layer_norm(&[2], None, None, 0.0).to_vec(), vec![-1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: &[usize],
        weight: Option<&Variable<T>>,
        bias: Option<&Variable<T>>,
        eps: f64,
    ) -> Variable<T> {
        expect(check(
            self.shape(),
            normalized_shape,
            [weight, bias].map(|affine| affine.map(Variable::shape)),
        ));
        let constant =
            |value: f64| Variable::from(Tensor::full(&*Dims::from(normalized_shape), T::from_f64(value)));
        let weight = weight.cloned().unwrap_or_else(|| constant(1.0));
        let bias = bias.cloned().unwrap_or_else(|| constant(0.0));
        let inputs = [self, &weight, &bias];
        let peeks = inputs.map(Variable::peek);
        let tensors = peeks.each_ref().map(|value| &**value);
        let (out, statistics) = normalised(&tensors, eps);
        let operation = LayerNorm { axes: normalized_shape.len(), eps, statistics };
        record1(operation, &inputs, &tensors, out)
    }
}

/// Whether the last axes of this shape, and of what `normalized` is multiplied with and moved by, fit.
fn check(shape: &[usize], normalized: &[usize], affine: [Option<&[usize]>; 2]) -> Result<()> {
    if normalized.is_empty() || !shape.ends_with(normalized) {
        let expected = format!("an input whose last axes are {normalized:?}");
        return Err(Error::shape("layer_norm", expected, format!("{shape:?}")));
    }
    match affine.into_iter().flatten().find(|affine| *affine != normalized) {
        None => Ok(()),
        Some(affine) => {
            let expected = format!("weight and bias of shape {normalized:?}");
            Err(Error::shape("layer_norm", expected, format!("{affine:?}")))
        }
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![L::new(
        "LayerNorm",
        &[Domain::Distinct, Domain::Any],
        &|choose, shape| {
            let axes = if shape.is_empty() { return None } else { choose(shape.len()) + 1 };
            let last = shape[shape.len() - axes..].to_vec();
            let attributes = Attributes::none().int("axes", axes as i64).float("eps", [1e-5, 0.1][choose(2)]);
            // Rows of one number are all mean.
            let varied = last.iter().product::<usize>() > 1;
            varied.then(|| Fitted::new(vec![shape.to_vec(), last.clone(), last], attributes))
        },
        &|attributes, v| {
            let [x, weight, bias] = v else { panic!("LayerNorm: expected three inputs, got {}", v.len()) };
            let eps = attributes.get_float("eps");
            vec![x.layer_norm(weight.shape(), Some(weight), Some(bias), eps)]
        },
    )]
}
