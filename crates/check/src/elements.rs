//! The comparison of the tape's Jacobians with those of differences.

use wengert_core::{Generator, Parameter, Tensor, Variable};

use crate::analytical::{self, Jacobians};
use crate::failure::{ElementPlace, Failure, Mismatch};
use crate::gradcheck::Gradcheck;
use crate::matrix::Matrix;
use crate::operations::operations;
use crate::report::{Doubt, Report};
use crate::subject::Subject;
use crate::verdict::Judged;
use crate::worst::{At, Worst};

/// What a derivative may be off by itself, as a part of the largest one of all: it is a sum, terms cancel,
/// and where a function is nearly flat its slope comes from digits that hardly any are left of.
const ROUNDING: f64 = 1e-11;

impl Gradcheck {
    /// Every element of every Jacobian.
    pub(crate) fn everything(
        &self,
        subject: &Subject<'_>,
        outputs: &[Variable<f64>],
    ) -> Result<Report, Failure> {
        let analytical = analytical::jacobians(subject, outputs, self.nondet_tol)?;
        let zeros = |row: &Vec<Matrix>| row.iter().map(|m| Matrix::zeros(m.rows, m.columns)).collect();
        let mut numerical: Jacobians = analytical.iter().map(zeros).collect();
        let largest = analytical.iter().flatten().map(Matrix::largest).fold(0.0, f64::max);
        let (mut worst, mut report) = (Worst::default(), Report::default());
        for (i, leaf) in subject.leaves.iter().enumerate() {
            let mut expected = Vec::new();
            for column in 0..leaf.parameter.numel() {
                let rows = || analytical.iter().map(|row| &row[i]);
                expected.clear();
                expected.extend(rows().flat_map(|m| (0..m.rows).map(|r| m.at(r, column))));
                let rounding = vec![ROUNDING * largest; expected.len()];
                let judged = self.judged(subject, i, &Direction::Element(column), &expected, &rounding)?;
                let mut judged = judged.iter().zip(&expected);
                for (k, row) in numerical.iter_mut().enumerate() {
                    for r in 0..row[i].rows {
                        let (judged, &expected) = judged.next().expect("one for each element");
                        row[i].set(r, column, judged.value);
                        let step = subject.output(k).step(outputs[k].shape(), r);
                        worst.consider(At { output: k, leaf: i, row: r, column }, step, expected, judged);
                        report.count(judged, || Doubt {
                            order: subject.order,
                            output: ElementPlace::new(&subject.output(k), outputs[k].shape(), r),
                            input: ElementPlace::new(&leaf.label, leaf.parameter.shape(), column),
                            analytical: expected,
                            numerical: judged.value,
                            uncertainty: judged.uncertainty,
                        });
                    }
                }
            }
        }
        let Some((At { output: k, leaf: i, row, column }, analytical_value, judged)) = worst.found else {
            return Ok(report);
        };
        let (output, leaf) = (&outputs[k], &subject.leaves[i]);
        let output_place = ElementPlace::new(&subject.output(k), output.shape(), row);
        Err(Failure::Mismatch(Box::new(Mismatch {
            order: subject.order,
            operations: operations(&leaf.parameter, output, &output_place),
            output: output_place,
            input: ElementPlace::new(&leaf.label, leaf.parameter.shape(), column),
            analytical: analytical_value,
            numerical: judged.value,
            sides: judged.sides,
            uncertainty: judged.uncertainty,
            allowed: judged.allowed,
            jacobians: Some(Box::new([analytical[k][i].clone(), numerical[k][i].clone()])),
            at: (row, column),
            seed: Some(self.seed),
        })))
    }

    /// `v^T J u` for each output and input; the worst that is too far off is an error.
    pub(crate) fn projected(
        &self,
        subject: &Subject<'_>,
        outputs: &[Variable<f64>],
        generator: &mut Generator,
    ) -> Result<Result<Report, Failure>, Failure> {
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
        let place = |name: String| ElementPlace { name, index: vec![], step: None };
        let output_place = |k: usize| place(format!("a projection of {}", subject.output(k).name));
        let input_place = |i: usize| place(subject.leaves[i].label.name.clone());
        let (mut worst, mut report) = (Worst::default(), Report::default());
        for (i, u) in u.iter().enumerate() {
            let u = u.to_vec();
            let expected: Vec<f64> = back.iter().map(|row| dot(&row[i].to_vec(), &u)).collect();
            let sizes = |row: &Vec<Variable<f64>>| {
                row[i].to_vec().iter().zip(&u).map(|(a, b)| (a * b).abs()).sum::<f64>()
            };
            let largest = back.iter().map(sizes).fold(0.0, f64::max);
            let rounding = vec![ROUNDING * largest; back.len()];
            let judged = self.judged(subject, i, &Direction::Along(&u, &v), &expected, &rounding)?;
            for (k, (judged, expected)) in judged.iter().zip(expected).enumerate() {
                worst.consider(At { output: k, leaf: i, row: 0, column: 0 }, None, expected, judged);
                report.count(judged, || Doubt {
                    order: subject.order,
                    output: output_place(k),
                    input: input_place(i),
                    analytical: expected,
                    numerical: judged.value,
                    uncertainty: judged.uncertainty,
                });
            }
        }
        let Some((At { output: k, leaf: i, .. }, analytical, judged)) = worst.found else {
            return Ok(Ok(report));
        };
        Ok(Err(Failure::Mismatch(Box::new(Mismatch {
            order: subject.order,
            output: output_place(k),
            input: input_place(i),
            analytical,
            numerical: judged.value,
            sides: judged.sides,
            uncertainty: judged.uncertainty,
            allowed: judged.allowed,
            jacobians: None,
            at: (0, 0),
            operations: operations(&subject.leaves[i].parameter, &outputs[k], &output_place(k)),
            seed: Some(self.seed),
        }))))
    }

    /// The derivatives along one direction of a leaf, compared with the expected ones.
    fn judged(
        &self,
        subject: &Subject<'_>,
        leaf: usize,
        direction: &Direction<'_>,
        expected: &[f64],
        rounding: &[f64],
    ) -> Result<Vec<Judged>, Failure> {
        let parameter = &subject.leaves[leaf].parameter;
        let start = parameter.value();
        let values = start.to_vec();
        let mut at = |t: f64| {
            let moved = Tensor::from_vec(direction.moved(&values, t), start.shape()).expect("the same shape");
            parameter.set_value(moved).expect("the same shape");
            Ok::<_, Failure>(direction.seen(subject.values()?))
        };
        let _restore = Restore(parameter, start.clone());
        self.judge.judge(&mut at, direction.largest(&values), expected, rounding)
    }
}

/// Gives a leaf its value back, whatever happens meanwhile.
struct Restore<'p>(&'p Parameter<f64>, Tensor<f64>);

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.0.set_value(self.1.clone()).expect("the same shape");
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
