//! The tree of modules.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use wengert_core::AnyTensor;

use super::SummaryRow;
use crate::module::{Identity, Met, Module, Visitor, identity};

/// A module in the tree.
pub(super) struct Place {
    pub(super) identity: Identity,
    /// The module that it is in.
    pub(super) within: Option<usize>,
    name: String,
    settings: String,
    depth: usize,
    /// The parameters and buffers in it, by identity.
    seen: HashSet<usize>,
    parameters: usize,
    trainable: usize,
    bytes: usize,
    /// Whether it is a parameter or a buffer, and no module.
    is_value: bool,
    is_empty: bool,
}

impl Place {
    fn new(name: String, identity: Identity, settings: String, within: Option<usize>, depth: usize) -> Self {
        Place {
            identity,
            within,
            name,
            settings,
            depth,
            seen: HashSet::new(),
            parameters: 0,
            trainable: 0,
            bytes: 0,
            is_value: false,
            is_empty: true,
        }
    }

    pub(super) fn row(&self) -> SummaryRow {
        SummaryRow {
            name: self.name.clone(),
            kind: short(self.identity.1),
            depth: self.depth,
            output: None,
            calls: 0,
            parameters: self.parameters,
            trainable: self.trainable,
            bytes: self.bytes,
            flops: 0,
            kept_bytes: 0,
        }
    }

    /// Whether it is no module, but a value or a place where a module may be and is not.
    fn is_none(&self) -> bool {
        self.is_value || (self.is_empty && self.identity.1.starts_with("core::option::Option<"))
    }
}

/// A type's name without paths, and without the element type.
fn short(name: &str) -> String {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        let last = parts.last_mut().expect("never empty");
        match letter {
            ':' => last.clear(),
            '<' | '>' | ',' | '(' | ')' | ' ' | '[' | ']' | '&' => {
                parts.extend([letter.to_string(), String::new()]);
            }
            letter => last.push(letter),
        }
    }
    let short = parts.concat();
    let short = short.replace("<f32>", "").replace("<f64>", "").replace(", f32>", ">").replace(", f64>", ">");
    short.split_once("Sequential<(").map_or(short.clone(), |(before, _)| format!("{before}Sequential"))
}

/// The names of the types of a module and of those in it, without paths and element types, as a line.
pub fn types_of<M: Module + ?Sized>(model: &M) -> String {
    let rows: Vec<SummaryRow> = tree(model).iter().map(Place::row).collect();
    let inner: Vec<String> = rows[1..].iter().map(|row| format!("{}: {}", row.name, row.kind)).collect();
    if inner.is_empty() { rows[0].kind.clone() } else { format!("{} of {}", rows[0].kind, inner.join(", ")) }
}

/// The settings of a module and of those in it that have some, by path; of the cells of a layer, which share
/// their paths, one behind the other.
pub fn settings_of<M: Module + ?Sized>(model: &M) -> BTreeMap<String, String> {
    let mut all = BTreeMap::<String, String>::new();
    for Place { name, settings, .. } in tree(model).into_iter().filter(|place| !place.settings.is_empty()) {
        let here = all.entry(name).or_default();
        *here += if here.is_empty() { "" } else { ", " };
        *here += &settings;
    }
    all
}

/// The places under construction.
struct Tree {
    places: Vec<Place>,
    /// The places that the walk is in, outermost first.
    open: Vec<usize>,
}

impl Tree {
    fn meet(&mut self, met: Met) {
        let top = *self.open.last().expect("the model is never left");
        match met {
            Met::Field(name, identity, settings) => {
                let (outer, depth) = (&self.places[top].name, self.places[top].depth + 1);
                let name = if outer.is_empty() { name } else { format!("{outer}.{name}") };
                self.places[top].is_empty = false;
                self.open.push(self.places.len());
                self.places.push(Place::new(name, identity, settings, Some(top), depth));
            }
            Met::Is(identity) => {
                self.places[top].identity = identity;
                self.places[top].is_empty = false;
            }
            Met::Value => self.places[top].is_value = true,
            Met::End => drop(self.open.pop()),
        }
    }

    /// Counts a parameter or buffer for all that it is in.
    fn count(&mut self, id: usize, [parameters, trainable, bytes]: [usize; 3]) {
        for &place in &self.open {
            let place = &mut self.places[place];
            if place.seen.insert(id) {
                place.parameters += parameters;
                place.trainable += trainable;
                place.bytes += bytes;
            }
        }
    }
}

/// The modules of a model, each in front of those in it.
pub(super) fn tree<M: Module + ?Sized>(model: &M) -> Vec<Place> {
    let root = Place::new(String::new(), identity(model), model.settings(), None, 0);
    let tree = RefCell::new(Tree { places: vec![root], open: vec![0] });
    let size = size_of::<M::Element>();
    model.visit(
        &mut Visitor::new(&mut |_, parameter| {
            let numel = parameter.numel();
            let trainable = if parameter.requires_grad() { numel } else { 0 };
            tree.borrow_mut().count(parameter.id(), [numel, trainable, numel * size]);
        })
        .buffers(&mut |_, buffer| {
            let value = buffer.value();
            let width = if matches!(value, AnyTensor::I64(_)) { 8 } else { size };
            let numel: usize = value.shape().iter().product();
            tree.borrow_mut().count(buffer.id(), [0, 0, numel * width]);
        })
        .tree(&mut |met| tree.borrow_mut().meet(met)),
    );
    modules(tree.into_inner().places)
}

/// The places that are modules, numbered anew.
fn modules(places: Vec<Place>) -> Vec<Place> {
    let mut numbers = vec![None; places.len()];
    let mut kept: Vec<Place> = Vec::new();
    for (i, mut place) in places.into_iter().enumerate() {
        // What is in a value that is left out is in what that is in.
        let within = place.within.and_then(|outer| numbers[outer]);
        if i > 0 && place.is_none() {
            numbers[i] = within;
            continue;
        }
        place.within = within;
        numbers[i] = Some(kept.len());
        kept.push(place);
    }
    kept
}
