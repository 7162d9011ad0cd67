//! Indices drawn at random: from a range, each of them once, or by weights.

use wengert_kernel::number::Arithmetic;

use super::{Element, Tensor, memory};
use crate::base::dims::Dims;
use crate::base::error::{Error, Result, expect};
use crate::base::refusal::or_refused;
use crate::random::{Generator, with_generator};

impl Tensor<i64> {
    /// Independent draws from `low, low + 1, ..., high - 1`, each equally likely, from this thread's
    /// generator (`torch.randint`).
    ///
    /// # Errors
    /// If `low` is not below `high`, or there is no memory for the draws.
    ///
    /// ```
    /// # use wengert_core::{manual_seed, Tensor};
    /// manual_seed(0);
    /// let dice = Tensor::<i64>::randint(1, 7, [2, 50])?;
    /// assert_eq!(dice.shape(), &[2, 50]);
    /// assert!(dice.to_vec().iter().all(|eyes| (1..7).contains(eyes)));
    /// let error = Tensor::<i64>::randint(3, 3, [1]).unwrap_err();
    /// assert_eq!(error.to_string(), "randint: low must be below high, which is 3, got 3");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "integers")]
    pub fn randint(low: i64, high: i64, shape: impl AsRef<[usize]>) -> Result<Self> {
        if low >= high {
            return Err(Error::argument("randint", "low", format!("below high, which is {high}"), low));
        }
        let count = high.abs_diff(low);
        let draw = |g: &mut Generator| low.wrapping_add_unsigned(g.below_u64(count));
        with_generator(|g| Tensor::numbered("randint", shape, |_| draw(g)))
    }

    /// The numbers `0..n` in random order, each order equally likely, from this thread's generator
    /// (`torch.randperm`).
    ///
    /// ```
    /// # use wengert_core::{manual_seed, Tensor, Variable};
    /// manual_seed(0);
    /// let order = Tensor::<i64>::randperm(4);
    /// let batch = Variable::new(Tensor::from([10.0f32, 11.0, 12.0, 13.0])).index_select(0, &order);
    /// let mut shuffled = batch.to_vec();
    /// shuffled.sort_by(f32::total_cmp);
    /// assert_eq!(shuffled, [10.0, 11.0, 12.0, 13.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no memory for as many numbers.
    #[doc(alias = "permutation")]
    #[doc(alias = "shuffle")]
    #[track_caller]
    pub fn randperm(n: usize) -> Self {
        expect(Tensor::create("randperm", Dims::from(&[n][..]), |out| {
            out.iter_mut().zip(0..).for_each(|(number, i)| *number = i);
            with_generator(|g| g.shuffle(out));
        }))
    }
}

impl<T: Element + Arithmetic> Tensor<T> {
    /// Different indices drawn by weights, `num_samples` for each row, from this thread's generator
    /// (`torch.multinomial` as it is without `replacement`): of shape `[num_samples]` for weights of shape
    /// `[n]`, and `[rows, num_samples]` for `[rows, n]`.
    ///
    /// Weights need not sum to 1. Each draw is one from the indices that are left in its row, `i` with a
    /// probability of `w[i] / sum(w)` over these. An index of weight 0 never comes.
    ///
    /// # Errors
    /// If the weights have another rank, `num_samples` is 0, a weight is negative or not finite, or fewer
    /// than `num_samples` of a row are above 0; the message names the row. Nothing has been drawn then. Also
    /// if there is no memory for the draws.
    ///
    /// ```
    /// # use wengert_core::{manual_seed, Tensor};
    /// manual_seed(0);
    /// let mut drawn = Tensor::from([0.0f32, 3.0, 1.0]).multinomial(2)?.to_vec();
    /// drawn.sort();
    /// assert_eq!(drawn, [1, 2]);
    /// let weights = Tensor::from([[0.0f32, 3.0, 1.0], [2.0, 0.0, 0.0]]);
    /// let error = weights.multinomial(2).unwrap_err();
    /// let expected = "multinomial: expected at least 2 weights above 0 in row 1 for 2 samples without \
    ///                 replacement, got 1";
    /// assert_eq!(error.to_string(), expected);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "choice")]
    pub fn multinomial(&self, num_samples: usize) -> Result<Tensor<i64>> {
        self.indices_drawn(num_samples, true)
    }

    /// Indices drawn by weights, `num_samples` for each row, each on its own: `i` with a probability of
    /// `w[i] / sum(w)` (`torch.multinomial` with `replacement`). Shapes and weights are those of
    /// [`Tensor::multinomial`].
    ///
    /// # Errors
    /// All that [`Tensor::multinomial`] refuses, but that one weight above 0 in each row is enough.
    ///
    /// ```
    /// # use wengert_core::{manual_seed, Tensor};
    /// manual_seed(0);
    /// let weights = Tensor::from([[0.0f32, 3.0, 1.0], [2.0, 0.0, 0.0]]);
    /// let drawn = weights.multinomial_with_replacement(8)?;
    /// assert_eq!(drawn.shape(), &[2, 8]);
    /// assert!(drawn.select(0, 0)?.to_vec().iter().all(|&i| i == 1 || i == 2));
    /// assert_eq!(drawn.select(0, 1)?.to_vec(), [0; 8]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "categorical")]
    #[doc(alias = "Categorical")]
    pub fn multinomial_with_replacement(&self, num_samples: usize) -> Result<Tensor<i64>> {
        self.indices_drawn(num_samples, false)
    }

    fn indices_drawn(&self, num_samples: usize, distinct: bool) -> Result<Tensor<i64>> {
        let &[ref rows @ .., width] = self.shape() else { return Err(of_rank(self.shape())) };
        if rows.len() > 1 {
            return Err(of_rank(self.shape()));
        }
        if num_samples == 0 {
            return Err(Error::argument("multinomial", "num_samples", "at least 1", 0));
        }
        let weights = if self.is_contiguous() { self.clone() } else { self.copied("multinomial")? };
        // A row without elements has none to be chosen: it is refused as one of zeros.
        let row_of = |row: usize| &weights.in_order()[row * width..][..width];
        for row in 0..rows.first().copied().unwrap_or(1) {
            check_weights(row_of(row), row, distinct.then_some(num_samples))?;
        }
        let shape: Vec<usize> = rows.iter().copied().chain([num_samples]).collect();
        or_refused("multinomial", || {
            Tensor::create("multinomial", &shape[..], |out| {
                let choose = if distinct { without_replacement } else { with_replacement };
                with_generator(|g| {
                    let rows = out.chunks_exact_mut(num_samples).enumerate();
                    rows.for_each(|(row, out)| choose(g, row_of(row), out));
                });
            })
        })
    }
}

fn of_rank(shape: &[usize]) -> Error {
    Error::shape("multinomial", "weights of rank 1 or 2", format!("shape {shape:?}"))
}

/// Refuses weights of a row that nothing can be drawn by; `distinct` of them must be above 0 if it is given.
fn check_weights<T: Element>(weights: &[T], row: usize, distinct: Option<usize>) -> Result<()> {
    let wrong = |w: &T| !(w.to_f64().is_finite() && w.to_f64() >= 0.0);
    if let Some(at) = weights.iter().position(wrong) {
        let got = format!("{} at {at} of row {row}", weights[at].to_f64());
        return Err(Error::argument("multinomial", "every weight", "finite and at least 0", got));
    }
    let above = weights.iter().filter(|w| **w > T::ZERO).count();
    let (least, why) = match distinct {
        Some(count) => (count, format!(" for {count} samples without replacement")),
        None => (1, String::new()),
    };
    if above < least {
        let noun = if least == 1 { "weight" } else { "weights" };
        let expected = format!("at least {least} {noun} above 0 in row {row}{why}");
        return Err(Error::shape("multinomial", expected, above));
    }
    Ok(())
}

/// Each draw on its own: where a uniform number falls among the running sums.
fn with_replacement<T: Element>(g: &mut Generator, weights: &[T], out: &mut [i64]) {
    // Of weights divided by the largest no sum overflows.
    let largest = weights.iter().fold(0.0, |most: f64, w| most.max(w.to_f64()));
    let mut sum = 0.0;
    let mut ends = memory::vec_of(weights.len());
    ends.extend(weights.iter().map(|w| {
        sum += w.to_f64() / largest;
        sum
    }));
    for index in out {
        let place = g.uniform(0.0, sum);
        *index = ends.partition_point(|end| *end <= place) as i64;
    }
}

/// The first of a race of exponential clocks with the weights as rates (Efraimidis and Spirakis, 2006), which
/// come in the order of draws one after the other from those that are left. In logarithms, for weights of any
/// magnitude.
fn without_replacement<T: Element>(g: &mut Generator, weights: &[T], out: &mut [i64]) {
    let mut arrivals: Vec<(f64, i64)> = memory::vec_of(weights.len());
    for (i, w) in weights.iter().enumerate().filter(|(_, w)| **w > T::ZERO) {
        let waited = -(-g.uniform(0.0, 1.0)).ln_1p();
        arrivals.push((waited.ln() - w.to_f64().ln(), i as i64));
    }
    arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    out.iter_mut().zip(arrivals).for_each(|(index, (_, i))| *index = i);
}
