//! Which row of a padded batch is which row of a packed one.

use wengert_core::__private::{filled, vec_of};
use wengert_core::{Error, Float, Result, Tensor, Variable, cat};

/// A padded batch as rows: (L, N, ..), or (N, L, ..) if `batch_first`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLayout {
    pub steps: usize,
    pub batch: usize,
    pub batch_first: bool,
}

impl BatchLayout {
    /// The layout of a tensor whose first two axes are time and batch.
    pub fn of(shape: &[usize], batch_first: bool) -> Self {
        let (steps, batch) = if batch_first { (shape[1], shape[0]) } else { (shape[0], shape[1]) };
        BatchLayout { steps, batch, batch_first }
    }

    /// The first two axes.
    pub fn shape(&self) -> [usize; 2] {
        if self.batch_first { [self.batch, self.steps] } else { [self.steps, self.batch] }
    }

    /// The row of sample `n` at time `t`.
    pub fn place(&self, t: usize, n: usize) -> usize {
        if self.batch_first { n * self.steps + t } else { t * self.batch + n }
    }

    /// A batch (L, N, ..) or (N, L, ..) as rows (L N, ..).
    #[track_caller]
    pub fn rows<T: Float>(&self, batch: &Variable<T>) -> Variable<T> {
        batch.reshape([&[self.steps.saturating_mul(self.batch)], &batch.shape()[2..]].concat())
    }

    /// Rows as a batch in which row `i` lies at `places[i]`, `value` where none does.
    #[track_caller]
    pub fn spread<T: Float>(&self, rows: &Variable<T>, places: &[usize], value: f64) -> Variable<T> {
        let mut from = filled(places.len(), self.steps.saturating_mul(self.batch));
        places.iter().enumerate().for_each(|(row, &place)| from[place] = row);
        let width = &rows.shape()[1..];
        let full = places.len() == from.len();
        let rows = if full {
            rows.clone()
        } else {
            let padding = Tensor::full([&[1], width].concat(), T::from_f64(value));
            cat(&[rows, &Variable::from(padding)], 0)
        };
        rows.index_select(0, &index(&from)).reshape([&self.shape(), width].concat())
    }
}

/// The rows of a padded batch that count, step by step, in each step the sample with the most steps first.
pub(crate) struct Packing {
    /// The samples, the one with the most steps first.
    pub order: Vec<usize>,
    /// How many samples have that many steps.
    pub sizes: Vec<usize>,
    /// The row of each packed row.
    pub places: Vec<usize>,
}

impl Packing {
    /// The packing of samples that have steps at these times.
    pub fn of(times: &[Vec<usize>], place: impl Fn(usize, usize) -> usize) -> Self {
        let mut order = listed(0..times.len());
        order.sort_by_key(|&n| std::cmp::Reverse(times[n].len()));
        let steps = order.first().map_or(0, |&n| times[n].len());
        let (mut sizes, mut places) = (vec_of(steps), vec_of(times.iter().map(Vec::len).sum()));
        for step in 0..steps {
            let active = order.iter().take_while(|&&n| times[n].len() > step);
            let before = places.len();
            places.extend(active.map(|&n| place(times[n][step], n)));
            sizes.push(places.len() - before);
        }
        Packing { order, sizes, places }
    }

    /// The packing of samples of these lengths.
    pub fn of_lengths(lengths: &[usize], place: impl Fn(usize, usize) -> usize) -> Self {
        Packing::of(&listed(lengths.iter().map(|&length| first_times(length))), place)
    }

    /// The rows that count, packed.
    #[track_caller]
    pub fn pack<T: Float>(&self, rows: &Variable<T>) -> Variable<T> {
        rows.index_select(0, &index(&self.places))
    }
}

/// So many times from the first one on.
pub(crate) fn first_times(length: usize) -> Vec<usize> {
    let mut times = vec_of(length);
    times.extend(0..length);
    times
}

/// So many values as there are.
pub(crate) fn listed<V>(values: impl ExactSizeIterator<Item = V>) -> Vec<V> {
    let mut list = vec_of(values.len());
    list.extend(values);
    list
}

/// Places as an index.
#[track_caller]
pub(crate) fn index(places: &[usize]) -> Tensor<i64> {
    Tensor::from_fn([places.len()], |i| places[i] as i64)
}

/// Where each run of rows begins, from how many there are in each.
pub(super) fn starts(counts: &[usize]) -> Vec<usize> {
    let mut end = 0;
    let start = |count: &usize| {
        end += count;
        end - count
    };
    listed(counts.iter().map(start))
}

/// There is one length for each sample, and none is longer than the batch.
pub(crate) fn check_lengths(operation: &'static str, lengths: &[usize], layout: BatchLayout) -> Result<()> {
    let BatchLayout { steps, batch, .. } = layout;
    if lengths.len() != batch {
        return Err(Error::shape(operation, format!("{batch} lengths, one for each sample"), lengths.len()));
    }
    match lengths.iter().enumerate().find(|(_, length)| **length > steps) {
        None => Ok(()),
        Some((n, length)) => {
            let expected = format!("at most {steps}, the steps of the input");
            Err(Error::argument(operation, "lengths", expected, format!("{length} for sample {n}")))
        }
    }
}
