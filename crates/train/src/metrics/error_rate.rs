//! How much of a text has to be changed to be right.

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Error, Result, StateReader, Stateful, Tensor, TensorMap};

use super::counts::Counts;
use super::tally::Tally;
use super::{Metric, print_metric};

/// Character or word error rate: the fewest characters or words that are to be put in, taken out or replaced
/// (Levenshtein, 1966), over how many the right text has (`torchmetrics.text.CharErrorRate`,
/// `WordErrorRate`). It may be above 1.
///
/// ```
/// use wengert_train::{ErrorRate, Metric};
/// let (mut characters, mut words) = (ErrorRate::characters(), ErrorRate::words());
/// characters.update("sitting", "kitten");
/// words.update("the cat sat", "the cat sat down");
/// assert_eq!(characters.to_string(), "character error rate 0.5000");
/// assert_eq!(words.to_string(), "word error rate 0.2500");
/// ```
#[doc(alias = "CharErrorRate")]
#[doc(alias = "WordErrorRate")]
#[derive(Clone, Debug)]
pub struct ErrorRate {
    of_words: bool,
    tally: Tally,
}

impl ErrorRate {
    /// A rate over characters (`char`s) that has seen nothing.
    pub fn characters() -> Self {
        ErrorRate { of_words: false, tally: Tally::default() }
    }

    /// A rate over words, which white space divides, that has seen nothing.
    pub fn words() -> Self {
        ErrorRate { of_words: true, tally: Tally::default() }
    }

    /// Adds a predicted text and the right one.
    pub fn update(&mut self, predicted: &str, right: &str) {
        if self.of_words {
            let words = |text| str::split_whitespace(text).collect::<Vec<_>>();
            self.add(&words(predicted), &words(right));
        } else {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            self.add(&characters(predicted), &characters(right));
        }
    }

    /// Adds predicted characters or words by number (T, N) and the right ones (T', N), a text in each column;
    /// each has its own counts, since they differ in length, and what counts by 0 is left out.
    ///
    /// # Errors
    /// If the shapes or the counts do not fit; then nothing was added.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_train::{All, ErrorRate, Lengths, Metric};
    /// let mut rate = ErrorRate::characters();
    /// let (predicted, right) = (Tensor::from([[1i64], [2], [0]]), Tensor::from([[1i64], [3]]));
    /// rate.update_numbers(&predicted, &right, Lengths(&[2]), All)?;
    /// assert_eq!(rate.value(), 0.5);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn update_numbers(
        &mut self,
        predicted: &Tensor<i64>,
        right: &Tensor<i64>,
        predicted_counts: impl Counts,
        right_counts: impl Counts,
    ) -> Result<()> {
        let parts = or_refused("error rate", || {
            let (predicted, right) = (columns(predicted, predicted_counts)?, columns(right, right_counts)?);
            if predicted.len() != right.len() {
                let (expected, got) = (format!("{} predicted texts", right.len()), predicted.len());
                return Err(Error::shape("error rate", expected, got));
            }
            let mut parts = vec_of(right.len());
            parts.extend(predicted.iter().zip(&right).map(|(predicted, right)| part(predicted, right)));
            Ok(parts)
        })?;
        parts.into_iter().for_each(|(changes, all)| self.tally.add_part(changes, all));
        Ok(())
    }

    fn add<E: PartialEq>(&mut self, predicted: &[E], right: &[E]) {
        let (changes, all) = part(predicted, right);
        self.tally.add_part(changes, all);
    }

    fn text(&self) -> &'static str {
        if self.of_words { "word error rate" } else { "character error rate" }
    }
}

/// The changes that make one text the other, and out of how many.
fn part<E: PartialEq>(predicted: &[E], right: &[E]) -> (f64, f64) {
    (distance(predicted, right) as f64, right.len() as f64)
}

/// The columns of (T, N), without what does not count.
fn columns(tensor: &Tensor<i64>, counts: impl Counts) -> Result<Vec<Vec<i64>>> {
    let &[_, batch] = tensor.shape() else {
        return Err(Error::shape("error rate", "numbers (T, N)", format!("{:?}", tensor.shape())));
    };
    let (weights, numbers) = (counts.weights(tensor.shape())?, tensor.to_vec());
    let mut columns = vec_of(batch);
    // As long as the longest may be: what grows can't be refused.
    columns.extend((0..batch).map(|_| vec_of(numbers.len() / batch)));
    for (at, _) in super::counts::counted(&weights, numbers.len()) {
        columns[at % batch].push(numbers[at]);
    }
    Ok(columns)
}

/// The fewest changes that make one list the other, by the rows of the usual table.
fn distance<E: PartialEq>(a: &[E], b: &[E]) -> usize {
    let mut row = vec_of(b.len() + 1);
    row.extend(0..=b.len());
    for (i, x) in a.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

impl Metric for ErrorRate {
    fn name(&self) -> String {
        self.text().to_string()
    }

    fn value(&self) -> f64 {
        self.tally.mean()
    }

    fn reset(&mut self) {
        self.tally = Tally::default();
    }
}

impl Stateful for ErrorRate {
    fn state_dict(&self) -> TensorMap {
        let mut map = self.tally.saved();
        map.insert_number("of_words", f64::from(u8::from(self.of_words)));
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new(self.text(), map);
        let (tally, of_words) = (Tally::read(&mut reader), reader.whole("of_words"));
        if of_words != u64::from(self.of_words) {
            reader.refuse("of_words", &u8::from(self.of_words).to_string(), of_words);
        }
        reader.finish()?;
        self.tally = tally;
        Ok(())
    }
}

print_metric!(ErrorRate);
