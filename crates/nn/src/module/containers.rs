//! Modules that may be missing, and lists of them.

use wengert_core::Float;

use super::{Cast, Memo, Module, Visitor, VisitorMut};

impl<M: Module> Module for Option<M> {
    type Element = M::Element;

    fn visit(&self, visitor: &mut Visitor<'_, M::Element>) {
        self.iter().for_each(|module| visitor.stands_for(module));
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, M::Element>) {
        self.iter_mut().for_each(|module| module.visit_mut(visitor));
    }

    fn settings(&self) -> String {
        self.as_ref().map(M::settings).unwrap_or_default()
    }
}

impl<M: Module> Module for Vec<M> {
    type Element = M::Element;

    fn visit(&self, visitor: &mut Visitor<'_, M::Element>) {
        self.iter().enumerate().for_each(|(i, module)| visitor.field(&i.to_string(), module));
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, M::Element>) {
        self.iter_mut().for_each(|module| module.visit_mut(visitor));
    }
}

impl<C: Cast> Cast for Option<C> {
    type To<U: Float> = Option<C::To<U>>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Self::To<U> {
        self.as_ref().map(|part| part.cast_with(memo))
    }
}

impl<C: Cast> Cast for Vec<C> {
    type To<U: Float> = Vec<C::To<U>>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Self::To<U> {
        self.iter().map(|part| part.cast_with(memo)).collect()
    }
}
