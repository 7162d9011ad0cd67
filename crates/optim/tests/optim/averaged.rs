//! Averages, projections and penalties.

use proptest::prelude::*;
use wengert_core::{Parameter, Tensor};
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
