//! Packed sequences through the runner.

use wengert_core::Result;

use super::masked::reordered;
use super::runner::Recurrent;
use crate::cell::Cell;
use crate::sequence::PackedSequence;

impl<C: Cell> Recurrent<C> {
    /// [`Recurrent::forward`] for packed sequences (`torch.nn.LSTM.forward` with a `PackedSequence`); the output is packed in
    /// the same way, states are in the caller's order of sequences.
    ///
    /// # Errors
    /// As for [`Recurrent::forward`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::{Lstm, pack_padded_sequence, pad_packed_sequence};
    /// let lstm = Lstm::new(10, 20)?;
    /// let packed = pack_padded_sequence(&Variable::new(Tensor::randn([7, 3, 10])), &[7, 5, 2], false, true)?;
    /// let (out, (h, _c)) = lstm.forward_packed(&packed, None)?;
    /// let (out, lengths) = pad_packed_sequence(&out, false, 0.0, None)?;
    /// assert_eq!((out.shape(), h.shape(), lengths), (&[7, 3, 20][..], &[1, 3, 20][..], vec![7, 5, 2]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn forward_packed(
        &self,
        input: &PackedSequence<C::Element>,
        state: Option<&C::State>,
    ) -> Result<(PackedSequence<C::Element>, C::State)> {
        self.check_width(input.data().shape())?;
        let batch = input.batch_sizes().first().copied().unwrap_or(0);
        let states = self.initial_states(state, batch, true)?;
        let states = match input.sorted_indices() {
            Some(order) => reordered(states, order),
            None => states,
        };
        let run = self.run(input.data(), input.batch_sizes(), &states, false)?;
        let last = match input.unsorted_indices() {
            Some(order) => reordered(run.last, order),
            None => run.last,
        };
        Ok((input.with_data(run.output)?, self.stacked(&last, true)))
    }
}
