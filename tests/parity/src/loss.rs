//! Losses.

use wengert::nn::loss::{
    BceLoss, BceWithLogitsLoss, CosineEmbeddingLoss, CrossEntropyLoss, CtcLoss, GaussianNllLoss, HuberLoss,
    KlDivLoss, L1Loss, MseLoss, NllLoss, PoissonNllLoss, Reduction, SmoothL1Loss,
};
use wengert::{Float, Tensor, Variable};

use crate::case::{Arguments, Case, Failure, Named};

/// A case of the kind `loss`.
pub fn run<T: Float>(case: &Case) -> Result<(), Failure> {
    let leaves = case.leaves::<T>()?;
    let loss = Loss { case, leaves: &leaves, arguments: case.arguments() };
    let value = loss.value(case.text("loss")?)?;
    case.judge(&leaves, &Named::from([("loss".to_string(), value)]))
}

struct Loss<'c, T: Float> {
    case: &'c Case,
    leaves: &'c Named<T>,
    arguments: Arguments<'c>,
}

/// A loss with what all of them can be told, refusing arguments other than those named.
macro_rules! with_reduction {
    ($self:ident, $loss:expr, $($known:literal),*) => {{
        $self.arguments.refuse_others(&["reduction", $($known),*])?;
        $loss.reduction($self.reduction()?)
    }};
}

impl<T: Float> Loss<'_, T> {
    fn value(&self, name: &str) -> Result<Variable<T>, Failure> {
        match name {
            "cross_entropy" | "cross_entropy_probabilities" => self.cross_entropy(),
            "nll_loss" => self.nll(),
            "ctc_loss" => self.ctc(),
            "cosine_embedding_loss" => self.cosine_embedding(),
            "kl_div" => self.kl_div(),
            "gaussian_nll_loss" => self.gaussian_nll(),
            _ => self.elementwise(name),
        }
    }

    /// Losses of an element each, of input and target.
    fn elementwise(&self, name: &str) -> Result<Variable<T>, Failure> {
        let (x, y) = (self.variable("input")?, self.variable("target")?);
        let (x, y, arguments) = (&x, &y, &self.arguments);
        let losses = match name {
            "mse_loss" => with_reduction!(self, MseLoss::default(),).loss(x, y),
            "l1_loss" => with_reduction!(self, L1Loss::default(),).loss(x, y),
            "smooth_l1_loss" => {
                let beta = arguments.number_or("beta", 1.0);
                with_reduction!(self, SmoothL1Loss::default().beta(beta), "beta").loss(x, y)
            }
            "huber_loss" => {
                let delta = arguments.number_or("delta", 1.0);
                with_reduction!(self, HuberLoss::default().delta(delta), "delta").loss(x, y)
            }
            "binary_cross_entropy" => {
                let loss = with_reduction!(self, BceLoss::default(),);
                self.weighted(x, |weight| loss.clone().weight(weight).loss(x, y), || loss.loss(x, y))
            }
            "binary_cross_entropy_with_logits" => {
                let mut loss = with_reduction!(self, BceWithLogitsLoss::default(),);
                if let Some(pos_weight) = self.case.given("pos_weight") {
                    loss = loss.pos_weight(&pos_weight);
                }
                self.weighted(x, |weight| loss.clone().weight(weight).loss(x, y), || loss.loss(x, y))
            }
            "poisson_nll_loss" => {
                let log_input = arguments.flag_or("log_input", true);
                let loss = PoissonNllLoss::default().log_input(log_input).full(arguments.flag("full"));
                with_reduction!(self, loss.eps(arguments.number_or("eps", 1e-8)), "log_input", "full", "eps")
                    .loss(x, y)
            }
            other => return Err(Failure::Unsupported(format!("loss {other}"))),
        };
        Ok(losses?)
    }

    /// PyTorch's mean divides by the number of elements where weights are per element, ours by the sum of the
    /// weights.
    fn weighted(
        &self,
        x: &Variable<T>,
        with: impl Fn(&Tensor<T>) -> wengert::Result<Variable<T>>,
        without: impl Fn() -> wengert::Result<Variable<T>>,
    ) -> wengert::Result<Variable<T>> {
        let Some(weight) = self.case.given::<T>("weight") else { return without() };
        let weight = weight.expand(x.shape())?.contiguous();
        let loss = with(&weight)?;
        let sum: f64 = weight.to_vec().into_iter().map(T::to_f64).sum();
        match self.arguments.text("reduction").unwrap_or("mean") {
            "mean" => Ok(loss * (sum / x.numel() as f64)),
            _ => Ok(loss),
        }
    }

    fn cross_entropy(&self) -> Result<Variable<T>, Failure> {
        let arguments = &self.arguments;
        let smoothing = arguments.number_or("label_smoothing", 0.0);
        let loss = CrossEntropyLoss::default().class_dim(1).label_smoothing(smoothing);
        let ignored = arguments.number_or("ignore_index", -100.0) as i64;
        let loss = with_reduction!(self, loss.ignore_index(ignored), "label_smoothing", "ignore_index");
        let loss = match self.case.given("weight") {
            Some(weight) => loss.class_weight(&weight),
            None => loss,
        };
        let input = self.variable("input")?;
        Ok(match self.leaves.get("target") {
            Some(probabilities) => loss.loss(&input, probabilities)?,
            None => loss.loss(&input, &self.classes("target")?)?,
        })
    }

    /// Of logits, whose classes are on axis 1 as PyTorch has them: (N, C) or (N, C, d).
    fn nll(&self) -> Result<Variable<T>, Failure> {
        let ignored = self.arguments.number_or("ignore_index", -100.0) as i64;
        let loss = with_reduction!(self, NllLoss::default().ignore_index(ignored), "ignore_index");
        let loss = match self.case.given("weight") {
            Some(weight) => loss.class_weight(&weight),
            None => loss,
        };
        let input = self.variable("input")?.log_softmax(1).transpose(1, -1);
        let target = self.classes("target")?;
        Ok(loss.loss(&input, &target)?)
    }

    fn ctc(&self) -> Result<Variable<T>, Failure> {
        let loss = CtcLoss::default().zero_infinity(self.arguments.flag("zero_infinity"));
        let loss = loss.blank(self.arguments.number_or("blank", 0.0) as usize);
        let loss = with_reduction!(self, loss, "zero_infinity", "blank");
        let log_p = self.variable("input")?.log_softmax(2);
        let lengths = |name| Ok::<_, Failure>(sizes(&self.classes(name)?));
        let (inputs, targets) = (lengths("input_lengths")?, lengths("target_lengths")?);
        Ok(loss.loss(&log_p, &self.classes("target")?, &inputs, &targets)?)
    }

    fn cosine_embedding(&self) -> Result<Variable<T>, Failure> {
        let margin = self.arguments.number_or("margin", 0.0);
        let loss = with_reduction!(self, CosineEmbeddingLoss::default().margin(margin), "margin");
        let target: Tensor<i64> = self.variable("target")?.value().cast();
        Ok(loss.loss(&self.variable("input")?, &self.variable("other")?, &target)?)
    }

    fn kl_div(&self) -> Result<Variable<T>, Failure> {
        self.arguments.refuse_others(&["reduction", "log_target"])?;
        let (x, y) = (self.variable("input")?, self.variable("target")?);
        let loss = KlDivLoss::default().log_target(self.arguments.flag("log_target"));
        match self.arguments.text("reduction") {
            Some("batchmean") => Ok(loss.reduction(Reduction::Sum).loss(&x, &y)? / x.shape()[0] as f64),
            _ => Ok(loss.reduction(self.reduction()?).loss(&x, &y)?),
        }
    }

    fn gaussian_nll(&self) -> Result<Variable<T>, Failure> {
        let loss = GaussianNllLoss::default().full(self.arguments.flag("full"));
        let loss = loss.eps(self.arguments.number_or("eps", 1e-6));
        let loss = with_reduction!(self, loss, "full", "eps");
        Ok(loss.loss(&self.variable("input")?, &self.variable("target")?, &self.variable("var")?)?)
    }

    fn reduction(&self) -> Result<Reduction, Failure> {
        match self.arguments.text("reduction") {
            None | Some("mean") => Ok(Reduction::Mean),
            Some("sum") => Ok(Reduction::Sum),
            Some("none") => Ok(Reduction::None),
            Some(other) => Err(Failure::Unsupported(format!("reduction {other}"))),
        }
    }

    /// A leaf, or what is given without a gradient.
    fn variable(&self, name: &str) -> Result<Variable<T>, Failure> {
        let leaf = self.leaves.get(name).cloned();
        leaf.or_else(|| self.case.given(name).map(Variable::new)).ok_or_else(|| missing(name))
    }

    fn classes(&self, name: &str) -> Result<Tensor<i64>, Failure> {
        self.case.given(name).ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> Failure {
    Failure::Malformed(format!("no tensor `{name}`"))
}

fn sizes(lengths: &Tensor<i64>) -> Vec<usize> {
    lengths.to_vec().into_iter().map(|length| length as usize).collect()
}
