//! What every recurrent layer can do with a sequence, from its sweep over rows.

use wengert_core::__private::filled;
use wengert_core::{AsVariable, Float, Result, Tensor, Variable};

use super::checks::{check_context, check_input, check_width};
use super::masked::Valid;
use crate::cell::check_state;
use crate::context::{self, Context};
use crate::line::answered;
use crate::module::Module;
use crate::sequence::{BatchLayout, PackedSequence, Packing, index, invert_permutation};
use crate::state::State;
use crate::watch::Watch;

/// Recurrent layers: a [`Recurrent`](crate::Recurrent), or a [`Stack`](crate::Stack) of such. States are
/// one for all layers and directions: each variable (layers D, N, ..).
///
/// Implementors say what a sweep over all steps and a single step are; all forms of a sequence follow.
pub trait Layers: Module + Clone {
    /// The state of all layers and directions.
    type State: State<Element = Self::Element>;

    /// The state of all layers and directions, as single steps carry it on.
    type Cells: Clone;

    /// The inputs beside the sequence that every layer and step sees; `()` for none.
    type Context: Context<Self::Element>;

    /// The name for messages.
    fn name(&self) -> &'static str;

    /// The width of an input.
    fn input_size(&self) -> usize;

    /// The width of an output.
    fn output_size(&self) -> usize;

    /// Whether inputs and outputs are (N, L, ..) instead of (L, N, ..).
    fn is_batch_first(&self) -> bool;

    /// Whether a second direction runs backward in time.
    fn is_bidirectional(&self) -> bool;

    /// The state before the first step of `batch` samples.
    fn zero_state(&self, batch: usize) -> Self::State;

    /// Goes over rows (B, in) of which step t has `sizes[t]`, never more than the step before, from a
    /// state, or from the layers' own for the sequences of the first step. The context has such rows as
    /// well, or (N, ..).
    ///
    /// # Errors
    /// If a cell does not give what it promises.
    fn sweep(
        &self,
        rows: &Variable<Self::Element>,
        context: &Self::Context,
        sizes: &[usize],
        state: Option<&Self::State>,
        keep: KeepStates,
    ) -> Result<Swept<Self::State>>;

    /// A state for single steps.
    fn unstack(&self, state: &Self::State) -> Self::Cells;

    /// The state that [`Layers::unstack`] has taken apart.
    fn restack(&self, cells: &Self::Cells) -> Self::State;

    /// A single step of a batch (N, in), in evaluation mode, which carries the state on.
    fn step(
        &self,
        input: &Variable<Self::Element>,
        context: &Self::Context,
        cells: &mut Self::Cells,
    ) -> Variable<Self::Element>;

    /// [`Layers::step`] at which the cells are held to what their methods promise: the first one of a
    /// [`Stepper`](crate::Stepper). Layers that have cells of users' look at each; others need not.
    ///
    /// # Errors
    /// If a cell does not give what it promises; `cells` may then have been changed in part.
    #[track_caller]
    fn first_step(
        &self,
        input: &Variable<Self::Element>,
        context: &Self::Context,
        cells: &mut Self::Cells,
    ) -> Result<Variable<Self::Element>> {
        Ok(self.step(input, context, cells))
    }

    /// Runs a sequence (L, N, in), or (N, L, in) if `batch_first`, or (L, in), from a state, or without one
    /// from the layers' own; gives all outputs and the last state.
    ///
    /// # Errors
    /// If the input's or the state's shape does not fit, the sequence is empty, a cell breaks what its
    /// methods promise, or the allocator refuses memory.
    #[track_caller]
    fn forward(
        &self,
        input: &impl AsVariable<Self::Element>,
        state: Option<&Self::State>,
    ) -> Result<(Variable<Self::Element>, Self::State)>
    where
        Self: Layers<Context = ()>,
    {
        self.forward_with(input, &(), state)
    }

    /// Runs a sequence and a context; see [`Recurrent::forward_with`](crate::Recurrent::forward_with).
    ///
    /// # Errors
    /// If the shape of input, context or state does not fit, or the sequence is empty.
    #[track_caller]
    fn forward_with(
        &self,
        input: &impl AsVariable<Self::Element>,
        context: &Self::Context,
        state: Option<&Self::State>,
    ) -> Result<(Variable<Self::Element>, Self::State)> {
        let (output, state, _) = padded(self, &input.as_variable(), context, state, KeepStates::Last)?;
        Ok((output, state))
    }

    /// Runs a sequence as [`Layers::forward`] does; gives all outputs, the last state, and the states after
    /// every step: each variable (layers D, L, N, ..), with the axes of time and batch as the output has
    /// them.
    ///
    /// # Errors
    /// If the input's or the state's shape does not fit, the sequence is empty, a cell breaks what its
    /// methods promise, or the allocator refuses memory.
    #[track_caller]
    fn forward_states(
        &self,
        input: &impl AsVariable<Self::Element>,
        state: Option<&Self::State>,
    ) -> Result<OutputAndStates<Self::State>>
    where
        Self: Layers<Context = ()>,
    {
        self.forward_states_with(input, &(), state)
    }

    /// Runs a sequence and a context and gives the states after every step as well.
    ///
    /// # Errors
    /// If the shape of input, context or state does not fit, or the sequence is empty.
    #[track_caller]
    fn forward_states_with(
        &self,
        input: &impl AsVariable<Self::Element>,
        context: &Self::Context,
        state: Option<&Self::State>,
    ) -> Result<OutputAndStates<Self::State>> {
        let (output, state, states) = padded(self, &input.as_variable(), context, state, KeepStates::Every)?;
        Ok((output, state, states.expect("states that were asked for")))
    }

    /// Runs packed sequences; the output is packed in the same way, states are in the caller's order of
    /// sequences.
    ///
    /// # Errors
    /// If the width of the elements or the state's shape does not fit, a cell breaks what its methods
    /// promise, or the allocator refuses memory.
    #[track_caller]
    fn forward_packed(
        &self,
        input: &PackedSequence<Self::Element>,
        state: Option<&Self::State>,
    ) -> Result<(PackedSequence<Self::Element>, Self::State)>
    where
        Self: Layers<Context = ()>,
    {
        self.forward_packed_with(input, &(), state)
    }

    /// Runs packed sequences; see [`Recurrent::forward_packed_with`](crate::Recurrent::forward_packed_with).
    ///
    /// # Errors
    /// If the shape of input, context or state does not fit.
    #[track_caller]
    fn forward_packed_with(
        &self,
        input: &PackedSequence<Self::Element>,
        context: &Self::Context,
        state: Option<&Self::State>,
    ) -> Result<(PackedSequence<Self::Element>, Self::State)> {
        answered(self.name(), || {
            check_width(self, input.data().shape())?;
            let (watch, sizes) = (Watch::of(self), input.batch_sizes());
            let layout = BatchLayout { steps: sizes.len(), batch: sizes[0], batch_first: false };
            context::check(self.name(), context, &layout.shape(), &[layout.batch])?;
            let order = index_of(input.sorted_indices());
            let context = context::each(
                context,
                |part| input.pack(&layout.rows(part)),
                |part| in_order(part, 0, &order),
            );
            let state = given(self, state, sizes[0], true)?.map(|state| reordered(state, &order));
            let swept = self.sweep(input.data(), &context, sizes, state.as_ref(), KeepStates::Last)?;
            let state = reordered(swept.state, &index_of(input.unsorted_indices()));
            Ok((input.with_data(watch.gave(swept.output))?, state))
        })
    }

    /// Runs a padded batch of sequences of different lengths, as if each were run by itself; `valid` is the
    /// lengths, or a mask of the steps that count. Outputs of other steps are zero, the state is the one
    /// after each sequence's last step that counts.
    ///
    /// # Errors
    /// If the input's or the state's shape does not fit, the sequence is empty, there is another number of
    /// lengths than of samples, one is longer than the input, the mask has another shape, a cell breaks what
    /// its methods promise, or the allocator refuses memory.
    #[doc(alias = "Masking")]
    #[track_caller]
    fn forward_masked<'v>(
        &self,
        input: &impl AsVariable<Self::Element>,
        valid: impl Into<Valid<'v>>,
        state: Option<&Self::State>,
    ) -> Result<(Variable<Self::Element>, Self::State)>
    where
        Self: Layers<Context = ()>,
    {
        self.forward_masked_with(input, &(), valid, state)
    }

    /// Runs sequences of different lengths as they are padded, with a context; see
    /// [`Recurrent::forward_masked_with`](crate::Recurrent::forward_masked_with).
    ///
    /// # Errors
    /// If the shape of input, context or state does not fit, or lengths or mask don't fit the input.
    #[track_caller]
    fn forward_masked_with<'v>(
        &self,
        input: &impl AsVariable<Self::Element>,
        context: &Self::Context,
        valid: impl Into<Valid<'v>>,
        state: Option<&Self::State>,
    ) -> Result<(Variable<Self::Element>, Self::State)> {
        let input = &input.as_variable();
        answered(self.name(), || {
            check_input(self, input)?;
            let (watch, batched) = (Watch::of(self), input.rank() == 3);
            check_context(self, context, input)?;
            let in_batch = |part: &Variable<_>, at| if batched { part.clone() } else { part.unsqueeze(at) };
            let batch = in_batch(input, 1);
            let layout = BatchLayout::of(batch.shape(), batched && self.is_batch_first());
            let packing = Packing::of(&valid.into().times(self.name(), layout)?, |t, n| layout.place(t, n));
            let state = given(self, state, layout.batch, batched)?;
            // The sweep sees no sequence that has no steps, unless a state has.
            let all = packing.sizes.first() == Some(&layout.batch);
            let state = state.or_else(|| (!all).then(|| self.zero_state(layout.batch)));
            let order = index_of(Some(&packing.order));
            let state = state.map(|state| reordered(state, &order));
            let rows = packing.pack(&layout.rows(&batch));
            let context = context::each(
                context,
                |part| packing.pack(&layout.rows(&in_batch(part, 1))),
                |part| in_order(&in_batch(part, 0), 0, &order),
            );
            let swept = self.sweep(&rows, &context, &packing.sizes, state.as_ref(), KeepStates::Last)?;
            let state = reordered(swept.state, &index_of(Some(&invert_permutation(&packing.order))));
            let output = layout.spread(&swept.output, &packing.places, 0.0);
            let alone = |part: &Variable<_>| if batched { part.clone() } else { part.squeeze(1) };
            Ok((watch.gave(alone(&output)), if batched { state } else { state.map(alone) }))
        })
    }
}

/// The outputs, the last state, and the states after every step.
pub type OutputAndStates<S> = (Variable<<S as State>::Element>, S, S);

/// The states of a sweep that are kept: an argument of [`Layers::sweep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepStates {
    /// The one after the last step.
    Last,
    /// The ones after every step as well: [`Swept::states`].
    Every,
}

/// The results of a sweep over rows.
#[derive(Clone, Debug)]
pub struct Swept<S: State> {
    /// The outputs, row by row.
    pub output: Variable<S::Element>,
    /// The state after each sequence's last step.
    pub state: S,
    /// The states after every step, where they were asked for: each variable (.., B, ..) with a row for
    /// each of the output's.
    pub states: Option<S>,
}

/// What a layer gives for a sequence that is not packed.
type Padded<L> = (Variable<<L as Module>::Element>, <L as Layers>::State, Option<<L as Layers>::State>);

#[track_caller]
fn padded<L: Layers>(
    layers: &L,
    input: &Variable<L::Element>,
    context: &L::Context,
    state: Option<&L::State>,
    keep: KeepStates,
) -> Result<Padded<L>> {
    answered(layers.name(), || {
        check_input(layers, input)?;
        check_context(layers, context, input)?;
        let (watch, batched) = (Watch::of(layers), input.rank() == 3);
        let swapped = batched && layers.is_batch_first();
        let in_time = |part: &Variable<L::Element>| if swapped { part.transpose(0, 1) } else { part.clone() };
        let input = in_time(input);
        let (steps, batch) = (input.shape()[0], if batched { input.shape()[1] } else { 1 });
        let state = given(layers, state, batch, batched)?;
        // There are elements, or this product does not count.
        let count = steps.saturating_mul(batch);
        let rows = |part: Variable<L::Element>| {
            if batched { part.reshape([&[count], &part.shape()[2..]].concat()) } else { part }
        };
        let context = context::each(
            context,
            |part| rows(in_time(part)),
            |part| if batched { part.clone() } else { part.unsqueeze(0) },
        );
        let rows = rows(input);
        let swept = layers.sweep(&rows, &context, &filled(batch, steps), state.as_ref(), keep)?;
        if !batched {
            return Ok((watch.gave(swept.output), swept.state.map(|part| part.squeeze(1)), swept.states));
        }
        // Rows stand at axis `at`, behind the layers where these have an axis.
        let unrowed = |rows: &Variable<L::Element>, at: usize| {
            let shape = rows.shape();
            let whole = rows.reshape([&shape[..at], &[steps, batch], &shape[at + 1..]].concat());
            if swapped { whole.transpose(at as isize, at as isize + 1) } else { whole }
        };
        let states = swept.states.map(|states| states.map(|part| unrowed(part, 1)));
        Ok((watch.gave(unrowed(&swept.output, 0)), swept.state, states))
    })
}

/// The state that is given, as that of a batch.
#[track_caller]
fn given<L: Layers>(
    layers: &L,
    state: Option<&L::State>,
    batch: usize,
    batched: bool,
) -> Result<Option<L::State>> {
    let Some(state) = state else { return Ok(None) };
    let zero = layers.zero_state(batch);
    let expected = if batched { zero } else { zero.map(|part| part.squeeze(1)) };
    check_state(layers.name(), state, &expected)?;
    Ok(Some(if batched { state.clone() } else { state.map(|part| part.unsqueeze(1)) }))
}

/// An order as an index; none for the one that things are in.
fn index_of(order: Option<&[usize]>) -> Option<Tensor<i64>> {
    let order = order.filter(|order| !order.iter().copied().eq(0..order.len()))?;
    Some(index(order))
}

/// The entries of axis `dim` in an order.
#[track_caller]
fn in_order<T: Float>(part: &Variable<T>, dim: isize, order: &Option<Tensor<i64>>) -> Variable<T> {
    order.as_ref().map_or_else(|| part.clone(), |order| part.index_select(dim, order))
}

/// The samples of a state in an order.
#[track_caller]
fn reordered<S: State>(state: S, order: &Option<Tensor<i64>>) -> S {
    if order.is_none() { state } else { state.map(|part| in_order(part, 1, order)) }
}

/// The state of a batch, (layers D, N, ..), or, for those samples that `ends` names, the layers' initial
/// one.
#[track_caller]
pub(super) fn reset<L: Layers>(layers: &L, state: &L::State, ends: &[bool]) -> L::State {
    let ends = Tensor::from(ends.to_vec());
    L::State::combine(&[&layers.zero_state(ends.numel()), state], &mut |parts| {
        let mut shape = vec![1; parts[0].rank()];
        shape[1] = ends.numel();
        parts[0].where_(&ends.reshape(shape).expect("one for each sample"), parts[1])
    })
}
