//! A backward, event by event, computed by the library's own rules.

use std::collections::HashMap;

use wengert_core::{
    Float, LateProducts, Pulled, Replay, Result, Tape, TapeEntry, TapeInput, Tensor, Variable, cat,
};

use crate::scene::{Event, Give, Ref, Wait};
use crate::value::Value;

/// A pair of factors that waits.
type Pair<T> = (Variable<T>, Variable<T>);

/// What has come to one value.
struct Sum<T: Float> {
    sum: Option<Variable<T>>,
    late: LateProducts<T>,
    /// The factors that wait, last step first.
    pairs: Vec<Pair<T>>,
    arrived: usize,
}

impl<T: Float> Default for Sum<T> {
    fn default() -> Self {
        Sum { sum: None, late: LateProducts::default(), pairs: Vec::new(), arrived: 0 }
    }
}

impl<T: Float> Sum<T> {
    fn add(&mut self, term: &Variable<T>) {
        self.sum = Some(self.sum.as_ref().map_or_else(|| term.clone(), |sum| sum + term));
        self.arrived += 1;
    }

    /// One more product waits; the event if all that wait have become one.
    fn wait(&mut self, to: Ref, left: Variable<T>, right: Variable<T>) -> Option<Event> {
        self.pairs.push((left.clone(), right.clone()));
        let before = self.sum.clone();
        self.late.push(left, right, &mut self.sum);
        if self.late.is_empty() { Some(self.product(to, before.as_ref())) } else { None }
    }

    /// All that wait become one product; nothing if none does.
    fn settle(&mut self, to: Ref) -> Option<Event> {
        if self.pairs.is_empty() {
            return None;
        }
        let before = self.sum.clone();
        std::mem::take(&mut self.late).add_to(&mut self.sum);
        Some(self.product(to, before.as_ref()))
    }

    fn product(&mut self, to: Ref, before: Option<&Variable<T>>) -> Event {
        let (left, right): (Vec<_>, Vec<_>) = self.pairs.drain(..).rev().unzip();
        let count = left.len();
        let factors = [&left, &right].map(|parts| match parts.as_slice() {
            [only] => only.clone(),
            parts => cat(parts, 0),
        });
        self.arrived += 1;
        let sum = shown(self.sum.as_ref().expect("something waited"));
        // The sum is the product where nothing came before.
        let value = match before {
            Some(_) => shown(&factors[0].t().matmul(&factors[1])),
            None => sum.clone(),
        };
        Event::Product { to, count, factors: factors.each_ref().map(shown), value, sum }
    }
}

/// A backward as events, and what came to each value in the end.
pub(crate) struct Walked<T: Float> {
    pub(crate) events: Vec<Event>,
    pub(crate) grads: HashMap<Ref, Tensor<T>>,
}

/// A value as a page shows it.
pub(crate) fn shown<T: Float>(value: &Variable<T>) -> Value {
    Value::of(&value.value().cast())
}

struct Walk<'r, T: Float> {
    replay: &'r Replay<T>,
    sums: HashMap<Ref, Sum<T>>,
    /// Leaves in the order in which something came to them first.
    leaves: Vec<Ref>,
    events: Vec<Event>,
}

/// Goes back from the last line, which is of one element and has a gradient, as a backward does that asks for
/// the gradients of all values.
pub(crate) fn walk<T: Float>(tape: &Tape, replay: &Replay<T>) -> Result<Walked<T>> {
    let mut walk = Walk { replay, sums: HashMap::new(), leaves: Vec::new(), events: Vec::new() };
    let last = tape.entries().last().map_or(0, |entry| entry.number);
    let seed = Variable::from(Tensor::ones(replay.output().shape()));
    let to = Ref { line: last, output: 0 };
    walk.events.push(Event::Seed { to, value: shown(&seed) });
    walk.sums.entry(to).or_default().sum = Some(seed);
    for entry in tape.entries().iter().rev().filter(|entry| !entry.is_leaf()) {
        walk.visit(tape, entry)?;
    }
    for leaf in std::mem::take(&mut walk.leaves) {
        walk.settle(leaf);
    }
    walk.count();
    let grads = walk.sums.into_iter().filter_map(|(place, sum)| Some((place, sum.sum?.value()))).collect();
    Ok(Walked { events: walk.events, grads })
}

impl<T: Float> Walk<'_, T> {
    /// Sums what waits at a place.
    fn settle(&mut self, to: Ref) {
        let event = self.sums.get_mut(&to).and_then(|sum| sum.settle(to));
        self.events.extend(event);
    }

    fn visit(&mut self, tape: &Tape, entry: &TapeEntry) -> Result<()> {
        let place = |output| Ref { line: entry.number, output };
        (0..entry.outputs.len()).for_each(|output| self.settle(place(output)));
        let cotangent = |output| self.sums.get(&place(output)).and_then(|sum| sum.sum.clone());
        let cotangents: Vec<Option<Variable<T>>> = (0..entry.outputs.len()).map(cotangent).collect();
        if cotangents.iter().all(Option::is_none) {
            return Ok(());
        }
        let pulled = self.replay.pull_back(entry, &cotangents)?;
        let (mut gives, mut waits, mut products) = (Vec::new(), Vec::new(), Vec::new());
        for (input, pulled) in pulled.into_iter().enumerate() {
            let TapeInput::Value { number, output } = entry.inputs[input] else { continue };
            let to = Ref { line: number, output };
            if matches!(pulled, Pulled::Nothing) {
                continue;
            }
            let is_leaf = tape.entry(number).is_some_and(TapeEntry::is_leaf);
            if is_leaf && !self.sums.contains_key(&to) {
                self.leaves.push(to);
            }
            let sum = self.sums.entry(to).or_default();
            match pulled {
                Pulled::Term(term) => {
                    sum.add(&term);
                    let all = sum.sum.as_ref().map(shown).expect("a term came");
                    gives.push(Give {
                        input,
                        to,
                        value: shown(&term),
                        sum: all,
                        arrived: sum.arrived,
                        of: 0,
                    });
                }
                Pulled::Product { left, right } => {
                    let factors = [shown(&left), shown(&right)];
                    waits.push(Wait { input, to, factors, waiting: sum.pairs.len() + 1 });
                    products.extend(sum.wait(to, left, right));
                }
                _ => {}
            }
        }
        let cotangents = cotangents.iter().map(|cotangent| cotangent.as_ref().map(shown)).collect();
        self.events.push(Event::Pull { line: entry.number, cotangents, gives, waits });
        self.events.append(&mut products);
        Ok(())
    }

    /// Says of each term how many come to its place in all.
    fn count(&mut self) {
        for event in &mut self.events {
            if let Event::Pull { gives, .. } = event {
                for give in gives {
                    give.of = self.sums.get(&give.to).map_or(0, |sum| sum.arrived);
                }
            }
        }
    }
}
