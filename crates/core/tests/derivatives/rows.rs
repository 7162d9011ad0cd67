//! Operations on rows whose backward is one kernel: it says what the recorded rule says.

use wengert_core::{Tensor, Variable};

use crate::check::{V, gradients, leaf, refs};

const WIDTHS: [usize; 9] = [1, 3, 15, 16, 17, 63, 65, 1000, 1025];
const ROWS: usize = 5;

/// The gradients of `f`, with a cotangent that has no pattern, unrecorded and recorded.
fn both_ways(f: &dyn Fn(&[&V]) -> V, inputs: &[V]) -> [Vec<Vec<f64>>; 2] {
    [false, true].map(|record| {
        let y = f(&refs(inputs));
        let cotangent = V::from(Tensor::from_fn(y.shape(), |i| ((i * i + 3 * i) as f64).sin()));
        let found = gradients(&[y], &[cotangent], &refs(inputs), record);
        found.iter().map(Variable::to_vec).collect()
    })
}

fn agree(name: &str, width: usize, f: &dyn Fn(&[&V]) -> V, inputs: &[V]) {
    let [fused, recorded] = both_ways(f, inputs);
    for (k, (fused, recorded)) in fused.iter().zip(&recorded).enumerate() {
        for (i, (a, b)) in fused.iter().zip(recorded).enumerate() {
            let near = (a - b).abs() <= 1e-12 * b.abs().max(1.0);
            assert!(near, "{name} of {width}, input {k} at {i}: fused {a}, recorded {b}");
        }
    }
}

fn drawn(shape: &[usize]) -> Tensor<f64> {
    Tensor::uniform(shape, -3.0, 3.0)
}

/// Matrices of this width whose rows lie in order, apart, and across.
fn layouts(width: usize) -> [Tensor<f64>; 3] {
    [
        drawn(&[ROWS, width]),
        drawn(&[ROWS, width + 2]).narrow(1, 1, width).unwrap(),
        drawn(&[width, ROWS]).transpose(0, 1).unwrap(),
    ]
}

#[test]
fn softmax_and_its_logarithm() {
    for width in WIDTHS {
        for x in layouts(width) {
            for dim in [0, 1] {
                agree("softmax", width, &|v| v[0].softmax(dim), &[leaf(&x)]);
                agree("log_softmax", width, &|v| v[0].log_softmax(dim), &[leaf(&x)]);
            }
        }
    }
}

#[test]
fn cross_entropy() {
    for width in WIDTHS {
        for ignored in [-1, 0] {
            let targets = Tensor::from_fn([ROWS], |r| ((r * 7) % width) as i64);
            for x in layouts(width) {
                let f = |v: &[&V]| v[0].cross_entropy(&targets, ignored).unwrap();
                agree("cross_entropy", width, &f, &[leaf(&x)]);
            }
        }
    }
}

#[test]
fn an_ignored_row_counts_for_nothing_whatever_it_holds() {
    let x = leaf(&Tensor::from([[f64::NAN, 1.0], [0.0, 0.0]]));
    let f = |v: &[&V]| v[0].cross_entropy(&Tensor::from([7i64, 1]), 7).unwrap();
    assert_eq!(f(&[&x]).to_vec(), [0.0, 2f64.ln()]);
    for gradients in both_ways(&f, std::slice::from_ref(&x)) {
        assert_eq!(gradients[0][..2], [0.0, 0.0]);
        assert!((gradients[0][2] + gradients[0][3]).abs() < 1e-15 && gradients[0][2] != 0.0);
    }
}

#[test]
fn layer_norm_for_whatever_is_wanted() {
    for width in WIDTHS {
        for x in layouts(width) {
            for wanted in 0..8 {
                let wants = |i: usize| wanted & 1 << i != 0;
                let values = [x.clone(), drawn(&[width]), drawn(&[width])];
                let inputs: Vec<V> =
                    (0..3).map(|i| V::new(values[i].clone()).requires_grad_(wants(i))).collect();
                let asked: Vec<V> = (0..3).filter(|&i| wants(i)).map(|i| inputs[i].clone()).collect();
                let f = |_: &[&V]| inputs[0].layer_norm(&[width], Some(&inputs[1]), Some(&inputs[2]), 0.1);
                agree("layer_norm", width, &f, &asked);
            }
        }
    }
}

#[test]
fn layer_norm_over_many_rows_and_several_axes() {
    let inputs = [drawn(&[40, 10, 3, 5]), drawn(&[3, 5]), drawn(&[3, 5])].map(|x| leaf(&x));
    agree("layer_norm", 15, &|v| v[0].layer_norm(&[3, 5], Some(v[1]), Some(v[2]), 1e-5), &inputs);
}
