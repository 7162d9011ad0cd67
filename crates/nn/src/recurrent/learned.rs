//! A state to start from that is learned.

use wengert_core::{Float, Parameter, Result, Variable};

use super::factory::{CellFactory, Place};
use crate::cell_with::CellWith;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::repr::Repr;
use crate::state::{MapPart, State, filled};

/// A cell whose state before the first step is learned: the same for every sample. It starts from the
/// cell's own.
///
/// Parameters: the cell's, and `initial_0`, `initial_1`, .. for the parts of its state.
#[derive(Clone, Debug)]
pub struct LearnedState<C, T: Float = f32> {
    cell: C,
    initial: Vec<Parameter<T>>,
}

impl<C: CellWith> LearnedState<C, C::Element> {
    /// The cell with a state of its own.
    ///
    /// ```
    /// use wengert_nn::{CellWith, GruCell, LearnedState, Module};
    /// let cell = LearnedState::new(GruCell::new(3, 2)?);
    /// cell.parameter("initial_0")?.update("test", |h| h.copy_from_slice(&[1.0, -1.0]))?;
    /// assert_eq!(cell.zero_state(2).to_vec(), vec![1.0, -1.0, 1.0, -1.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn new(cell: C) -> Self {
        let parts = cell.zero_state(1).variables();
        let initial = parts.iter().map(|part| Parameter::new(part.select(0, 0).value().copy())).collect();
        LearnedState { cell, initial }
    }

    /// The cell.
    pub fn cell(&self) -> &C {
        &self.cell
    }
}

impl<C: CellWith<Element = T>, T: Float> Module for LearnedState<C, T> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        self.cell.visit(visitor);
        let names = (0..).map(|part| format!("initial_{part}"));
        names.zip(&self.initial).for_each(|(name, parameter)| visitor.field(&name, parameter));
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        self.cell.visit_mut(visitor);
        self.initial.visit_mut(visitor);
    }

    fn settings(&self) -> String {
        self.cell.settings()
    }
}

impl<C: Cast, T: Float> Cast for LearnedState<C, T> {
    type To<U: Float> = LearnedState<C::To<U>, U>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Self::To<U> {
        LearnedState { cell: self.cell.cast_with(memo), initial: self.initial.cast_with(memo) }
    }
}

impl<C: CellWith<Element = T>, T: Float> CellWith for LearnedState<C, T> {
    const NAME: &'static str = C::NAME;
    type State = C::State;
    type Context = C::Context;

    fn input_size(&self) -> usize {
        self.cell.input_size()
    }

    fn output_size(&self) -> usize {
        self.cell.output_size()
    }

    #[track_caller]
    fn zero_state(&self, batch: usize) -> C::State {
        let zeros = self.cell.zero_state(batch);
        let mut parts = Vec::with_capacity(self.initial.len());
        for (initial, zeros) in self.initial.iter().zip(zeros.variables()) {
            parts.push(initial.unsqueeze(0).expand(zeros.shape()));
        }
        filled(&zeros, &parts)
    }

    #[track_caller]
    fn project(&self, input: &Variable<T>) -> Variable<T> {
        self.cell.project(input)
    }

    #[track_caller]
    fn step_with(
        &self,
        projected: &Variable<T>,
        context: &C::Context,
        state: &C::State,
    ) -> (Variable<T>, C::State) {
        self.cell.step_with(projected, context, state)
    }

    fn map_hidden(&self, state: &C::State, f: &mut MapPart<'_, T>) -> C::State {
        self.cell.map_hidden(state, f)
    }

    fn gates(&self) -> &'static [&'static str] {
        self.cell.gates()
    }

    fn repr(&self) -> Repr {
        self.cell.repr().switch("learned_state", true)
    }
}

/// Makes cells with a learned state.
#[derive(Clone, Debug)]
pub struct LearnedFactory<F>(pub(super) F);

impl<F: CellFactory> CellFactory for LearnedFactory<F> {
    type Cell = LearnedState<F::Cell, <F::Cell as Module>::Element>;

    fn make(&self, input_size: usize) -> Result<Self::Cell> {
        self.0.make(input_size).map(LearnedState::new)
    }

    fn make_at(&self, place: Place) -> Result<Self::Cell> {
        self.0.make_at(place).map(LearnedState::new)
    }
}
