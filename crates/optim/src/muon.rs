//! Muon (Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks).

use wengert_core::__private::vec_of;
use wengert_core::{Error, Float, Result, Tensor};

use crate::options;
use crate::options::Options;
use crate::rule::{Rule, Update};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`Muon`]; the defaults are `torch.optim.Muon`'s: lr 1e-3, weight decay 0.1, momentum 0.95
    /// with Nesterov, 5 iterations of coefficients 3.4445, -4.775 and 2.0315, eps 1e-7.
    MuonOptions, "Muon" {
        /// Learning rate.
        lr: f64 = 1e-3, at_least_zero;
        /// Pull towards zero, apart from the gradient.
        weight_decay: f64 = 0.1, at_least_zero;
        /// Decay of the gradient's running mean, in [0, 1).
        momentum: f64 = 0.95, below_one;
        /// Whether the gradient is looked ahead of the momentum (Nesterov).
        nesterov: bool = true;
        /// First coefficient of the iteration, of `X`.
        ns_a: f64 = 3.4445, finite;
        /// Second coefficient of the iteration, of `X X^T X`.
        ns_b: f64 = -4.775, finite;
        /// Third coefficient of the iteration, of `X X^T X X^T X`.
        ns_c: f64 = 2.0315, finite;
        /// How many iterations.
        ns_steps: u64 = 5, below_hundred;
        /// The least norm to divide by.
        eps: f64 = 1e-7, at_least_zero;
        /// Whether the rate is `0.2 lr sqrt(max(rows, columns))`, whose steps are as large as AdamW's (Liu et
        /// al. 2025), in place of `lr sqrt(max(1, rows / columns))`.
        match_rms_adamw: bool = false;
    }
}

/// Momentum made orthogonal, for weight matrices (`torch.optim.Muon`).
///
/// `b = mu b + (1 - mu) g`; `u = b`, or with Nesterov `mu b + (1 - mu) g`; then five Newton-Schulz
/// iterations that bring all singular values near 1: `X = u / max(|u|, eps)` in the 2-norm of all elements,
/// each time `A = X X^T`, `X = a X + (b A + c A^2) X`, on the transpose if there are more rows than columns.
/// `p *= 1 - lr wd`; `p -= lr sqrt(max(1, rows / columns)) X`.
///
/// Parameters that are no matrices are refused, as in PyTorch; train those, and embeddings and the output
/// layer, by an optimizer of their own, such as [`AdamW`](crate::AdamW). The iterations are in the
/// parameter's precision; PyTorch's are in bfloat16.
///
/// State: `momentum_buffer` (b).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Muon, MuonOptions, Optimizer};
/// let w = Parameter::new(Tensor::<f64>::zeros([2, 2]));
/// let options = MuonOptions::default().lr(1.0).ns_a(1.5).ns_b(-0.5).ns_c(0.0).ns_steps(20);
/// let mut muon = Muon::with([w.clone()], options)?;
/// (&*w * &Tensor::from([[0.0, 3.0], [-0.5, 0.0]])).sum().backward()?;
/// muon.step()?;
/// // A rotation remains.
/// assert!((w.to_vec()[1] + 1.0).abs() < 1e-6 && (w.to_vec()[2] - 1.0).abs() < 1e-6);
///
/// let bias = Parameter::new(Tensor::<f64>::zeros([2])).named("bias");
/// let error = Muon::new([bias], 0.1).err().unwrap();
/// assert_eq!(
///     error.to_string(),
///     "Muon: parameters must be matrices (AdamW takes others), got one of shape [2]"
/// );
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "torch.optim.Muon")]
pub type Muon<T = f32> = RuleOptimizer<MuonOptions, T>;

impl Rule for MuonOptions {
    fn states(&self) -> &'static [&'static str] {
        &["momentum_buffer"]
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        if shape.len() == 2 {
            return Ok(());
        }
        let got = format!("one of shape {shape:?}");
        Err(Error::argument(Self::NAME, "parameters", "matrices (AdamW takes others)", got))
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { shape, value, grad, mut states, .. }: Update<'_, T>) {
        let [mu, new] = [self.momentum, 1.0 - self.momentum].map(T::from_f64);
        let next = |b: T, g: T| mu * b + new * g;
        let mut direction = vec_of(grad.len());
        direction.extend(states[0].iter().zip(grad).map(|(&b, &g)| {
            let b = next(b, g);
            if self.nesterov { next(b, g) } else { b }
        }));
        if direction.is_empty() {
            return;
        }
        // It may be refused memory, so nothing has changed yet.
        let orthogonal = self.orthogonal(direction, shape);
        let [rate, shrink] = [self.rate(shape), 1.0 - self.lr * self.weight_decay].map(T::from_f64);
        for (b, g) in states[0].iter_mut().zip(grad) {
            *b = next(*b, *g);
        }
        for (p, x) in value.iter_mut().zip(orthogonal.as_slice().expect("contiguous")) {
            *p = shrink * *p - rate * *x;
        }
    }
}

impl MuonOptions {
    fn rate(&self, shape: &[usize]) -> f64 {
        let [rows, columns] = [shape[0] as f64, shape[1] as f64];
        match self.match_rms_adamw {
            true => self.lr * 0.2 * rows.max(columns).sqrt(),
            false => self.lr * (rows / columns).max(1.0).sqrt(),
        }
    }

    /// The matrix with all singular values brought near 1.
    #[inline(never)]
    fn orthogonal<T: Float>(&self, elements: Vec<T>, shape: &[usize]) -> Tensor<T> {
        let squares: f64 = elements.iter().map(|x| x.to_f64() * x.to_f64()).sum();
        let x = Tensor::from_vec(elements, shape).expect("as many elements as the gradient's");
        let is_tall = shape[0] > shape[1];
        let mut x = &(if is_tall { x.t() } else { x }) * (1.0 / squares.sqrt().max(self.eps));
        for _ in 0..self.ns_steps {
            let gram = x.matmul(&x.t());
            let factor = &(&gram * self.ns_b) + &(&gram.matmul(&gram) * self.ns_c);
            x = &(&x * self.ns_a) + &factor.matmul(&x);
        }
        if is_tall { x.t().contiguous() } else { x.contiguous() }
    }
}
