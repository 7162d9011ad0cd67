//! Operations with a wrong derivative: each is caught, and where it says what kind of mistake it is.

use std::sync::atomic::{AtomicUsize, Ordering};

use wengert_check::{Failure, Gradcheck, Property, tensor};
use wengert_core::{
    Cotangents, Gradients, Operation, Outputs, Saved, Saves, Tensor, Variable, Wants, is_recording,
};

use crate::{V, input};

type Pullback = fn(&Saved<'_, f64>, &Cotangents<f64>, &mut Gradients<'_, f64>);

/// An operation whose two halves are given apart from each other.
struct Of {
    forward: fn(&[&Tensor<f64>]) -> Vec<V>,
    pullback: Pullback,
}

impl Operation<f64> for Of {
    const NAME: &'static str = "Sabotaged";

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        (self.forward)(inputs).iter().map(Variable::value).collect()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }

    fn pullback(&self, saved: &Saved<'_, f64>, c: &Cotangents<f64>, gradients: &mut Gradients<'_, f64>) {
        (self.pullback)(saved, c, gradients);
    }
}

fn v(tensor: &Tensor<f64>) -> V {
    V::from(tensor.clone())
}

/// What is wrong with it, the operation, and how many inputs of shape (n, n) it takes.
const SABOTAGED: &[(&str, Of, usize)] = &[
    (
        "a sign",
        Of { forward: |x| vec![v(x[0]).cos()], pullback: |s, c, g| g.add(0, s.input(0).sin() * c.only()) },
        1,
    ),
    (
        "a broadcast that isn't summed",
        Of {
            forward: |x| vec![v(x[0]) + v(x[1]).select(0, 0)],
            pullback: |s, c, g| {
                g.add(0, c.only().clone());
                let first = c.only().narrow(0, 0, 1);
                g.add(1, pad_rows(&first, s.input(1).shape()[0]));
            },
        },
        2,
    ),
    (
        "a transposed factor",
        Of {
            forward: |x| vec![v(x[0]).matmul(&v(x[1]))],
            pullback: |s, c, g| {
                g.add(0, c.only().matmul(&s.input(1)));
                g.add(1, s.input(0).t().matmul(c.only()));
            },
        },
        2,
    ),
    (
        "a forgotten second use",
        Of { forward: |x| vec![v(x[0]) * v(x[0])], pullback: |s, c, g| g.add(0, s.input(0) * c.only()) },
        1,
    ),
    (
        "a forgotten input",
        Of { forward: |x| vec![v(x[0]) * v(x[1])], pullback: |s, c, g| g.add(0, s.input(1) * c.only()) },
        2,
    ),
    (
        "a thousandth",
        Of {
            forward: |x| vec![v(x[0]).exp()],
            pullback: |s, c, g| g.add(0, s.input(0).exp() * c.only() * 1.001),
        },
        1,
    ),
    (
        "a history cut off, which only the second order sees",
        Of {
            forward: |x| vec![v(x[0]).exp()],
            pullback: |s, c, g| g.add(0, s.input(0).exp().detach() * c.only()),
        },
        1,
    ),
    (
        "a cotangent left out",
        Of { forward: |x| vec![v(x[0]).sin()], pullback: |s, _, g| g.add(0, s.input(0).cos()) },
        1,
    ),
    (
        "a missing cotangent taken for ones",
        Of {
            forward: |x| vec![v(x[0]) * 2.0, v(x[0]).sin()],
            pullback: |s, c, g| {
                let ones = V::from(Tensor::ones(s.input(0).shape()));
                let of = |k| c.get(k).cloned().unwrap_or_else(|| ones.clone());
                g.add(0, of(0) * 2.0 + of(1) * s.input(0).cos());
            },
        },
        1,
    ),
    (
        "a softmax without its sum",
        Of {
            forward: |x| vec![v(x[0]).softmax(-1)],
            pullback: |s, c, g| g.add(0, s.input(0).softmax(-1) * c.only()),
        },
        1,
    ),
    (
        "a mean not divided",
        Of {
            forward: |x| vec![v(x[0]).mean()],
            pullback: |s, c, g| g.add(0, c.only().expand(s.input(0).shape())),
        },
        1,
    ),
    (
        "a bound that is not respected",
        Of { forward: |x| vec![v(x[0]).clamp(-0.5, 0.5)], pullback: |_, c, g| g.add(0, c.only().clone()) },
        1,
    ),
    (
        "an index used twice that overwrites",
        Of {
            forward: |x| vec![v(x[0]).index_select(0, &Tensor::from([0i64, 0]))],
            pullback: |s, c, g| g.add(0, pad_rows(&c.only().narrow(0, 1, 1), s.input(0).shape()[0])),
        },
        1,
    ),
    (
        "another formula under create_graph",
        Of {
            forward: |x| vec![v(x[0]).sin()],
            pullback: |s, c, g| {
                let factor = if is_recording() { 2.0 } else { 1.0 };
                g.add(0, s.input(0).cos() * c.only() * factor);
            },
        },
        1,
    ),
    (
        "state that a walk changes",
        Of {
            forward: |x| vec![v(x[0]) * 2.0],
            pullback: |_, c, g| {
                g.add(0, c.only() * (2.0 + CALLS.fetch_add(1, Ordering::Relaxed) as f64 * 1e-9))
            },
        },
        1,
    ),
];

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// One row with zeros below.
fn pad_rows(row: &V, rows: usize) -> V {
    let first = Tensor::from_fn([rows, 1], |i| f64::from(i == 0));
    V::from(first).matmul(row)
}

fn check((_, operation, arity): &(&str, Of, usize)) -> Result<(), String> {
    let apply = |x: &[V]| {
        let copy = Of { forward: operation.forward, pullback: operation.pullback };
        copy.apply(&x.iter().collect::<Vec<_>>()).into_vec()
    };
    let case = |case: &mut wengert_check::Case<'_>| {
        let n = case.draw(1..4);
        (0..*arity).for_each(|_| drop(case.input("x", tensor([n, n]).away_from(&[-0.5, 0.5], 0.1))));
    };
    Property::new().cases(64).seed(7).announce(|_| ()).run(case, apply)
}

#[test]
fn every_wrong_derivative_is_caught() {
    let missed: Vec<&str> =
        SABOTAGED.iter().filter(|sabotaged| check(sabotaged).is_ok()).map(|(name, ..)| *name).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn what_kind_of_mistake_it_is_is_said() {
    let said =
        |name: &str| check(SABOTAGED.iter().find(|sabotaged| sabotaged.0 == name).unwrap()).unwrap_err();
    assert!(said("a cotangent left out").contains("cotangents of zero gave a gradient of"));
    assert!(said("a missing cotangent taken for ones").contains("with a cotangent for output 0 alone"));
    assert!(said("another formula under create_graph").contains("when it is recorded (create_graph)"));
    assert!(said("state that a walk changes").contains("not reentrant"));
    assert!(said("a history cut off, which only the second order sees").contains("(order 2)"));
    assert!(said("a sign").contains("(order 1)") && said("a sign").contains("operations  Sabotaged"));
}

#[test]
fn pytorchs_tolerances_do_not_see_a_thousandth() {
    let x = input([0.5, 1.0]);
    let off = |factor: f64| {
        move |x: &[V]| {
            // The value is exp, its derivative off.
            let y = x[0].exp();
            &y * factor + y.detach() * (1.0 - factor)
        }
    };
    Gradcheck::torch().check(off(1.0009), &[&x]).unwrap();
    assert!(matches!(Gradcheck::new().check(off(1.0009), &[&x]), Err(Failure::Mismatch(_))));
    assert!(matches!(Gradcheck::new().check(off(1.00001), &[&x]), Err(Failure::Mismatch(_))));
    assert!(matches!(Gradcheck::torch().check(off(1.01), &[&x]), Err(Failure::Mismatch(_))));
    Gradcheck::new().check(off(1.0), &[&x]).unwrap();
}

#[test]
fn a_wrong_tie_is_caught_at_a_tie() {
    let more_than_one_to_the_first = |x: &[V]| {
        let first = x[0].ge(&x[1]);
        let larger = x[0].where_(&first, &x[1]);
        let more = (&x[0] * 0.25).where_(&first, &(&x[1] * 0.0));
        larger + &more - more.detach()
    };
    let (a, b) = (input([1.0, 2.0]), input([1.0, 3.0]));
    let found = Gradcheck::new().check(more_than_one_to_the_first, &[&a, &b]);
    assert!(matches!(found, Err(Failure::Mismatch(_))));
    Gradcheck::new().check(|x| x[0].maximum(&x[1]), &[&a, &b]).unwrap();
}
