//! Sequences of different lengths in one batch: only steps that count are computed.

use wengert_core::{Error, Float, Result, Tensor, Variable, cat};

use super::runner::Recurrent;
use crate::cell::Cell;
use crate::state::State;

/// Which steps of a batch count.
#[derive(Clone, Copy, Debug)]
pub enum Valid<'v> {
    /// For each sample the number of its steps, from the first one on; 0 is allowed.
    Lengths(&'v [usize]),
    /// For each step of each sample whether it counts, in the layout of the input's first axes.
    Mask(&'v Tensor<bool>),
}

impl<'v> From<&'v [usize]> for Valid<'v> {
    fn from(lengths: &'v [usize]) -> Self {
        Valid::Lengths(lengths)
    }
}

impl<'v, const N: usize> From<&'v [usize; N]> for Valid<'v> {
    fn from(lengths: &'v [usize; N]) -> Self {
        Valid::Lengths(lengths)
    }
}

impl<'v> From<&'v Vec<usize>> for Valid<'v> {
    fn from(lengths: &'v Vec<usize>) -> Self {
        Valid::Lengths(lengths)
    }
}

impl<'v> From<&'v Tensor<bool>> for Valid<'v> {
    fn from(mask: &'v Tensor<bool>) -> Self {
        Valid::Mask(mask)
    }
}

impl Valid<'_> {
    /// The times that count, for each sample.
    fn times(
        &self,
        name: &'static str,
        steps: usize,
        batch: usize,
        swapped: bool,
    ) -> Result<Vec<Vec<usize>>> {
        match self {
            Valid::Lengths(lengths) => {
                if lengths.len() != batch {
                    return Err(Error::shape(
                        name,
                        format!("{batch} lengths, one for each sample"),
                        lengths.len(),
                    ));
                }
                if let Some((n, length)) = lengths.iter().enumerate().find(|(_, length)| **length > steps) {
                    let expected = format!("at most {steps}, the steps of the input");
                    return Err(Error::argument(
                        name,
                        "lengths",
                        expected,
                        format!("{length} for sample {n}"),
                    ));
                }
                Ok(lengths.iter().map(|&length| (0..length).collect()).collect())
            }
            Valid::Mask(mask) => {
                let expected = if swapped { [batch, steps] } else { [steps, batch] };
                let fits = mask.shape() == expected || (batch == 1 && mask.shape() == [steps]);
                if !fits {
                    let expected = format!("a mask of shape {expected:?}");
                    return Err(Error::shape(name, expected, format!("{:?}", mask.shape())));
                }
                let all = mask.to_vec();
                let at = |t: usize, n: usize| if swapped { all[n * steps + t] } else { all[t * batch + n] };
                Ok((0..batch).map(|n| (0..steps).filter(|&t| at(t, n)).collect()).collect())
            }
        }
    }
}

/// Where the rows of a batch lie when only those that count are taken, the longest sequence first.
struct Packing {
    /// The samples, the one with the most steps first.
    order: Vec<usize>,
    sizes: Vec<usize>,
    /// For each packed row its place among all rows (step by step, sample by sample).
    places: Vec<i64>,
}

impl Packing {
    fn of(times: &[Vec<usize>]) -> Self {
        let batch = times.len();
        let mut order: Vec<usize> = (0..batch).collect();
        order.sort_by_key(|&n| std::cmp::Reverse(times[n].len()));
        let steps = order.first().map_or(0, |&n| times[n].len());
        let mut sizes = Vec::with_capacity(steps);
        let mut places = Vec::new();
        for step in 0..steps {
            let active = order.iter().take_while(|&&n| times[n].len() > step);
            let before = places.len();
            places.extend(active.map(|&n| (times[n][step] * batch + n) as i64));
            sizes.push(places.len() - before);
        }
        Packing { order, sizes, places }
    }

    /// Packed rows back among `count`, zeros where none is.
    #[track_caller]
    fn unpack<T: Float>(&self, rows: &Variable<T>, count: usize) -> Variable<T> {
        let none = self.places.len() as i64;
        let mut from = vec![none; count];
        self.places.iter().zip(0..).for_each(|(&place, row)| from[place as usize] = row);
        let zeros = Variable::from(Tensor::zeros([1, rows.shape()[1]]));
        cat(&[rows, &zeros], 0).index_select(0, &from.into())
    }
}

/// The samples of a state in another order.
#[track_caller]
pub(super) fn reordered<S: State>(states: Vec<S>, order: &[usize]) -> Vec<S> {
    if order.iter().enumerate().all(|(i, &n)| i == n) {
        return states;
    }
    let index: Tensor<i64> = order.iter().map(|&n| n as i64).collect::<Vec<_>>().into();
    states.iter().map(|state| state.index_select(0, &index)).collect()
}

fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    order.iter().enumerate().for_each(|(to, &from)| inverse[from] = to);
    inverse
}

impl<C: Cell> Recurrent<C> {
    /// [`Recurrent::forward`] for a batch of sequences of different lengths, given as they are padded: as if each were run by itself.
    /// `valid` is the lengths, or a mask of the steps that count, wherever they lie. Outputs of steps that don't count
    /// are zero, whatever stands there costs nothing and gets no gradient; the state is the one after each sequence's last
    /// step that counts, and the reverse direction begins there. A sequence without any leaves its state as it was.
    ///
    /// # Errors
    /// As for [`Recurrent::forward`]; another number of lengths than of samples, one longer than the input, a mask of
    /// another shape.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::Gru;
    /// let gru = Gru::builder(10, 20).bidirectional(true).build()?;
    /// let x = Variable::new(Tensor::randn([7, 3, 10]));
    /// let (out, h) = gru.forward_masked(&x, &[7, 0, 2], None)?;
    /// assert_eq!((out.shape(), h.shape()), (&[7, 3, 40][..], &[2, 3, 20][..]));
    /// assert_eq!(out.select(1, 2).narrow(0, 2, 5).to_vec(), vec![0.0; 5 * 40]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn forward_masked<'v>(
        &self,
        input: &Variable<C::Element>,
        valid: impl Into<Valid<'v>>,
        state: Option<&C::State>,
    ) -> Result<(Variable<C::Element>, C::State)> {
        self.check_input(input)?;
        let (time_first, batched) = self.time_first(input);
        let (steps, batch) = (time_first.shape()[0], if batched { time_first.shape()[1] } else { 1 });
        let swapped = batched && self.is_batch_first();
        let packing = Packing::of(&valid.into().times(self.name(), steps, batch, swapped)?);
        let states = reordered(self.initial_states(state, batch, batched)?, &packing.order);
        let rows = time_first.reshape([steps * batch, input.shape()[input.rank() - 1]]);
        let rows = rows.index_select(0, &packing.places.clone().into());
        let run = self.run(&rows, &packing.sizes, &states, false)?;
        let last = reordered(run.last, &inverse(&packing.order));
        let output = packing.unpack(&run.output, steps * batch);
        Ok((self.unrowed(&output, steps, batched), self.stacked(&last, batched)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_count_are_packed_the_longest_sequence_first() {
        let packing = Packing::of(&[vec![0], vec![0, 2, 3], vec![], vec![1, 2]]);
        assert_eq!(packing.order, [1, 3, 0, 2]);
        assert_eq!(packing.sizes, [3, 2, 1]);
        assert_eq!(packing.places, [1, 4 + 3, 0, 8 + 1, 8 + 3, 12 + 1]);
        assert_eq!(inverse(&packing.order), [2, 0, 3, 1]);
        let rows = Variable::from(Tensor::from([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0f64]]));
        let all = [3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 4.0, 0.0, 5.0, 0.0, 6.0, 0.0, 0.0];
        assert_eq!(packing.unpack(&rows, 16).to_vec(), all);
    }
}
