//! Sequences of different lengths in one batch: only steps that count are computed.

use wengert_core::{Error, Result, Tensor, Variable};

use super::runner::Recurrent;
use crate::cell::Cell;
use crate::sequence::{Layout, Packing, check_lengths, invert_permutation};
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
    fn times(&self, name: &'static str, layout: Layout) -> Result<Vec<Vec<usize>>> {
        match self {
            Valid::Lengths(lengths) => {
                check_lengths(name, lengths, layout)?;
                Ok(lengths.iter().map(|&length| (0..length).collect()).collect())
            }
            Valid::Mask(mask) => {
                let expected = layout.shape();
                if mask.shape() != expected && !(layout.batch == 1 && mask.shape() == [layout.steps]) {
                    let expected = format!("a mask of shape {expected:?}");
                    return Err(Error::shape(name, expected, format!("{:?}", mask.shape())));
                }
                let valid = mask.to_vec();
                let of = |n| (0..layout.steps).filter(|&t| valid[layout.place(t, n)]).collect();
                Ok((0..layout.batch).map(of).collect())
            }
        }
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
        let batched = input.rank() == 3;
        let batch = if batched { input.clone() } else { input.unsqueeze(1) };
        let layout = Layout::of(batch.shape(), batched && self.is_batch_first());
        let packing = Packing::of(&valid.into().times(self.name(), layout)?, |t, n| layout.place(t, n));
        let states = reordered(self.initial_states(state, layout.batch, batched)?, &packing.order);
        let run = self.run(&packing.pack(&layout.rows(&batch)), &packing.sizes, &states, false)?;
        let last = reordered(run.last, &invert_permutation(&packing.order));
        let output = layout.spread(&run.output, &packing.places, 0.0);
        let output = if batched { output } else { output.squeeze(1) };
        Ok((output, self.stacked(&last, batched)))
    }
}
