//! One cell over the steps of a batch, in one direction.
//!
//! Steps lie one behind the other, the longest sequence first in each: step `t` has `sizes[t]` rows, never
//! more than the step before. A state has a row for every sequence; those whose sequence has ended, or not
//! begun from behind, stay as they are. So a sweep over some steps and then over the next ones is a sweep
//! over all of them.

use wengert_core::__private::{reserve, vec_of};
use wengert_core::{Result, Tensor, Variable, cat, no_grad};

use super::layers::Swept;
use crate::cell::{check_output, check_projected, check_step};
use crate::cell_with::CellWith;
use crate::context;
use crate::repr::layer_name;
use crate::state::State;

/// What happens between the steps of one sweep.
#[derive(Clone)]
pub(super) struct Rules<T: wengert_core::Float> {
    pub training: bool,
    /// The probability that an element of the state stays as it was.
    pub zoneout: f64,
    /// Factors of the hidden part of the state, a row for each sequence: the same at every step.
    pub masks: Vec<Variable<T>>,
}

/// One cell over steps of these sizes.
#[derive(Clone, Copy)]
pub(super) struct Sweep<'s, C: CellWith> {
    pub cell: &'s C,
    pub rules: &'s Rules<C::Element>,
    pub sizes: &'s [usize],
    pub reverse: bool,
    pub keep_states: bool,
}

impl<C: CellWith> Sweep<'_, C> {
    /// Goes over all steps of `data`, at least one, from `state`.
    ///
    /// # Errors
    /// If a step does not give what the cell promises.
    #[track_caller]
    pub fn run(
        &self,
        data: &Variable<C::Element>,
        context: &C::Context,
        state: &C::State,
    ) -> Result<Swept<C::State>> {
        let projected = self.cell.project(data);
        check_projected::<C>(&projected, data.shape()[0])?;
        let steps = projected.split(self.sizes, 0);
        let contexts = context::split(context, self.sizes);
        let (mut rows, width) = (ActiveRows::new(state, self.reverse), self.cell.output_size());
        let (mut outputs, mut states) = (vec_of(steps.len()), Vec::new());
        for t in 0..steps.len() {
            let t = if self.reverse { steps.len() - 1 - t } else { t };
            let (projected, context) = (&steps[t], &contexts[t]);
            let now = rows.of(projected.shape()[0]);
            let (output, next) = self.rules.step(self.cell, projected, context, &now);
            // Between the first step and the last, a state that does not fit is refused where it is used.
            if outputs.is_empty() || outputs.len() + 1 == steps.len() {
                check_step(self.cell, projected.shape()[0], &now, &output, &next)?;
            } else {
                check_output(layer_name::<C>, &output, [projected.shape()[0], width])?;
            }
            outputs.push(output);
            if self.keep_states {
                reserve(&mut states, 1);
                states.push(next.clone());
            }
            rows.now = Some(next);
        }
        Ok(self.swept(outputs, rows.whole(), states))
    }

    /// Pieces in the order in which they were computed, as one sweep.
    #[track_caller]
    pub fn swept(
        &self,
        mut outputs: Vec<Variable<C::Element>>,
        state: C::State,
        mut states: Vec<C::State>,
    ) -> Swept<C::State> {
        if self.reverse {
            outputs.reverse();
            states.reverse();
        }
        let output = match outputs.as_slice() {
            [only] => only.clone(),
            outputs => cat(outputs, 0),
        };
        let states = self.keep_states.then(|| C::State::cat(&states.iter().collect::<Vec<_>>(), 0));
        Swept { output, state, states }
    }
}

impl<T: wengert_core::Float> Rules<T> {
    #[track_caller]
    pub fn step<C: CellWith<Element = T>>(
        &self,
        cell: &C,
        projected: &Variable<T>,
        context: &C::Context,
        now: &C::State,
    ) -> (Variable<T>, C::State) {
        let masked;
        let seen = if self.masks.is_empty() {
            now
        } else {
            let mut masks = self.masks.iter();
            masked = cell.map_hidden(now, &mut |part| {
                let mask = masks.next().expect("one for each hidden part");
                part * mask.narrow(0, 0, part.shape()[0])
            });
            &masked
        };
        let (output, next) = cell.step_with(projected, context, seen);
        if self.zoneout == 0.0 { (output, next) } else { self.zoned(output, now, &next) }
    }

    /// Elements that stay as they were; an output that is a part of the state follows it.
    #[track_caller]
    fn zoned<S: State<Element = T>>(&self, output: Variable<T>, now: &S, next: &S) -> (Variable<T>, S) {
        let mut zoned_output = None;
        let zoned = S::combine(&[now, next], &mut |parts| {
            let zoned = if self.training {
                let stays = Tensor::<T>::bernoulli(parts[0].shape(), self.zoneout).expect("a probability");
                parts[0].where_(&stays.map(|stays| stays != T::ZERO), parts[1])
            } else {
                parts[0] * self.zoneout + parts[1] * (1.0 - self.zoneout)
            };
            if parts[1].is_same(&output) {
                zoned_output = Some(zoned.clone());
            }
            zoned
        });
        (zoned_output.unwrap_or(output), zoned)
    }
}

/// Masks of dropout that stay the same for all steps: one for each hidden part of the state.
pub(super) fn hidden_masks<C: CellWith>(cell: &C, state: &C::State, p: f64) -> Vec<Variable<C::Element>> {
    let mut masks = Vec::new();
    no_grad(|| {
        cell.map_hidden(state, &mut |part| {
            masks.push(mask(part.shape(), p));
            part.clone()
        })
    });
    masks
}

/// `1 / (1 - p)` with probability `1 - p`, else 0.
pub(super) fn mask<T: wengert_core::Float>(shape: &[usize], p: f64) -> Variable<T> {
    no_grad(|| Variable::from(Tensor::ones(shape)).dropout(p)).expect("a probability")
}

/// The rows of a state that take part in a step.
struct ActiveRows<'s, S: State> {
    initial: &'s S,
    count: usize,
    reverse: bool,
    now: Option<S>,
    active: usize,
    /// What has ended, the shortest sequences first.
    ended: Vec<S>,
}

impl<'s, S: State> ActiveRows<'s, S> {
    fn new(initial: &'s S, reverse: bool) -> Self {
        let count = initial.variables().first().map_or(0, |part| part.shape()[0]);
        let (now, active) = if reverse { (None, 0) } else { (Some(initial.clone()), count) };
        ActiveRows { initial, count, reverse, now, active, ended: Vec::new() }
    }

    /// The first `rows` rows: others end here, or begin here if time runs backward.
    #[track_caller]
    fn of(&mut self, rows: usize) -> S {
        let now = self.now.take();
        let active = std::mem::replace(&mut self.active, rows);
        match now {
            Some(now) if rows == active => now,
            Some(now) if rows < active => {
                self.ended.push(now.narrow(0, rows, active - rows));
                now.narrow(0, 0, rows)
            }
            Some(now) => S::cat(&[&now, &self.initial.narrow(0, active, rows - active)], 0),
            None if rows == self.count => self.initial.clone(),
            None => self.initial.narrow(0, 0, rows),
        }
    }

    /// All rows again, those that took no part included.
    #[track_caller]
    fn whole(mut self) -> S {
        if self.reverse && self.active < self.count {
            self.ended.push(self.initial.narrow(0, self.active, self.count - self.active));
        }
        let Some(now) = self.now else { return self.initial.clone() };
        if self.ended.is_empty() {
            return now;
        }
        let parts: Vec<&S> = std::iter::once(&now).chain(self.ended.iter().rev()).collect();
        S::cat(&parts, 0)
    }
}
