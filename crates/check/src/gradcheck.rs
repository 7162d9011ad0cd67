//! The check itself.

use wengert_core::{Generator, Variable};

use crate::analytical::{self, agree};
use crate::failure::{ElementPlace, Failure};
use crate::outputs::IntoOutputs;
use crate::report::Report;
use crate::subject::{Label, Leaf, Subject, Values};
use crate::verdict::Judge;

/// Compares derivatives from the tape with those of finite differences (`torch.autograd.gradcheck`), or any
/// derivative with that of its function ([`Gradcheck::check_derivative`]).
///
/// A derivative passes if `|analytical - numerical| <= atol + rtol |numerical| + noise`, with PyTorch's
/// algorithm and refusals and these differences:
/// - The default tolerances are `atol` 0 and `rtol` 1e-6; [`Gradcheck::torch`] has PyTorch's, which let a
///   derivative pass that is off by a thousandth.
/// - Where one central difference disagrees, steps from a quarter of the element's size down to 1e-9 of it
///   are held against each other, and the largest is taken that agrees with all smaller ones. The noise of
///   each is `eps |f| / h`, with the function's own size or, where that is more, what the smallest steps
///   scatter by.
/// - A derivative that noise of this size would hide an error of a thousandth in is `undecidable`: it neither
///   fails nor passes in silence. It is counted in the [`Report`], and said as a warning
///   ([`set_warning_hook`](wengert_core::set_warning_hook)) or by the [`Property`](crate::Property) that
///   runs.
/// - At the edge of a domain steps get smaller, or stay on the inner side.
/// - Where the differences from both sides disagree, at a kink or a tie, anything in between passes, element
///   by element.
/// - The function is called twice before anything else; if it isn't deterministic, that is what the failure
///   says.
/// - A gradient must be the same whether its computation is recorded or not.
/// - Elements are f64: anything else does not compile.
///
/// ```
/// use wengert_check::Gradcheck;
/// use wengert_core::{Tensor, Variable};
/// let x = Variable::new(Tensor::from([0.3, -1.2])).requires_grad_(true);
/// Gradcheck::new().fast(true).check(|x| x[0].tanh(), &[&x])?;
/// # Ok::<(), wengert_check::Failure>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Gradcheck {
    pub(crate) judge: Judge,
    pub(crate) nondet_tol: f64,
    fast: bool,
    expanded: bool,
    pub(crate) seed: u64,
    names: Vec<String>,
}

impl Default for Gradcheck {
    fn default() -> Self {
        Gradcheck {
            judge: Judge { atol: 0.0, rtol: 1e-6, step: None },
            nondet_tol: 0.0,
            fast: false,
            expanded: false,
            seed: 0,
            names: Vec::new(),
        }
    }
}

impl Gradcheck {
    /// A check with the default tolerances.
    pub fn new() -> Self {
        Self::default()
    }

    /// PyTorch's defaults: one central difference of step 1e-6, `atol` 1e-5, `rtol` 1e-3.
    pub fn torch() -> Self {
        Gradcheck { judge: Judge { atol: 1e-5, rtol: 1e-3, step: Some(1e-6) }, ..Self::default() }
    }

    /// The absolute tolerance; default 0, for the noise of differences is allowed in any case. Derivatives
    /// below it pass as zeros.
    pub fn atol(mut self, atol: f64) -> Self {
        self.judge.atol = atol;
        self
    }

    /// The relative tolerance; default 1e-6.
    pub fn rtol(mut self, rtol: f64) -> Self {
        self.judge.rtol = rtol;
        self
    }

    /// Takes one central difference of this step for all elements, instead of steps chosen for each.
    pub fn step(mut self, step: f64) -> Self {
        self.judge.step = Some(step);
        self
    }

    /// How far two calls, or two walks back, may be apart; default 0.
    pub fn nondet_tol(mut self, tolerance: f64) -> Self {
        self.nondet_tol = tolerance;
        self
    }

    /// Compares one number for each input and output, `v^T J u` with random unit vectors, instead of all of
    /// `J`. If they disagree, all of `J` is compared to say where.
    pub fn fast(mut self, on: bool) -> Self {
        self.fast = on;
        self
    }

    /// Whether inputs may be expanded (stride 0). They are differentiated as if every element were one of
    /// its own.
    pub fn expanded(mut self, on: bool) -> Self {
        self.expanded = on;
        self
    }

    /// The seed of random cotangents and projections; default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Names the inputs for messages, in order.
    pub fn names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = names.into_iter().map(N::into).collect();
        self
    }

    /// Checks the first derivatives of `f` in those `inputs` that require a gradient.
    ///
    /// # Errors
    /// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a function
    /// that isn't deterministic or fails, no input that requires a gradient: the [`Failure`] says which. What
    /// can't be decided is said as a warning, and given by [`Gradcheck::report`].
    pub fn check<O: IntoOutputs>(
        &self,
        f: impl Fn(&[Variable<f64>]) -> O,
        inputs: &[&Variable<f64>],
    ) -> Result<(), Failure> {
        self.run(&self.subject(f, inputs))
    }

    /// Checks the second derivatives (`torch.autograd.gradgradcheck`): [`Gradcheck::check`] of the
    /// gradients of `f` for random cotangents from U(-1, 1), in the inputs and in these cotangents.
    ///
    /// # Errors
    /// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a function
    /// that isn't deterministic or fails, no input that requires a gradient: the [`Failure`] says which.
    pub fn check_second<O: IntoOutputs>(
        &self,
        f: impl Fn(&[Variable<f64>]) -> O,
        inputs: &[&Variable<f64>],
    ) -> Result<(), Failure> {
        self.check_order(2, f, inputs)
    }

    /// Checks the derivatives of the given order, and of no other.
    ///
    /// # Errors
    /// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a function
    /// that isn't deterministic or fails, no input that requires a gradient: the [`Failure`] says which.
    pub fn check_order<O: IntoOutputs>(
        &self,
        order: usize,
        f: impl Fn(&[Variable<f64>]) -> O,
        inputs: &[&Variable<f64>],
    ) -> Result<(), Failure> {
        self.run(&self.derived(order, self.subject(f, inputs))?)
    }

    /// [`Gradcheck::check_order`], which gives a report of what could not be decided.
    ///
    /// ```
    /// use wengert_check::Gradcheck;
    /// use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([0.5, 2.0])).requires_grad_(true);
    /// let drowned = |x: &[Variable<f64>]| &x[0] * 1e-9 + 1e7;
    /// let report = Gradcheck::new().report(1, drowned, &[&x])?;
    /// assert_eq!((report.compared, report.undecidable), (4, 2));
    /// # Ok::<(), wengert_check::Failure>(())
    /// ```
    ///
    /// # Errors
    /// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a function
    /// that isn't deterministic or fails, no input that requires a gradient: the [`Failure`] says which.
    pub fn report<O: IntoOutputs>(
        &self,
        order: usize,
        f: impl Fn(&[Variable<f64>]) -> O,
        inputs: &[&Variable<f64>],
    ) -> Result<Report, Failure> {
        self.examine(&self.derived(order, self.subject(f, inputs))?)
    }

    fn subject<'f, O: IntoOutputs>(
        &self,
        f: impl Fn(&[Variable<f64>]) -> O + 'f,
        inputs: &[&Variable<f64>],
    ) -> Subject<'f> {
        self.subject_with(inputs, |i| self.label(i), move |x| f(x).into_outputs())
    }

    /// A function of those inputs that require a gradient; copies of them are its leaves.
    pub(crate) fn subject_with<'f>(
        &self,
        inputs: &[&Variable<f64>],
        label: impl Fn(usize) -> Label,
        f: impl Fn(&[Variable<f64>]) -> Result<Values, String> + 'f,
    ) -> Subject<'f> {
        let (leaves, arguments) = leaves_of(inputs, label);
        Subject::new(leaves, Vec::new(), move || f(&arguments))
    }

    pub(crate) fn label(&self, input: usize) -> Label {
        Label::new(self.names.get(input).cloned().unwrap_or_else(|| format!("input {input}")))
    }

    /// The derivative of the given order as a function.
    pub(crate) fn derived<'f>(&self, order: usize, subject: Subject<'f>) -> Result<Subject<'f>, Failure> {
        let mut generator = Generator::from_seed(self.seed);
        (1..order).try_fold(subject, |subject, _| {
            self.refuse(&subject)?;
            subject.derivative(|shape| analytical::uniform(shape, &mut generator))
        })
    }

    pub(crate) fn run(&self, subject: &Subject<'_>) -> Result<(), Failure> {
        self.examine(subject).map(Report::publish)
    }

    fn examine(&self, subject: &Subject<'_>) -> Result<Report, Failure> {
        self.refuse(subject)?;
        let outputs = subject.call()?;
        self.deterministic(subject, &outputs)?;
        let mut generator = Generator::from_seed(self.seed);
        analytical::laws(subject, &outputs, self.nondet_tol, &mut generator)?;
        if !self.fast {
            return self.everything(subject, &outputs);
        }
        // What is wrong in a projection is looked for in all of the elements.
        self.projected(subject, &outputs, &mut generator)?
            .or_else(|mismatch| self.everything(subject, &outputs).and(Err(mismatch)))
    }

    /// What can't be checked.
    fn refuse(&self, subject: &Subject<'_>) -> Result<(), Failure> {
        if subject.leaves.is_empty() {
            return Err(Failure::NothingToCheck);
        }
        for leaf in &subject.leaves {
            let value = leaf.parameter.value();
            let repeats = value.numel() > 0
                && value.shape().iter().zip(value.strides()).any(|(&n, &stride)| n > 1 && stride == 0);
            if repeats && !self.expanded {
                let (shape, strides) = (value.shape().to_vec(), value.strides().to_vec());
                return Err(Failure::Expanded { input: leaf.label.name.clone(), shape, strides });
            }
        }
        Ok(())
    }

    /// Two calls must give the same.
    fn deterministic(&self, subject: &Subject<'_>, outputs: &[Variable<f64>]) -> Result<(), Failure> {
        let (first, second) = (subject.values()?, subject.values()?);
        for (k, (first, second)) in first.iter().zip(&second).enumerate() {
            let pairs = first.iter().zip(second).enumerate();
            let mut differing = pairs.filter(|(_, (a, b))| !agree(**a, **b, self.nondet_tol));
            if let Some((element, (&first, &second))) = differing.next() {
                let place = ElementPlace::of(&subject.output(k), outputs[k].shape(), element);
                return Err(Failure::NotDeterministic { place, first, second });
            }
        }
        Ok(())
    }
}

/// Checks the first derivatives of `f` in those `inputs` that require a gradient
/// (`torch.autograd.gradcheck`): [`Gradcheck::check`] with the defaults.
///
/// ```
/// use wengert_check::gradcheck;
/// use wengert_core::{Tensor, Variable};
/// let x = Variable::new(Tensor::from([[0.3, -1.2], [2.0, 0.5]])).requires_grad_(true);
/// gradcheck(|x| x[0].matmul(&x[0]).softmax(-1), &[&x])?;
/// # Ok::<(), wengert_check::Failure>(())
/// ```
///
/// # Errors
/// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a function
/// that isn't deterministic or fails, no input that requires a gradient: the [`Failure`] says which.
pub fn gradcheck<O: IntoOutputs>(
    f: impl Fn(&[Variable<f64>]) -> O,
    inputs: &[&Variable<f64>],
) -> Result<(), Failure> {
    Gradcheck::new().check(f, inputs)
}

/// Checks the second derivatives of `f` in those `inputs` that require a gradient
/// (`torch.autograd.gradgradcheck`): [`Gradcheck::check_second`] with the defaults.
///
/// ```
/// use wengert_check::gradgradcheck;
/// use wengert_core::{Tensor, Variable};
/// let x = Variable::new(Tensor::from([0.3, -1.2])).requires_grad_(true);
/// gradgradcheck(|x| (x[0].sin(), &x[0] * &x[0]), &[&x])?;
/// # Ok::<(), wengert_check::Failure>(())
/// ```
///
/// # Errors
/// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a function
/// that isn't deterministic or fails, no input that requires a gradient: the [`Failure`] says which.
pub fn gradgradcheck<O: IntoOutputs>(
    f: impl Fn(&[Variable<f64>]) -> O,
    inputs: &[&Variable<f64>],
) -> Result<(), Failure> {
    Gradcheck::new().check_second(f, inputs)
}

/// Copies of the inputs, and those of them that require a gradient as leaves.
pub(crate) fn leaves_of(
    inputs: &[&Variable<f64>],
    label: impl Fn(usize) -> Label,
) -> (Vec<Leaf>, Vec<Variable<f64>>) {
    let (mut leaves, mut arguments) = (Vec::new(), Vec::new());
    for (i, input) in inputs.iter().enumerate() {
        if input.requires_grad() {
            let leaf = Leaf::new(label(i), input.value());
            arguments.push((*leaf.parameter).clone());
            leaves.push(leaf);
        } else {
            arguments.push(Variable::from(input.value()));
        }
    }
    (leaves, arguments)
}
