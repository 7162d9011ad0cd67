//! L-BFGS: how often it evaluates, and from a file on. Its steps are cases of `tests/parity`.

use wengert_core::{Parameter, Result, Stateful, TensorMap, Variable};
use wengert_optim::{Lbfgs, LbfgsOptions};

use crate::{bits, parameter};

/// A valley of two parameters: `(1 - x0)^2 + 100 (x1 - x0^2)^2 + (y - x1)^2 + y^4`.
fn valley([x, y]: &[Parameter<f64>; 2]) -> Variable<f64> {
    let (x0, x1) = (x.narrow(0, 0, 1), x.narrow(0, 1, 1));
    let slope = (1.0 - &x0).square() + (&x1 - &x0.square()).square() * 100.0;
    (slope + (&**y - &x1).square() + y.square().square()).sum()
}

fn start() -> [Parameter<f64>; 2] {
    [parameter([-1.2, 1.0]), parameter([0.5])]
}

#[test]
fn a_step_of_more_iterations_may_evaluate_more_often_as_in_pytorch() -> Result<()> {
    let count = |options: LbfgsOptions| {
        let mut calls = 0u64;
        let parameters = start();
        let mut lbfgs = Lbfgs::with(parameters.clone(), options.tolerance_change(0.0).tolerance_grad(0.0))?;
        lbfgs.step(|| {
            calls += 1;
            Ok(valley(&parameters))
        })?;
        Ok::<_, wengert_core::Error>(calls)
    };
    // Without a line search each iteration but the last evaluates once.
    let options = LbfgsOptions::default().lr(1e-4);
    assert_eq!(count(options.clone())?, 20);
    assert_eq!(count(options.clone().max_iter(100))?, 100);
    assert_eq!(count(options.clone().max_iter(100).max_eval(7))?, 7);
    // With one, it is the search that is cut short.
    for most in 1..9 {
        let asked = count(options.clone().strong_wolfe(true).max_eval(most))?;
        assert!((most..=most + 1).contains(&asked), "{asked} of {most}");
    }
    Ok(())
}

fn searching() -> LbfgsOptions {
    LbfgsOptions::default().max_iter(3).max_eval(25).history_size(2).strong_wolfe(true)
}

/// Steps of a run, saved after each number of them and gone on from in copies, by an optimizer that `make`s.
fn check_resumed(
    parameters: &[Parameter<f64>; 2],
    options: &LbfgsOptions,
    make: impl Fn([Parameter<f64>; 2]) -> Result<Lbfgs<f64>>,
    stop: usize,
) -> Result<()> {
    let mut lbfgs = Lbfgs::with(parameters.clone(), options.clone())?;
    for _ in 0..stop {
        lbfgs.step(|| Ok(valley(parameters)))?;
    }
    let copies = parameters.each_ref().map(|own| match own.name() {
        Some(name) => own.copy().named(name),
        None => own.copy(),
    });
    let saved = Stateful::state_dict(&lbfgs);
    let mut resumed = make(copies.clone())?;
    Stateful::load_state_dict(&mut resumed, &TensorMap::from_bytes(&saved.to_bytes()?)?)?;
    assert_eq!(resumed.state_dict(), saved);
    for _ in 0..3 {
        lbfgs.step(|| Ok(valley(parameters)))?;
        resumed.step(|| Ok(valley(&copies)))?;
    }
    assert_ne!(lbfgs.state_dict(), saved);
    assert_eq!(bits(parameters), bits(&copies), "stopped at {stop}");
    assert_eq!(resumed.state_dict(), lbfgs.state_dict());
    Ok(())
}

#[test]
fn a_run_saved_in_the_middle_goes_on_with_the_same_bits() -> Result<()> {
    for stop in [0, 1, 3] {
        for options in [searching(), LbfgsOptions::default().lr(0.02).max_iter(3)] {
            check_resumed(&start(), &options, |copies| Lbfgs::new(copies, 0.5), stop)?;
            let [x, y] = start();
            let named = [x.named("valley.x"), y.named("y")];
            check_resumed(&named, &options, |copies| Lbfgs::new(copies, 0.5), stop)?;
        }
    }
    Ok(())
}

#[test]
fn what_is_saved_goes_by_name_and_in_each_parameters_shape() -> Result<()> {
    let [x, y] = start();
    let parameters = [x.named("x"), y.named("y")];
    let mut lbfgs = Lbfgs::with(parameters.clone(), searching())?;
    assert!(lbfgs.state_dict().names().all(|name| name.split('.').count() <= 2 || name.starts_with("group")));
    lbfgs.step(|| Ok(valley(&parameters)))?;
    let saved = lbfgs.state_dict();
    assert_eq!(saved.number("version")?, 2.0);
    assert_eq!(saved.tensor::<f64>("state.x.d")?.shape(), [2]);
    assert_eq!(saved.tensor::<f64>("state.y.old_stps")?.shape(), [2, 1]);
    let [x, y] = parameters;
    let mut turned = Lbfgs::new([y, x], 1.0)?;
    turned.load_state_dict(&saved)?;
    assert_eq!(turned.state_dict(), saved);
    Ok(())
}

#[test]
fn the_rate_is_set_between_steps() -> Result<()> {
    let ways: [fn(&mut Lbfgs<f64>); 2] = [|lbfgs| lbfgs.set_lr(0.01), |lbfgs| lbfgs.options.lr = 0.01];
    let ends = ways.map(|set| -> Result<Vec<u64>> {
        let parameters = start();
        let mut lbfgs = Lbfgs::new(parameters.clone(), 0.5)?;
        set(&mut lbfgs);
        lbfgs.step(|| Ok(valley(&parameters)))?;
        assert_eq!(lbfgs.lr(), 0.01);
        Ok(bits(&parameters))
    });
    let [first, second] = ends;
    assert_eq!(first?, second?);
    Ok(())
}

#[test]
fn a_frozen_parameter_stays() {
    let parameters = start();
    parameters[1].set_requires_grad(false);
    let mut lbfgs = Lbfgs::new(parameters.clone(), 0.01).unwrap();
    lbfgs.step(|| Ok(valley(&parameters))).unwrap();
    assert_eq!(parameters[1].to_vec(), [0.5]);
    assert_ne!(parameters[0].to_vec(), [-1.2, 1.0]);
}

#[test]
fn options_and_files_that_do_not_fit_are_refused() -> Result<()> {
    let error = Lbfgs::with(start(), LbfgsOptions::default().history_size(0)).unwrap_err();
    assert_eq!(error.to_string(), "LBFGS: history_size must be at least 1, got 0");
    let none: [Parameter; 0] = [];
    assert_eq!(
        Lbfgs::new(none, 0.1).unwrap_err().to_string(),
        "LBFGS: parameters must be at least one, got none"
    );
    let parameters = start();
    let mut lbfgs = Lbfgs::new(parameters.clone(), 0.01)?;
    lbfgs.step(|| Ok(valley(&parameters)))?;
    let mut other = Lbfgs::<f64>::new([parameter([1.0, 2.0, 3.0]), parameter([0.0])], 0.5)?;
    let error = other.load_state_dict(&lbfgs.state_dict()).unwrap_err();
    assert!(error.to_string().contains("state.0.d expected [3], got [2]"), "{error}");
    let mut one = Lbfgs::<f64>::new([parameter([1.0, 2.0])], 0.5)?;
    let error = one.load_state_dict(&lbfgs.state_dict()).unwrap_err();
    assert!(error.to_string().contains("unexpected: state.1.d"), "{error}");
    let mut later = lbfgs.state_dict();
    later.insert_number("version", 3.0);
    let error = other.load_state_dict(&later).unwrap_err();
    assert_eq!(error.to_string(), "LBFGS: the saved state's version must be 2, got 3");
    assert_eq!((other.options.lr, one.options.lr), (0.5, 0.5));
    Ok(())
}
