//! Indices drawn at random: exact properties, and frequencies that the binomial distribution allows.

use proptest::collection::vec;
use proptest::prelude::*;
use wengert_core::{Tensor, manual_seed};

use crate::config;

const DRAWS: usize = 40_000;

/// Whether so many of `DRAWS` are within five standard deviations of a binomial of this probability.
#[track_caller]
fn expect_rate(hits: usize, p: f64) {
    let (mean, deviation) = (DRAWS as f64 * p, (DRAWS as f64 * p * (1.0 - p)).sqrt());
    assert!((hits as f64 - mean).abs() <= 5.0 * deviation, "{hits} of {DRAWS} for a probability of {p}");
}

fn count(drawn: &[i64], number: i64) -> usize {
    drawn.iter().filter(|&&n| n == number).count()
}

fn sorted(mut numbers: Vec<i64>) -> Vec<i64> {
    numbers.sort_unstable();
    numbers
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn randint_stays_in_its_range(low in any::<i64>(), high in any::<i64>(), seed in any::<u64>()) {
        manual_seed(seed);
        match Tensor::<i64>::randint(low, high, [3, 5]) {
            Ok(drawn) => {
                prop_assert_eq!(drawn.shape(), &[3, 5]);
                prop_assert!(low < high && drawn.to_vec().iter().all(|n| (low..high).contains(n)));
            }
            Err(error) => {
                prop_assert!(low >= high);
                let expected = format!("randint: low must be below high, which is {high}, got {low}");
                prop_assert_eq!(error.to_string(), expected);
            }
        }
    }

    #[test]
    fn randperm_has_each_number_once(n in 0usize..200, seed in any::<u64>()) {
        manual_seed(seed);
        let order = Tensor::<i64>::randperm(n);
        prop_assert_eq!(order.shape(), &[n]);
        prop_assert_eq!(sorted(order.to_vec()), (0..n as i64).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_drawn_without_replacement_has_a_weight_and_does_not_come_again(
        weights in vec(prop_oneof![Just(0.0), Just(1e-300), Just(1e300), 0.1..9.0], 1..20),
        samples in 1usize..20,
        seed in any::<u64>(),
    ) {
        manual_seed(seed);
        let drawn = Tensor::from(weights.clone()).multinomial(samples);
        let above = weights.iter().filter(|w| **w > 0.0).count();
        prop_assert_eq!(drawn.is_ok(), samples <= above);
        if let Ok(drawn) = drawn {
            let mut drawn = sorted(drawn.to_vec());
            prop_assert!(drawn.iter().all(|&i| weights[i as usize] > 0.0));
            drawn.dedup();
            prop_assert_eq!(drawn.len(), samples);
        }
    }

    #[test]
    fn what_is_drawn_with_replacement_has_a_weight(
        weights in vec(prop_oneof![Just(0.0f32), Just(1e-38), Just(f32::MAX), 0.1f32..9.0], 1..20),
        seed in any::<u64>(),
    ) {
        manual_seed(seed);
        match Tensor::from(weights.clone()).multinomial_with_replacement(50) {
            Ok(drawn) => prop_assert!(drawn.to_vec().iter().all(|&i| weights[i as usize] > 0.0)),
            Err(_) => prop_assert!(weights.iter().all(|w| *w == 0.0)),
        }
    }
}

#[test]
fn the_widest_range_is_drawn_from() {
    manual_seed(1);
    let drawn = Tensor::<i64>::randint(i64::MIN, i64::MAX, [DRAWS]).unwrap().to_vec();
    expect_rate(drawn.iter().filter(|n| **n < 0).count(), 0.5);
    expect_rate(drawn.iter().filter(|n| **n >= i64::MAX / 2).count(), 0.25);
}

#[test]
fn randint_gives_each_number_as_often() {
    manual_seed(2);
    let drawn = Tensor::<i64>::randint(-2, 5, [DRAWS]).unwrap().to_vec();
    (-2..5).for_each(|n| expect_rate(count(&drawn, n), 1.0 / 7.0));
}

#[test]
fn randperm_puts_each_number_in_each_place_as_often() {
    manual_seed(3);
    let orders: Vec<Vec<i64>> = (0..DRAWS).map(|_| Tensor::<i64>::randperm(4).to_vec()).collect();
    for place in 0..4 {
        let there: Vec<i64> = orders.iter().map(|order| order[place]).collect();
        (0..4).for_each(|n| expect_rate(count(&there, n), 0.25));
    }
}

#[test]
fn multinomial_draws_by_weight_in_each_row() {
    manual_seed(4);
    let weights = Tensor::from([[1.0f64, 0.0, 3.0], [0.5, 0.25, 0.25]]);
    let drawn = weights.multinomial_with_replacement(DRAWS).unwrap();
    for (row, rates) in [[0.25, 0.0, 0.75], [0.5, 0.25, 0.25]].iter().enumerate() {
        let drawn = drawn.select(0, row).unwrap().to_vec();
        rates.iter().zip(0..).for_each(|(p, i)| expect_rate(count(&drawn, i), *p));
    }
}

#[test]
fn draws_without_replacement_go_on_among_those_left() {
    manual_seed(5);
    let weights = [0.5f32, 0.3, 0.2];
    let rows = Tensor::from([weights]).expand(&[DRAWS, 3]).unwrap();
    let drawn = rows.multinomial(2).unwrap().to_vec();
    for (first, second) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        let [p, q] = [first, second].map(|i| f64::from(weights[i as usize]));
        let hits = drawn.chunks(2).filter(|pair| *pair == [first, second]).count();
        expect_rate(hits, p * q / (1.0 - p));
    }
}

#[test]
fn a_seed_says_what_is_drawn() {
    let draw = |seed| {
        manual_seed(seed);
        let numbers = Tensor::<i64>::randint(0, 1000, [9]).unwrap().to_vec();
        let order = Tensor::<i64>::randperm(9).to_vec();
        let weights = Tensor::<f32>::ones([9]);
        let chosen = [weights.multinomial_with_replacement(9), weights.multinomial(9)]
            .map(|drawn| drawn.unwrap().to_vec());
        (numbers, order, chosen)
    };
    assert_eq!(draw(6), draw(6));
    assert_ne!(draw(6), draw(7));
}

#[test]
fn weights_that_nothing_can_be_drawn_by_are_refused_with_their_row() {
    let refusal = |weights: Tensor<f64>, samples, replacement| {
        manual_seed(8);
        let before = wengert_core::generator_state();
        let draw = if replacement { Tensor::multinomial_with_replacement } else { Tensor::multinomial };
        let error = draw(&weights, samples).unwrap_err();
        assert_eq!(wengert_core::generator_state(), before, "nothing was drawn");
        error.to_string().trim_start_matches("multinomial: ").to_string()
    };
    let rows = |second: [f64; 2]| Tensor::from([[1.0, 2.0], second]);
    let weight = "every weight must be finite and at least 0, got";
    assert_eq!(refusal(rows([1.0, -0.5]), 1, true), format!("{weight} -0.5 at 1 of row 1"));
    assert_eq!(refusal(rows([f64::NAN, 1.0]), 1, true), format!("{weight} NaN at 0 of row 1"));
    assert_eq!(refusal(rows([1.0, f64::INFINITY]), 1, false), format!("{weight} inf at 1 of row 1"));
    assert_eq!(refusal(rows([0.0, 0.0]), 1, true), "expected at least 1 weight above 0 in row 1, got 0");
    let few = "expected at least 2 weights above 0 in row 1 for 2 samples without replacement, got 1";
    assert_eq!(refusal(rows([0.0, 3.0]), 2, false), few);
    assert_eq!(refusal(Tensor::zeros([0]), 1, true), "expected at least 1 weight above 0 in row 0, got 0");
    assert_eq!(refusal(rows([1.0, 1.0]), 0, true), "num_samples must be at least 1, got 0");
    let rank = "expected weights of rank 1 or 2, got shape";
    assert_eq!(refusal(Tensor::scalar(1.0), 1, true), format!("{rank} []"));
    assert_eq!(refusal(Tensor::ones([1, 1, 1]), 1, true), format!("{rank} [1, 1, 1]"));
}

#[test]
fn no_rows_of_weights_give_no_rows_of_draws() {
    assert_eq!(Tensor::<f32>::zeros([0, 3]).multinomial_with_replacement(2).unwrap().shape(), &[0, 2]);
}

#[test]
fn views_of_weights_are_drawn_from_as_they_are_seen() {
    let weights = Tensor::from([[0.0f32, 1.0], [0.0, 0.0]]).t();
    assert_eq!(weights.select(0, 1).unwrap().multinomial(1).unwrap().to_vec(), [0]);
}
