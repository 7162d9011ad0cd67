//! Connectionist temporal classification against all alignments, one by one.

use wengert_check::Gradcheck;
use wengert_core::{Result, Tensor, Variable};
use wengert_nn::ctc_loss;
use wengert_nn::loss::{CtcLoss, Reduction};

use super::{drawn, leaf, numbers};
use crate::{V, close};

/// The labels that an alignment stands for.
fn collapsed(path: &[usize], blank: usize) -> Vec<usize> {
    let mut labels = Vec::new();
    for (t, &class) in path.iter().enumerate() {
        if class != blank && (t == 0 || path[t - 1] != class) {
            labels.push(class);
        }
    }
    labels
}

/// `-ln` of the summed probabilities of all paths through `rows` that stand for `labels`.
fn naive(rows: &[Vec<f64>], labels: &[usize], blank: usize) -> f64 {
    let classes = rows.first().map_or(1, Vec::len);
    let count = classes.pow(rows.len() as u32);
    let path = |n: usize| (0..rows.len()).map(|t| n / classes.pow(t as u32) % classes).collect::<Vec<_>>();
    let fitting = (0..count).map(path).filter(|path| collapsed(path, blank) == labels);
    let probability = |path: Vec<usize>| path.iter().zip(rows).map(|(&c, row)| row[c]).sum::<f64>().exp();
    -fitting.map(probability).sum::<f64>().ln()
}

const STEPS: usize = 5;
const CLASSES: usize = 3;

/// Sequences with labels that repeat or do not, and lengths that do not fill the steps.
struct Sequences {
    log_probs: V,
    targets: Vec<Vec<usize>>,
    input_lengths: Vec<usize>,
    blank: usize,
}

impl Sequences {
    fn drawn(seed: u64, blank: usize) -> Self {
        let labels: Vec<usize> = (0..CLASSES).filter(|&class| class != blank).collect();
        let draw = |more: u64, count: usize, bound: usize| -> Vec<usize> {
            numbers(seed * 100 + more, count, 0.0, bound as f64).iter().map(|&x| x as usize).collect()
        };
        let lengths = draw(1, 4, 4);
        let of = |n: usize| draw(2 + n as u64, lengths[n], 2).iter().map(|&k| labels[k]).collect();
        let targets: Vec<Vec<usize>> = (0..4).map(of).collect();
        let input_lengths = draw(9, 4, STEPS + 1);
        let log_probs = drawn(seed, &[STEPS, 4, CLASSES], -2.0, 2.0).log_softmax(-1);
        Sequences { log_probs, targets, input_lengths, blank }
    }

    fn target_lengths(&self) -> Vec<usize> {
        self.targets.iter().map(Vec::len).collect()
    }

    /// Behind the end of a target stands what is no class.
    fn padded(&self) -> Tensor<i64> {
        Tensor::from_fn([4, 4], |at| self.targets[at / 4].get(at % 4).map_or(-7, |&label| label as i64))
    }

    fn concatenated(&self) -> Tensor<i64> {
        Tensor::from(self.targets.concat().iter().map(|&label| label as i64).collect::<Vec<_>>())
    }

    fn naive(&self) -> Vec<f64> {
        let all = self.log_probs.to_vec();
        let row = |t: usize, n: usize| all[(t * 4 + n) * CLASSES..][..CLASSES].to_vec();
        let rows = |n: usize| (0..self.input_lengths[n]).map(|t| row(t, n)).collect::<Vec<_>>();
        (0..4).map(|n| naive(&rows(n), &self.targets[n], self.blank)).collect()
    }

    fn loss(&self, options: CtcLoss<f64>, log_probs: &V, targets: &Tensor<i64>) -> Result<V> {
        options.blank(self.blank).loss(log_probs, targets, &self.input_lengths, &self.target_lengths())
    }
}

fn options() -> CtcLoss<f64> {
    CtcLoss::default()
}

fn same(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    let near = |a: f64, b: f64| a == b || (a - b).abs() < 1e-10;
    assert!(got.iter().zip(expected).all(|(&a, &b)| near(a, b)), "got {got:?}, expected {expected:?}");
}

#[test]
fn the_loss_sums_over_all_alignments() {
    let mut infinite = 0;
    for seed in 0..24 {
        for blank in 0..CLASSES {
            let case = Sequences::drawn(seed, blank);
            let expected = case.naive();
            infinite += expected.iter().filter(|loss| loss.is_infinite()).count();
            for targets in [case.padded(), case.concatenated()] {
                let none = options().reduction(Reduction::None);
                let losses = case.loss(none.clone(), &case.log_probs, &targets).unwrap();
                same(&losses.to_vec(), &expected);
                let finite: Vec<f64> =
                    expected.iter().map(|&loss| if loss.is_finite() { loss } else { 0.0 }).collect();
                let losses = case.loss(none.zero_infinity(true), &case.log_probs, &targets).unwrap();
                same(&losses.to_vec(), &finite);
                let each = finite.iter().zip(case.target_lengths()).map(|(loss, n)| loss / n.max(1) as f64);
                let mean = case.loss(options().zero_infinity(true), &case.log_probs, &targets).unwrap();
                same(&mean.to_vec(), &[each.sum::<f64>() / 4.0]);
            }
        }
    }
    assert!(infinite > 20, "{infinite}");
}

#[test]
fn a_single_sequence_needs_no_axis_of_its_own() {
    let log_probs = drawn(3, &[4, CLASSES], -1.0, 1.0).log_softmax(-1);
    let loss = ctc_loss(&log_probs, &Tensor::from([1i64, 2, 9]), &[4], &[2]).unwrap();
    let rows: Vec<Vec<f64>> = log_probs.to_vec().chunks(CLASSES).map(<[f64]>::to_vec).collect();
    assert_eq!(loss.shape(), &[] as &[usize]);
    close(&loss.to_vec(), &[naive(&rows, &[1, 2], 0) / 2.0], 1e-12);
}

#[test]
fn first_and_second_derivatives_are_those_of_differences() {
    for seed in 0..3 {
        let case = Sequences::drawn(seed, 0);
        let x = leaf(&case.log_probs);
        let all = options().reduction(Reduction::None).zero_infinity(true);
        let loss = |x: &[V]| case.loss(all.clone(), &x[0], &case.padded()).unwrap();
        let check = Gradcheck::new().atol(1e-9);
        check.check(loss, &[&x]).unwrap();
        check.check_second(loss, &[&x]).unwrap();
    }
}

#[test]
fn steps_behind_the_end_and_masked_sequences_may_be_anything() {
    let case = Sequences::drawn(5, 0);
    let mask = Tensor::from([true, false, true, true]);
    let gradients = |value: Option<f64>| {
        let all = case.log_probs.to_vec();
        let out = |at: usize| {
            let (t, n) = (at / CLASSES / 4, at / CLASSES % 4);
            n == 1 || t >= case.input_lengths[n]
        };
        let x = Tensor::from_fn([STEPS, 4, CLASSES], |at| value.filter(|_| out(at)).unwrap_or(all[at]));
        let x = V::new(x).requires_grad_(true);
        let loss = case.loss(options().mask(&mask).zero_infinity(true), &x, &case.padded()).unwrap();
        loss.backward().unwrap();
        let gradient = x.grad().unwrap().to_vec();
        assert!((0..gradient.len()).all(|at| !out(at) || gradient[at] == 0.0));
        (loss.item().unwrap(), gradient)
    };
    let clean = gradients(None);
    assert_eq!(gradients(Some(f64::NAN)), clean);
    assert_eq!(gradients(Some(f64::INFINITY)), clean);
    assert!(clean.1.iter().any(|&g| g != 0.0));
}

#[test]
fn a_target_without_an_alignment_is_infinite_and_has_no_gradient() {
    let x = leaf(&drawn(1, &[2, 1, 3], -1.0, 1.0).log_softmax(-1));
    let loss = ctc_loss(&x, &Tensor::from([[1i64, 1]]), &[2], &[2]).unwrap();
    assert_eq!(loss.item().unwrap(), f64::INFINITY);
    loss.backward().unwrap();
    assert!(x.grad().unwrap().to_vec().iter().all(|&g| g == 0.0));
}

#[test]
fn classes_of_probability_zero_leave_the_other_alignments() {
    let (low, half) = (f64::NEG_INFINITY, 0.5f64.ln());
    let rows = [[half, half, low], [low, 0.0, low], [half, low, half]];
    let x = leaf(&Variable::new(Tensor::from([rows[0], rows[1], rows[2]]).unsqueeze(1).unwrap()));
    let loss = ctc_loss(&x, &Tensor::from([[1i64]]), &[3], &[1]).unwrap();
    close(&[loss.item().unwrap()], &[naive(&rows.map(Vec::from), &[1], 0)], 1e-12);
    loss.backward().unwrap();
    assert!(x.grad().unwrap().to_vec().iter().all(|g| g.is_finite()));
}

#[test]
fn sequences_of_many_steps_stay_finite_in_single_precision() {
    let x = Variable::<f32>::new(Tensor::uniform([400, 2, 6], -1e4, 1e4)).requires_grad_(true);
    let targets = Tensor::from_fn([2, 30], |at| 1 + (at * 7 % 5) as i64);
    let loss = ctc_loss(&x.log_softmax(-1), &targets, &[400, 350], &[30, 20]).unwrap();
    loss.backward().unwrap();
    assert!(loss.item().unwrap().is_finite());
    assert!(x.grad().unwrap().to_vec().iter().all(|g| g.is_finite()));
}
