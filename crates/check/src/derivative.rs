//! Any Rust function and its derivative, without a tape.

use std::fmt::Display;

use crate::analytical::agree;
use crate::failure::{ElementPlace, Failure, Mismatch};
use crate::gradcheck::Gradcheck;
use crate::matrix::Matrix;
use crate::report::{Doubt, Report};
use crate::worst::{At, Worst};

/// Numbers that a function under [`check_derivative`], or its derivative, may return: a number, a list or an
/// array of numbers, the rows of a matrix, or a result of one of these.
pub trait IntoNumbers {
    /// The numbers, row after row; the error's text if there are none.
    ///
    /// # Errors
    /// The text of the error that the function gave in place of numbers.
    fn into_numbers(self) -> Result<Vec<f64>, String>;
}

impl IntoNumbers for f64 {
    fn into_numbers(self) -> Result<Vec<f64>, String> {
        Ok(vec![self])
    }
}

impl<N: IntoNumbers> IntoNumbers for Vec<N> {
    fn into_numbers(self) -> Result<Vec<f64>, String> {
        let rows = self.into_iter().map(IntoNumbers::into_numbers).collect::<Result<Vec<_>, _>>()?;
        Ok(rows.concat())
    }
}

impl<N: IntoNumbers, const COUNT: usize> IntoNumbers for [N; COUNT] {
    fn into_numbers(self) -> Result<Vec<f64>, String> {
        Vec::from(self).into_numbers()
    }
}

impl<N: IntoNumbers, E: Display> IntoNumbers for Result<N, E> {
    fn into_numbers(self) -> Result<Vec<f64>, String> {
        self.map_err(|error| error.to_string())?.into_numbers()
    }
}

/// Checks any function of numbers against a derivative that was written by hand:
/// [`Gradcheck::check_derivative`] with the defaults.
///
/// ```
/// use wengert_check::check_derivative;
/// // A function with one value has a gradient ...
/// let gradient = |x: &[f64]| vec![x[1].exp(), x[0] * x[1].exp()];
/// check_derivative(|x: &[f64]| x[0] * x[1].exp(), gradient, &[2.0, 0.3])?;
/// // ... and one with several a Jacobian: a row for each value, a column for each argument.
/// let polar = |x: &[f64]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
/// let jacobian = |x: &[f64]| [[x[1].cos(), -x[0] * x[1].sin()], [x[1].sin(), x[0] * x[1].cos()]];
/// check_derivative(polar, jacobian, &[2.0, 0.3])?;
///
/// let wrong = |x: &[f64]| [[x[1].cos(), x[0] * x[1].sin()], [x[1].sin(), x[0] * x[1].cos()]];
/// let text = check_derivative(polar, wrong, &[2.0, 0.3]).unwrap_err().to_string();
/// assert!(text.starts_with("the derivative of output [0] in x [1] is wrong (order 1)"));
/// # Ok::<(), wengert_check::Failure>(())
/// ```
///
/// # Errors
/// A derivative that isn't that of differences, the shape of a Jacobian that doesn't fit, a function that
/// isn't deterministic or fails.
pub fn check_derivative<Y: IntoNumbers, D: IntoNumbers>(
    f: impl Fn(&[f64]) -> Y,
    derivative: impl Fn(&[f64]) -> D,
    at: &[f64],
) -> Result<(), Failure> {
    Gradcheck::new().check_derivative(f, derivative, at)
}

/// The arguments and values of a plain function, as messages name them.
pub(crate) struct Named<'n> {
    /// The place of an argument.
    pub input: &'n dyn Fn(usize) -> ElementPlace,
}

impl Gradcheck {
    /// Checks a function of numbers against `derivative`, which gives the gradient, or the Jacobian row
    /// after row: a row for each value of `f`, a column for each argument.
    ///
    /// # Errors
    /// A derivative that isn't that of differences, the shape of a Jacobian that doesn't fit, a function
    /// that isn't deterministic or fails. What can't be decided is said as a warning, and given by
    /// [`Gradcheck::report_derivative`].
    pub fn check_derivative<Y: IntoNumbers, D: IntoNumbers>(
        &self,
        f: impl Fn(&[f64]) -> Y,
        derivative: impl Fn(&[f64]) -> D,
        at: &[f64],
    ) -> Result<(), Failure> {
        self.report_derivative(f, derivative, at).map(Report::publish)
    }

    /// [`Gradcheck::check_derivative`], which gives a report of what could not be decided.
    ///
    /// # Errors
    /// A derivative that isn't that of differences, the shape of a Jacobian that doesn't fit, a function
    /// that isn't deterministic or fails.
    pub fn report_derivative<Y: IntoNumbers, D: IntoNumbers>(
        &self,
        f: impl Fn(&[f64]) -> Y,
        derivative: impl Fn(&[f64]) -> D,
        at: &[f64],
    ) -> Result<Report, Failure> {
        let input = |j| ElementPlace { name: "x".to_string(), index: vec![j], step: None };
        self.plain(&f, &derivative, at, &Named { input: &input })
    }

    pub(crate) fn plain<Y: IntoNumbers, D: IntoNumbers>(
        &self,
        f: &impl Fn(&[f64]) -> Y,
        derivative: &impl Fn(&[f64]) -> D,
        at: &[f64],
        names: &Named<'_>,
    ) -> Result<Report, Failure> {
        if at.is_empty() {
            return Err(Failure::NothingToCheck);
        }
        let failed = |error| Failure::Function { error };
        let call = |x: &[f64]| f(x).into_numbers().map_err(failed);
        let values = call(at)?;
        let output = |r| ElementPlace {
            name: "output".to_string(),
            index: if values.len() == 1 { vec![] } else { vec![r] },
            step: None,
        };
        self.same_twice(&values, &call(at)?, output)?;
        let analytical = jacobian(derivative(at).into_numbers().map_err(failed)?, values.len(), at.len())?;
        let mut numerical = Matrix::zeros(values.len(), at.len());
        let (mut worst, mut report) = (Worst::default(), Report::default());
        // Whoever writes a derivative by hand may sum what cancels: some digits of the largest.
        let rounding = vec![16.0 * f64::EPSILON * analytical.largest(); values.len()];
        for j in 0..at.len() {
            let mut moved = |t: f64| {
                let mut x = at.to_vec();
                x[j] += t;
                let y = call(&x)?;
                same_length(y, values.len())
            };
            let expected: Vec<f64> = (0..values.len()).map(|r| analytical.at(r, j)).collect();
            let judged = self.judge.judge(&mut moved, at[j].abs(), &expected, &rounding)?;
            for (r, judged) in judged.iter().enumerate() {
                numerical.set(r, j, judged.value);
                worst.consider(At { row: r, column: j, ..At::default() }, None, expected[r], judged);
                report.count(judged, || Doubt {
                    order: 1,
                    output: output(r),
                    input: (names.input)(j),
                    analytical: expected[r],
                    numerical: judged.value,
                    uncertainty: judged.uncertainty,
                });
            }
        }
        let Some((At { row, column, .. }, expected, judged)) = worst.found else { return Ok(report) };
        Err(Failure::Mismatch(Box::new(Mismatch {
            order: 1,
            output: output(row),
            input: (names.input)(column),
            analytical: expected,
            numerical: judged.value,
            sides: judged.sides,
            uncertainty: judged.uncertainty,
            allowed: judged.allowed,
            jacobians: Some(Box::new([analytical, numerical])),
            at: (row, column),
            operations: Vec::new(),
            seed: None,
        })))
    }

    fn same_twice(
        &self,
        first: &[f64],
        second: &[f64],
        output: impl Fn(usize) -> ElementPlace,
    ) -> Result<(), Failure> {
        let mut pairs = first.iter().zip(second).enumerate();
        match pairs.find(|(_, (a, b))| !agree(**a, **b, self.nondet_tol)) {
            None => Ok(()),
            Some((r, (&first, &second))) => {
                Err(Failure::NotDeterministic { place: Box::new(output(r)), first, second })
            }
        }
    }
}

fn jacobian(values: Vec<f64>, rows: usize, columns: usize) -> Result<Matrix, Failure> {
    let count = values.len();
    match count == rows * columns {
        true => Ok(Matrix { rows, columns, values }),
        false => Err(Failure::Function {
            error: format!(
                "expected a derivative of {rows} x {columns} numbers, a row for each value and a column \
                 for each argument, got {count}"
            ),
        }),
    }
}

fn same_length(values: Vec<f64>, expected: usize) -> Result<Vec<f64>, Failure> {
    match values.len() == expected {
        true => Ok(values),
        false => {
            let error = format!("expected {expected} values as at the point itself, got {}", values.len());
            Err(Failure::Function { error })
        }
    }
}
