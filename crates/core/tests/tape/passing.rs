//! Cotangents go on in place: whoever else holds one sees no change.

use std::sync::{Arc, Mutex};

use wengert_core::{GradOptions, Pointwise, Tensor, grad, no_grad, pointwise};

use crate::{V, gradient, vector};

pointwise! { struct Halves; fn eval(x, y) -> 2 { [x * y, x + y] } }

/// `tanh(3 (x + 1))` link by link, with the derivative of its sum by each link, last first.
struct Chain {
    links: Vec<V>,
    derivatives: Vec<Vec<f64>>,
}

fn chain(x: &V, link: impl Fn(V) -> V) -> Chain {
    let shifted = link(x + 1.0);
    let scaled = link(&shifted * 3.0);
    let bounded = link(scaled.tanh());
    let slope = no_grad(|| 1.0 - bounded.square()).to_vec();
    let steep: Vec<f64> = slope.iter().map(|s| 3.0 * s).collect();
    Chain { derivatives: vec![vec![1.0; slope.len()], slope, steep], links: vec![bounded, scaled, shifted] }
}

fn all_near(cotangents: &[V], derivatives: &[Vec<f64>]) {
    assert_eq!(cotangents.len(), derivatives.len());
    for (cotangent, derivative) in cotangents.iter().zip(derivatives) {
        assert!(near(&cotangent.to_vec(), derivative), "{cotangent} is not {derivative:?}");
    }
}

fn near(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14)
}

#[test]
fn retained_gradients_stay_what_they_were() {
    let x = vector([0.1, -0.2, 0.3]);
    let Chain { links, derivatives } = chain(&x, V::retain_grad);
    links[0].sum().backward().unwrap();
    let retained: Vec<V> = links.iter().map(|link| link.grad().expect("a gradient")).collect();
    all_near(&retained, &derivatives);
    assert!(near(&gradient(&x), &derivatives[2]));
}

#[test]
fn what_a_hook_keeps_stays_what_it_was() {
    let kept: Arc<Mutex<Vec<V>>> = Arc::default();
    let x = vector([0.1, -0.2, 0.3]);
    let Chain { links, derivatives } = chain(&x, |mut link| {
        let kept = Arc::clone(&kept);
        link.register_hook(move |cotangent| {
            kept.lock().unwrap().push(cotangent.clone());
            None
        });
        link
    });
    links[0].sum().backward().unwrap();
    all_near(&kept.lock().unwrap(), &derivatives);
}

#[test]
fn grad_hands_out_every_link_of_a_chain() {
    let x = vector([0.1, -0.2, 0.3]);
    let Chain { links, derivatives } = chain(&x, |link| link);
    let inputs: Vec<&V> = links.iter().collect();
    let found = grad(&[&links[0].sum()], &inputs, GradOptions::default()).unwrap();
    all_near(&found, &derivatives);
}

#[test]
fn a_graph_gone_through_twice_gives_the_same_twice() {
    let x = vector([0.1, -0.2, 0.3]);
    let Chain { links, derivatives } = chain(&x, |link| link);
    let sum = links[0].sum();
    sum.backward_options(None, &GradOptions::default().retain_graph(true)).unwrap();
    sum.backward().unwrap();
    let twice: Vec<f64> = derivatives[2].iter().map(|d| 2.0 * d).collect();
    assert!(near(&gradient(&x), &twice));
}

#[test]
fn a_cotangent_given_is_left_as_it_is() {
    for given in [V::from(Tensor::from([1.0, 2.0, 4.0])), vector([1.0, 2.0, 4.0])] {
        let (x, y) = (vector([0.1, -0.2, 0.3]), vector([1.0, 1.0, 1.0]));
        (&x + &y).backward_with(&given).unwrap();
        (&x.tanh() * 3.0).backward_with(&given).unwrap();
        assert_eq!((given.to_vec(), gradient(&y)), (vec![1.0, 2.0, 4.0], vec![1.0, 2.0, 4.0]));
    }
}

#[test]
fn the_terms_of_a_sum_get_gradients_that_change_apart() {
    let (x, y) = (vector([1.0, 2.0]), vector([3.0, 4.0]));
    (&x + &y).sum().backward().unwrap();
    (&x * 10.0).sum().backward().unwrap();
    assert_eq!((gradient(&x), gradient(&y)), (vec![11.0, 11.0], vec![1.0, 1.0]));
    // One that goes on as it is, and is then added to, beside a second way to the same value.
    let z = (&x + &y).tanh();
    (&z + &(&z + &y)).sum().backward().unwrap();
    let slope = no_grad(|| 1.0 - z.square()).to_vec();
    let (of_x, of_y) = (slope.iter().map(|s| 11.0 + 2.0 * s), slope.iter().map(|s| 2.0 + 2.0 * s));
    assert!(near(&gradient(&x), &of_x.collect::<Vec<_>>()));
    assert!(near(&gradient(&y), &of_y.collect::<Vec<_>>()));
}

#[test]
fn a_term_that_is_stretched_gets_the_sum() {
    let x = V::new(Tensor::from([[1.0, 2.0], [3.0, 4.0]])).requires_grad_(true);
    let row = vector([5.0, 6.0]);
    ((&x + &row) * &x).sum().backward().unwrap();
    assert_eq!(gradient(&row), [4.0, 6.0]);
    assert_eq!(gradient(&x), [2.0 + 5.0, 4.0 + 6.0, 6.0 + 5.0, 8.0 + 6.0]);
}

#[test]
fn outputs_of_which_one_goes_on_and_one_is_computed_with() {
    let (x, y) = (vector([1.0, 2.0]), vector([3.0, 4.0]));
    let [product, sum] = Halves.apply([&x, &y]);
    (product * 2.0 + sum * 10.0).sum().backward().unwrap();
    assert_eq!((gradient(&x), gradient(&y)), (vec![16.0, 18.0], vec![12.0, 14.0]));
    // Nothing comes back to the product.
    let [_, sum] = Halves.apply([&x, &y]);
    (sum * 10.0).sum().backward().unwrap();
    assert_eq!((gradient(&x), gradient(&y)), (vec![26.0, 28.0], vec![22.0, 24.0]));
}
