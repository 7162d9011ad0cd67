//! Muon: its momentum, its iterations, its shapes.

use proptest::prelude::*;
use wengert_core::{Parameter, Tensor};
use wengert_optim::{Muon, MuonOptions, Optimizer};

use crate::{bits, config, set_grad, tensor};

type Matrix = Vec<Vec<f64>>;

fn matrix(rows: usize, columns: usize, values: &[f64]) -> Matrix {
    (0..rows).map(|i| values[i * columns..][..columns].to_vec()).collect()
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let b = transposed(b);
    a.iter()
        .map(|row| b.iter().map(|column| row.iter().zip(column).map(|(x, y)| x * y).sum()).collect())
        .collect()
}

fn combined(terms: &[(f64, &Matrix)]) -> Matrix {
    let (rows, columns) = (terms[0].1.len(), terms[0].1[0].len());
    let at = |i: usize, j: usize| terms.iter().map(|(factor, a)| factor * a[i][j]).sum();
    (0..rows).map(|i| (0..columns).map(|j| at(i, j)).collect()).collect()
}

/// `a X + b (X X^T) X + c (X X^T)^2 X`, without a transpose: from either side it is the same.
fn naive_orthogonal(o: &MuonOptions, u: &Matrix) -> Matrix {
    let norm = u.iter().flatten().map(|x| x * x).sum::<f64>().sqrt().max(o.eps);
    let mut x = combined(&[(1.0 / norm, u)]);
    for _ in 0..o.ns_steps {
        let gram = product(&x, &transposed(&x));
        let (once, twice) = (product(&gram, &x), product(&product(&gram, &gram), &x));
        x = combined(&[(o.ns_a, &x), (o.ns_b, &once), (o.ns_c, &twice)]);
    }
    x
}

fn naive(o: &MuonOptions, start: &Matrix, grads: &[Matrix]) -> Matrix {
    let (rows, columns) = (start.len() as f64, start[0].len() as f64);
    let rate = match o.match_rms_adamw {
        true => 0.2 * o.lr * rows.max(columns).sqrt(),
        false => o.lr * (rows / columns).max(1.0).sqrt(),
    };
    let (mut p, mut buffer) = (start.clone(), combined(&[(0.0, start)]));
    for grad in grads {
        buffer = combined(&[(o.momentum, &buffer), (1.0 - o.momentum, grad)]);
        let ahead = combined(&[(o.momentum, &buffer), (1.0 - o.momentum, grad)]);
        let x = naive_orthogonal(o, if o.nesterov { &ahead } else { &buffer });
        p = combined(&[(1.0 - o.lr * o.weight_decay, &p), (-rate, &x)]);
    }
    p
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn muon_makes_its_momentum_orthogonal(
        (rows, columns) in (1..5usize, 1..5usize),
        (lr, decay, momentum) in (0.0..0.5, 0.0..0.5, 0.0..0.99),
        [nesterov, rms] in any::<[bool; 2]>(),
        drawn in proptest::collection::vec(-3.0..3.0f64, 4 * 16),
    ) {
        let options = MuonOptions::default().lr(lr).weight_decay(decay).momentum(momentum);
        let options = options.nesterov(nesterov).match_rms_adamw(rms);
        let of = |n: usize| &drawn[16 * n..][..rows * columns];
        let w = Parameter::new(tensor::<f64>(&[rows, columns], of(0), false));
        let mut muon = Muon::with([w.clone()], options.clone()).unwrap();
        for step in 1..4 {
            set_grad(&w, of(step));
            muon.step().unwrap();
        }
        let grads: Vec<Matrix> = (1..4).map(|n| matrix(rows, columns, of(n))).collect();
        let expected = naive(&options, &matrix(rows, columns, of(0)), &grads);
        for (got, expected) in w.to_vec().into_iter().zip(expected.into_iter().flatten()) {
            prop_assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
        }
    }
}

#[test]
fn muon_goes_on_from_a_file() {
    let make = || Parameter::new(Tensor::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    let (w, copy) = (make(), make());
    let mut muon = Muon::new([w.clone()], 0.1).unwrap();
    set_grad(&w, &[1.0, -2.0, 0.5, 0.0, 3.0, 1.0]);
    muon.step().unwrap();
    let mut resumed = Muon::new([copy.clone()], 1.0).unwrap();
    resumed.load_state_dict(&muon.state_dict()).unwrap();
    copy.set_value(w.value()).unwrap();
    for (optimizer, parameter) in [(&mut muon, &w), (&mut resumed, &copy)] {
        set_grad(parameter, &[0.0, 1.0, 1.0, -1.0, 2.0, 0.25]);
        optimizer.step().unwrap();
    }
    assert_eq!(bits(&[w]), bits(&[copy]));
}

#[test]
fn a_matrix_without_elements_stays() {
    let w = Parameter::new(Tensor::<f32>::zeros([0, 3]));
    let mut muon = Muon::new([w.clone()], 0.1).unwrap();
    set_grad(&w, &[]);
    muon.step().unwrap();
    assert!(w.to_vec().is_empty());
}
