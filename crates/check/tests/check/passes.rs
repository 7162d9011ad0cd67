//! Right derivatives pass: no false alarm, in a hundred thousand draws with `WENGERT_DEEP_CASES`.

use wengert_check::{
    Gradcheck, Property, broadcast_shapes, check_gradient, gradcheck, gradgradcheck, shapes, tensor,
};

use crate::{V, input};

/// Fifteen properties, so that all of them together are some 10,000 draws, or 100,000.
fn many() -> Property {
    let deep = std::env::var_os("WENGERT_DEEP_CASES").is_some();
    Property::new().cases(if deep { 7_200 } else { 720 })
}

check_gradient! {
    #![property(many())]

    fn tanh(x in tensor(shapes(0..=3, 0..=3))) { x.tanh() }
    fn exp(x in tensor(shapes(0..=3, 0..=3))) { x.exp() }
    fn ln(x in tensor(shapes(0..=3, 0..=3)).positive()) { x.ln() }
    fn sqrt(x in tensor(shapes(0..=3, 0..=3)).positive()) { x.sqrt() }
    fn recip(x in tensor(shapes(0..=3, 0..=3)).away_from(&[0.0], 0.1)) { x.recip() }
    fn abs(x in tensor(shapes(0..=3, 0..=3)).away_from(&[0.0], 0.01)) { x.abs() }
    fn mul(s in broadcast_shapes::<2>(), a in tensor(s[0].clone()), b in tensor(s[1].clone())) { a * b }
    fn div(s in broadcast_shapes::<2>(), a in tensor(s[0].clone()), b in tensor(s[1].clone()).positive()) {
        a / b
    }
    fn pow(s in broadcast_shapes::<2>(), a in tensor(s[0].clone()).positive(), b in tensor(s[1].clone())) {
        a.pow(&b)
    }
    fn matmul(m in 0..4, k in 0..4, n in 0..4, a in tensor([m, k]), b in tensor([k, n])) { a.matmul(&b) }
    fn softmax(x in tensor((0..4, 1..4))) { (x.softmax(-1), x.logsumexp_keepdim(0)) }
    fn layer_norm(x in tensor((1..4, 2..4)).distinct()) { x.layer_norm(&x.shape()[1..], None, None, 1e-5) }
    fn norms_of_equal_numbers(n in 1..8, x in tensor([1, n])) {
        x.expand([3, n]).t().layer_norm(&[3], None, None, 0.1)
    }
    fn max(x in tensor((1..4, 1..4)).distinct()) { (x.max(), x.max_dim(1).0) }
    fn gates(n in 1..4, x in tensor([n, 3]), h in tensor([n, 3])) {
        x.sigmoid() * h.tanh() + (1.0 - x.sigmoid()) * x
    }
}

#[test]
fn fast_and_slow_agree_on_what_is_right() {
    let (x, w) = (input([[0.3, -1.0, 2.0]]), input([[1.0, 0.2], [-0.4, 0.7], [0.1, 0.9]]));
    let f = |x: &[V]| [x[0].matmul(&x[1]).tanh(), x[1].square()];
    for check in
        [Gradcheck::new(), Gradcheck::torch(), Gradcheck::new().fast(true), Gradcheck::torch().fast(true)]
    {
        check.check(f, &[&x, &w]).unwrap();
        check.check_second(f, &[&x, &w]).unwrap();
    }
    Gradcheck::new().check_order(4, f, &[&x, &w]).unwrap();
}

#[test]
fn inputs_without_gradient_are_constants() {
    let (x, mask) = (input([0.3, -1.0]), V::new(wengert_core::Tensor::from([1.0, 0.0])));
    gradcheck(|x| &x[0] * &x[1], &[&x, &mask]).unwrap();
    gradgradcheck(|x| &x[0] * &x[0] * &x[1], &[&x, &mask]).unwrap();
}

#[test]
fn an_output_without_gradient_passes_if_nothing_depends_on_the_inputs() {
    let x = input([0.3, -1.0]);
    gradcheck(|_| V::new(wengert_core::Tensor::from([4.0])), &[&x]).unwrap();
    assert!(gradcheck(|x| x[0].detach() * 2.0, &[&x]).is_err());
}

#[test]
fn a_function_may_differentiate_inside() {
    use wengert_core::{GradOptions, grad};
    let x = input([0.3, -1.0]);
    let slope =
        |x: &[V]| grad(&[&x[0].tanh().sum()], &[&x[0]], GradOptions::default().create_graph(true)).unwrap();
    gradcheck(slope, &[&x]).unwrap();
    gradgradcheck(slope, &[&x]).unwrap();
}
