//! Schedules for groups whose rates differ.

use wengert_core::{Parameter, Result, TensorMap};
use wengert_optim::schedule::{CosineAnnealingLr, Schedule, WarmUp};
use wengert_optim::{Adam, AdamOptions, Optimizer, Sgd, SgdOptions};

use crate::{bits, parameter, set_grad};

fn two_groups([body, head]: &[Parameter<f64>; 2], rates: [f64; 2]) -> Result<Adam<f64>> {
    let mut adam = Adam::new([body.clone()], rates[0])?;
    adam.add_group([head.clone()], AdamOptions::default().lr(rates[1]))?;
    Ok(adam)
}

fn from_zero() -> Result<WarmUp> {
    WarmUp::new(3, CosineAnnealingLr::new(0.2, 6)?)
}

/// Steps of a run; gives the rates that each had.
fn run(
    adam: &mut Adam<f64>,
    parameters: &[Parameter<f64>; 2],
    steps: std::ops::Range<u64>,
) -> Result<Vec<Vec<f64>>> {
    let schedule = from_zero()?;
    let mut rates = Vec::new();
    for step in steps {
        adam.set_base_lr(schedule.lr(step))?;
        rates.push(adam.lrs());
        let grad = (step as f64).sin() + 0.3;
        parameters.iter().for_each(|parameter| set_grad(parameter, &[grad, 1.0 - grad]));
        adam.step()?;
    }
    Ok(rates)
}

#[test]
fn rates_after_a_warm_up_from_zero_stand_as_they_were_declared() -> Result<()> {
    let parameters = [parameter([1.0, -1.0]), parameter([0.5, 2.0])];
    let mut adam = two_groups(&parameters, [0.1, 0.025])?;
    let rates = run(&mut adam, &parameters, 0..9)?;
    assert_eq!(rates[0], [0.0, 0.0]);
    for (step, rates) in rates.iter().enumerate().skip(1) {
        let expected = from_zero()?.lr(step as u64);
        assert_eq!(rates[0].to_bits(), expected.to_bits(), "step {step}");
        assert!((rates[1] - expected / 4.0).abs() < 1e-15, "step {step}: {rates:?}");
    }
    assert!(parameters.iter().all(|parameter| parameter.to_vec().iter().all(|x| x.is_finite())));
    assert_eq!(adam.initial_lrs(), [0.1, 0.025]);
    Ok(())
}

#[test]
fn a_run_that_is_resumed_at_a_rate_of_zero_or_later_goes_on_the_same() -> Result<()> {
    for stop in [0, 1, 5] {
        let parameters = [parameter([1.0, -1.0]), parameter([0.5, 2.0])];
        let mut adam = two_groups(&parameters, [0.1, 0.07])?;
        run(&mut adam, &parameters, 0..stop)?;
        let bytes = adam.state_dict().to_bytes()?;
        let copies = parameters.each_ref().map(Parameter::copy::<f64>);
        // Declared otherwise, as by a schedule's first rate.
        let mut resumed = two_groups(&copies, [0.0, 0.0])?;
        resumed.load_state_dict(&TensorMap::from_bytes(&bytes)?)?;
        assert_eq!(resumed.initial_lrs(), [0.1, 0.07]);
        let rates = run(&mut adam, &parameters, stop..9)?;
        assert_eq!(run(&mut resumed, &copies, stop..9)?, rates, "stopped at {stop}");
        assert_eq!(bits(&parameters), bits(&copies), "stopped at {stop}");
        assert_eq!(adam.state_dict(), resumed.state_dict());
    }
    Ok(())
}

#[test]
fn rates_set_by_hand_do_not_change_what_was_declared() -> Result<()> {
    let mut sgd = Sgd::<f64>::new([parameter([0.0])], 0.5)?;
    sgd.add_group([parameter([0.0])], SgdOptions::default().lr(2.0))?;
    sgd.add_group([parameter([0.0])], SgdOptions::default().lr(0.5))?;
    sgd.set_lr(f64::NAN);
    sgd.set_group_lr(1, 7.0)?;
    sgd.set_base_lr(0.1)?;
    assert_eq!(sgd.lrs(), [0.1, 0.4, 0.1]);
    Ok(())
}

#[test]
fn a_first_rate_of_zero_has_a_ratio_to_others_of_zero_only() -> Result<()> {
    let parameters = [parameter([0.0]), parameter([0.0])];
    let mut same = two_groups(&parameters, [0.0, 0.0])?;
    same.set_base_lr(0.5)?;
    assert_eq!(same.lrs(), [0.5, 0.5]);
    let mut other = two_groups(&parameters, [0.0, 0.2])?;
    let error = other.set_base_lr(0.5).unwrap_err().to_string();
    let expected = "set_base_lr: the first group's declared lr must be above 0, \
                    got 0, where another was declared with 0.2";
    assert_eq!(error, expected);
    assert_eq!(other.lrs(), [0.0, 0.2]);
    Ok(())
}

#[test]
fn what_was_saved_without_a_declared_rate_keeps_the_one_here_and_a_wrong_one_is_refused() -> Result<()> {
    let parameters = [parameter([0.0]), parameter([0.0])];
    let saved = two_groups(&parameters, [0.5, 0.25])?.state_dict();
    let mut without = TensorMap::new();
    let names = saved.names().filter(|name| !name.ends_with("initial_lr"));
    names.for_each(|name| without.insert(name, saved.get(name).unwrap().clone()));
    let mut adam = two_groups(&parameters, [0.1, 0.3])?;
    adam.load_state_dict(&without)?;
    assert_eq!((adam.lrs(), adam.initial_lrs()), (vec![0.5, 0.25], vec![0.1, 0.3]));
    let mut wrong = saved.clone();
    wrong.insert_number("group.1.initial_lr", -1.0);
    let error = adam.load_state_dict(&wrong).unwrap_err().to_string();
    assert_eq!(error, "Adam: lr must be at least 0, got -1");
    assert_eq!(adam.initial_lrs(), [0.1, 0.3]);
    Ok(())
}
