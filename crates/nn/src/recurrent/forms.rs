//! The forms of a sequence that a layer takes, with and without a context.

use wengert_core::{AsVariable, Result, Variable};

use super::layers::{Layers, OutputAndStates};
use super::masked::Valid;
use super::runner::Recurrent;
use super::stack::Stack;
use crate::cell_with::CellWith;
use crate::sequence::PackedSequence;

/// The methods of [`Layers`] as methods of a type's own, which need no import: of layers without a context,
/// and of any.
macro_rules! forms {
    (
        $layers:ty { $element:ty, $state:ty, $context:ty }
        impl[$($plain:tt)*]
        impl[$($generics:tt)*]
    ) => {
        impl<$($plain)*> $layers {
            /// Runs a sequence from a state, from zeros if none is given; gives all outputs and the last
            /// state. The reverse direction's last state is the one after the first element.
            ///
            /// # Errors
            /// If the input's or the state's shape does not fit, or the sequence is empty.
            ///
            /// ```
            /// use wengert_core::Tensor;
            /// use wengert_nn::Gru;
            /// let gru = Gru::new(10, 20)?;
            /// let (out, h) = gru.forward(&Tensor::randn([3, 32, 10]), None)?;
            /// assert_eq!((out.shape(), h.shape()), (&[3, 32, 20][..], &[1, 32, 20][..]));
            /// let error = gru.forward(&Tensor::randn([3, 32, 7]), None).unwrap_err().to_string();
            /// assert_eq!(error, "GRU: expected an input of width 10, got 7 in shape [3, 32, 7]");
            /// # Ok::<(), wengert_core::Error>(())
            /// ```
            #[track_caller]
            pub fn forward(
                &self,
                input: &impl AsVariable<$element>,
                state: Option<&$state>,
            ) -> Result<(Variable<$element>, $state)> {
                Layers::forward(self, input, state)
            }

            /// [`Self::forward`], and the states after every step: each variable (layers D, L, N, ..), with
            /// the axes of time and batch as the output has them.
            ///
            /// # Errors
            /// If the input's or the state's shape does not fit, or the sequence is empty.
            ///
            /// ```
            /// use wengert_core::{Tensor, Variable};
            /// use wengert_nn::Lstm;
            /// let lstm = Lstm::builder(10, 20).num_layers(2).build()?;
            /// let (_, _, (h, c)) = lstm.forward_states(&Variable::new(Tensor::randn([7, 3, 10])), None)?;
            /// assert_eq!((h.shape(), c.shape()), (&[2, 7, 3, 20][..], &[2, 7, 3, 20][..]));
            /// # Ok::<(), wengert_core::Error>(())
            /// ```
            #[track_caller]
            pub fn forward_states(
                &self,
                input: &impl AsVariable<$element>,
                state: Option<&$state>,
            ) -> Result<OutputAndStates<$state>> {
                Layers::forward_states(self, input, state)
            }

            /// [`Self::forward`] for packed sequences (`torch.nn.LSTM.forward` with a `PackedSequence`); the
            /// output is packed in the same way, states are in the caller's order of sequences.
            ///
            /// # Errors
            /// If the input's or the state's shape does not fit.
            ///
            /// ```
            /// use wengert_core::{Tensor, Variable};
            /// use wengert_nn::{Lstm, PackOptions, PadOptions, pack_padded_sequence, pad_packed_sequence};
            /// let lstm = Lstm::new(10, 20)?;
            /// let x = Variable::new(Tensor::randn([7, 3, 10]));
            /// let packed = pack_padded_sequence(&x, &[7, 5, 2], PackOptions::default())?;
            /// let (out, (h, _c)) = lstm.forward_packed(&packed, None)?;
            /// let (out, lengths) = pad_packed_sequence(&out, PadOptions::default())?;
            /// assert_eq!((out.shape(), h.shape()), (&[7, 3, 20][..], &[1, 3, 20][..]));
            /// assert_eq!(lengths, [7, 5, 2]);
            /// # Ok::<(), wengert_core::Error>(())
            /// ```
            #[track_caller]
            pub fn forward_packed(
                &self,
                input: &PackedSequence<$element>,
                state: Option<&$state>,
            ) -> Result<(PackedSequence<$element>, $state)> {
                Layers::forward_packed(self, input, state)
            }

            /// [`Self::forward`] for a batch of sequences of different lengths, given as they are padded: as
            /// if each were run by itself. `valid` is the lengths, or a mask of the steps that count,
            /// wherever they lie. Outputs of steps that don't count are zero, whatever stands there costs
            /// nothing and gets no gradient; the state is the one after each sequence's last step that
            /// counts, and the reverse direction begins there. A sequence without any leaves its state as it
            /// was.
            ///
            /// # Errors
            /// If the input's or the state's shape does not fit; another number of lengths than of samples,
            /// one longer than the input, a mask of another shape.
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
                input: &impl AsVariable<$element>,
                valid: impl Into<Valid<'v>>,
                state: Option<&$state>,
            ) -> Result<(Variable<$element>, $state)> {
                Layers::forward_masked(self, input, valid, state)
            }
        }

        impl<$($generics)*> $layers {
            /// [`Self::forward`] with a context, which every layer and direction sees as it is: sequences (L,
            /// N, ..) in the input's layout, constants (N, ..); (L, ..) and (..) unbatched.
            ///
            /// See [`CellWith`] for an example.
            ///
            /// # Errors
            /// If the shape of input, context or state does not fit, or the sequence is empty.
            #[track_caller]
            pub fn forward_with(
                &self,
                input: &impl AsVariable<$element>,
                context: &$context,
                state: Option<&$state>,
            ) -> Result<(Variable<$element>, $state)> {
                Layers::forward_with(self, input, context, state)
            }

            /// [`Self::forward_states`] with a context, as [`Self::forward_with`] takes it.
            ///
            /// # Errors
            /// If the shape of input, context or state does not fit, or the sequence is empty.
            #[track_caller]
            pub fn forward_states_with(
                &self,
                input: &impl AsVariable<$element>,
                context: &$context,
                state: Option<&$state>,
            ) -> Result<OutputAndStates<$state>> {
                Layers::forward_states_with(self, input, context, state)
            }

            /// [`Self::forward_packed`] with a context: sequences (L, N, ..) as they are before packing, time
            /// first, the samples in the order in which they were given; constants (N, ..).
            ///
            /// # Errors
            /// If the shape of input, context or state does not fit.
            #[track_caller]
            pub fn forward_packed_with(
                &self,
                input: &PackedSequence<$element>,
                context: &$context,
                state: Option<&$state>,
            ) -> Result<(PackedSequence<$element>, $state)> {
                Layers::forward_packed_with(self, input, context, state)
            }

            /// [`Self::forward_masked`] with a context, padded as the input is. What stands in it at steps
            /// that don't count is not looked at.
            ///
            /// # Errors
            /// If the shape of input, context or state does not fit, or lengths or mask don't fit the input.
            #[track_caller]
            pub fn forward_masked_with<'v>(
                &self,
                input: &impl AsVariable<$element>,
                context: &$context,
                valid: impl Into<Valid<'v>>,
                state: Option<&$state>,
            ) -> Result<(Variable<$element>, $state)> {
                Layers::forward_masked_with(self, input, context, valid, state)
            }
        }
    };
}

forms! {
    Recurrent<C> { C::Element, C::State, C::Context }
    impl[C: CellWith<Context = ()>]
    impl[C: CellWith]
}

forms! {
    Stack<A, B> { A::Element, (A::State, B::State), A::Context }
    impl[A: Layers<Context = ()>, B: Layers<Element = A::Element, Context = ()>]
    impl[A: Layers, B: Layers<Element = A::Element, Context = A::Context>]
}
