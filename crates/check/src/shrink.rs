//! Making the choices of a failing case simpler, one by one, for as long as it fails.

use std::cell::RefCell;
use std::fmt::Debug;

use proptest::strategy::ValueTree;
use proptest::test_runner::TestRng;

use crate::draw::{Choice, Draw, Drawable};

/// A drawn value that shrinks: proptest's value tree over choices.
pub struct Shrinking<D: Drawable> {
    from: D,
    rng: TestRng,
    choices: Vec<Choice>,
    /// What the choices gave, until it is asked for.
    value: RefCell<Option<D::Value>>,
    /// The choices before the last simplification, while it isn't known whether the case still fails.
    before: Option<Vec<Choice>>,
    /// The choice to make simpler next, and how.
    position: usize,
    variant: usize,
    /// Whether this round made anything simpler.
    progress: bool,
}

impl<D: Drawable> Shrinking<D> {
    pub(crate) fn new(from: D, rng: TestRng) -> Self {
        let mut tree = Shrinking {
            from,
            rng,
            choices: Vec::new(),
            value: RefCell::default(),
            before: None,
            position: 0,
            variant: 0,
            progress: false,
        };
        tree.choices = tree.complete(Vec::new());
        tree
    }

    fn run(&self, choices: Vec<Choice>) -> (D::Value, Vec<Choice>) {
        let mut draw = Draw::new(choices, self.rng.clone());
        let value = self.from.draw(&mut draw);
        (value, draw.made())
    }

    /// The choices as the program takes them: others may follow from a changed one.
    fn complete(&self, choices: Vec<Choice>) -> Vec<Choice> {
        let (value, choices) = self.run(choices);
        self.value.replace(Some(value));
        choices
    }

    /// Goes on to the next simpler choices; false if there are none.
    fn advance(&mut self) -> bool {
        loop {
            let Some(choice) = self.choices.get(self.position) else {
                if !self.progress {
                    return false;
                }
                (self.position, self.variant, self.progress) = (0, 0, false);
                continue;
            };
            match simpler(choice, self.variant) {
                Simpler::NoMore => (self.position, self.variant) = (self.position + 1, 0),
                Simpler::No => self.variant += 1,
                Simpler::Yes(simple) => {
                    let mut choices = self.choices.clone();
                    choices[self.position] = simple.clone();
                    let choices = self.complete(choices);
                    // What is outside of the domain is not taken as it is.
                    if choices.get(self.position) == Some(&simple) {
                        self.before = Some(std::mem::replace(&mut self.choices, choices));
                        return true;
                    }
                    self.value.take();
                    self.variant += 1;
                }
            }
        }
    }
}

impl<D: Drawable> ValueTree for Shrinking<D>
where
    D::Value: Debug,
{
    type Value = D::Value;

    fn current(&self) -> D::Value {
        let value = self.value.take();
        value.unwrap_or_else(|| self.run(self.choices.clone()).0)
    }

    fn simplify(&mut self) -> bool {
        self.progress |= self.before.take().is_some();
        self.advance()
    }

    fn complicate(&mut self) -> bool {
        let Some(before) = self.before.take() else { return false };
        self.choices = before;
        self.value.take();
        self.variant += 1;
        self.advance()
    }
}

enum Simpler {
    Yes(Choice),
    /// This way leads to nothing simpler.
    No,
    /// There are no more ways.
    NoMore,
}

/// The numbers that a real is tried to be replaced by, the simplest first.
const SIMPLE: [f64; 7] = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5];

/// Ways to simplify one real: the simple numbers, and fewer digits.
const WAYS: usize = SIMPLE.len() + 3;

fn simpler(choice: &Choice, variant: usize) -> Simpler {
    match choice {
        Choice::Below(value) => {
            let Some(less) = [0, value / 2, value.saturating_sub(1)].get(variant).copied() else {
                return Simpler::NoMore;
            };
            if less < *value { Simpler::Yes(Choice::Below(less)) } else { Simpler::No }
        }
        Choice::Reals(values) => {
            let mut simple = values.clone();
            match variant.checked_sub(SIMPLE.len()) {
                None => simple.fill(SIMPLE[variant]),
                // What matters to the front: a list is cut from behind.
                Some(0) => simple.sort_by_key(|&x| std::cmp::Reverse(complexity(x))),
                Some(rest) if (rest - 1) / WAYS < values.len() => {
                    let element = &mut simple[(rest - 1) / WAYS];
                    *element = simplified(*element, (rest - 1) % WAYS);
                }
                Some(_) => return Simpler::NoMore,
            }
            if complexities(&simple) < complexities(values) {
                Simpler::Yes(Choice::Reals(simple))
            } else {
                Simpler::No
            }
        }
    }
}

fn simplified(x: f64, way: usize) -> f64 {
    match way.checked_sub(SIMPLE.len()) {
        None => SIMPLE[way],
        Some(digits) => digits_of(x, digits),
    }
}

fn digits_of(x: f64, digits: usize) -> f64 {
    let unit = 10f64.powi(digits as i32);
    (x * unit).round() / unit
}

/// How hard a list is to read; among permutations, how far back its harder numbers are.
fn complexities(values: &[f64]) -> (u64, u64) {
    let each = values.iter().map(|&x| complexity(x));
    (each.clone().sum(), each.zip(0..).map(|(complexity, place)| complexity * place).sum())
}

/// How hard a number is to read.
fn complexity(x: f64) -> u64 {
    if let Some(place) = SIMPLE.iter().position(|&simple| simple == x) {
        return place as u64;
    }
    match (0..3).find(|&digits| digits_of(x, digits) == x) {
        Some(0) => 10 + (x.abs() as u64).min(10),
        Some(digits) => 20 + digits as u64,
        None => 30,
    }
}
