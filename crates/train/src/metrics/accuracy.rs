//! How often the right class is among the likeliest.

use wengert_core::__private::{filled, or_refused};
use wengert_core::{Error, Float, Result, StateReader, Stateful, Tensor, TensorMap};

use super::counts::{Counts, counted, each};
use super::tally::Tally;
use super::{Metric, print_metric};

/// The part of the rows whose class is the one of the largest score, or among the `k` largest
/// (`torchmetrics.Accuracy`, `top_k`). Of equal scores the first counts as larger, and NaN is the largest.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{Accuracy, All, Metric};
/// let scores = Tensor::from([[0.1f32, 0.7, 0.2], [0.5, 0.3, 0.2]]);
/// let classes = Tensor::from([1i64, 1]);
/// let (mut first, mut second) = (Accuracy::new(), Accuracy::top(2)?);
/// first.update(&scores, &classes, All)?;
/// second.update(&scores, &classes, All)?;
/// assert_eq!(first.to_string(), "accuracy 0.5000");
/// assert_eq!(second.to_string(), "top-2 accuracy 1.0000");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Accuracy {
    k: usize,
    tally: Tally,
}

impl Default for Accuracy {
    fn default() -> Self {
        Self::new()
    }
}

impl Accuracy {
    /// An accuracy that has seen nothing.
    pub fn new() -> Self {
        Accuracy { k: 1, tally: Tally::default() }
    }

    /// An accuracy for which a class among the `k` of the largest scores is right.
    ///
    /// # Errors
    /// If `k` is 0.
    #[doc(alias = "TopKCategoricalAccuracy")]
    pub fn top(k: usize) -> Result<Self> {
        match k {
            0 => Err(Error::argument("accuracy", "k", "at least 1", k)),
            _ => Ok(Accuracy { k, tally: Tally::default() }),
        }
    }

    /// Adds scores of classes (.., C), logits or probabilities, and the classes (..) that are right.
    ///
    /// # Errors
    /// If the shapes or `counts` do not fit, or a class that counts is not one of the C; then nothing was
    /// added.
    pub fn update<T: Float>(
        &mut self,
        scores: &Tensor<T>,
        targets: &Tensor<i64>,
        counts: impl Counts,
    ) -> Result<()> {
        let (weights, scores, targets) = rows("accuracy", scores, targets, counts)?;
        for (at, weight) in counted(&weights, targets.len()) {
            let (row, right) = (scores.row(at), targets[at]);
            let before = (0..row.len()).filter(|&class| is_before(row, class, right)).count();
            self.tally.add(f64::from(u8::from(before < self.k)), weight);
        }
        Ok(())
    }
}

/// Whether a class comes before another in the order of their scores.
fn is_before(scores: &[f64], class: usize, other: usize) -> bool {
    let order = |a: f64, b: f64| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(&b).expect("neither is NaN"),
        (a, b) => a.cmp(&b),
    };
    order(scores[other], scores[class]).then(class.cmp(&other)).is_lt()
}

/// The class of the largest score.
pub(super) fn likeliest(scores: &[f64]) -> usize {
    (1..scores.len()).fold(0, |best, class| if is_before(scores, class, best) { class } else { best })
}

/// Scores, a row for each place.
pub(super) struct Scores {
    elements: Vec<f64>,
    classes: usize,
}

impl Scores {
    pub(super) fn row(&self, at: usize) -> &[f64] {
        &self.elements[at * self.classes..][..self.classes]
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }
}

/// Weights, scores row by row and the class of each; refuses what counts and is no class.
pub(super) fn rows<T: Float>(
    metric: &'static str,
    scores: &Tensor<T>,
    targets: &Tensor<i64>,
    counts: impl Counts,
) -> Result<(Option<Vec<f64>>, Scores, Vec<usize>)> {
    let (shape, of) = (scores.shape(), targets.shape());
    let classes = match shape.split_last() {
        Some((&classes, leading)) if classes > 0 && leading == of => classes,
        _ => {
            let expected = format!("scores of shape {of:?} and one axis more, that of the classes");
            return Err(Error::shape(metric, expected, format!("{shape:?}")));
        }
    };
    or_refused(metric, || {
        let weights = counts.weights(of)?;
        let targets = classes_of(metric, targets, classes, &weights)?;
        let source = scores.to_vec();
        let elements = each(source.len(), |at| source[at].to_f64());
        Ok((weights, Scores { elements, classes }, targets))
    })
}

/// Classes as indices, 0 where none counts; refuses what counts and is no class.
pub(super) fn classes_of(
    metric: &'static str,
    targets: &Tensor<i64>,
    classes: usize,
    weights: &Option<Vec<f64>>,
) -> Result<Vec<usize>> {
    let targets = targets.to_vec();
    let mut found = filled(0, targets.len());
    for (at, _) in counted(weights, targets.len()) {
        found[at] = match usize::try_from(targets[at]) {
            Ok(class) if class < classes => class,
            _ => {
                let got = format!("{} at element {at}", targets[at]);
                let expected = format!("in 0..{classes} where it counts");
                return Err(Error::argument(metric, "every class", expected, got));
            }
        };
    }
    Ok(found)
}

impl Metric for Accuracy {
    fn name(&self) -> String {
        match self.k {
            1 => "accuracy".to_string(),
            k => format!("top-{k} accuracy"),
        }
    }

    fn value(&self) -> f64 {
        self.tally.mean()
    }

    fn reset(&mut self) {
        self.tally = Tally::default();
    }
}

impl Stateful for Accuracy {
    fn state_dict(&self) -> TensorMap {
        let mut map = self.tally.saved();
        map.insert_number("k", self.k as f64);
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new("accuracy", map);
        let (tally, k) = (Tally::read(&mut reader), reader.whole("k"));
        if k != self.k as u64 {
            reader.refuse("k", &self.k.to_string(), k);
        }
        reader.finish()?;
        self.tally = tally;
        Ok(())
    }
}

print_metric!(Accuracy);
