//! The walks over a module.

use wengert_core::{Float, Parameter};

use super::Module;
use crate::buffer::Buffer;

/// What a walk meets beside parameters, for whoever draws the tree of modules.
pub(crate) enum Met {
    /// A field, by name, with what tells it from others ([`identity`]), and its settings.
    Field(String, Identity, String),
    /// The field is an optional module that is there, which is this one.
    Is(Identity),
    /// The field is a parameter or a buffer.
    Value,
    /// The end of the field.
    End,
}

/// An address and a type, which tell a module from one that lies at its beginning.
pub(crate) type Identity = (usize, &'static str);

pub(crate) fn identity<M: ?Sized>(module: &M) -> Identity {
    (std::ptr::from_ref(module).cast::<()>() as usize, std::any::type_name::<M>())
}

/// A function that is shown buffers and their names.
pub(crate) type FoundBuffer<'f, T> = dyn FnMut(String, &Buffer<T>) + 'f;

/// A function that changes buffers.
pub(crate) type ChangeBuffer<'f, T> = dyn FnMut(&mut Buffer<T>) + 'f;

/// Goes over a module's parameters and buffers and gives each its name.
pub struct Visitor<'v, T: Float> {
    path: Vec<String>,
    suffix: String,
    /// Whether anybody asks for names; to put them together takes longer than the walk.
    names: bool,
    /// The identities of parameters that are not shown.
    hidden: Vec<usize>,
    found: &'v mut dyn FnMut(String, &Parameter<T>),
    buffers: Option<&'v mut FoundBuffer<'v, T>>,
    tree: Option<&'v mut dyn FnMut(Met)>,
}

impl<'v, T: Float> Visitor<'v, T> {
    /// Calls `found` with each parameter's name and the parameter.
    pub fn new(found: &'v mut dyn FnMut(String, &Parameter<T>)) -> Self {
        Visitor {
            path: Vec::new(),
            suffix: String::new(),
            names: true,
            hidden: Vec::new(),
            found,
            buffers: None,
            tree: None,
        }
    }

    /// A visitor that calls `found` with each buffer's name and the buffer as well.
    #[must_use]
    pub fn buffers(mut self, found: &'v mut FoundBuffer<'v, T>) -> Self {
        self.buffers = Some(found);
        self
    }

    /// Calls `found` with each parameter and an empty name.
    pub(super) fn nameless(found: &'v mut dyn FnMut(String, &Parameter<T>)) -> Self {
        Visitor { names: false, ..Visitor::new(found) }
    }

    /// A visitor that tells of every field as well.
    pub(crate) fn tree(mut self, met: &'v mut dyn FnMut(Met)) -> Self {
        self.tree = Some(met);
        self
    }

    fn tell(&mut self, met: impl FnOnce() -> Met) {
        if let Some(tree) = &mut self.tree {
            tree(met());
        }
    }

    /// Goes into a field.
    pub fn field<M: Module<Element = T> + ?Sized>(&mut self, name: &str, field: &M) {
        if !self.names {
            return field.visit(self);
        }
        self.tell(|| Met::Field(name.to_string(), identity(field), field.settings()));
        self.path.push(name.to_string());
        field.visit(self);
        self.path.pop();
        self.tell(|| Met::End);
    }

    /// Goes into the module that an optional field is.
    pub(super) fn stands_for<M: Module<Element = T>>(&mut self, module: &M) {
        self.tell(|| Met::Is(identity(module)));
        module.visit(self);
    }

    /// Goes into a part whose parameters' names end in `suffix`, as `_l0_reverse`.
    pub fn suffixed<M: Module<Element = T> + ?Sized>(&mut self, suffix: &str, part: &M) {
        if !self.names {
            return part.visit(self);
        }
        // A part within a part ends in both suffixes, the inner one first.
        let both = format!("{suffix}{}", self.suffix);
        let outer = std::mem::replace(&mut self.suffix, both);
        part.visit(self);
        self.suffix = outer;
    }

    /// Goes over a part without showing these of its parameters.
    pub(crate) fn hiding<M: Module<Element = T>>(&mut self, hidden: &[&Parameter<T>], part: &M) {
        let before = self.hidden.len();
        self.hidden.extend(hidden.iter().map(|parameter| parameter.id()));
        part.visit(self);
        self.hidden.truncate(before);
    }

    fn name(&self) -> String {
        if self.names { format!("{}{}", self.path.join("."), self.suffix) } else { String::new() }
    }
}

/// Goes over a module's parameters, buffers and mode flags, to change them.
pub struct VisitorMut<'v, T: Float> {
    change: &'v mut dyn FnMut(&mut Parameter<T>),
    buffers: Option<&'v mut ChangeBuffer<'v, T>>,
    /// The identities of parameters that are not shown.
    hidden: Vec<usize>,
    training: Option<bool>,
}

impl<'v, T: Float> VisitorMut<'v, T> {
    /// Calls `change` with each parameter, and sets every mode flag if `training` says how.
    pub fn new(change: &'v mut dyn FnMut(&mut Parameter<T>), training: Option<bool>) -> Self {
        VisitorMut { change, buffers: None, hidden: Vec::new(), training }
    }

    /// A visitor that calls `change` with each buffer as well.
    #[must_use]
    pub fn buffers(mut self, change: &'v mut ChangeBuffer<'v, T>) -> Self {
        self.buffers = Some(change);
        self
    }

    /// Shows a module's own flag, true while it trains.
    pub fn mode(&mut self, flag: &mut bool) {
        *flag = self.training.unwrap_or(*flag);
    }

    /// Goes over a part without showing these of its parameters.
    pub(crate) fn hiding<M: Module<Element = T>>(&mut self, hidden: &[&Parameter<T>], part: &mut M) {
        let before = self.hidden.len();
        self.hidden.extend(hidden.iter().map(|parameter| parameter.id()));
        part.visit_mut(self);
        self.hidden.truncate(before);
    }
}

impl<T: Float> Module for Parameter<T> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        visitor.tell(|| Met::Value);
        if visitor.hidden.is_empty() || !visitor.hidden.contains(&self.id()) {
            let name = visitor.name();
            (visitor.found)(name, self);
        }
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        if visitor.hidden.is_empty() || !visitor.hidden.contains(&self.id()) {
            (visitor.change)(self);
        }
    }
}

impl<T: Float> Module for Buffer<T> {
    type Element = T;

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        visitor.tell(|| Met::Value);
        let name = visitor.name();
        if let Some(found) = &mut visitor.buffers {
            found(name, self);
        }
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        if let Some(change) = &mut visitor.buffers {
            change(self);
        }
    }
}
