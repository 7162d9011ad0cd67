//! The check itself.

use wengert_core::{Generator, Tape, Tensor, Variable};

use crate::analytical::{self, Jacobians, agree};
use crate::difference::{self, Estimate};
use crate::failure::{Failure, Mismatch, Place};
use crate::matrix::Matrix;
use crate::outputs::IntoOutputs;
use crate::subject::{Label, Leaf, Subject, Values};

/// Compares derivatives from the tape with those of finite differences (`torch.autograd.gradcheck`).
///
/// A derivative passes if `|analytical - numerical| <= atol + rtol |numerical|`, with PyTorch's algorithm and
/// refusals and these differences:
/// - The default tolerances are `atol` 1e-9 and `rtol` 1e-6; [`Gradcheck::torch`] has PyTorch's, which let a derivative
///   pass that is off by a thousandth.
/// - Differences are of second order first and, where these disagree with the tape, of fourth order at steps chosen for
///   each element by how well they agree with each other. What they disagree by is allowed on top, but never more
///   than a ten-thousandth of the derivative: noise does not hide an error.
/// - The function is called twice before anything else; if it isn't deterministic, that is what the failure says.
/// - A gradient must be the same whether its computation is recorded or not.
/// - Elements are f64: anything else does not compile.
///
/// Where a function has no derivative (a kink, a tie), differences find the mean of both sides: keep inputs away from
/// there.
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
    atol: f64,
    rtol: f64,
    step: Option<f64>,
    nondet_tol: f64,
    fast: bool,
    expanded: bool,
    seed: u64,
    names: Vec<String>,
}

impl Default for Gradcheck {
    fn default() -> Self {
        Gradcheck {
            atol: 1e-9,
            rtol: 1e-6,
            step: None,
            nondet_tol: 0.0,
            fast: false,
            expanded: false,
            seed: 0,
            names: Vec::new(),
        }
    }
}

impl Gradcheck {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// PyTorch's defaults: one central difference of step 1e-6, `atol` 1e-5, `rtol` 1e-3.
    pub fn torch() -> Self {
        Gradcheck { atol: 1e-5, rtol: 1e-3, step: Some(1e-6), ..Self::default() }
    }

    /// The absolute tolerance; default 1e-9.
    pub fn atol(mut self, atol: f64) -> Self {
        self.atol = atol;
        self
    }

    /// The relative tolerance; default 1e-6.
    pub fn rtol(mut self, rtol: f64) -> Self {
        self.rtol = rtol;
        self
    }

    /// One central difference of this step for all elements, instead of steps chosen for each.
    pub fn step(mut self, step: f64) -> Self {
        self.step = Some(step);
        self
    }

    /// How far two calls, or two walks back, may be apart; default 0.
    pub fn nondet_tol(mut self, tolerance: f64) -> Self {
        self.nondet_tol = tolerance;
        self
    }

    /// Compares one number for each input and output, `v^T J u` with random unit vectors, instead of all of `J`. If
    /// they disagree, all of `J` is compared to say where.
    pub fn fast(mut self, on: bool) -> Self {
        self.fast = on;
        self
    }

    /// Whether inputs may be expanded (stride 0). They are differentiated as if every element were one of its own.
    pub fn expanded(mut self, on: bool) -> Self {
        self.expanded = on;
        self
    }

    /// The seed of random cotangents and projections; default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Names of the inputs for messages, in order.
    pub fn names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = names.into_iter().map(N::into).collect();
        self
    }

    /// Checks the first derivatives of `f` in those `inputs` that require a gradient.
    ///
    /// # Errors
    /// What is wrong, or why it can't be checked: [`Failure`].
    pub fn check<O: IntoOutputs>(
        &self,
        f: impl Fn(&[Variable<f64>]) -> O,
        inputs: &[&Variable<f64>],
    ) -> Result<(), Failure> {
        self.run(&self.subject(f, inputs))
    }

    /// Checks the second derivatives (`torch.autograd.gradgradcheck`): [`Gradcheck::check`] of the gradients of `f` for random
    /// cotangents from U(-1, 1), in the inputs and in these cotangents.
    ///
    /// # Errors
    /// As [`Gradcheck::check`].
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
    /// As [`Gradcheck::check`].
    pub fn check_order<O: IntoOutputs>(
        &self,
        order: usize,
        f: impl Fn(&[Variable<f64>]) -> O,
        inputs: &[&Variable<f64>],
    ) -> Result<(), Failure> {
        self.run(&self.derived(order, self.subject(f, inputs))?)
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
        let mut leaves = Vec::new();
        let mut arguments = Vec::new();
        for (i, input) in inputs.iter().enumerate() {
            if input.requires_grad() {
                let leaf = Leaf::new(label(i), input.value());
                arguments.push((*leaf.parameter).clone());
                leaves.push(leaf);
            } else {
                arguments.push(Variable::from(input.value()));
            }
        }
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
        self.refuse(subject)?;
        let outputs = subject.call()?;
        self.deterministic(subject, &outputs)?;
        let mut generator = Generator::from_seed(self.seed);
        analytical::laws(subject, &outputs, self.nondet_tol, &mut generator)?;
        if self.fast {
            let Some(mismatch) = self.projected(subject, &outputs, &mut generator)? else {
                return Ok(());
            };
            self.everything(subject, &outputs)?;
            return Err(mismatch);
        }
        self.everything(subject, &outputs)
    }

    /// What can't be checked.
    fn refuse(&self, subject: &Subject<'_>) -> Result<(), Failure> {
        if subject.leaves.is_empty() {
            return Err(Failure::NothingToCheck);
        }
        for leaf in &subject.leaves {
            let value = leaf.parameter.value();
            let repeats = value.shape().iter().zip(value.strides()).any(|(&n, &stride)| n > 1 && stride == 0);
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
                let place = Place::of(&subject.output(k), outputs[k].shape(), element);
                return Err(Failure::NotDeterministic { place, first, second });
            }
        }
        Ok(())
    }

    /// Every element of every Jacobian.
    fn everything(&self, subject: &Subject<'_>, outputs: &[Variable<f64>]) -> Result<(), Failure> {
        let analytical = analytical::jacobians(subject, outputs, self.nondet_tol)?;
        let mut worst = Worst::default();
        let mut numerical: Jacobians = analytical
            .iter()
            .map(|row| row.iter().map(|m| Matrix::zeros(m.rows, m.columns)).collect())
            .collect();
        for (i, leaf) in subject.leaves.iter().enumerate() {
            for column in 0..leaf.parameter.numel() {
                let expected: Vec<f64> = analytical
                    .iter()
                    .flat_map(|row| (0..row[i].rows).map(move |r| row[i].at(r, column)))
                    .collect();
                let direction = Direction::Element(column);
                let found = self.difference(subject, i, &direction, &expected)?;
                let mut found = found.iter().zip(&expected);
                for (k, row) in numerical.iter_mut().enumerate() {
                    for r in 0..row[i].rows {
                        let (estimate, &expected) = found.next().expect("one for each element");
                        row[i].set(r, column, estimate.value);
                        let step = subject.output(k).step(outputs[k].shape(), r);
                        worst.consider([k, i, r, column], step, expected, *estimate, self.allowed(estimate));
                    }
                }
            }
        }
        let Some(([k, i, row, column], analytical_value, estimate, allowed)) = worst.found else {
            return Ok(());
        };
        let (output, leaf) = (&outputs[k], &subject.leaves[i]);
        Err(Failure::Mismatch(Box::new(Mismatch {
            order: subject.order,
            output: Place::new(&subject.output(k), output.shape(), row),
            input: Place::new(&leaf.label, leaf.parameter.shape(), column),
            analytical: analytical_value,
            numerical: estimate.value,
            uncertainty: estimate.uncertainty,
            allowed,
            jacobians: Some(Box::new([analytical[k][i].clone(), numerical[k][i].clone()])),
            at: (row, column),
            operations: operations(&leaf.parameter, output),
            seed: self.seed,
        })))
    }

    /// `v^T J u` for each output and input; the worst that is too far off.
    fn projected(
        &self,
        subject: &Subject<'_>,
        outputs: &[Variable<f64>],
        generator: &mut Generator,
    ) -> Result<Option<Failure>, Failure> {
        let mut unit = |shape: &[usize]| {
            let vector = Tensor::from_fn(shape, |_| generator.normal());
            let norm = vector.to_vec().iter().map(|x| x * x).sum::<f64>().sqrt();
            vector.map(|x| if norm > 0.0 { x / norm } else { x })
        };
        let v: Vec<Tensor<f64>> = outputs.iter().map(|y| unit(y.shape())).collect();
        let u: Vec<Tensor<f64>> = subject.leaves.iter().map(|leaf| unit(leaf.parameter.shape())).collect();
        let mut back = Vec::new();
        for k in 0..outputs.len() {
            let mut cotangents = vec![None; outputs.len()];
            cotangents[k] = Some(Variable::from(v[k].clone()));
            back.push(subject.pull_back(outputs, &cotangents, false)?);
        }
        let mut worst = Worst::default();
        for (i, u) in u.iter().enumerate() {
            let expected: Vec<f64> = back.iter().map(|row| dot(&row[i].to_vec(), &u.to_vec())).collect();
            let direction = Direction::Along(&u.to_vec(), &v);
            let found = self.difference(subject, i, &direction, &expected)?;
            for (k, (estimate, expected)) in found.iter().zip(expected).enumerate() {
                worst.consider([k, i, 0, 0], None, expected, *estimate, self.allowed(estimate));
            }
        }
        Ok(worst.found.map(|([k, i, ..], analytical, estimate, allowed)| {
            Failure::Mismatch(Box::new(Mismatch {
                order: subject.order,
                output: Place {
                    name: format!("a projection of {}", subject.output(k).name),
                    index: vec![],
                    step: None,
                },
                input: Place { name: subject.leaves[i].label.name.clone(), index: vec![], step: None },
                analytical,
                numerical: estimate.value,
                uncertainty: estimate.uncertainty,
                allowed,
                jacobians: None,
                at: (0, 0),
                operations: operations(&subject.leaves[i].parameter, &outputs[k]),
                seed: self.seed,
            }))
        }))
    }

    /// How far the tape's derivative may be from this one.
    fn allowed(&self, estimate: &Estimate) -> f64 {
        let unsure = estimate.uncertainty.min(1e-4 * estimate.value.abs() + 100.0 * self.atol);
        self.atol + self.rtol * estimate.value.abs() + if unsure.is_nan() { 0.0 } else { unsure }
    }

    /// The derivatives along one direction of a leaf; with care if they are not the expected ones.
    fn difference(
        &self,
        subject: &Subject<'_>,
        leaf: usize,
        direction: &Direction<'_>,
        expected: &[f64],
    ) -> Result<Vec<Estimate>, Failure> {
        let parameter = &subject.leaves[leaf].parameter;
        let start = parameter.value();
        let values = start.to_vec();
        let mut at = |t: f64| {
            let moved = Tensor::from_vec(direction.moved(&values, t), start.shape()).expect("the same shape");
            parameter.set_value(moved).expect("the same shape");
            Ok::<_, Failure>(direction.seen(subject.values()?))
        };
        let scale = difference::scale(direction.largest(&values));
        let step = self.step.unwrap_or_else(|| f64::EPSILON.cbrt() * scale);
        let found = difference::central(&mut at, step).and_then(|first| {
            let estimates: Vec<_> = first.iter().map(|&value| Estimate { value, uncertainty: 0.0 }).collect();
            let settled = estimates.iter().zip(expected).all(|(n, a)| (a - n.value).abs() <= self.allowed(n));
            if settled || self.step.is_some() { Ok(estimates) } else { difference::careful(&mut at, scale) }
        });
        parameter.set_value(start).expect("the same shape");
        found
    }
}

/// How a leaf is moved, and what is looked at.
enum Direction<'d> {
    /// One element, and all elements of all outputs.
    Element(usize),
    /// A vector, and the outputs' products with others.
    Along(&'d [f64], &'d [Tensor<f64>]),
}

impl Direction<'_> {
    fn moved(&self, values: &[f64], t: f64) -> Vec<f64> {
        let mut moved = values.to_vec();
        match self {
            Direction::Element(j) => moved[*j] += t,
            Direction::Along(u, _) => moved.iter_mut().zip(*u).for_each(|(x, u)| *x += t * u),
        }
        moved
    }

    fn seen(&self, outputs: Vec<Vec<f64>>) -> Vec<f64> {
        match self {
            Direction::Element(_) => outputs.concat(),
            Direction::Along(_, v) => outputs.iter().zip(*v).map(|(y, v)| dot(y, &v.to_vec())).collect(),
        }
    }

    fn largest(&self, values: &[f64]) -> f64 {
        match self {
            Direction::Element(j) => values[*j].abs(),
            Direction::Along(..) => values.iter().fold(0.0, |m: f64, x| m.max(x.abs())),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Of the elements outside of what is allowed, the one that is furthest; in a recurrence, at the first step that has one:
/// what is wrong later may follow from it.
#[derive(Default)]
struct Worst {
    found: Option<([usize; 4], f64, Estimate, f64)>,
    step: Option<usize>,
    ratio: f64,
}

impl Worst {
    fn consider(
        &mut self,
        at: [usize; 4],
        step: Option<usize>,
        analytical: f64,
        estimate: Estimate,
        allowed: f64,
    ) {
        let off = (analytical - estimate.value).abs();
        let ratio = if off.is_nan() { f64::INFINITY } else { off / allowed };
        if analytical == estimate.value || ratio <= 1.0 {
            return;
        }
        let last = |step: Option<usize>| step.unwrap_or(usize::MAX);
        let earlier = last(step).cmp(&last(self.step));
        if self.found.is_none() || earlier.is_lt() || (earlier.is_eq() && ratio > self.ratio) {
            (self.step, self.ratio) = (step, ratio);
            self.found = Some((at, analytical, estimate, allowed));
        }
    }
}

/// The operations between two variables, runs of the same ones counted.
fn operations(input: &Variable<f64>, output: &Variable<f64>) -> Vec<String> {
    let tape = Tape::between(input, output);
    let mut found: Vec<(String, usize)> = Vec::new();
    for entry in tape.entries() {
        let name = match entry.path.as_str() {
            "" => entry.operation.to_string(),
            path => format!("{path}.{}", entry.operation),
        };
        match found.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => found.push((name, 1)),
        }
    }
    found.into_iter().map(|(name, count)| if count > 1 { format!("{name} x{count}") } else { name }).collect()
}

/// [`Gradcheck::check`] with the defaults.
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
/// As there.
pub fn gradcheck<O: IntoOutputs>(
    f: impl Fn(&[Variable<f64>]) -> O,
    inputs: &[&Variable<f64>],
) -> Result<(), Failure> {
    Gradcheck::new().check(f, inputs)
}

/// [`Gradcheck::check_second`] with the defaults.
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
/// As there.
pub fn gradgradcheck<O: IntoOutputs>(
    f: impl Fn(&[Variable<f64>]) -> O,
    inputs: &[&Variable<f64>],
) -> Result<(), Failure> {
    Gradcheck::new().check_second(f, inputs)
}
