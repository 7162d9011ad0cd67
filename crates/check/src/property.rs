//! Properties: a function's derivatives are right for everything that strategies draw.

use std::any::Any;
use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use wengert_core::{Tensor, Variable};
use wengert_nn::Module;

use crate::draw::{Draw, draws};
use crate::failure::Failure;
use crate::gradcheck::Gradcheck;
use crate::module::parameters;
use crate::outputs::IntoOutputs;
use crate::subject::{Label, Leaf, Subject};

/// How a property is checked: on how many cases, to which order, with what tolerances.
///
/// Cases, persistence of failures, verbosity and the seed follow proptest's environment variables, `PROPTEST_CASES` and
/// the others.
#[derive(Clone, Debug)]
#[must_use]
pub struct Property {
    name: &'static str,
    config: Config,
    order: usize,
    gradcheck: Gradcheck,
}

impl Default for Property {
    fn default() -> Self {
        let config = Config { max_shrink_iters: 20_000, ..Config::default() };
        Property { name: "property", config, order: 2, gradcheck: Gradcheck::new().expanded(true) }
    }
}

impl Property {
    /// The defaults: proptest's number of cases, first and second order.
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

    /// The seed of what is drawn; random by default, and a failure says it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.rng_seed = RngSeed::Fixed(seed);
        self
    }

    /// Any other of proptest's settings.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// The name and the file of the test, for messages and for where proptest keeps failures.
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
    pub fn run<O: IntoOutputs>(
        &self,
        case: impl Fn(&mut Case<'_>) + Clone,
        f: impl Fn(&[Variable<f64>]) -> O,
    ) -> Result<(), String> {
        self.run_with(case, |(), inputs| f(inputs))
    }

    /// [`Property::run`] with whatever else `case` gives.
    ///
    /// # Errors
    /// As there.
    pub fn run_with<A, O: IntoOutputs>(
        &self,
        case: impl Fn(&mut Case<'_>) -> A + Clone,
        f: impl Fn(&A, &[Variable<f64>]) -> O,
    ) -> Result<(), String> {
        let strategy = draws(|draw| {
            let mut entries = Entries::default();
            let rest = case(&mut Case { draw, entries: &mut entries });
            Drawn { entries, rest, text: draw.take_notes() }
        });
        self.test(
            &strategy,
            |drawn| self.check(drawn, &f).map_err(|failure| failure.to_string()),
            |drawn| &drawn.text,
        )
    }

    /// Checks anything at all: `property` draws what it needs and says what is wrong. It is run again for each smaller case;
    /// what it [notes](Draw::note) is printed for the smallest that fails.
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
    pub fn for_all<E: Display>(
        &self,
        property: impl Fn(&mut Draw) -> Result<(), E> + Clone,
    ) -> Result<(), String> {
        let strategy = draws(|draw| {
            let property = AssertUnwindSafe(|| property(draw).map_err(|error| error.to_string()));
            let result = catch_unwind(property).unwrap_or_else(|panic| Err(text_of(&*panic)));
            Outcome { result, text: draw.take_notes() }
        });
        self.test(&strategy, |outcome| outcome.result.clone(), |outcome| &outcome.text)
    }

    fn test<S: Strategy>(
        &self,
        strategy: &S,
        test: impl Fn(&S::Value) -> Result<(), String>,
        text: impl Fn(&S::Value) -> &str,
    ) -> Result<(), String> {
        let mut config = self.config.clone();
        let seed = match config.rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => RandomState::new().hash_one(0),
        };
        config.rng_seed = RngSeed::Fixed(seed);
        if config.source_file.is_none() {
            config.failure_persistence = None;
        }
        let test = |value: S::Value| test(&value).map_err(TestCaseError::fail);
        TestRunner::new(config).run(strategy, test).map_err(|error| match error {
            TestError::Abort(reason) => format!("{}: given up: {reason}", self.name),
            TestError::Fail(reason, value) => {
                let case = match text(&value) {
                    "" => String::new(),
                    text => format!("smallest case that fails:\n{text}"),
                };
                format!("{}: {reason}\n{case}PROPTEST_RNG_SEED={seed} runs it again", self.name)
            }
        })
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

/// What one case consists of.
#[derive(Default)]
struct Entries {
    /// Inputs, then parameters.
    leaves: Vec<Leaf>,
    inputs: usize,
}

struct Drawn<A> {
    entries: Entries,
    rest: A,
    text: String,
}

/// What a property said of one case.
#[derive(Debug)]
struct Outcome {
    result: Result<(), String>,
    text: String,
}

/// What a panic said.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_string())
}

impl<A> std::fmt::Debug for Drawn<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A case that is being drawn.
pub struct Case<'d> {
    draw: &'d mut Draw,
    entries: &'d mut Entries,
}

impl Case<'_> {
    /// Draws from a strategy of this crate, or from a range, something that no derivative is taken in.
    pub fn draw<D: crate::Drawable>(&mut self, from: D) -> D::Value {
        self.draw.draw(from)
    }

    /// Draws an input, a tensor that derivatives are taken in.
    pub fn input<D: crate::Drawable<Value = Tensor<f64>>>(&mut self, name: &str, from: D) -> Tensor<f64> {
        let value = self.draw.draw(from);
        self.add_input(name, &value);
        value
    }

    /// Takes derivatives in all parameters of a module, too.
    pub fn parameters_of<M: Module<Element = f64>>(&mut self, module: &M) {
        for leaf in parameters(module) {
            self.note(&leaf.label.name, show(&leaf.parameter.value()));
            self.entries.leaves.push(leaf);
        }
    }

    /// A line of what is printed for a failing case.
    pub fn note(&mut self, name: &str, value: impl Display) {
        self.draw.note(name, value);
    }

    fn add_input(&mut self, name: &str, value: &Tensor<f64>) {
        self.note(name, show(value));
        let leaf = Leaf::new(Label::new(name), value.clone());
        self.entries.leaves.insert(self.entries.inputs, leaf);
        self.entries.inputs += 1;
    }
}

/// All elements in full, and the layout if it isn't the usual one.
fn show(tensor: &Tensor<f64>) -> String {
    let values = tensor.to_vec();
    let text = nested(tensor.shape(), &values);
    let shape = if values.is_empty() { format!(" of shape {:?}", tensor.shape()) } else { String::new() };
    match tensor.is_contiguous() {
        true => format!("{text}{shape}"),
        false => format!("{text}{shape} with strides {:?}", tensor.strides()),
    }
}

fn nested(shape: &[usize], values: &[f64]) -> String {
    let Some((&extent, rest)) = shape.split_first() else { return values[0].to_string() };
    let size = rest.iter().product::<usize>();
    let parts: Vec<String> =
        (0..extent).map(|i| nested_part(rest, &values[i * size..(i + 1) * size])).collect();
    format!("[{}]", parts.join(", "))
}

fn nested_part(shape: &[usize], values: &[f64]) -> String {
    if shape.contains(&0) { "[]".to_string() } else { nested(shape, values) }
}

/// How a drawn value enters a case: a tensor as an input, a module by its parameters, anything else as itself. Chosen
/// by method resolution, which takes what is fewer references away.
#[doc(hidden)]
pub mod argument {
    use std::fmt::Debug;

    use super::*;

    pub struct Argument<'v, V>(pub &'v V);

    /// An input's number; the body gets the variable.
    #[derive(Clone, Copy)]
    pub struct Input(usize);

    impl Input {
        pub fn get(&self, inputs: &[Variable<f64>]) -> Variable<f64> {
            inputs[self.0].clone()
        }
    }

    /// What is not differentiated; the body gets a clone, of a module one that shares its parameters.
    pub struct Given<V>(V);

    impl<V: Clone> Given<V> {
        pub fn get(&self, _: &[Variable<f64>]) -> V {
            self.0.clone()
        }
    }

    pub trait AsInput {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Input;
    }

    impl AsInput for Argument<'_, Tensor<f64>> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Input {
            let input = Input(case.entries.inputs);
            case.add_input(name, self.0);
            input
        }
    }

    pub trait AsModule<M> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Given<M>;
    }

    impl<M: Module<Element = f64> + Clone> AsModule<M> for Argument<'_, M> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Given<M> {
            let type_name = std::any::type_name::<M>().split('<').next().unwrap_or_default();
            case.note(name, type_name.rsplit("::").next().unwrap_or_default());
            case.parameters_of(self.0);
            Given(self.0.clone())
        }
    }

    pub trait AsGiven<V> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Given<V>;
    }

    impl<V: Clone + Debug> AsGiven<V> for &Argument<'_, V> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Given<V> {
            case.note(name, format!("{:?}", self.0));
            Given(self.0.clone())
        }
    }
}

/// Properties in one line each: for everything that is drawn, the body has the derivatives of differences, first and
/// second order.
///
/// An argument is drawn from a strategy of this crate, [`tensor`](crate::tensor()) or [`draws`](crate::draws), or from a range;
/// a later one may depend on an earlier one. A drawn `Tensor<f64>` reaches the body as a `Variable<f64>` and is
/// differentiated in; so are the parameters of a drawn module; anything else is passed on as it is. The body gives
/// whatever [`IntoOutputs`](crate::IntoOutputs) takes. What comes out is an ordinary `#[test]` that runs proptest.
///
/// ```
/// use wengert_check::{check_gradient, tensor};
///
/// check_gradient! {
///     fn gated_sum(n in 1..4, x in tensor([n, 3]), h in tensor([n, 3])) {
///         x.sigmoid() * h.tanh() + 1.0
///     }
/// }
///
/// // A function off its kinks, to first order, on fewer cases.
/// check_gradient! {
///     #![property(wengert_check::Property::new().order(1).cases(50))]
///     fn relu(x in tensor((0..4, 3)).away_from(&[0.0], 0.1)) { x.relu() }
/// }
/// ```
#[macro_export]
macro_rules! check_gradient {
    (#![property($property:expr)] $($tests:tt)*) => { $crate::__check_gradient! { ($property) $($tests)* } };
    ($($tests:tt)*) => { $crate::__check_gradient! { ($crate::Property::new()) $($tests)* } };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __check_gradient {
    (($property:expr) $($(#[$meta:meta])* fn $name:ident($($arguments:tt)*) $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            let found = $crate::Property::of($property, stringify!($name), file!()).run_with(
                |case| {
                    #[allow(unused_imports)]
                    use $crate::argument::{AsGiven as _, AsInput as _, AsModule as _};
                    $crate::__check_gradient!(@draw case $($arguments)*)
                },
                |entered, inputs| $crate::__check_gradient!(@call entered inputs $body $($arguments)*),
            );
            if let Err(text) = found {
                panic!("{text}");
            }
        }
    )*};
    (@draw $case:ident) => { () };
    (@draw $case:ident $argument:ident in $strategy:expr $(, $($rest:tt)*)?) => {{
        let $argument = $case.draw($strategy);
        let entered = (&$crate::argument::Argument(&$argument)).enter(stringify!($argument), $case);
        (entered, $crate::__check_gradient!(@draw $case $($($rest)*)?))
    }};
    (@call $entered:ident $inputs:ident $body:block) => {{
        let () = $entered;
        $body
    }};
    (@call $entered:ident $inputs:ident $body:block $argument:ident in $strategy:expr $(, $($rest:tt)*)?) => {{
        let (first, rest) = $entered;
        let $argument = first.get($inputs);
        $crate::__check_gradient!(@call rest $inputs $body $($($rest)*)?)
    }};
}
