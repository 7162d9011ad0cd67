//! Running programs, forward and back, in one way or another.

use wengert_core::{
    Domain, Error, Float, Generator, GradOptions, OperationEntry, Parameter, Tape, Tensor, Variable,
    backward, generator_state, manual_seed, num_threads, operations, record, set_generator_state,
    set_num_threads, with_plain,
};
use wengert_nn::{Cast, Gru, Lstm, Module, Rnn, State, VisitorMut};

use super::composed;
use super::{Cell, Kind, Layer, Line, Place, RandomProgram, Step};

/// What hooks do in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hooks {
    None,
    /// Hooks that look at gradients, and let them pass.
    Watch,
    /// Hooks that give back gradients of another shape, which must be refused.
    Misshape,
    /// Hooks of leaves that give back gradients of another shape.
    MisshapeLeaves,
}

/// How a program is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) plain: bool,
    pub(super) hooks: Hooks,
    /// Whether the way back is recorded.
    pub(super) recorded: bool,
    pub(super) threads: usize,
    /// Whether it is the recorded tape that is run, in place of the program.
    pub(super) replayed: bool,
    /// Relative errors of this size, in random directions, in all that lines give and are given.
    pub(super) jitter: Option<(f64, u64)>,
}

impl Way {
    pub(super) const FAST: Way =
        Way { plain: false, hooks: Hooks::None, recorded: false, threads: 1, replayed: false, jitter: None };
    pub(super) const PLAIN: Way = Way { plain: true, ..Way::FAST };
}

/// What a run gave: values and gradients, none where no gradient came.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome(pub(super) Vec<(String, Option<Vec<f64>>)>);

/// The numbers of a line that is given: each is one of `f32`, so that all types begin with the same.
pub(super) fn given<T: Float>(step: &Step, shape: &[usize]) -> Tensor<T> {
    let Step::Given { domain, seed, .. } = step else { unreachable!("a line that is given") };
    let mut generator = Generator::from_seed(*seed);
    let mut number = || match domain {
        Domain::Mask => generator.below(2) as f64,
        Domain::Positive => generator.uniform(0.5, 1.5),
        Domain::NonZero => {
            let size = generator.uniform(0.5, 1.5);
            if generator.bernoulli(0.5) { size } else { -size }
        }
        _ => generator.uniform(-1.5, 1.5),
    };
    Tensor::from_fn(shape, |_| T::from_f64(f64::from(number() as f32)))
}

/// Factors near 1, by which a value is off.
fn factors<T: Float>(shape: &[usize], size: f64, seed: u64) -> Variable<T> {
    let mut generator = Generator::from_seed(seed);
    let direction = |generator: &mut Generator| if generator.bernoulli(0.5) { size } else { -size };
    Variable::from(Tensor::from_fn(shape, |_| T::from_f64(1.0 + direction(&mut generator))))
}

/// Puts errors in a value, and others in its cotangent: those of the value alone would leave what is zero
/// by symmetry at zero.
fn put_errors_in<T: Float>(value: &mut Variable<T>, size: f64, seed: u64) {
    *value = &*value * factors(value.shape(), size, seed);
    if value.requires_grad() {
        let factors = factors::<T>(value.shape(), size, !seed);
        value.register_hook(move |gradient| Some(gradient * &factors));
    }
}

/// Has a hook give the value's gradient another shape.
fn misshape<T: Float>(value: &mut Variable<T>) {
    value.register_hook(|gradient| Some(gradient.unsqueeze(0)));
}

/// What a line gives, from the values of the lines before; `parameters` takes in those of a layer.
pub(super) fn evaluate<T: Float>(
    line: &Line,
    values: &[Vec<Variable<T>>],
    entries: &[OperationEntry<T>],
    parameters: Option<&[Parameter<T>]>,
) -> Vec<Variable<T>> {
    let at = |place: &Place| &values[place.line][place.output];
    match &line.step {
        Step::Given { .. } => unreachable!("a line that is computed"),
        Step::Apply { operation, attributes, inputs } => {
            match entries.iter().find(|entry| entry.name() == *operation) {
                Some(entry) => entry.apply(attributes, &inputs.iter().map(at).collect::<Vec<_>>()),
                None => vec![composed::compute(operation, attributes, at(&inputs[0]))],
            }
        }
        Step::Run { layer, input } => layer.run(at(input), parameters),
    }
}

impl Layer {
    /// The layer's parameters.
    fn parameters<T: Float>(&self, width: usize) -> Vec<Parameter<T>> {
        self.with(width, |rnn| rnn.parameters(), |lstm| lstm.parameters(), |gru| gru.parameters())
    }

    /// What a layer of these parameters, or of fresh ones, gives: outputs, and the parts of the last state.
    fn run<T: Float>(&self, x: &Variable<T>, parameters: Option<&[Parameter<T>]>) -> Vec<Variable<T>> {
        macro_rules! run {
            ($layer:ident) => {{
                let mut layer = $layer;
                if let Some(parameters) = parameters {
                    let mut next = parameters.iter();
                    let mut put =
                        |own: &mut Parameter<T>| *own = next.next().expect("as many as there are").clone();
                    layer.visit_mut(&mut VisitorMut::new(&mut put, None));
                }
                let found = match &self.lengths {
                    Some(lengths) => layer.forward_masked(x, lengths, None),
                    None => layer.forward(x, None),
                };
                let (output, state) = found.expect("a sequence that fits the layer");
                std::iter::once(output).chain(State::variables(&state)).collect()
            }};
        }
        let width = x.shape()[x.rank() - 1];
        self.with(width, |layer| run!(layer), |layer| run!(layer), |layer| run!(layer))
    }

    fn with<T: Float, R>(
        &self,
        width: usize,
        rnn: impl FnOnce(Rnn<T>) -> R,
        lstm: impl FnOnce(Lstm<T>) -> R,
        gru: impl FnOnce(Gru<T>) -> R,
    ) -> R {
        let state = generator_state();
        manual_seed(self.seed);
        macro_rules! build {
            ($layer:ident) => {{
                let layer = $layer::builder(width, self.hidden).num_layers(self.num_layers);
                let layer = layer.bidirectional(self.bidirectional).build().expect("arguments in order");
                set_generator_state(&state);
                layer.cast::<T>()
            }};
        }
        match self.cell {
            Cell::Rnn => rnn(build!(Rnn)),
            Cell::Lstm => lstm(build!(Lstm)),
            Cell::Gru => gru(build!(Gru)),
        }
    }
}

/// One run of a program: its leaves, and its lines' values.
struct Run<'p, T: Float> {
    program: &'p RandomProgram,
    way: Way,
    entries: Vec<OperationEntry<T>>,
    leaves: Vec<Vec<Variable<T>>>,
    parameters: Vec<Vec<Parameter<T>>>,
}

impl<'p, T: Float> Run<'p, T> {
    fn new(program: &'p RandomProgram, way: Way) -> Self {
        let mut run = Run { program, way, entries: operations(), leaves: Vec::new(), parameters: Vec::new() };
        for (number, line) in program.lines.iter().enumerate() {
            let parameters = match &line.step {
                Step::Run { layer, input } => {
                    let shape = &program.lines[input.line].shapes[input.output];
                    layer.parameters(shape[shape.len() - 1])
                }
                _ => Vec::new(),
            };
            run.parameters.push(parameters);
            run.leaves.push(match &line.step {
                Step::Given { kind, .. } => vec![run.leaf(*kind, number, line)],
                _ => Vec::new(),
            });
        }
        if way.hooks == Hooks::MisshapeLeaves {
            run.given().for_each(|(_, leaf)| misshape(&mut leaf.clone()));
        }
        run
    }

    fn leaf(&self, kind: Kind, number: usize, line: &Line) -> Variable<T> {
        let mut value = given::<T>(&line.step, &line.shapes[0]);
        let is_mask = matches!(line.step, Step::Given { domain: Domain::Mask, .. });
        if let (Some((size, seed)), false) = (self.way.jitter, is_mask) {
            let factors = factors::<T>(value.shape(), size, seed ^ (number as u64) << 8);
            value = (Variable::from(value) * factors).value();
        }
        match kind {
            Kind::Constant => Variable::from(value),
            Kind::Leaf => Variable::new(value).requires_grad_(true),
            Kind::Parameter => (*Parameter::new(value)).clone(),
        }
    }

    fn forward(&self) -> Vec<Vec<Variable<T>>> {
        let mut values: Vec<Vec<Variable<T>>> = Vec::new();
        for (number, line) in self.program.lines.iter().enumerate() {
            if matches!(line.step, Step::Given { .. }) {
                values.push(self.leaves[number].clone());
                continue;
            }
            let mut found = evaluate(line, &values, &self.entries, Some(&self.parameters[number]));
            if let Some((size, seed)) = self.way.jitter {
                for (k, value) in found.iter_mut().enumerate() {
                    put_errors_in(value, size, seed ^ (number as u64) << 8 ^ (k as u64) << 40);
                }
            }
            self.hook(number, &mut found);
            values.push(found);
        }
        values
    }

    fn hook(&self, line: usize, values: &mut [Variable<T>]) {
        for place in self.program.watched.iter().filter(|place| place.line == line) {
            let value = &mut values[place.output];
            match self.way.hooks {
                Hooks::None | Hooks::MisshapeLeaves => {}
                Hooks::Watch => drop(value.register_hook(|gradient| {
                    let _ = gradient.to_vec();
                    None
                })),
                Hooks::Misshape => misshape(value),
            }
        }
    }

    /// What the way back from output `i` starts with.
    fn seed(&self, i: usize, shape: &[usize]) -> Variable<T> {
        let step = Step::Given { kind: Kind::Constant, domain: Domain::Any, seed: 77 + i as u64 };
        let seed = Variable::from(given(&step, shape));
        match self.way.jitter {
            Some((size, jitter)) => seed * factors(shape, size, jitter ^ (i as u64) << 20),
            None => seed,
        }
    }

    /// What the tape of the program gives when it is run again.
    fn replayed(&self) -> Result<Outcome, Error> {
        let values = record(|| self.forward());
        let outputs: Vec<&Variable<T>> =
            self.program.outputs.iter().map(|place| &values[place.line][place.output]).collect();
        let leaves: Vec<(String, &Variable<T>)> = self.given().collect();
        let all: Vec<&Variable<T>> =
            outputs.iter().copied().chain(leaves.iter().map(|(_, leaf)| *leaf)).collect();
        let (tape, places) = Tape::located(&all);
        let replay = tape.replay::<T>()?;
        let again = |value: &Variable<T>, place: &Option<(usize, usize)>| match *place {
            Some((number, output)) => replay.value(number, output).expect("it is on the tape").clone(),
            None => value.clone(),
        };
        let again: Vec<Variable<T>> =
            all.iter().zip(&places).map(|(value, place)| again(value, place)).collect();
        let (outputs, leaves_again) = again.split_at(outputs.len());
        let outputs: Vec<&Variable<T>> = outputs.iter().collect();
        for _ in 0..self.program.passes {
            let seeds = outputs.iter().enumerate().map(|(i, output)| self.seed(i, output.shape())).collect();
            backward(&outputs, &GradOptions::default().retain_graph(true).cotangents(seeds))?;
        }
        let named = self.program.outputs.iter().zip(&outputs);
        let mut found: Vec<_> =
            named.map(|(place, value)| (format!("the value of {place}"), Some(numbers(value)))).collect();
        found.extend(
            leaves.iter().zip(leaves_again).map(|((name, _), leaf)| {
                (format!("the gradient of {name}"), leaf.grad().as_ref().map(numbers))
            }),
        );
        Ok(Outcome(found))
    }

    /// The tape of one number: the outputs, each times its seed, summed.
    fn tape(&self) -> Tape {
        let loss = record(|| {
            let values = self.forward();
            let terms = self.program.outputs.iter().enumerate().map(|(i, place)| {
                let output = &values[place.line][place.output];
                (output * self.seed(i, output.shape())).sum()
            });
            terms.reduce(|sum, term| sum + term)
        });
        Tape::of_all(&loss.iter().collect::<Vec<_>>())
    }

    fn run(&self) -> Result<Outcome, Error> {
        if self.way.replayed {
            return self.replayed();
        }
        let mut found = Vec::new();
        let mut values = self.forward();
        for pass in 0..self.program.passes {
            if pass > 0 && !self.program.retained {
                values = self.forward();
            }
            let outputs: Vec<&Variable<T>> =
                self.program.outputs.iter().map(|place| &values[place.line][place.output]).collect();
            if pass == 0 {
                let named = self.program.outputs.iter().zip(&outputs);
                found.extend(
                    named.map(|(place, value)| (format!("the value of {place}"), Some(numbers(value)))),
                );
            }
            let seeds = outputs.iter().enumerate().map(|(i, output)| self.seed(i, output.shape())).collect();
            let last = pass + 1 == self.program.passes;
            let retain = (self.program.retained && !last) || self.way.recorded;
            let options = GradOptions::default().retain_graph(retain).create_graph(self.way.recorded);
            backward(&outputs, &options.cotangents(seeds))?;
        }
        let gradients: Vec<(String, Option<Variable<T>>)> =
            self.given().map(|(name, leaf)| (name, leaf.grad())).collect();
        let first = gradients
            .iter()
            .map(|(name, gradient)| (format!("the gradient of {name}"), gradient.as_ref().map(numbers)));
        found.extend(first);
        if self.program.second && self.way.recorded {
            self.second(&gradients, &mut found)?;
        }
        Ok(Outcome(found))
    }

    /// The gradients of the gradients.
    fn second(
        &self,
        gradients: &[(String, Option<Variable<T>>)],
        found: &mut Vec<(String, Option<Vec<f64>>)>,
    ) -> Result<(), Error> {
        self.given().for_each(|(_, leaf)| leaf.zero_grad());
        let with_history: Vec<&Variable<T>> = gradients
            .iter()
            .filter_map(|(_, gradient)| gradient.as_ref())
            .filter(|g| g.requires_grad())
            .collect();
        if with_history.is_empty() {
            return Ok(());
        }
        let seeds = with_history.iter().enumerate().map(|(i, g)| self.seed(100 + i, g.shape())).collect();
        backward(&with_history, &GradOptions::default().cotangents(seeds))?;
        let named = self.given().map(|(name, leaf)| {
            (format!("the second gradient of {name}"), leaf.grad().as_ref().map(numbers))
        });
        found.extend(named);
        // A gradient that was recorded refers to the graph that its leaf is part of.
        self.given().for_each(|(_, leaf)| leaf.zero_grad());
        Ok(())
    }

    /// Leaves and parameters, with their names.
    fn given(&self) -> impl Iterator<Item = (String, &Variable<T>)> {
        let leaves = self.leaves.iter().enumerate();
        let leaves = leaves.flat_map(|(line, leaf)| leaf.iter().map(move |leaf| (format!("%{line}"), leaf)));
        let parameters = self.parameters.iter().enumerate().flat_map(|(line, parameters)| {
            let named = move |(i, parameter): (usize, &'_ Parameter<T>)| {
                format!("%{line}'s {}", parameter.name().map_or(format!("parameter {i}"), String::from))
            };
            parameters.iter().enumerate().map(move |(i, parameter)| (named((i, parameter)), &**parameter))
        });
        leaves.chain(parameters).filter(|(_, leaf)| leaf.requires_grad())
    }
}

fn numbers<T: Float>(value: &Variable<T>) -> Vec<f64> {
    value.to_vec().into_iter().map(T::to_f64).collect()
}

impl RandomProgram {
    /// The tape of a number that the program computes in `f64`, with all values: the sum of its outputs, each
    /// times numbers that a seed gives.
    ///
    /// ```
    /// use wengert_check::RandomProgram;
    /// let tape = RandomProgram::from_seed(7).tape();
    /// let mut again = tape.replay::<f64>()?;
    /// again.backward()?;
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn tape(&self) -> Tape {
        Run::<f64>::new(self, Way::FAST).tape()
    }
}

/// Runs a program in a way.
pub(super) fn run<T: Float>(program: &RandomProgram, way: Way) -> Result<Outcome, Error> {
    let threads = num_threads();
    set_num_threads(way.threads);
    let go = || Run::<T>::new(program, way).run();
    let outcome = if way.plain { with_plain(go) } else { go() };
    set_num_threads(threads);
    outcome
}
