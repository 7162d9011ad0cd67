//! Which classes are taken for which.

use std::fmt;

use wengert_core::__private::{filled, or_refused};
use wengert_core::{Error, Float, Result, StateReader, Stateful, Tensor, TensorMap};

use super::Metric;
use super::accuracy::{classes_of, likeliest, rows};
use super::counts::{Counts, counted, same_shape};

/// How often each class was taken for each: row the class that was right, column the predicted one
/// (`sklearn.metrics.confusion_matrix`). Its value is the accuracy.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{All, ConfusionMatrix, Metric};
/// let mut confusion = ConfusionMatrix::new(2)?;
/// confusion.update_classes(&Tensor::from([0i64, 1, 1]), &Tensor::from([0i64, 0, 1]), All)?;
/// assert_eq!(confusion.matrix(), Tensor::from([[1.0f64, 1.0], [0.0, 1.0]]));
/// let lines = ["       0  1", "    0  1  1", "    1  0  1"];
/// assert_eq!(confusion.to_string(), lines.join("\n"));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row by row.
    counts: Vec<f64>,
}

impl ConfusionMatrix {
    /// A matrix for so many classes that has seen nothing.
    ///
    /// # Errors
    /// If there are no classes, or so many that there is no memory for the matrix.
    pub fn new(classes: usize) -> Result<Self> {
        const MOST: usize = 1 << 14;
        if !(1..=MOST).contains(&classes) {
            return Err(Error::argument("confusion matrix", "classes", format!("from 1 to {MOST}"), classes));
        }
        let counts = or_refused("confusion matrix", || Ok(filled(0.0, classes * classes)))?;
        Ok(ConfusionMatrix { classes, counts })
    }

    /// Adds scores of classes (.., C), of which the first largest is predicted, and the classes (..) that
    /// are right.
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
        let (weights, scores, targets) = rows("confusion matrix", scores, targets, counts)?;
        if scores.classes() != self.classes && !targets.is_empty() {
            let expected = format!("scores of {} classes", self.classes);
            return Err(Error::shape("confusion matrix", expected, format!("of {}", scores.classes())));
        }
        for (at, weight) in counted(&weights, targets.len()) {
            self.counts[targets[at] * self.classes + likeliest(scores.row(at))] += weight;
        }
        Ok(())
    }

    /// Adds predicted classes and those that are right, of one shape.
    ///
    /// # Errors
    /// If the shapes or `counts` do not fit, or a class that counts is not one of the C; then nothing was
    /// added.
    pub fn update_classes(
        &mut self,
        predicted: &Tensor<i64>,
        targets: &Tensor<i64>,
        counts: impl Counts,
    ) -> Result<()> {
        same_shape("confusion matrix", predicted.shape(), targets.shape())?;
        let (weights, predicted, targets) = or_refused("confusion matrix", || {
            let weights = counts.weights(targets.shape())?;
            let classes = |of| classes_of("confusion matrix", of, self.classes, &weights);
            let (predicted, targets) = (classes(predicted)?, classes(targets)?);
            Ok((weights, predicted, targets))
        })?;
        for (at, weight) in counted(&weights, targets.len()) {
            self.counts[targets[at] * self.classes + predicted[at]] += weight;
        }
        Ok(())
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The matrix (C, C): how often the row's class was taken for the column's.
    pub fn matrix(&self) -> Tensor<f64> {
        Tensor::from_fn([self.classes, self.classes], |at| self.counts[at])
    }

    /// How often a class was predicted rightly, was predicted, and was right.
    pub(super) fn of_class(&self, class: usize) -> [f64; 3] {
        let at = |row: usize, column: usize| self.counts[row * self.classes + column];
        let predicted = (0..self.classes).map(|row| at(row, class)).sum();
        let right = (0..self.classes).map(|column| at(class, column)).sum();
        [at(class, class), predicted, right]
    }
}

impl Metric for ConfusionMatrix {
    fn name(&self) -> String {
        "confusion matrix".to_string()
    }

    fn value(&self) -> f64 {
        let right: f64 = self.counts.iter().step_by(self.classes + 1).sum();
        right / self.counts.iter().sum::<f64>()
    }

    fn reset(&mut self) {
        self.counts.fill(0.0);
    }
}

impl Stateful for ConfusionMatrix {
    fn state_dict(&self) -> TensorMap {
        let mut map = TensorMap::new();
        map.insert("counts", self.matrix());
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new("confusion matrix", map);
        let counts = reader.numbers("counts", &[self.classes, self.classes]).unwrap_or_default();
        if let Some(bad) = counts.iter().find(|count| !(**count >= 0.0 && count.is_finite())) {
            reader.refuse("counts", "finite and at least 0", bad);
        }
        reader.finish()?;
        self.counts = counts;
        Ok(())
    }
}

impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.counts.iter().map(f64::to_string).collect();
        let heads = (0..self.classes).map(|class| class.to_string().len());
        let width = texts.iter().map(String::len).chain(heads).max().unwrap_or(1);
        let head = |text: &str| format!("{text:>width$}", width = width.max(5));
        let line =
            |cells: &[String]| cells.iter().map(|text| format!("  {text:>width$}")).collect::<String>();
        let classes: Vec<String> = (0..self.classes).map(|class| class.to_string()).collect();
        write!(f, "{}{}", head(""), line(&classes))?;
        for (class, row) in texts.chunks_exact(self.classes).enumerate() {
            write!(f, "\n{}{}", head(&classes[class]), line(row))?;
        }
        Ok(())
    }
}
