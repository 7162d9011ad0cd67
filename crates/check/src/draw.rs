//! Drawing what a property is checked on, in such a way that it shrinks.
//!
//! What is drawn comes from a list of choices: whole numbers below a bound, and lists of reals. A smaller
//! case is the same program run on simpler choices: numbers closer to 0 (an extent, a rank, a layout),
//! reals replaced by simple ones. One draw may depend on another, and when an earlier one shrinks the later
//! ones still fit: a list of reals that is now too long is cut, one that is too short is continued.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use proptest::prelude::RngExt;
use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::{TestRng, TestRunner};

use crate::shrink::Shrinking;

/// A choice that was made, to be made again or made simpler.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Choice {
    Below(usize),
    Reals(Vec<f64>),
}

/// The choices of one case.
pub struct Draw {
    choices: Vec<Choice>,
    next: usize,
    rng: TestRng,
    notes: String,
}

impl Draw {
    pub(crate) fn new(choices: Vec<Choice>, rng: TestRng) -> Self {
        Draw { choices, next: 0, rng, notes: String::new() }
    }

    /// The choices that were asked for.
    pub(crate) fn made(mut self) -> Vec<Choice> {
        self.choices.truncate(self.next);
        self.choices
    }

    /// Draws from a strategy of this crate, or from a range.
    pub fn draw<D: Drawable>(&mut self, from: D) -> D::Value {
        from.draw(self)
    }

    /// Draws a whole number below `bound`; shrinks to 0.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "below: expected a bound of at least 1, got 0");
        let value = match self.choices.get(self.next) {
            Some(Choice::Below(value)) => (*value).min(bound - 1),
            _ => self.rng.random_range(0..bound),
        };
        self.record(Choice::Below(value));
        value
    }

    /// Draws true or false; shrinks to false.
    pub fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// Draws one of several, the simplest first.
    pub fn one_of<'o, O>(&mut self, options: &'o [O]) -> &'o O {
        &options[self.below(options.len())]
    }

    /// Draws `count` reals, each made by `fresh` from a number in [0, 1) if it isn't there yet. They shrink
    /// to simple numbers, those that `allows` lets through.
    pub fn reals(
        &mut self,
        count: usize,
        fresh: impl Fn(f64) -> f64,
        allows: impl Fn(f64) -> bool,
    ) -> Vec<f64> {
        let mut values = match self.choices.get(self.next) {
            Some(Choice::Reals(values)) => values.clone(),
            _ => Vec::new(),
        };
        values.truncate(count);
        let rng = &mut self.rng;
        values.iter_mut().filter(|value| !allows(**value)).for_each(|value| *value = fresh(rng.random()));
        values.extend((values.len()..count).map(|_| fresh(rng.random())));
        self.record(Choice::Reals(values.clone()));
        values
    }

    /// Adds a line to what a failing property prints.
    pub fn note(&mut self, name: &str, value: impl fmt::Display) {
        self.notes.push_str(&format!("  {name} = {value}\n"));
    }

    pub(crate) fn take_notes(&mut self) -> String {
        std::mem::take(&mut self.notes)
    }

    fn record(&mut self, choice: Choice) {
        match self.choices.get_mut(self.next) {
            Some(known) => *known = choice,
            None => self.choices.push(choice),
        }
        self.next += 1;
    }
}

/// A source that a [`Draw`] can draw from: a strategy of this crate, or a range.
pub trait Drawable {
    /// The type of the values.
    type Value;

    /// Draws one value.
    fn draw(&self, draw: &mut Draw) -> Self::Value;
}

impl<D: Drawable + ?Sized> Drawable for &D {
    type Value = D::Value;

    fn draw(&self, draw: &mut Draw) -> D::Value {
        D::draw(self, draw)
    }
}

impl Drawable for Range<usize> {
    type Value = usize;

    fn draw(&self, draw: &mut Draw) -> usize {
        self.start + draw.below(self.end - self.start)
    }
}

impl Drawable for RangeInclusive<usize> {
    type Value = usize;

    fn draw(&self, draw: &mut Draw) -> usize {
        self.start() + draw.below(self.end() + 1 - self.start())
    }
}

impl Drawable for Range<f64> {
    type Value = f64;

    fn draw(&self, draw: &mut Draw) -> f64 {
        let (low, high) = (self.start, self.end);
        draw.reals(1, |unit| low + unit * (high - low), |x| (low..high).contains(&x))[0]
    }
}

/// A strategy that draws by a function, made by [`draws`].
#[derive(Clone)]
pub struct Drawn<F>(F);

impl<F> fmt::Debug for Drawn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drawn")
    }
}

/// A strategy from a function of a [`Draw`]: a proptest strategy, and drawable itself.
///
/// ```
/// use wengert_check::{draws, proptest::prelude::*, tensor};
/// let wide = draws(|draw| {
///     let n = draw.draw(1..5);
///     draw.draw(tensor([n, 2 * n]))
/// });
/// proptest!(|(x in wide)| prop_assert_eq!(x.shape()[1], 2 * x.shape()[0]));
/// ```
pub fn draws<V, F: Fn(&mut Draw) -> V + Clone>(f: F) -> Drawn<F> {
    Drawn(f)
}

impl<V, F: Fn(&mut Draw) -> V> Drawable for Drawn<F> {
    type Value = V;

    fn draw(&self, draw: &mut Draw) -> V {
        (self.0)(draw)
    }
}

impl<V: fmt::Debug, F: Fn(&mut Draw) -> V + Clone> Strategy for Drawn<F> {
    type Tree = Shrinking<Self>;
    type Value = V;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(Shrinking::new(self.clone(), runner.new_rng()))
    }
}

/// Makes a type that can be drawn from a proptest strategy as well.
macro_rules! strategy {
    ($name:ident$(<$t:ident: $bound:ident>)?) => {
        impl$(<$t: $bound + Clone + std::fmt::Debug>)? proptest::strategy::Strategy for $name$(<$t>)? {
            type Tree = $crate::shrink::Shrinking<Self>;
            type Value = <Self as $crate::draw::Drawable>::Value;

            fn new_tree(
                &self,
                runner: &mut proptest::test_runner::TestRunner,
            ) -> proptest::strategy::NewTree<Self> {
                Ok($crate::shrink::Shrinking::new(self.clone(), runner.new_rng()))
            }
        }
    };
}
pub(crate) use strategy;
