//! Connectionist temporal classification.

use wengert_core::__private::room_for;
use wengert_core::{AsVariable, Error, Float, Pointwise, Result, Tensor, Variable, pointwise};

use super::counted::Counted;
use super::{Reduction, elements, loss_options, place};
use crate::line::answered;

/// The loss in messages.
const NAME: &str = "ctc_loss";

/// The logarithm of what is impossible: finite, so that derivatives of every order are, and far below the
/// log-probability of any alignment.
const NEVER: f64 = -1e30;

// ln(e^a + e^b + e^c), less what all three have.
pointwise! {
    struct Paths;
    fn eval(stay, step, skip, emitted) -> 1 {
        [{
            let best = R::select(stay.lt(step), step, stay);
            let best = R::select(best.lt(skip), skip, best);
            let sum = (stay - best).exp() + (step - best).exp() + (skip - best).exp();
            best + sum.ln() + emitted
        }]
    }
}

// Log-probabilities of negative infinity, which are finite here.
pointwise! {
    struct Possible { never }
    fn eval(x) -> 1 { [R::select(x.lt(never), never, x)] }
}

loss_options! {
    /// Options of [`ctc_loss`].
    ///
    /// Weights and masks are those of sequences, (N). In the mean each loss is divided by the length of its
    /// target first, as in PyTorch.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::CtcLoss;
    /// let log_p = Variable::new(Tensor::<f64>::zeros([2, 1, 3])).log_softmax(-1);
    /// // Two equal labels need a blank between them, and there are two steps.
    /// let loss = CtcLoss::default().zero_infinity(true);
    /// assert_eq!(loss.loss(&log_p, &Tensor::from([[1i64, 1]]), &[2], &[2])?.item()?, 0.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "CTCLoss")]
    pub struct CtcLoss {
        /// The class that stands between labels; default 0.
        blank: usize = 0;
        /// Whether the loss of a target that does not fit its input is 0; default no, it is infinite.
        zero_infinity: bool = false;
    }
}

/// Targets with a blank before, between and behind their labels.
struct Extended {
    /// The class at each place, (N, L); blank behind the end.
    classes: Vec<i64>,
    /// L.
    width: usize,
    /// By what a step over a blank is multiplied, as a logarithm, (N, L).
    skips: Vec<f64>,
    lengths: Vec<usize>,
}

impl<T: Float> CtcLoss<T> {
    /// The loss of these log-probabilities and labels.
    ///
    /// # Errors
    /// If [`ctc_loss`] refuses its inputs, or for a weight or mask that does not fit.
    #[track_caller]
    pub fn loss(
        &self,
        log_probs: &impl AsVariable<T>,
        targets: &Tensor<i64>,
        input_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Result<Variable<T>> {
        answered(NAME, || {
            let log_probs = &log_probs.as_variable();
            let batch = match log_probs.shape() {
                [_, _] => log_probs.unsqueeze(1),
                [_, _, _] => log_probs.clone(),
                other => {
                    let expected = "log-probabilities (T, N, C) or (T, C)";
                    return Err(Error::shape(NAME, expected, format!("{other:?}")));
                }
            };
            let alone = log_probs.rank() == 2;
            let (steps, samples, classes) = (batch.shape()[0], batch.shape()[1], batch.shape()[2]);
            self.check_lengths([steps, samples, classes], input_lengths, target_lengths)?;
            let counted = self.common.over(NAME, if alone { &[] } else { &batch.shape()[1..2] })?;
            let labels = labels(targets, target_lengths)?;
            self.check_labels(&counted, &labels, classes)?;
            let extended = self.extended(&labels);
            room_for::<T>(NAME, &[steps, samples, extended.width])?;
            let mut losses = negative_log_likelihoods(&counted, &batch, input_lengths, &extended)?;
            if alone {
                losses = losses.squeeze(0);
            }
            losses = self.without_impossible(losses);
            if self.common.reduction == Reduction::Mean {
                let shape = losses.shape().to_vec();
                let share = Tensor::from_fn(shape, |n| T::from_f64(1.0 / target_lengths[n].max(1) as f64));
                losses *= share;
            }
            Ok(counted.reduce(counted.filled(&losses, 0.0)))
        })
    }

    /// Refuses lengths that are not one a sequence, or beyond the steps, and a blank that is no class.
    fn check_lengths(
        &self,
        [steps, samples, classes]: [usize; 3],
        input_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Result<()> {
        for (what, count) in [("input", input_lengths.len()), ("target", target_lengths.len())] {
            if count != samples {
                return Err(Error::shape(NAME, format!("{samples} {what} lengths, one a sequence"), count));
            }
        }
        if let Some(at) = input_lengths.iter().position(|&length| length > steps) {
            let got = format!("{} at {}", input_lengths[at], place(&[samples], at));
            return Err(Error::argument(NAME, "every input length", format!("at most {steps}"), got));
        }
        if self.blank >= classes {
            return Err(Error::argument(NAME, "blank", format!("in 0..{classes}"), self.blank));
        }
        Ok(())
    }

    /// Refuses labels that are no class, or blank, of sequences that count.
    fn check_labels(&self, counted: &Counted<T>, labels: &[Vec<i64>], classes: usize) -> Result<()> {
        let fits = |label: i64| usize::try_from(label).is_ok_and(|c| c < classes && c != self.blank);
        let mut bad = None;
        counted.weight_of(|weight| {
            let counts = (0..labels.len()).filter(|&n| weight(n) > 0.0);
            bad = counts
                .filter_map(|n| labels[n].iter().position(|&label| !fits(label)).map(|s| (n, s)))
                .next();
        });
        match bad {
            None => Ok(()),
            Some((n, s)) => {
                let expected = format!("in 0..{classes} and not the blank {}", self.blank);
                let got = format!("{} at label {s} of sequence {n}", labels[n][s]);
                Err(Error::argument(NAME, "every label", expected, got))
            }
        }
    }

    fn extended(&self, labels: &[Vec<i64>]) -> Extended {
        let blank = self.blank as i64;
        let width = 2 * labels.iter().map(Vec::len).max().unwrap_or(0) + 1;
        let (mut classes, mut skips) = (Vec::new(), Vec::new());
        for labels in labels {
            for at in 0..width {
                let label = if at % 2 == 1 { labels.get(at / 2) } else { None };
                let before = if at % 2 == 1 && at > 2 { labels.get(at / 2 - 1) } else { None };
                classes.push(label.copied().unwrap_or(blank));
                skips.push(if before.is_some() && label.is_some() && label != before { 0.0 } else { NEVER });
            }
        }
        Extended { classes, width, skips, lengths: labels.iter().map(Vec::len).collect() }
    }

    /// What no alignment has is infinitely unlikely, or left out.
    #[track_caller]
    fn without_impossible(&self, losses: Variable<T>) -> Variable<T> {
        let impossible = losses.ge(-0.1 * NEVER);
        losses.masked_fill(&impossible, if self.zero_infinity { 0.0 } else { f64::INFINITY })
    }
}

/// The labels of each sequence, padded (N, S) or one behind the other.
fn labels(targets: &Tensor<i64>, lengths: &[usize]) -> Result<Vec<Vec<i64>>> {
    let refused = |expected: String| Err(Error::shape(NAME, expected, format!("{:?}", targets.shape())));
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let total = lengths.iter().try_fold(0usize, |sum, &length| sum.checked_add(length));
    let stride = match *targets.shape() {
        [samples, width] if samples == lengths.len() && width >= longest => Some(width),
        [count] if total == Some(count) => None,
        [count] if lengths.len() == 1 && count >= longest => None,
        _ => {
            let samples = lengths.len();
            let padded = format!("targets ({samples}, S) with S at least {longest}");
            return refused(format!("{padded}, or the sum of the target lengths {lengths:?}"));
        }
    };
    Ok(elements(targets, |all| {
        let mut start = 0;
        let each = lengths.iter().enumerate().map(|(n, &length)| {
            let from = stride.map_or(start, |stride| n * stride);
            start += length;
            all[from..from + length].to_vec()
        });
        each.collect()
    }))
}

/// The forward algorithm: `-ln` of the sum of the probabilities of all alignments, (N).
#[track_caller]
fn negative_log_likelihoods<T: Float>(
    counted: &Counted<T>,
    log_probs: &Variable<T>,
    input_lengths: &[usize],
    extended: &Extended,
) -> Result<Variable<T>> {
    let (steps, samples, width) = (log_probs.shape()[0], log_probs.shape()[1], extended.width);
    let mut counts = vec![true; samples];
    counted.weight_of(|weight| (0..samples).for_each(|n| counts[n] = weight(n) > 0.0));
    let over = |t: usize, n: usize| !counts[n] || t >= input_lengths[n];
    let padding = Tensor::from_fn([steps, samples, 1], |at| over(at / samples, at % samples));
    let log_probs = Possible { never: NEVER }.apply1([&log_probs.masked_fill(&padding, 0.0)]);
    let class = |n: usize, at: usize| if counts[n] { extended.classes[n * width + at] } else { 0 };
    let index = Tensor::from_fn([steps, samples, width], |at| class(at / width % samples, at % width));
    let emitted = log_probs.gather(-1, &index).unbind(0);
    let skips = Variable::from(Tensor::from_fn([samples, width], |at| T::from_f64(extended.skips[at])));
    // Before the first step an alignment stands on the first blank, from where it may also step.
    let start = |at: usize| T::from_f64(if at.is_multiple_of(width) { 0.0 } else { NEVER });
    let mut reached = Variable::from(Tensor::from_fn([samples, width], start));
    for (t, emitted) in emitted.iter().enumerate() {
        let before = reached.pad(&[2, 0], NEVER);
        let (skip, step) = (before.narrow(1, 0, width) + &skips, before.narrow(1, 1, width));
        let next = Paths.apply1([&reached, &step, &skip, emitted]);
        let going = Tensor::from_fn([samples, 1], |n| !over(t, n));
        let all = elements(&going, |all| all.iter().all(|&goes| goes));
        reached = if all { next } else { next.where_(&going, &reached) };
    }
    // An alignment ends on the last label or on the blank behind it.
    let last = Tensor::from_fn([samples, 2], |at| {
        let length = extended.lengths[at / 2];
        (2 * length).saturating_sub(at % 2) as i64
    });
    let no_label = Tensor::from_fn([samples, 2], |at| at % 2 == 1 && extended.lengths[at / 2] == 0);
    let ends = reached.gather(-1, &last).masked_fill(&no_label, NEVER);
    Ok(-ends.logsumexp(-1))
}

/// `-ln` of the probability of a sequence of labels, summed over all its alignments with the steps
/// (`torch.nn.functional.ctc_loss`, Graves et al. 2006): the mean over the sequences of the loss divided by
/// the target's length. [`CtcLoss`] has options.
///
/// `log_probs` (T, N, C) or (T, C), as `log_softmax` gives them; `targets` (N, S), padded with anything, or
/// one behind the other (their lengths' sum); a length for each sequence of both. Class 0 is the blank, which
/// stands between labels. A target without an alignment, for it is too long, has an infinite loss and no
/// gradient. Gradients are those of this function of the log-probabilities; PyTorch's differ by what
/// `log_softmax` takes away again. Steps beyond an input's length may be anything.
///
/// # Errors
/// If shapes or lengths don't fit, or a label is no class or the blank.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::ctc_loss;
/// let log_p = Variable::new(Tensor::<f64>::zeros([2, 1, 2])).log_softmax(-1);
/// // Label 1 in two steps: 11, 01 or 10 of four.
/// let loss = ctc_loss(&log_p, &Tensor::from([[1i64]]), &[2], &[1])?;
/// assert!((loss.item()? + 0.75f64.ln()).abs() < 1e-12);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn ctc_loss<T: Float>(
    log_probs: &impl AsVariable<T>,
    targets: &Tensor<i64>,
    input_lengths: &[usize],
    target_lengths: &[usize],
) -> Result<Variable<T>> {
    CtcLoss::default().loss(log_probs, targets, input_lengths, target_lengths)
}
