//! Recurrent layers of different widths or cells, one on the other.

use std::fmt;

use wengert_core::{Error, Float, Result, Variable};

use super::layers::{KeepStates, Layers, Swept};
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};

/// Recurrent layers of other widths or cells on each other: each a [`Recurrent`](crate::Recurrent), or a
/// stack again. The state is the pair of theirs, a context
/// ([`CellWith`](crate::CellWith)) is one for both, parameters are named `lower.…` and `upper.…`.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{Gru, Lstm, Stack};
/// let lower = Lstm::builder(10, 32).bidirectional(true).build()?;
/// let net = Stack::new(lower, Gru::new(64, 16)?)?.dropout(0.2)?;
/// let (out, ((h, c), upper)) = net.forward(&Tensor::randn([7, 3, 10]), None)?;
/// assert_eq!(out.shape(), &[7, 3, 16]);
/// assert_eq!((h.shape(), c.shape(), upper.shape()), (&[2, 3, 32][..], &[2, 3, 32][..], &[1, 3, 16][..]));
/// let layers = ["  (lower): LSTM(10, 32, bidirectional=True)", "  (upper): GRU(64, 16)"];
/// let lines = ["Stack(", layers[0], layers[1], "  dropout=0.2", ")"];
/// assert!(net.to_string().lines().eq(lines));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "StackedRNNCells")]
#[derive(Clone, Debug)]
pub struct Stack<A, B> {
    /// The layers that see the input.
    pub lower: A,
    /// The layers that see the outputs of the others.
    pub upper: B,
    dropout: f64,
    training: bool,
}

impl<T, A, B> Stack<A, B>
where
    T: Float,
    A: Layers<Element = T>,
    B: Layers<Element = T, Context = A::Context>,
{
    /// `upper` on the outputs of `lower`.
    ///
    /// # Errors
    /// If the width of an output of `lower` is not that of an input of `upper`, or only one of them has the
    /// batch in front.
    ///
    /// ```
    /// use wengert_nn::{Gru, Stack};
    /// let error = Stack::new(Gru::new(10, 32)?, Gru::new(31, 16)?).err().unwrap();
    /// assert_eq!(error.to_string(), "Stack: expected upper layers for inputs of width 32, got 31");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn new(lower: A, upper: B) -> Result<Self> {
        if lower.output_size() != upper.input_size() {
            let expected = format!("upper layers for inputs of width {}", lower.output_size());
            return Err(Error::shape(NAME, expected, upper.input_size()));
        }
        if lower.is_batch_first() != upper.is_batch_first() {
            let expected = format!("the lower layers' {}", lower.is_batch_first());
            return Err(Error::argument(NAME, "batch_first", expected, upper.is_batch_first()));
        }
        Ok(Stack { lower, upper, dropout: 0.0, training: true })
    }

    /// Sets the probability of dropout on what passes from the lower to the upper layers, in training.
    ///
    /// # Errors
    /// If `p` is not in [0, 1].
    pub fn dropout(mut self, p: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::argument(NAME, "dropout", "in [0, 1]", p));
        }
        self.dropout = p;
        Ok(self)
    }
}

const NAME: &str = "Stack";

impl<T, A, B> Layers for Stack<A, B>
where
    T: Float,
    A: Layers<Element = T>,
    B: Layers<Element = T, Context = A::Context>,
{
    type State = (A::State, B::State);
    type Cells = (A::Cells, B::Cells);
    type Context = A::Context;

    fn name(&self) -> &'static str {
        NAME
    }

    fn input_size(&self) -> usize {
        self.lower.input_size()
    }

    fn output_size(&self) -> usize {
        self.upper.output_size()
    }

    fn is_batch_first(&self) -> bool {
        self.lower.is_batch_first()
    }

    fn is_bidirectional(&self) -> bool {
        self.lower.is_bidirectional() || self.upper.is_bidirectional()
    }

    #[track_caller]
    fn zero_state(&self, batch: usize) -> Self::State {
        (self.lower.zero_state(batch), self.upper.zero_state(batch))
    }

    #[track_caller]
    fn sweep(
        &self,
        rows: &Variable<T>,
        context: &A::Context,
        sizes: &[usize],
        state: Option<&Self::State>,
        keep: KeepStates,
    ) -> Result<Swept<Self::State>> {
        let (lower, upper) = (state.map(|state| &state.0), state.map(|state| &state.1));
        let lower = self.lower.sweep(rows, context, sizes, lower, keep)?;
        let between = if self.training { lower.output.dropout(self.dropout)? } else { lower.output };
        let upper = self.upper.sweep(&between, context, sizes, upper, keep)?;
        let states = lower.states.zip(upper.states);
        Ok(Swept { output: upper.output, state: (lower.state, upper.state), states })
    }

    #[track_caller]
    fn unstack(&self, state: &Self::State) -> Self::Cells {
        (self.lower.unstack(&state.0), self.upper.unstack(&state.1))
    }

    #[track_caller]
    fn restack(&self, cells: &Self::Cells) -> Self::State {
        (self.lower.restack(&cells.0), self.upper.restack(&cells.1))
    }

    #[track_caller]
    fn step(&self, input: &Variable<T>, context: &A::Context, cells: &mut Self::Cells) -> Variable<T> {
        self.upper.step(&self.lower.step(input, context, &mut cells.0), context, &mut cells.1)
    }

    #[track_caller]
    fn first_step(
        &self,
        input: &Variable<T>,
        context: &A::Context,
        cells: &mut Self::Cells,
    ) -> Result<Variable<T>> {
        let between = self.lower.first_step(input, context, &mut cells.0)?;
        self.upper.first_step(&between, context, &mut cells.1)
    }
}

impl<T: Float, A: Module<Element = T>, B: Module<Element = T>> Module for Stack<A, B> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        visitor.field("lower", &self.lower);
        visitor.field("upper", &self.upper);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        visitor.mode(&mut self.training);
        self.lower.visit_mut(visitor);
        self.upper.visit_mut(visitor);
    }

    fn settings(&self) -> String {
        format!("dropout={}", self.dropout)
    }
}

impl<A: Cast, B: Cast> Cast for Stack<A, B> {
    type To<U: Float> = Stack<A::To<U>, B::To<U>>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Self::To<U> {
        Stack {
            lower: self.lower.cast_with(memo),
            upper: self.upper.cast_with(memo),
            dropout: self.dropout,
            training: self.training,
        }
    }
}

impl<A: fmt::Display, B: fmt::Display> fmt::Display for Stack<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = |layers: &dyn fmt::Display| layers.to_string().replace('\n', "\n  ");
        writeln!(f, "{NAME}(\n  (lower): {}\n  (upper): {}", inner(&self.lower), inner(&self.upper))?;
        if self.dropout > 0.0 {
            writeln!(f, "  dropout={}", self.dropout)?;
        }
        write!(f, ")")
    }
}
