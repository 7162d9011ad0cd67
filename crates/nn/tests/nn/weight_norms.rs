//! Weights as length and direction.

use wengert_check::Gradcheck;
use wengert_core::Tensor;
use wengert_nn::{Cast, Linear, Lstm, Module, Persist, WeightNorm, module};

use crate::{V, close, names, variable};

#[derive(Clone)]
struct Model {
    rnn: Lstm<f64>,
    head: Linear<f64>,
}
module!(impl[] Model[] as f64 { rnn, head });

#[test]
fn names_are_pytorchs_and_the_weight_is_at_first_what_it_was() {
    let linear = Linear::new(3, 2).unwrap();
    let before = linear.weight.to_vec();
    let normed = WeightNorm::new(linear.clone(), &["weight"]).unwrap();
    let all = ["bias", "parametrizations.weight.original0", "parametrizations.weight.original1"];
    assert_eq!(names(&normed), all);
    assert_eq!(normed.state_dict().names().collect::<Vec<_>>(), all);
    assert_eq!(linear.weight.to_vec(), before, "the module that it was made of is untouched");
    let values = |x: Vec<f32>| x.into_iter().map(f64::from).collect::<Vec<_>>();
    close(&values(normed.normed().weight.to_vec()), &values(before), 1e-6);
    assert_eq!(normed.num_parameters(), 2 + 2 + 6);
    let model = Model { rnn: Lstm::new(2, 2).unwrap().cast(), head: Linear::new(2, 1).unwrap().cast() };
    let normed = WeightNorm::new(model, &["rnn.weight_hh_l0", "head.weight"]).unwrap();
    let found = names(&normed);
    assert!(
        !found.contains(&"rnn.weight_hh_l0".to_string()) && found.contains(&"rnn.bias_hh_l0".to_string())
    );
    assert_eq!(found[3..5], ["head.bias", "rnn.parametrizations.weight_hh_l0.original0"]);
    assert_eq!(found[7], "head.parametrizations.weight.original1");
}

#[test]
fn the_weight_has_the_length_and_the_direction() {
    for (dim, lengths) in [(Some(0), vec![2, 1]), (Some(1), vec![1, 3]), (None, vec![])] {
        let linear = Linear::new(3, 2).unwrap().cast::<f64>();
        let normed = WeightNorm::along(linear, &["weight"], dim).unwrap();
        let [g, v] = ["original0", "original1"]
            .map(|name| normed.parameter(&format!("parametrizations.weight.{name}")).unwrap());
        assert_eq!(g.shape(), lengths);
        g.set_value(variable(g.shape()).value()).unwrap();
        let (g, v, w) = (g.to_vec(), v.to_vec(), normed.normed().weight.to_vec());
        let line = |at: usize| dim.map_or(0, |dim| if dim == 0 { at / 3 } else { at % 3 });
        let norm =
            |of: usize| (0..6).filter(|&at| line(at) == of).map(|at| v[at] * v[at]).sum::<f64>().sqrt();
        let expected: Vec<f64> = (0..6).map(|at| g[line(at)] * v[at] / norm(line(at))).collect();
        close(&w, &expected, 1e-14);
    }
}

#[test]
fn derivatives_of_both_orders_are_those_of_differences() {
    let linear = WeightNorm::new(Linear::new(3, 2).unwrap(), &["weight"]).unwrap().cast::<f64>();
    let x = variable(&[4, 3]).requires_grad_(true);
    let lstm = WeightNorm::new(Lstm::new(2, 2).unwrap(), &["weight_ih_l0", "weight_hh_l0"]).unwrap();
    let (lstm, sequence) = (lstm.cast::<f64>(), variable(&[3, 2, 2]).requires_grad_(true));
    for order in [1, 2] {
        Gradcheck::new().check_module_order(order, &linear, &[&x]).unwrap();
        let run = |x: &[V]| lstm.normed().forward(&x[0], None);
        Gradcheck::new().check_module_with(order, &lstm, run, &[&sequence]).unwrap();
    }
}

#[test]
fn copies_values_and_views_are_as_of_any_module() {
    let normed = WeightNorm::new(Linear::new(3, 2).unwrap().cast::<f64>(), &["weight"]).unwrap();
    let x = variable(&[4, 3]);
    let before = normed.forward(&x).unwrap().to_vec();
    let (copy, view) = (normed.deep_clone(), normed.evaluating());
    let values: Vec<_> = normed.named_parameters().into_iter().map(|(name, p)| (name, &*p * 2.0)).collect();
    let doubled = normed.with_parameters(&values, |normed| normed.forward(&x)).unwrap();
    close(&doubled.to_vec(), &before.iter().map(|y| 2.0 * y).collect::<Vec<_>>(), 1e-14);
    normed.parameters().iter().for_each(|p| p.update("test", |p| p.fill(0.5)).unwrap());
    assert_ne!(normed.forward(&x).unwrap().to_vec(), before);
    assert_eq!(copy.forward(&x).unwrap().to_vec(), before);
    assert_eq!(view.forward(&x).unwrap().to_vec(), before);
    normed.load_state_dict(&copy.state_dict()).unwrap();
    assert_eq!(normed.forward(&x).unwrap().to_vec(), before);
    normed.forward(&V::new(Tensor::ones([1, 3]))).unwrap().sum().backward().unwrap();
    assert!(normed.without_gradient().is_empty());
}

#[test]
fn what_cannot_be_normed_is_refused() {
    let linear = Linear::new(3, 2).unwrap();
    let error = WeightNorm::new(linear.clone(), &["heft"]).unwrap_err().to_string();
    assert_eq!(error, "parameter: name must be one of weight, bias, got heft");
    let error = WeightNorm::along(linear, &["weight"], Some(2)).unwrap_err().to_string();
    assert_eq!(error, "WeightNorm: dim must be an axis of weight, which has shape [2, 3], got 2");
}
