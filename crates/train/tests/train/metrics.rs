//! Metrics against references that see all elements at once; batching changes no bit.

use proptest::prelude::*;
use wengert_core::{Stateful, Tensor};
use wengert_train::*;

/// Scores of rows, their classes, and which of the rows count, by how much.
#[derive(Clone, Debug)]
struct Rows {
    classes: usize,
    scores: Vec<f64>,
    targets: Vec<i64>,
    weights: Vec<f64>,
    /// Where one batch ends and the next begins.
    cut: usize,
}

fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.1f64..3.0]
}

fn rows() -> impl Strategy<Value = Rows> {
    (2usize..5, 1usize..30).prop_flat_map(|(classes, n)| {
        // Few different scores, so that some are equal.
        let scores = prop::collection::vec((-4i32..4).prop_map(|x| f64::from(x) / 2.0), n * classes);
        let targets = prop::collection::vec(0..classes as i64, n);
        let weights = prop::collection::vec(weight(), n);
        (Just(classes), scores, targets, weights, 0..=n).prop_map(
            |(classes, scores, targets, weights, cut)| Rows { classes, scores, targets, weights, cut },
        )
    })
}

impl Rows {
    fn batches(&self) -> Vec<(Tensor<f64>, Tensor<i64>, Tensor<f64>)> {
        let part = |range: std::ops::Range<usize>| {
            let (c, n) = (self.classes, range.len());
            (
                Tensor::from_vec(self.scores[range.start * c..range.end * c].to_vec(), [n, c]).unwrap(),
                Tensor::from_vec(self.targets[range.clone()].to_vec(), [n]).unwrap(),
                Tensor::from_vec(self.weights[range].to_vec(), [n]).unwrap(),
            )
        };
        vec![part(0..self.cut), part(self.cut..self.targets.len())]
    }

    fn whole(&self) -> Self {
        Rows { cut: 0, ..self.clone() }
    }

    /// Where a row's class would be in a stable sort from the largest score on.
    fn place(&self, row: usize) -> usize {
        let scores = &self.scores[row * self.classes..][..self.classes];
        let mut order: Vec<usize> = (0..self.classes).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        order.iter().position(|&class| class == self.targets[row] as usize).unwrap()
    }

    fn predicted(&self, row: usize) -> usize {
        let scores = &self.scores[row * self.classes..][..self.classes];
        let largest = scores.iter().copied().fold(f64::MIN, f64::max);
        scores.iter().position(|&score| score == largest).unwrap()
    }

    /// The weights of rows for which it holds.
    fn sum(&self, holds: impl Fn(usize) -> bool) -> f64 {
        (0..self.targets.len()).filter(|&row| holds(row)).map(|row| self.weights[row]).sum()
    }
}

/// The metric over the batches; through its saved state and back on the way. The whole in one batch gives the
/// same bits.
fn over<M: Metric + Clone>(
    fresh: &M,
    rows: &Rows,
    update: impl Fn(&mut M, &Tensor<f64>, &Tensor<i64>, &Tensor<f64>),
) -> M {
    let value = |rows: &Rows| {
        let mut metric = fresh.clone();
        for (scores, targets, weights) in rows.batches() {
            update(&mut metric, &scores, &targets, &weights);
            let mut loaded = fresh.clone();
            loaded.load_state_dict(&metric.state_dict()).unwrap();
            metric = loaded;
        }
        metric
    };
    let metric = value(rows);
    assert_eq!(metric.value().to_bits(), value(&rows.whole()).value().to_bits(), "{metric}");
    let mut reset = metric.clone();
    reset.reset();
    assert_eq!(reset.to_string(), fresh.to_string());
    metric
}

fn close(got: f64, expected: f64) -> Result<(), TestCaseError> {
    let near = (got - expected).abs() <= 1e-12 * expected.abs().max(1.0);
    prop_assert!(near || (got.is_nan() && expected.is_nan()), "{got}, expected {expected}");
    Ok(())
}

macro_rules! over {
    ($metric:expr, $rows:expr) => {
        over(&$metric, $rows, |metric, scores, targets, weights| {
            metric.update(scores, targets, weights).unwrap()
        })
    };
}

proptest! {
    #[test]
    fn accuracies_are_the_places_of_a_sort(rows in rows(), k in 1usize..4) {
        let all = rows.sum(|_| true);
        close(over!(Accuracy::new(), &rows).value(), rows.sum(|row| rows.place(row) == 0) / all)?;
        close(over!(Accuracy::top(k).unwrap(), &rows).value(), rows.sum(|row| rows.place(row) < k) / all)?;
    }

    #[test]
    fn scores_of_classes_are_those_of_their_definitions(rows in rows()) {
        let of = |class: usize| {
            let (is, said) = (|row| rows.targets[row] as usize == class, |row| rows.predicted(row) == class);
            let hits = rows.sum(|row| is(row) && said(row));
            let zero = |x: f64| if x.is_nan() { 0.0 } else { x };
            let [precision, recall] = [zero(hits / rows.sum(said)), zero(hits / rows.sum(is))];
            let f1 = zero(2.0 * precision * recall / (precision + recall));
            (rows.sum(|row| is(row) || said(row)) > 0.0, [precision, recall, f1])
        };
        let found = [
            { let m = over!(Precision::new(rows.classes).unwrap(), &rows); (m.per_class(), m.value()) },
            { let m = over!(Recall::new(rows.classes).unwrap(), &rows); (m.per_class(), m.value()) },
            { let m = over!(F1::new(rows.classes).unwrap(), &rows); (m.per_class(), m.value()) },
        ];
        for (at, (per_class, mean)) in found.into_iter().enumerate() {
            let present: Vec<usize> = (0..rows.classes).filter(|&class| of(class).0).collect();
            let expected = |class: usize| if of(class).0 { of(class).1[at] } else { f64::NAN };
            for (class, got) in per_class.iter().enumerate() {
                close(*got, expected(class))?;
            }
            close(mean, present.iter().map(|&class| expected(class)).sum::<f64>() / present.len() as f64)?;
        }
        let accuracy = rows.sum(|row| rows.predicted(row) == rows.targets[row] as usize) / rows.sum(|_| true);
        close(over!(F1::new(rows.classes).unwrap().average(Average::Micro), &rows).value(), accuracy)?;
        let confusion = over!(ConfusionMatrix::new(rows.classes).unwrap(), &rows);
        close(confusion.value(), accuracy)?;
        for (at, got) in confusion.matrix().to_vec().into_iter().enumerate() {
            let place = [at / rows.classes, at % rows.classes];
            let is = |row| [rows.targets[row] as usize, rows.predicted(row)] == place;
            close(got, rows.sum(is))?;
        }
    }

    #[test]
    fn errors_of_numbers_are_those_of_their_definitions(
        pairs in prop::collection::vec((-9.0f64..9.0, -9.0f64..9.0, weight()), 1..40),
        cut in 0usize..40,
    ) {
        let cut = cut.min(pairs.len());
        let column = |of: &[(f64, f64, f64)], pick: fn(&(f64, f64, f64)) -> f64| {
            Tensor::from_vec(of.iter().map(pick).collect(), [of.len()]).unwrap()
        };
        let mean = |f: &dyn Fn(f64, f64) -> f64| {
            let weight: f64 = pairs.iter().map(|pair| pair.2).sum();
            pairs.iter().filter(|pair| pair.2 > 0.0).map(|&(p, y, w)| w * f(p, y)).sum::<f64>() / weight
        };
        macro_rules! check {
            ($metric:expr, $expected:expr) => {{
                let mut parts = $metric;
                let mut whole = $metric;
                for (metric, cut) in [(&mut parts, cut), (&mut whole, 0)] {
                    for part in [&pairs[..cut], &pairs[cut..]] {
                        let (p, y) = (column(part, |pair| pair.0), column(part, |pair| pair.1));
                        metric.update(&p, &y, &column(part, |pair| pair.2)).unwrap();
                    }
                }
                prop_assert_eq!(parts.value().to_bits(), whole.value().to_bits());
                let mut loaded = $metric;
                loaded.load_state_dict(&parts.state_dict()).unwrap();
                prop_assert_eq!(parts.value().to_bits(), loaded.value().to_bits());
                let (got, expected): (f64, f64) = (parts.value(), $expected);
                let near = (got - expected).abs() <= 1e-9 * expected.abs().max(1.0);
                prop_assert!(near || !expected.is_finite(), "{got}, expected {expected}");
            }};
        }
        check!(Mae::new(), mean(&|p, y| (p - y).abs()));
        check!(Rmse::new(), mean(&|p, y| (p - y).powi(2)).sqrt());
        check!(Mape::new(), mean(&|p, y| (p - y).abs() / y.abs()));
        let middle = mean(&|_, y| y);
        // Where the targets hardly differ, the reference itself is rounding.
        let about = mean(&|_, y| (y - middle).powi(2));
        let about = if about > 1e-6 { about } else { f64::NAN };
        check!(R2::new(), 1.0 - mean(&|p, y| (p - y).powi(2)) / about);
    }

    #[test]
    fn an_error_rate_is_the_distance_of_a_recursion(
        texts in prop::collection::vec(("[ab ]{0,6}", "[ab ]{0,6}"), 1..5),
    ) {
        fn distance(a: &[char], b: &[char]) -> usize {
            match (a, b) {
                ([], rest) | (rest, []) => rest.len(),
                ([x, a @ ..], [y, b @ ..]) if x == y => distance(a, b),
                ([_, x @ ..], [_, y @ ..]) => 1 + distance(x, y).min(distance(a, y)).min(distance(x, b)),
            }
        }
        let (mut rate, mut wrong, mut length) = (ErrorRate::characters(), 0, 0);
        for (said, right) in &texts {
            rate.update(said, right);
            let [said, right] = [said, right].map(|text| text.chars().collect::<Vec<_>>());
            (wrong, length) = (wrong + distance(&said, &right), length + right.len());
        }
        if length > 0 {
            close(rate.value(), wrong as f64 / length as f64)?;
        }
    }

    #[test]
    fn means_of_losses_agree_with_each_other(
        losses in prop::collection::vec(0.0f64..5.0, 1..30),
        cut in 0usize..30,
    ) {
        let cut = cut.min(losses.len());
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        let (mut single, mut batched, mut bits) = (Mean::new(), Perplexity::new(), BitsPerCharacter::new());
        for part in [&losses[..cut], &losses[cut..]] {
            let tensor = Tensor::from_vec(part.to_vec(), [part.len()]).unwrap();
            single.update(&tensor, All).unwrap();
            bits.update(&tensor, All).unwrap();
            let of_part = part.iter().sum::<f64>() / part.len().max(1) as f64;
            batched.add(of_part, part.len() as f64).unwrap();
        }
        close(single.value(), mean)?;
        close(batched.value().ln(), mean)?;
        close(bits.value(), mean / std::f64::consts::LN_2)?;
    }
}

#[test]
fn what_does_not_count_is_not_looked_at() {
    let scores = Tensor::from([[f32::NAN, 1.0], [2.0, 1.0]]);
    let (targets, mask) = (Tensor::from([-100i64, 0]), Tensor::from([false, true]));
    let mut accuracy = Accuracy::new();
    accuracy.update(&scores, &targets, &mask).unwrap();
    assert_eq!(accuracy.value(), 1.0);
    let mut error = Mae::new();
    error.update(&scores, &Tensor::ones([2, 2]), &mask).unwrap();
    assert_eq!(error.value(), 0.5);
}

#[test]
fn far_targets_take_nothing_from_r2() {
    // Of sums of squares nothing would be left at 1e9.
    let values: Vec<f64> = (0..1000).map(|i| 1e9 + f64::from(i % 10)).collect();
    let y = Tensor::from_vec(values, [1000]).unwrap();
    let p = y.map(|y| y + 1.0);
    let mut r2 = R2::new();
    r2.update(&p, &y, All).unwrap();
    assert!((r2.value() - (1.0 - 1.0 / 8.25)).abs() < 1e-9, "{}", r2.value());
}

#[test]
fn many_small_values_beside_a_large_one_are_not_lost() {
    let mut mean = Mean::new();
    mean.add(1e16, 1.0).unwrap();
    (0..1000).for_each(|_| mean.add(1.0, 1.0).unwrap());
    mean.add(-1e16, 1.0).unwrap();
    assert_eq!(mean.value(), 1000.0 / 1002.0);
}

#[test]
fn nan_is_the_likeliest_class() {
    let mut accuracy = Accuracy::new();
    accuracy
        .update(&Tensor::from([[f32::NAN, 9.0], [9.0, f32::NAN]]), &Tensor::from([0i64, 0]), All)
        .unwrap();
    assert_eq!(accuracy.value(), 0.5);
}
