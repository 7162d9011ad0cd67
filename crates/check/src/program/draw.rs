//! Drawing programs.

use wengert_core::{
    Attributes, Domain, Generator, OperationEntry, Variable, no_grad, operations, with_plain,
};

use super::composed::COMPOSED;
use super::run::{evaluate, given};
use super::{Cell, Kind, Layer, Line, Place, RandomProgram, Step};
use crate::draw::{Draw, Drawn, draws};

/// Programs: a few leaves, operations and layers, that go on with each other's values. They shrink to fewer
/// lines and smaller extents; [`RandomProgram::check`] checks one.
///
/// ```
/// use wengert_check::{programs, proptest::prelude::*};
/// proptest!(ProptestConfig::with_cases(10), |(program in programs())| {
///     prop_assert_eq!(program.check(), Ok(()));
/// });
/// ```
pub fn programs() -> Drawn<impl Fn(&mut Draw) -> RandomProgram + Clone> {
    draws(|draw| drawn(&mut |bound| draw.below(bound)))
}

impl RandomProgram {
    /// The program of a seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut generator = Generator::from_seed(seed);
        drawn(&mut |bound| generator.below(bound))
    }
}

/// Extents: few elements, numbers that are no multiple of a vector, and whole blocks of the products.
const EXTENTS: [usize; 14] = [1, 2, 3, 1, 5, 2, 8, 16, 17, 7, 31, 33, 48, 64];
/// Elements that a value has at most.
const LARGEST: usize = 1 << 13;
/// Numbers beyond this are not gone on with.
const FARTHEST: f64 = 50.0;

type Choose<'c> = dyn FnMut(usize) -> usize + 'c;

fn drawn(choose: &mut Choose<'_>) -> RandomProgram {
    let mut draft = Draft { choose, lines: Vec::new(), values: Vec::new(), entries: operations() };
    let count = (draft.choose)(6) + 1;
    for _ in 0..count {
        draft.phrase();
    }
    if !draft.requiring().contains(&true) {
        let leaf = draft.fresh(Kind::Leaf, Domain::Any, &[2, 3]);
        draft.apply("Tanh", Attributes::none(), vec![leaf]);
    }
    draft.finish()
}

/// A program that is being written, with the values of its lines.
struct Draft<'c, 'b> {
    choose: &'c mut Choose<'b>,
    lines: Vec<Line>,
    values: Vec<Vec<Variable<f64>>>,
    entries: Vec<OperationEntry<f64>>,
}

impl Draft<'_, '_> {
    fn choice(&mut self, bound: usize) -> usize {
        (self.choose)(bound)
    }

    fn one_of<V: Copy>(&mut self, options: &[V]) -> V {
        options[self.choice(options.len())]
    }

    fn extent(&mut self) -> usize {
        if self.choice(24) == 23 { 0 } else { self.one_of(&EXTENTS) }
    }

    fn shape(&mut self) -> Vec<usize> {
        let rank = self.one_of(&[2, 1, 3, 2, 0, 4]);
        let mut shape: Vec<usize> = (0..rank).map(|_| self.extent()).collect();
        while shape.iter().product::<usize>() > LARGEST / 4 {
            let longest = (0..shape.len()).max_by_key(|&axis| shape[axis]).expect("it has elements");
            shape[longest] /= 2;
        }
        shape
    }

    fn shape_of(&self, place: Place) -> &[usize] {
        &self.lines[place.line].shapes[place.output]
    }

    /// A value that is not computed.
    fn fresh(&mut self, kind: Kind, domain: Domain, shape: &[usize]) -> Place {
        let kind = if domain == Domain::Mask { Kind::Constant } else { kind };
        let step = Step::Given { kind, domain, seed: self.choice(1 << 20) as u64 };
        self.values.push(vec![Variable::from(given(&step, shape))]);
        self.lines.push(Line { step, shapes: vec![shape.to_vec()] });
        Place { line: self.lines.len() - 1, output: 0 }
    }

    fn any_kind(&mut self) -> Kind {
        self.one_of(&[Kind::Leaf, Kind::Parameter, Kind::Leaf, Kind::Parameter, Kind::Constant])
    }

    /// A line, unless its values are too many or too large to go on with.
    fn push(&mut self, step: Step) -> Option<usize> {
        let line = Line { step, shapes: Vec::new() };
        let values = no_grad(|| with_plain(|| evaluate::<f64>(&line, &self.values, &self.entries, None)));
        let sound = |value: &Variable<f64>| {
            value.numel() <= LARGEST && value.to_vec().iter().all(|x| x.abs() < FARTHEST)
        };
        if values.is_empty() || !values.iter().all(sound) {
            return None;
        }
        let shapes = values.iter().map(|value| value.shape().to_vec()).collect();
        self.values.push(values);
        self.lines.push(Line { shapes, ..line });
        Some(self.lines.len() - 1)
    }

    fn apply(
        &mut self,
        operation: &'static str,
        attributes: Attributes,
        inputs: Vec<Place>,
    ) -> Option<Place> {
        let line = self.push(Step::Apply { operation, attributes, inputs })?;
        Some(Place { line, output: 0 })
    }

    fn map(&mut self, operation: &'static str, inputs: &[Place]) -> Option<Place> {
        self.apply(operation, Attributes::none(), inputs.to_vec())
    }

    /// A value that is there already, late ones first.
    fn known(&mut self, fits: impl Fn(&[usize]) -> bool) -> Option<Place> {
        let places = self
            .lines
            .iter()
            .enumerate()
            .rev()
            .flat_map(|(line, known)| (0..known.shapes.len()).map(move |output| Place { line, output }));
        let fitting: Vec<Place> = places.filter(|&place| fits(self.shape_of(place))).collect();
        let bound = fitting.len().min(6);
        (bound > 0).then(|| fitting[self.choice(bound)])
    }

    /// A value of a shape, there already or new.
    fn of_shape(&mut self, domain: Domain, shape: &[usize]) -> Place {
        if domain != Domain::Mask && self.choice(3) > 0 {
            let known = self.known(|known| known == shape);
            if let Some(place) = known.and_then(|place| self.brought_into(domain, place)) {
                return place;
            }
        }
        let kind = self.any_kind();
        self.fresh(kind, domain, shape)
    }

    /// A value that lies inside a domain: itself, or what a few operations make of it.
    fn brought_into(&mut self, domain: Domain, place: Place) -> Option<Place> {
        match domain {
            Domain::Positive | Domain::NonZero => {
                let between = self.map("Sigmoid", &[place])?;
                self.apply("AddScalar", Attributes::none().float("c", 0.5), vec![between])
            }
            _ => Some(place),
        }
    }

    /// Some lines that belong together.
    fn phrase(&mut self) {
        let before = self.lines.len();
        let written = match self.choice(13) {
            0..=6 => self.operation(),
            7 => self.vector_recurrence(),
            8 => self.recurrence(),
            9 => self.gates(),
            10 => self.layer(),
            11 => self.composed(),
            _ => self.through_time(),
        };
        if written.is_none() {
            self.lines.truncate(before);
            self.values.truncate(before);
        }
    }

    /// Any operation, on a value that is there or a new one.
    fn operation(&mut self) -> Option<()> {
        let at = self.choice(self.entries.len());
        let entry = self.entries[at].clone();
        let known = if self.choice(4) > 0 { self.known(|_| true) } else { None };
        let shape = match known {
            Some(place) => self.shape_of(place).to_vec(),
            None => self.shape(),
        };
        let fitted = entry.fit(self.choose, &shape)?;
        let mut inputs = Vec::new();
        for (i, shape) in fitted.shapes.iter().enumerate() {
            let domain = entry.domain(i);
            let known =
                known.filter(|&place| i == 0 && domain != Domain::Mask && self.shape_of(place) == shape);
            let place = known.and_then(|place| self.brought_into(domain, place));
            inputs.push(match place {
                Some(place) => place,
                None => self.of_shape(domain, shape),
            });
        }
        self.apply(entry.name(), fitted.attributes, inputs).map(drop)
    }

    /// A function that several operations make up, along any axis of a value that is there or a new one.
    fn composed(&mut self) -> Option<()> {
        let name = self.one_of(&COMPOSED);
        let known = if self.choice(2) == 0 { self.known(|shape| !shape.is_empty()) } else { None };
        let shape = self.shape();
        let input = known.unwrap_or_else(|| self.of_shape(Domain::Any, &shape));
        let rank = self.shape_of(input).len();
        if rank == 0 {
            return None;
        }
        let axis = self.choice(rank);
        let attributes = Attributes::none().int("dim", axis as i64);
        self.apply(name, attributes, vec![input]).map(drop)
    }

    /// A weight as it is, or computed from a parameter, or a view of a larger one.
    fn weight(&mut self, rows: usize, columns: usize) -> Option<Place> {
        let kind = self.one_of(&[Kind::Parameter, Kind::Constant, Kind::Leaf]);
        let none = Attributes::none;
        match self.choice(5) {
            0 => {
                let own = self.fresh(kind, Domain::Any, &[rows, columns]);
                self.map("Tanh", &[own])
            }
            1 => {
                let own = self.fresh(kind, Domain::Any, &[columns, rows]);
                self.apply("Transpose", none().int("dim0", 0).int("dim1", 1), vec![own])
            }
            2 => {
                let own = self.fresh(kind, Domain::Any, &[rows + 3, columns]);
                let attributes = none().int("dim", 0).int("start", 2).int("length", rows as i64);
                self.apply("Narrow", attributes, vec![own])
            }
            _ => Some(self.fresh(kind, Domain::Any, &[rows, columns])),
        }
    }

    /// `h = h c + W x`, with vectors, often enough that packs are kept.
    fn vector_recurrence(&mut self) -> Option<()> {
        let (n, k) = (self.one_of(&[3, 64, 256, 17]), self.one_of(&[1, 5, 16]));
        let weight = self.weight(n, k)?;
        let mut h = self.fresh(Kind::Constant, Domain::Any, &[n]);
        for _ in 0..self.choice(6) + 1 {
            let x = self.fresh(Kind::Leaf, Domain::Any, &[k]);
            let half = Attributes::none().float("c", 0.5);
            // What is recorded first is gone back through last, and finds cotangents that nobody else holds
            // any more.
            let (kept, product) = if self.choice(2) == 0 {
                let kept = self.apply("MulScalar", half, vec![h])?;
                (kept, self.map("MatMul", &[weight, x])?)
            } else {
                let product = self.map("MatMul", &[weight, x])?;
                (self.apply("MulScalar", half, vec![h])?, product)
            };
            h = self.map("Add", &[kept, product])?;
            if self.choice(3) == 0 {
                h = self.map("Tanh", &[h])?;
            }
        }
        Some(())
    }

    /// `h = tanh(h W^T + x)`, with a batch.
    fn recurrence(&mut self) -> Option<()> {
        let (batch, n) = (self.one_of(&[1, 2, 5, 8]), self.one_of(&[1, 3, 16, 33, 48, 64]));
        let weight = self.weight(n, n)?;
        let mut h = self.fresh(Kind::Leaf, Domain::Any, &[batch, n]);
        for _ in 0..self.choice(6) + 1 {
            let x = self.of_shape(Domain::Any, &[batch, n]);
            let scaled = self.apply("MulScalar", Attributes::none().float("c", 0.2), vec![h])?;
            let next = match self.choice(3) {
                0 => {
                    let product = self.map("MatMul", &[scaled, weight])?;
                    self.map("Add", &[product, x])?
                }
                _ => self.map("Linear", &[scaled, weight, x])?,
            };
            h = self.map("Tanh", &[next])?;
        }
        Some(())
    }

    /// The parts of a value, put together by operations on elements.
    fn gates(&mut self) -> Option<()> {
        let parts = self.one_of(&[2, 3, 4]);
        let mut shape = self.shape();
        if shape.is_empty() {
            shape = vec![1];
        }
        let axis = self.choice(shape.len());
        let extent = self.one_of(&[1, 2, 1, 5, 20]);
        shape[axis] = parts * extent;
        let source = self.of_shape(Domain::Any, &shape);
        let sizes = vec![extent; parts];
        let attributes = Attributes::none().ints("sizes", &sizes).int("dim", axis as i64);
        let line = self.push(Step::Apply { operation: "Split", attributes, inputs: vec![source] })?;
        let mut value = Place { line, output: 0 };
        for output in 1..parts {
            let part = Place { line, output };
            let bent = self.one_of(&["Sigmoid", "Tanh", "Exp", "Neg"]);
            let part = if self.choice(4) == 0 { part } else { self.map(bent, &[part])? };
            let join = self.one_of(&["Mul", "Add", "Sub"]);
            value = self.map(join, &[value, part])?;
        }
        Some(())
    }

    /// A small recurrent layer on a sequence.
    fn layer(&mut self) -> Option<()> {
        let cell = self.one_of(&[Cell::Lstm, Cell::Gru, Cell::Rnn]);
        let (steps, batch, width) =
            (self.one_of(&[1, 2, 3, 5]), self.one_of(&[1, 2, 3]), self.one_of(&[1, 2, 5]));
        let lengths =
            (self.choice(3) == 0).then(|| (0..batch).map(|_| self.choice(steps + 1)).collect::<Vec<usize>>());
        let input = self.of_shape(Domain::Any, &[steps, batch, width]);
        let layer = Layer {
            cell,
            hidden: self.one_of(&[1, 2, 3, 8, 20]),
            num_layers: self.one_of(&[1, 1, 2]),
            bidirectional: self.choice(4) == 0,
            lengths,
            seed: self.choice(1 << 20) as u64,
        };
        self.push(Step::Run { layer, input }).map(drop)
    }

    /// A sequence step by step: taken apart, gone through with one weight, put together again.
    fn through_time(&mut self) -> Option<()> {
        let none = Attributes::none;
        let (steps, batch, n) =
            (self.one_of(&[1, 2, 4, 8]), self.one_of(&[1, 2, 3]), self.one_of(&[1, 2, 5, 16, 17]));
        let sequence = self.of_shape(Domain::Any, &[steps, batch, 2 * n]);
        let weight = self.weight(2 * n, n)?;
        let attributes = none().ints("sizes", &vec![1; steps]).int("dim", 0).flag("unbind", true);
        let line = self.push(Step::Apply { operation: "Split", attributes, inputs: vec![sequence] })?;
        let mut h = self.fresh(Kind::Leaf, Domain::Any, &[batch, n]);
        let mut outputs = Vec::new();
        for output in 0..steps {
            let x = Place { line, output };
            let gates = self.map("Linear", &[h, weight, x])?;
            let attributes = none().ints("sizes", &[n, n]).int("dim", 1);
            let split = self.push(Step::Apply { operation: "Split", attributes, inputs: vec![gates] })?;
            let gate = self.map("Sigmoid", &[Place { line: split, output: 0 }])?;
            let candidate = self.map("Tanh", &[Place { line: split, output: 1 }])?;
            h = self.map("Mul", &[gate, candidate])?;
            outputs.push(h);
        }
        self.apply("Stack", none().int("dim", 0), outputs).map(drop)
    }

    fn requiring(&self) -> Vec<bool> {
        self.as_program().requiring()
    }

    fn as_program(&self) -> RandomProgram {
        let lines = self.lines.clone();
        RandomProgram {
            lines,
            outputs: Vec::new(),
            watched: Vec::new(),
            passes: 1,
            retained: false,
            second: false,
        }
    }

    /// The program: it goes back from all values that nothing goes on with, and from some others.
    fn finish(mut self) -> RandomProgram {
        let mut program = self.as_program();
        let requiring = program.requiring();
        let used: Vec<Place> = self.lines.iter().flat_map(|line| line.inputs().to_vec()).collect();
        for (line, known) in self.lines.iter().enumerate() {
            for output in 0..known.shapes.len() {
                let place = Place { line, output };
                let computed = requiring[line] && !known.inputs().is_empty();
                let last = computed && !used.contains(&place);
                if last || (computed && (self.choose)(8) == 7) {
                    program.outputs.push(place);
                }
                if computed && (self.choose)(4) == 3 {
                    program.watched.push(place);
                }
            }
        }
        program.passes = self.one_of(&[1, 1, 2, 3]);
        program.retained = self.choice(2) == 1;
        program.second = self.choice(4) == 3;
        program
    }
}
