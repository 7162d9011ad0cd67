//! Plateaus of infinite metrics, what they save, and what of it is a setting.

use wengert_core::Result;
use wengert_optim::schedule::*;

const INF: f64 = f64::INFINITY;

/// The rates after each metric, by a half after each that is no better, with either kind of threshold.
fn rates(maximize: bool, metrics: [f64; 4]) -> Result<[f64; 4]> {
    let [relative, absolute] = [false, true].map(|absolute| -> Result<[f64; 4]> {
        let schedule = ReduceLrOnPlateau::new(1.0)?.maximize(maximize)?.patience(0)?.factor(0.5)?;
        let mut schedule = schedule.absolute(absolute)?;
        Ok(metrics.map(|metric| {
            // Each from a saved state of the one before.
            let saved = schedule.state_dict();
            schedule.load_state_dict(&saved).unwrap();
            schedule.observe(metric);
            schedule.lr(0)
        }))
    });
    assert_eq!(relative.as_ref().ok(), absolute.as_ref().ok());
    relative
}

#[test]
fn infinite_metrics_are_better_or_worse_as_in_pytorch() -> Result<()> {
    assert_eq!(rates(true, [INF, 1.0, 1.0, INF])?, [1.0, 0.5, 0.25, 0.125]);
    assert_eq!(rates(true, [-INF, 1.0, 2.0, 0.0])?, [0.5, 0.5, 0.5, 0.25]);
    assert_eq!(rates(true, [f64::NAN, 1.0, 1.0, 1.0])?, [0.5, 0.5, 0.25, 0.125]);
    assert_eq!(rates(false, [INF, 1.0, 1.0, 1.0])?, [0.5, 0.5, 0.25, 0.125]);
    assert_eq!(rates(false, [-INF, 1.0, 2.0, 0.0])?, [1.0, 0.5, 0.25, 0.125]);
    assert_eq!(rates(false, [f64::NAN, 1.0, 1.0, 1.0])?, [0.5, 0.5, 0.25, 0.125]);
    Ok(())
}

#[test]
fn no_best_one_is_saved_as_nan_and_was_as_infinity() -> Result<()> {
    let mut schedule = ReduceLrOnPlateau::new(1.0)?.maximize(true)?.patience(0)?;
    let mut saved = schedule.state_dict();
    assert!(saved.number("best")?.is_nan());
    saved.insert_number("best", INF);
    schedule.load_state_dict(&saved)?;
    schedule.observe(-3.0);
    assert_eq!(schedule.lr(0), 1.0);
    Ok(())
}

#[test]
fn settings_are_what_observing_leaves() -> Result<()> {
    let plateau = || ReduceLrOnPlateau::new(0.5)?.patience(0)?.cooldown(2);
    let of_others = [
        plateau()?.boxed(),
        WarmUp::new(3, plateau()?)?.boxed(),
        ChainedLr::new([plateau()?.boxed(), StepLr::new(1.0, 2)?.boxed()])?.boxed(),
        SequentialLr::new([StepLr::new(1.0, 2)?.boxed(), plateau()?.boxed()], [3])?.boxed(),
    ];
    for mut schedule in of_others {
        let (before, state) = (schedule.settings(), schedule.state_dict());
        [1.0, 2.0, 3.0].into_iter().for_each(|metric| schedule.observe(metric));
        assert_ne!(schedule.state_dict(), state, "{schedule}");
        assert_eq!(schedule.settings(), before, "{schedule}");
        let left_out = state.names().filter(|name| before.get(name).is_none());
        let left_out: Vec<_> = left_out.map(|name| name.rsplit('.').next().unwrap()).collect();
        assert_eq!(left_out, ["best", "cooling", "lr", "num_bad"], "{schedule}");
    }
    Ok(())
}
