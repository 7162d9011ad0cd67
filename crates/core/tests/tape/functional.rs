//! Derivatives of functions agree with each other, with formulas and with differences.

use proptest::prelude::*;
use wengert_core::{Error, Tensor, hessian, hvp, jacobian, jvp, live_nodes, vjp};

use crate::V;

/// Two outputs of two inputs of different shapes.
fn curved(x: &[V]) -> Vec<V> {
    let (a, b) = (&x[0], &x[1]);
    vec![(a.matmul(b)).tanh() * b.sum(), (a * 0.5).exp().sum_dim(&[0])]
}

fn energy(x: &[V]) -> V {
    curved(x).iter().fold(V::from(Tensor::scalar(0.0)), |sum, y| sum + y.square().sum())
}

fn variable(values: &[f64], shape: &[usize]) -> V {
    V::new(Tensor::from_vec(values.to_vec(), shape).unwrap())
}

fn dot(a: &[V], b: &[V]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).sum().item().unwrap()).sum()
}

fn numbers(count: usize) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-1.5..1.5f64, count)
}

proptest! {
    #[test]
    fn the_products_are_transposes_of_each_other(
        a in numbers(6),
        b in numbers(3),
        ta in numbers(6),
        tb in numbers(3),
        c in numbers(2),
        d in numbers(3),
    ) {
        let x = [variable(&a, &[2, 3]), variable(&b, &[3])];
        let tangents = [variable(&ta, &[2, 3]), variable(&tb, &[3])];
        let cotangents = [variable(&c, &[2]), variable(&d, &[3])];
        let [x, t, u] = [&x, &tangents, &cotangents].map(|list| list.iter().collect::<Vec<_>>());
        let (y, back) = vjp(curved, &x, &u).unwrap();
        let (same, forth) = jvp(curved, &x, &t).unwrap();
        prop_assert_eq!(y[0].to_vec(), same[0].to_vec());
        let (left, right) = (dot(&back, &tangents), dot(&forth, &cotangents));
        prop_assert!((left - right).abs() <= 1e-12 * (1.0 + left.abs()), "{} and {}", left, right);
    }

    #[test]
    fn a_tangent_is_the_limit_of_differences(
        a in numbers(6),
        b in numbers(3),
        ta in numbers(6),
        tb in numbers(3),
    ) {
        let at = |s: f64| {
            let moved = |x: &[f64], t: &[f64]| x.iter().zip(t).map(|(x, t)| x + s * t).collect::<Vec<_>>();
            curved(&[variable(&moved(&a, &ta), &[2, 3]), variable(&moved(&b, &tb), &[3])])
        };
        let x = [variable(&a, &[2, 3]), variable(&b, &[3])];
        let t = [variable(&ta, &[2, 3]), variable(&tb, &[3])];
        let (_, found) = jvp(curved, &[&x[0], &x[1]], &[&t[0], &t[1]]).unwrap();
        let (below, above) = (at(-1e-5), at(1e-5));
        for k in 0..2 {
            let slope = (&above[k] - &below[k]).value().to_vec();
            for (found, slope) in found[k].to_vec().into_iter().zip(slope) {
                prop_assert!((found - slope / 2e-5).abs() < 1e-6 * (1.0 + found.abs()));
            }
        }
    }

    #[test]
    fn a_hessian_is_symmetric_and_its_product_is_the_products(
        a in numbers(6),
        b in numbers(3),
        ta in numbers(6),
        tb in numbers(3),
    ) {
        let x = [variable(&a, &[2, 3]), variable(&b, &[3])];
        let t = [variable(&ta, &[2, 3]), variable(&tb, &[3])];
        let whole = hessian(energy, &[&x[0], &x[1]]).unwrap();
        let flat = |i: usize, j: usize, rows: usize, columns: usize| {
            whole[i][j].reshape([rows, columns]).unwrap()
        };
        let (corner, other) = (flat(0, 1, 6, 3), flat(1, 0, 3, 6).t());
        let largest = corner.to_vec().into_iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        for (p, q) in corner.to_vec().into_iter().zip(other.to_vec()) {
            prop_assert!((p - q).abs() <= 1e-12 * largest);
        }
        let (_, product) = hvp(energy, &[&x[0], &x[1]], &[&t[0], &t[1]]).unwrap();
        let of = |i, n| {
            let [p, q] = [(0, 6, &ta), (1, 3, &tb)].map(|(j, m, t)| {
                V::from(flat(i, j, n, m)).matmul(&variable(t, &[m]))
            });
            (p + q).to_vec()
        };
        for (found, expected) in product.iter().zip([of(0, 6), of(1, 3)]) {
            for (found, expected) in found.to_vec().into_iter().zip(expected) {
                prop_assert!((found - expected).abs() <= 1e-10 * (1.0 + largest));
            }
        }
    }
}

#[test]
fn a_jacobian_has_the_outputs_shape_and_then_the_inputs() {
    let x = [variable(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], &[2, 3]), variable(&[1.0, -1.0, 2.0], &[3])];
    let found = jacobian(curved, &[&x[0], &x[1]]).unwrap();
    assert_eq!(found[0][0].shape(), &[2, 2, 3]);
    assert_eq!(found[1][0].shape(), &[3, 2, 3]);
    assert_eq!(found[1][1], Tensor::zeros([3, 3]), "the second output does not depend on the second input");
}

#[test]
fn what_does_not_depend_on_the_inputs_has_derivatives_of_zero() {
    let x = variable(&[1.0, 2.0], &[2]);
    let constant = |_: &[V]| vec![variable(&[3.0], &[1])];
    assert_eq!(jvp(constant, &[&x], &[&x]).unwrap().1[0].to_vec(), [0.0]);
    assert_eq!(jacobian(constant, &[&x]).unwrap()[0][0], Tensor::zeros([1, 2]));
}

#[test]
fn nothing_stays_recorded_and_nothing_arrives_at_the_inputs() {
    let x = variable(&[1.0, 2.0], &[2]).requires_grad_(true);
    let before = live_nodes();
    let kept = (
        vjp(|x| vec![x[0].tanh()], &[&x], &[&x]).unwrap(),
        jvp(|x| vec![x[0].tanh()], &[&x], &[&x]).unwrap(),
        hvp(|x| x[0].tanh().sum(), &[&x], &[&x]).unwrap(),
    );
    assert_eq!(live_nodes(), before);
    assert!(x.grad().is_none());
    drop(kept);
}

#[test]
fn what_does_not_fit_is_refused() {
    let x = variable(&[1.0, 2.0], &[2]);
    let twice = |x: &[V]| vec![&x[0] * 2.0];
    let said = |result: Result<_, Error>| -> String {
        let _: (Vec<V>, Vec<V>) = match result {
            Ok(found) => found,
            Err(error) => return error.to_string(),
        };
        String::new()
    };
    assert!(said(vjp(twice, &[&x], &[])).contains("expected 1 products, one for each variable, got 0"));
    let short = variable(&[1.0], &[1]);
    assert!(said(jvp(twice, &[&x], &[&short])).contains("shape [2], got [1]"));
    assert!(hessian(|x| &x[0] * 2.0, &[&x]).unwrap_err().to_string().contains("[2]"));
}
