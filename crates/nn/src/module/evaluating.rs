//! A model for evaluation, beside the one that trains.

use std::fmt;
use std::ops::Deref;

use wengert_core::__private::fix_packs;
use wengert_core::{Parameter, Variable};

use super::{Module, VisitorMut};
use crate::buffer::Buffer;

/// A model as [`Module::evaluating`] gives it: its layers in evaluation mode, its parameters constants of the
/// values that they had.
#[derive(Clone)]
pub struct Evaluating<M>(M);

impl<M: Module + Clone> Evaluating<M> {
    pub(super) fn of(model: &M) -> Self {
        let mut copy = model.clone();
        let mut fix = |parameter: &mut Parameter<M::Element>| {
            let value = parameter.value();
            fix_packs(&value);
            let value = Parameter::computed(Variable::from(value));
            *parameter = match parameter.name() {
                Some(name) => value.named(name),
                None => value,
            };
        };
        let mut keep = |buffer: &mut Buffer<M::Element>| *buffer = buffer.copy();
        copy.visit_mut(&mut VisitorMut::new(&mut fix, Some(false)).buffers(&mut keep));
        Evaluating(copy)
    }
}

impl<M> Deref for Evaluating<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.0
    }
}

impl<M: fmt::Display> fmt::Display for Evaluating<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<M: fmt::Debug> fmt::Debug for Evaluating<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
