//! Third derivatives.

use wengert_core::{Pointwise, pointwise};

use crate::check::{V, derivatives};
use crate::draw::Domain::{self, Grid, NonZero, Range};
use crate::draw::{More, for_all};

pointwise! {
    /// A cell with two results, one of which takes part in the other; a branch, and a constant.
    struct Cell { rate }
    fn eval(x, h) -> 2 {
        [
            { let open = (x * h).sigmoid(); open * h + (1.0 - open) * x.tanh() },
            R::select(x.lt(rate), x * x * h, 0.5 * x * h * h + rate),
        ]
    }
}

type Line = (&'static str, &'static [Domain], fn(&[&V]) -> Vec<V>);

const FUNCTIONS: &[Line] = &[
    ("tanh", &[NonZero], |v| vec![v[0].tanh()]),
    ("sigmoid", &[NonZero], |v| vec![v[0].sigmoid()]),
    ("exp of a product", &[NonZero, Range(-0.5, 0.5)], |v| vec![(v[0] * v[1]).exp()]),
    ("erf", &[NonZero], |v| vec![v[0].erf()]),
    ("gelu", &[NonZero], |v| vec![v[0].gelu()]),
    ("atan2", &[NonZero, NonZero], |v| vec![v[0].atan2(v[1])]),
    ("quotient", &[NonZero, NonZero], |v| vec![v[0] / v[1]]),
    ("pow", &[Range(0.5, 2.0), NonZero], |v| vec![v[0].pow(v[1])]),
    ("scale", &[NonZero, NonZero], |v| vec![v[0].scale(v[1])]),
    ("maximum", &[Grid(0.0), Grid(0.1)], |v| vec![v[0].maximum(v[1]) * v[0]]),
    ("a user's formula of two results", &[NonZero, NonZero], |v| {
        Cell { rate: 0.05 }.apply([v[0], v[1]]).into()
    }),
    ("one result of two", &[NonZero, NonZero], |v| Cell { rate: 0.05 }.apply([v[0], v[1]])[1..].to_vec()),
    ("softmax", &[NonZero], |v| vec![v[0].reshape([v[0].numel()]).softmax(0)]),
    ("a product of itself", &[NonZero], |v| {
        vec![v[0].reshape([1, v[0].numel()]).t().matmul(&v[0].reshape([1, v[0].numel()])).tanh()]
    }),
];

#[test]
fn third_derivatives_are_those_of_differences() {
    for (name, domains, function) in FUNCTIONS {
        for_all(name, 32, |draw| {
            let shape = draw.full_shape(0..=2);
            let inputs: Vec<_> = domains.iter().map(|&domain| draw.tensor(&shape, domain)).collect();
            derivatives(&|v: &[&V]| function(v), &inputs, 3, draw)
        });
    }
}
