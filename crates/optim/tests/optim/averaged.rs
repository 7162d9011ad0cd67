//! Averages, projections and penalties.

use proptest::prelude::*;
use wengert_core::{AnyTensor, Parameter, Tensor, TensorMap};
use wengert_optim::{Averaged, Penalty, Projection};

use crate::parameter;

fn averages(averaged: &Averaged<f64>) -> Vec<f64> {
    averaged.state_dict().tensor::<f64>("average.0").unwrap().to_vec()
}

proptest! {
    #[test]
    fn an_even_average_is_the_mean(values in proptest::collection::vec(-3.0..3.0f64, 1..9)) {
        let w = parameter::<f64, 1>([9.0]);
        let mut averaged = Averaged::swa([w.clone()]);
        for value in &values {
            w.set_value(Tensor::from([*value])).unwrap();
            averaged.update().unwrap();
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        prop_assert!((averages(&averaged)[0] - mean).abs() < 1e-12);
    }

    #[test]
    fn a_moving_average_weighs_by_age(
        values in proptest::collection::vec(-3.0..3.0f64, 1..9), d in 0.0..1.0,
    ) {
        let w = parameter::<f64, 1>([9.0]);
        let mut averaged = Averaged::ema([w.clone()], d).unwrap();
        for value in &values {
            w.set_value(Tensor::from([*value])).unwrap();
            averaged.update().unwrap();
        }
        let later: f64 = values[1..].iter().rev().zip(0..).map(|(x, age)| (1.0 - d) * d.powi(age) * x).sum();
        let expected = later + d.powi(values.len() as i32 - 1) * values[0];
        prop_assert!((averages(&averaged)[0] - expected).abs() < 1e-12);
    }
}

proptest! {
    #[test]
    fn an_average_moves_in_place_as_one_that_is_made_anew(
        values in proptest::collection::vec(-3.0..3.0f32, 30), decay in proptest::option::of(0.1..0.9f64),
    ) {
        let w = Parameter::new(Tensor::<f32>::zeros([10]));
        let mut averaged = match decay {
            Some(decay) => Averaged::ema([w.clone()], decay).unwrap(),
            None => Averaged::swa([w.clone()]),
        };
        let mut expected = Tensor::zeros([10]);
        let mut storages = Vec::new();
        for (n, values) in (0..).zip(values.chunks(10)) {
            let value = Tensor::from(values.to_vec());
            w.set_value(value.clone()).unwrap();
            averaged.update().unwrap();
            let part = decay.map_or(1.0 / f64::from(n + 1), |decay| 1.0 - decay);
            expected = if n == 0 { value } else { &expected + &(&(&value - &expected) * part) };
            let saved = averaged.state_dict();
            let Some(AnyTensor::F32(average)) = saved.get("average.0") else { panic!("it is saved") };
            prop_assert_eq!(average, &expected);
            storages.push(average.storage_id());
        }
        prop_assert_eq!(storages[1], storages[2]);
    }
}

#[test]
fn a_saved_average_stays_as_it_is() {
    let w = parameter::<f64, 1>([1.0]);
    let mut averaged = Averaged::ema([w.clone()], 0.5).unwrap();
    averaged.update().unwrap();
    w.set_value(Tensor::from([3.0])).unwrap();
    for expected in [1.0, 2.0, 2.5] {
        let (saved, copy) = (averaged.state_dict(), averaged.clone());
        averaged.update().unwrap();
        assert_eq!(saved.tensor::<f64>("average.0").unwrap().to_vec(), [expected]);
        assert_eq!(averages(&copy), [expected]);
    }
}

#[test]
fn averages_go_on_from_a_file_also_where_it_was_saved_swapped() {
    let w = parameter::<f64, 2>([1.0, 2.0]);
    let mut averaged = Averaged::swa([w.clone()]);
    averaged.update().unwrap();
    w.set_value(Tensor::from([3.0, 4.0])).unwrap();
    averaged.update().unwrap();
    averaged.swap().unwrap();
    let saved = averaged.state_dict();
    assert_eq!(w.to_vec(), [2.0, 3.0]);
    averaged.swap().unwrap();
    let mut other = Averaged::swa([w.clone()]);
    other.load_state_dict(&saved).unwrap();
    for averaged in [&mut averaged, &mut other] {
        averaged.update().unwrap();
    }
    assert_eq!(averaged.state_dict(), other.state_dict());
    assert_eq!(w.to_vec(), [3.0, 4.0]);
}

#[test]
fn averages_are_not_averaged() {
    let mut averaged = Averaged::swa([parameter::<f64, 1>([1.0])]);
    averaged.swap().unwrap();
    let text = "Averaged::update: parameters must be swapped back, got the averages";
    assert_eq!(averaged.update().unwrap_err().to_string(), text);
}

#[test]
fn a_projection_brings_back_what_is_outside() {
    let w = parameter::<f64, 4>([-2.0, 0.5, 3.0, f64::NAN]);
    Projection::Clamp { min: -1.0, max: 1.0 }.apply(std::slice::from_ref(&w)).unwrap();
    assert_eq!(w.to_vec()[..3], [-1.0, 0.5, 1.0]);
    assert!(w.to_vec()[3].is_nan());
    let rows = Parameter::new(Tensor::from([[3.0f64, 4.0], [0.0, 0.0]]));
    Projection::UnitNorm.apply(std::slice::from_ref(&rows)).unwrap();
    assert_eq!(rows.to_vec(), [0.6, 0.8, 0.0, 0.0]);
    let error = Projection::Clamp { min: 1.0, max: 0.0 }.apply(&[w]).unwrap_err();
    assert_eq!(error.to_string(), "Projection: min must be at most max, 0, got 1");
}

#[test]
fn a_penalty_pulls_towards_its_prior() {
    let w = parameter::<f64, 2>([1.0, -2.0]);
    let penalty = Penalty::from_values([w.clone()], 0.5, 0.25).unwrap();
    w.set_value(Tensor::from([3.0, -3.0])).unwrap();
    penalty.loss().backward().unwrap();
    assert_eq!(w.grad().unwrap().to_vec(), [0.5 + 0.5 * 2.0, -0.5 - 0.5]);
}

#[test]
fn averages_of_named_parameters_find_theirs_in_any_order() {
    let named = |name, value| Parameter::new(Tensor::from([value])).named(name);
    let (a, b) = (named("a", 1.0f64), named("b", 2.0));
    let mut averaged = Averaged::swa([a.clone(), b.clone()]);
    averaged.update().unwrap();
    let saved = averaged.state_dict();
    let mut other = Averaged::swa([b.clone(), a.clone()]);
    other.load_state_dict(&saved).unwrap();
    assert_eq!(other.state_dict(), saved);
    other.swap().unwrap();
    assert_eq!((a.to_vec(), b.to_vec()), (vec![1.0], vec![2.0]));
    let mut foreign = Averaged::swa([a.clone(), named("c", 0.0)]);
    let error = foreign.load_state_dict(&saved).unwrap_err().to_string();
    assert!(error.contains("missing: average.c") && error.contains("unexpected: average.b"), "{error}");
}

#[test]
fn averages_of_the_first_version_go_by_place() {
    let named = |name, value| Parameter::new(Tensor::from([value])).named(name);
    let parameters = [named("a", 1.0f64), named("b", 2.0)];
    let mut saved = TensorMap::new();
    saved.insert_number("n_averaged", 3.0);
    saved.insert("average.0", Tensor::from([5.0f64]));
    saved.insert("average.1", Tensor::from([7.0f64]));
    let mut averaged = Averaged::swa(parameters.clone());
    averaged.load_state_dict(&saved).unwrap();
    let now = averaged.state_dict();
    assert_eq!(averaged.updates(), 3);
    assert_eq!(now.tensor::<f64>("average.a").unwrap().to_vec(), [5.0]);
    assert_eq!(now.tensor::<f64>("average.b").unwrap().to_vec(), [7.0]);
    let mut later = now.clone();
    later.insert_number("version", 3.0);
    let error = averaged.load_state_dict(&later).unwrap_err().to_string();
    assert_eq!(error, "Averaged: the saved state's version must be 2, got 3");
    assert_eq!(averaged.state_dict(), now);
}
