//! Properties: a function's derivatives are right for everything that strategies draw.

use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::panic::Location;
use std::time::Duration;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed};
use wengert_core::__private::tell;
use wengert_core::Variable;

use crate::case::{Case, Drawn};
use crate::derivative::{IntoNumbers, Named};
use crate::draw::{Draw, draws};
use crate::failure::{ElementPlace, Failure};
use crate::gradcheck::Gradcheck;
use crate::outputs::IntoOutputs;
use crate::panics::caught;
use crate::report::{Report, collected};
use crate::runner::{Found, Runner};
use crate::subject::Subject;

/// A check of a property: on how many cases, to which order, with what tolerances.
///
/// A failure is told at once, with the line that runs the case again ([`announce`](Property::announce)); then
/// a smaller case is looked for that fails in the same way and about as clearly. A panic of what is checked
/// is a failure like others. Derivatives that could not be told from noise are counted over all cases and
/// told at the end.
///
/// The number of cases, the seed and the limits of shrinking follow proptest's environment variables,
/// `PROPTEST_CASES`, `PROPTEST_RNG_SEED`, `PROPTEST_MAX_SHRINK_TIME` (milliseconds). Nothing is written to
/// files: a seed is all there is to keep.
#[derive(Clone, Debug)]
#[must_use]
pub struct Property {
    name: &'static str,
    config: Config,
    order: usize,
    gradcheck: Gradcheck,
    shrink_for: Duration,
    announce: fn(&str),
}

impl Default for Property {
    fn default() -> Self {
        let config = Config { max_shrink_iters: 20_000, failure_persistence: None, ..Config::default() };
        let shrink_for = match config.max_shrink_time {
            0 => Duration::from_secs(5),
            limit => Duration::from_millis(limit.into()),
        };
        let gradcheck = Gradcheck::new().expanded(true);
        Property { name: "property", config, order: 2, gradcheck, shrink_for, announce: tell }
    }
}

impl Property {
    /// A property with the defaults: proptest's number of cases, first and second order.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many cases to draw; the environment variable `PROPTEST_CASES` goes before.
    pub fn cases(mut self, cases: u32) -> Self {
        if std::env::var_os("PROPTEST_CASES").is_none() {
            self.config.cases = cases;
        }
        self
    }

    /// The highest order of derivatives to check; default 2.
    pub fn order(mut self, order: usize) -> Self {
        self.order = order;
        self
    }

    /// The tolerances and the rest of the check.
    pub fn gradcheck(mut self, gradcheck: Gradcheck) -> Self {
        self.gradcheck = gradcheck;
        self
    }

    /// The seed of what is drawn; random by default, and a failure says that of its case. The environment
    /// variable `PROPTEST_RNG_SEED` goes before.
    pub fn seed(mut self, seed: u64) -> Self {
        if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
            self.config.rng_seed = RngSeed::Fixed(seed);
        }
        self
    }

    /// How long a smaller case is looked for when one fails; default 5 s. The environment variable
    /// `PROPTEST_MAX_SHRINK_TIME` goes before.
    pub fn shrink_for(mut self, limit: Duration) -> Self {
        if std::env::var_os("PROPTEST_MAX_SHRINK_TIME").is_none() {
            self.shrink_for = limit;
        }
        self
    }

    /// Sets who is told of a failure before a smaller case is looked for, and at the end of what could not
    /// be decided. The default is the hook of warnings
    /// ([`set_warning_hook`](wengert_core::set_warning_hook)), without one standard error, past what a test
    /// harness keeps back.
    ///
    /// ```
    /// use wengert_check::{Property, tensor};
    /// let tell = |text: &str| assert!(text.contains("fails at case 1 of 256"));
    /// let property = Property::new().seed(1).announce(tell);
    /// let found = property.run(|case| { case.input("x", tensor([3])); }, |x| x[0].exp().detach());
    /// assert!(found.is_err());
    /// ```
    pub fn announce(mut self, tell: fn(&str)) -> Self {
        self.announce = tell;
        self
    }

    /// Changes any other of proptest's settings.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// The name and the file of the test, for messages.
    #[doc(hidden)]
    pub fn of(mut self, name: &'static str, file: &'static str) -> Self {
        self.name = name;
        self.config.test_name = Some(name);
        self.config.source_file = Some(file);
        self
    }

    /// Checks that `f` has the derivatives of differences at all inputs that `case` draws.
    ///
    /// # Errors
    /// What failed, the smallest case that still fails, and how to run it again.
    ///
    /// ```
    /// use wengert_check::{tensor, Property};
    /// Property::new().cases(20).run(
    ///     |case| {
    ///         let n = case.draw(1..4);
    ///         case.input("x", tensor([n, 3]));
    ///         case.input("w", tensor([3, n]));
    ///     },
    ///     |x| x[0].matmul(&x[1]).tanh(),
    /// )?;
    /// # Ok::<(), String>(())
    /// ```
    #[track_caller]
    pub fn run<O: IntoOutputs>(
        &self,
        case: impl Fn(&mut Case<'_>) + Clone,
        f: impl Fn(&[Variable<f64>]) -> O,
    ) -> Result<(), String> {
        self.run_with(case, |(), inputs| f(inputs))
    }

    /// [`Property::run`] for a function that is given, beside the inputs, whatever else `case` returns.
    ///
    /// # Errors
    /// What failed, the smallest case that still fails, and how to run it again.
    #[track_caller]
    pub fn run_with<A, O: IntoOutputs>(
        &self,
        case: impl Fn(&mut Case<'_>) -> A + Clone,
        f: impl Fn(&A, &[Variable<f64>]) -> O,
    ) -> Result<(), String> {
        let strategy = draws(|draw| Drawn::by(draw, &case));
        let test = |drawn: &Drawn<A>| self.check(drawn, &f).map_err(Found::from);
        self.test(&strategy, test, |drawn| drawn.text.clone())
    }

    /// Checks a function of numbers and a derivative written by hand ([`Gradcheck::check_derivative`]) at
    /// all points that `case` draws: its inputs' elements, one input after the other.
    ///
    /// # Errors
    /// What failed, the smallest case that still fails, and how to run it again.
    ///
    /// ```
    /// use wengert_check::{Property, tensor};
    /// Property::new().cases(50).run_derivative(
    ///     |case| {
    ///         let n = case.draw(1..6);
    ///         case.input("x", tensor([n]));
    ///     },
    ///     |x: &[f64]| x.iter().map(|x| x.exp()).sum::<f64>().ln(),
    ///     |x: &[f64]| {
    ///         let sum = x.iter().map(|x| x.exp()).sum::<f64>();
    ///         x.iter().map(|x| x.exp() / sum).collect::<Vec<f64>>()
    ///     },
    /// )?;
    /// # Ok::<(), String>(())
    /// ```
    #[track_caller]
    pub fn run_derivative<Y: IntoNumbers, D: IntoNumbers>(
        &self,
        case: impl Fn(&mut Case<'_>) + Clone,
        f: impl Fn(&[f64]) -> Y,
        derivative: impl Fn(&[f64]) -> D,
    ) -> Result<(), String> {
        let strategy = draws(|draw| Drawn::by(draw, &case));
        let test = |drawn: &Drawn<()>| {
            let places = drawn.entries.places();
            let point: Vec<f64> = places.iter().map(|(_, value)| *value).collect();
            let input = |j: usize| -> ElementPlace { places[j].0.clone() };
            let report = self.gradcheck.plain(&f, &derivative, &point, &Named { input: &input });
            report.map(Report::publish).map_err(Found::from)
        };
        self.test(&strategy, test, |drawn| drawn.text.clone())
    }

    /// Checks anything at all: `property` draws what it needs and says what is wrong. It is run again for
    /// each smaller case; what it [notes](Draw::note) is printed for the smallest that fails.
    ///
    /// # Errors
    /// What the property says, and how to run it again.
    ///
    /// ```
    /// use wengert_check::{shapes, tensor, Property};
    /// Property::new().for_all(|draw| {
    ///     let shape = draw.draw(shapes(1..=3, 1..=4));
    ///     let x = draw.draw(tensor(shape));
    ///     draw.note("x", &x);
    ///     let twice = x.contiguous().map(|x| 2.0 * x);
    ///     if twice.shape() == x.shape() { Ok(()) } else { Err("another shape") }
    /// })?;
    /// # Ok::<(), String>(())
    /// ```
    #[track_caller]
    pub fn for_all<E: Display>(
        &self,
        property: impl Fn(&mut Draw) -> Result<(), E> + Clone,
    ) -> Result<(), String> {
        let strategy = draws(|draw| {
            let result = match caught(|| property(draw)) {
                Ok(result) => result.map_err(|error| Found::from(error.to_string())),
                Err(panic) => Err(Found::from(panic)),
            };
            Outcome { result, text: draw.take_notes() }
        });
        self.test(&strategy, |outcome| outcome.result.clone(), |outcome| outcome.text.clone())
    }

    #[track_caller]
    fn test<S: Strategy>(
        &self,
        strategy: &S,
        test: impl Fn(&S::Value) -> Result<(), Found>,
        text: impl Fn(&S::Value) -> String,
    ) -> Result<(), String> {
        let seed = match self.config.rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => RandomState::new().hash_one(0),
        };
        let runner = Runner {
            name: self.name,
            config: &self.config,
            seed,
            shrink_for: self.shrink_for,
            announce: self.announce,
            location: Location::caller(),
        };
        let (found, report) = collected(|| runner.run(strategy, test, text));
        if report.undecidable > 0 && found.is_ok() {
            (self.announce)(&format!("{} ({}): {report}", self.name, runner.location));
        }
        found
    }

    fn check<A, O: IntoOutputs>(
        &self,
        drawn: &Drawn<A>,
        f: &impl Fn(&A, &[Variable<f64>]) -> O,
    ) -> Result<(), Failure> {
        (1..=self.order).try_for_each(|order| {
            let leaves = drawn.entries.leaves.clone();
            let inputs: Vec<Variable<f64>> =
                leaves[..drawn.entries.inputs].iter().map(|leaf| (*leaf.parameter).clone()).collect();
            let subject = Subject::new(leaves, Vec::new(), move || f(&drawn.rest, &inputs).into_outputs());
            self.gradcheck.run(&self.gradcheck.derived(order, subject)?)
        })
    }
}

/// What a property said of one case.
#[derive(Debug)]
struct Outcome {
    result: Result<(), Found>,
    text: String,
}
