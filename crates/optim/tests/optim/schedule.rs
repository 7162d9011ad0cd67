//! Schedules: saved, refused, made of one another.

use proptest::prelude::*;
use wengert_core::{Error, Result, TensorMap};
use wengert_optim::schedule::*;

/// One of each kind, with options that are not the defaults.
fn all() -> Result<Vec<Box<dyn Schedule>>> {
    Ok(vec![
        StepLr::new(0.4, 7)?.gamma(0.6)?.boxed(),
        MultiStepLr::new(0.4, vec![3, 9])?.gamma(0.6)?.boxed(),
        ConstantLr::new(0.4)?.factor(0.1)?.total_iters(9)?.boxed(),
        LinearLr::new(0.4)?.start_factor(0.1)?.end_factor(0.9)?.total_iters(9)?.boxed(),
        ExponentialLr::new(0.4, 0.9)?.boxed(),
        PolynomialLr::new(0.4)?.total_iters(9)?.power(2.5)?.boxed(),
        CosineAnnealingLr::new(0.4, 9)?.eta_min(0.1)?.boxed(),
        CosineAnnealingWarmRestarts::new(0.4, 3)?.t_mult(2)?.eta_min(0.1)?.boxed(),
        CyclicLr::new(0.1, 0.4, 3)?.step_size_down(4)?.mode(CyclicMode::ExpRange)?.gamma(0.9)?.boxed(),
        CyclicLr::new(0.1, 0.4, 3)?.mode(CyclicMode::Triangular2)?.momentum(0.5, 0.75)?.boxed(),
        OneCycleLr::new(0.4, 30)?.pct_start(0.4)?.linear(true)?.three_phase(true)?.boxed(),
        SequentialLr::new([LinearLr::new(0.4)?.boxed(), StepLr::new(0.4, 2)?.boxed()], [5])?.boxed(),
        ChainedLr::new([LinearLr::new(0.4)?.boxed(), StepLr::new(0.4, 2)?.boxed()])?.boxed(),
        WarmUp::new(4, ExponentialLr::new(0.4, 0.9)?)?.start_factor(0.1)?.boxed(),
        ReduceLrOnPlateau::new(0.4)?.patience(2)?.maximize(true)?.absolute(true)?.boxed(),
    ])
}

/// The same kinds with other options.
fn others() -> Result<Vec<Box<dyn Schedule>>> {
    Ok(vec![
        StepLr::new(1.0, 1)?.boxed(),
        MultiStepLr::new(1.0, vec![])?.boxed(),
        ConstantLr::new(1.0)?.boxed(),
        LinearLr::new(1.0)?.boxed(),
        ExponentialLr::new(1.0, 1.0)?.boxed(),
        PolynomialLr::new(1.0)?.boxed(),
        CosineAnnealingLr::new(1.0, 1)?.boxed(),
        CosineAnnealingWarmRestarts::new(1.0, 1)?.boxed(),
        CyclicLr::new(1.0, 1.0, 1)?.boxed(),
        CyclicLr::new(1.0, 1.0, 1)?.momentum(1.0, 1.0)?.boxed(),
        OneCycleLr::new(1.0, 1)?.boxed(),
        SequentialLr::new([LinearLr::new(1.0)?.boxed(), StepLr::new(1.0, 1)?.boxed()], [1])?.boxed(),
        ChainedLr::new([LinearLr::new(1.0)?.boxed(), StepLr::new(1.0, 1)?.boxed()])?.boxed(),
        WarmUp::new(1, ExponentialLr::new(1.0, 1.0)?)?.boxed(),
        ReduceLrOnPlateau::new(1.0)?.boxed(),
    ])
}

#[test]
fn a_schedule_goes_on_from_a_file() -> Result<()> {
    for (mut saved, mut loaded) in all()?.into_iter().zip(others()?) {
        saved.observe(2.0);
        saved.observe(1.0);
        let bytes = saved.state_dict().to_bytes()?;
        loaded.load_state_dict(&TensorMap::from_bytes(&bytes)?)?;
        assert_eq!(loaded.to_string(), saved.to_string());
        for step in 0..40 {
            saved.observe(1.0);
            loaded.observe(1.0);
            assert_eq!(loaded.lr(step).to_bits(), saved.lr(step).to_bits(), "{saved} at {step}");
        }
    }
    Ok(())
}

#[test]
fn a_file_of_another_schedule_is_refused_and_changes_nothing() -> Result<()> {
    let mut schedule = StepLr::new(0.4, 7)?;
    let before = schedule.to_string();
    let error = schedule.load_state_dict(&ExponentialLr::new(0.1, 0.5)?.state_dict()).unwrap_err();
    let missing = vec!["step_size".to_string()];
    assert_eq!(error, Error::Mismatch { missing, unexpected: vec![], misshapen: vec![] });
    let mut map = StepLr::new(0.1, 3)?.state_dict();
    for (size, text) in [
        (0.0, "StepLR: step_size must be at least 1, got 0"),
        (1.5, "StepLR: step_size must be a whole number, got 1.5"),
    ] {
        map.insert_number("step_size", size);
        assert_eq!(schedule.load_state_dict(&map).unwrap_err().to_string(), text);
    }
    assert_eq!(schedule.to_string(), before);
    Ok(())
}

#[test]
fn values_out_of_their_ranges_are_refused() -> Result<()> {
    let text = |error: Error| error.to_string();
    let cases = [
        (StepLr::new(-1.0, 2).map_err(text).err(), "StepLR: lr must be at least 0, got -1"),
        (StepLr::new(1.0, 0).map_err(text).err(), "StepLR: step_size must be at least 1, got 0"),
        (
            LinearLr::new(1.0)?.start_factor(1.5).map_err(text).err(),
            "LinearLR: start_factor must be in [0, 1], got 1.5",
        ),
        (
            CyclicLr::new(0.5, 0.25, 3).map_err(text).err(),
            "CyclicLR: max_lr must be at least base_lr, 0.5, got 0.25",
        ),
        (
            CyclicLr::new(0.1, 0.4, 3)?.momentum(0.9, 0.8).map_err(text).err(),
            "CyclicMomentum: max_momentum must be at least base_momentum, 0.9, got 0.8",
        ),
        (
            OneCycleLr::new(0.4, 30)?.momentum(0.0, 0.9).map_err(text).err(),
            "OneCycleLR: base_momentum must be above 0, got 0",
        ),
        (
            ReduceLrOnPlateau::new(1.0)?.factor(1.0).map_err(text).err(),
            "ReduceLROnPlateau: factor must be in [0, 1), got 1",
        ),
        (
            SequentialLr::new([StepLr::new(1.0, 2)?.boxed()], [3]).map_err(text).err(),
            "SequentialLR: milestones must be one less than the schedules, of which there are 1, got 1",
        ),
    ];
    for (got, expected) in cases {
        assert_eq!(got.as_deref(), Some(expected));
    }
    Ok(())
}

#[test]
fn a_plateau_is_the_first_of_those_at_the_same_time_or_refused() -> Result<()> {
    let plateau = ReduceLrOnPlateau::new(1.0)?.patience(0)?.factor(0.5)?;
    let steady = ConstantLr::new(1.0)?.factor(1.0)?;
    let mut first = ChainedLr::new([plateau.boxed(), steady.boxed()])?;
    (0..3).for_each(|_| first.observe(1.0));
    assert_eq!(first.lr(3), 0.25);
    for later in [plateau.boxed(), WarmUp::new(2, plateau.clone())?.start_factor(0.5)?.boxed()] {
        let error = ChainedLr::new([steady.boxed(), later]).unwrap_err().to_string();
        let expected = "schedules must be the one that depends on a metric in the first place";
        assert!(error.contains(expected), "{error}");
    }
    Ok(())
}

#[test]
fn cycles_longer_than_there_are_steps_rise() -> Result<()> {
    let schedule = CyclicLr::new(0.0, 1.0, u64::MAX / 2 + 1)?;
    assert!(0.0 < schedule.lr(5) && schedule.lr(5) < schedule.lr(u64::MAX / 4));
    Ok(())
}

#[test]
fn one_cycle_stays_at_its_last_rate_and_refuses_later_steps_where_asked() -> Result<()> {
    let schedule = OneCycleLr::new(0.4, 30)?;
    assert_eq!(schedule.lr(29), schedule.lr(1000));
    assert!((schedule.lr(29) - 0.4 / 25.0 / 1e4).abs() < 1e-18);
    assert_eq!(
        schedule.try_lr(30).unwrap_err().to_string(),
        "schedule: step must be below 30, where OneCycleLR(max_lr: 0.4, total_steps: 30, pct_start: 0.3, \
         div_factor: 25, final_div_factor: 10000, linear: false, three_phase: false) ends, got 30"
    );
    Ok(())
}

#[test]
fn schedules_of_others_end_where_the_one_at_its_turn_does() -> Result<()> {
    let cycle = |steps| OneCycleLr::new(1.0, steps).map(|schedule| schedule.boxed());
    let endless = || StepLr::new(1.0, 2).map(|schedule| schedule.boxed());
    let ends = [
        (endless()?, None),
        (cycle(30)?, Some(30)),
        (WarmUp::new(5, OneCycleLr::new(1.0, 30)?)?.boxed(), Some(35)),
        (ChainedLr::new([endless()?, cycle(30)?, cycle(20)?])?.boxed(), Some(20)),
        // Behind its milestone the first one's end is nobody's.
        (SequentialLr::new([cycle(30)?, endless()?], [30])?.boxed(), None),
        (SequentialLr::new([cycle(30)?, endless()?], [31])?.boxed(), Some(30)),
        (SequentialLr::new([endless()?, cycle(30)?], [4])?.boxed(), Some(34)),
    ];
    for (schedule, end) in ends {
        assert_eq!(schedule.end(), end, "{schedule}");
        for step in 0..50 {
            let refused = schedule.try_lr(step).is_err();
            assert_eq!(refused, end.is_some_and(|end| step >= end), "{schedule} at {step}");
        }
    }
    Ok(())
}

const LOSSES: [f64; 28] = [
    2.238, 2.444, 2.175, 2.319, 2.255, 1.613, 1.483, 2.234, 1.586, 1.495, 2.193, 1.608, 1.917, 1.503, 1.614,
    1.077, 1.515, 1.704, 1.318, 1.496, 1.388, 0.745, 1.405, 1.206, 0.885, 0.586, 1.393, 0.973,
];

fn observed(mut schedule: ReduceLrOnPlateau) -> Vec<f64> {
    let rate = |loss: &f64| {
        schedule.observe(*loss);
        schedule.lr(0)
    };
    LOSSES.iter().map(rate).collect()
}

/// So often each rate.
fn runs(rates: &[f64]) -> Vec<(f64, usize)> {
    let runs = rates.chunk_by(|a, b| a == b);
    runs.map(|run| ((run[0] * 1e12).round() / 1e12, run.len())).collect()
}

#[test]
fn a_plateau_is_pytorchs() -> Result<()> {
    let schedule = ReduceLrOnPlateau::new(0.4)?.factor(0.5)?.patience(2)?.cooldown(3)?.min_lr(0.03)?;
    let expected = [(0.4, 9), (0.2, 9), (0.1, 6), (0.05, 4)];
    assert_eq!(runs(&observed(schedule)), expected);
    let schedule = ReduceLrOnPlateau::new(0.4)?.maximize(true)?.factor(0.7)?.patience(1)?;
    let schedule = schedule.threshold(0.05)?.absolute(true)?;
    let rates = observed(schedule);
    assert_eq!(runs(&rates)[..4], [(0.4, 3), (0.28, 2), (0.196, 2), (0.1372, 2)]);
    assert!((rates[27] - 0.005536514880399995 * 0.7).abs() < 1e-12);
    Ok(())
}

proptest! {
    #[test]
    fn a_restart_comes_when_the_last_cosine_is_done(
        first in 1..6u64, times in 1..4u64, restarts in 0..5u32, into in 0.0..1.0f64,
    ) {
        let schedule = CosineAnnealingWarmRestarts::new(1.0, first).unwrap().t_mult(times).unwrap();
        let start: u64 = (0..restarts).map(|n| first * times.pow(n)).sum();
        let length = first * times.pow(restarts);
        let since = (into * length as f64) as u64;
        let expected = 0.5 + 0.5 * (std::f64::consts::PI * since as f64 / length as f64).cos();
        prop_assert!((schedule.lr(start + since) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_warm_up_rises_to_what_it_is_before(steps in 1..50u64, start in 0.0..1.0, at in 0..100u64) {
        let then = StepLr::new(0.4, 7).unwrap();
        let schedule = WarmUp::new(steps, then.clone()).unwrap().start_factor(start).unwrap();
        let expected = if at < steps {
            0.4 * start + (0.4 - 0.4 * start) * at as f64 / steps as f64
        } else {
            then.lr(at - steps)
        };
        prop_assert!((schedule.lr(at) - expected).abs() < 1e-12);
    }
}
