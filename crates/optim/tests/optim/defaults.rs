//! What the optimizers besides SGD, Adam and RMSprop have by default, and what they refuse.

use wengert_core::Parameter;
use wengert_optim::{
    AdadeltaOptions, AdagradOptions, AdamaxOptions, AsgdOptions, LionOptions, MuonOptions, NAdamOptions,
    Optimizer, RAdamOptions, RpropOptions, Rule, RuleOptimizer,
};

use crate::sizes::as_if_alone;
use crate::{names, set_grad, tensor};

#[test]
fn each_element_is_stepped_as_if_it_were_alone() {
    as_if_alone::<f32>(AdagradOptions::default().lr_decay(0.1).initial_accumulator_value(0.5));
    as_if_alone::<f64>(AdadeltaOptions::default().weight_decay(0.1));
    as_if_alone::<f32>(AdamaxOptions::default());
    as_if_alone::<f32>(NAdamOptions::default());
    as_if_alone::<f64>(RAdamOptions::default().beta2(0.9));
    as_if_alone::<f32>(RpropOptions::default());
    as_if_alone::<f32>(AsgdOptions::default().t0(1.0));
    as_if_alone::<f64>(LionOptions::default().weight_decay(0.1));
}

fn matrix() -> Parameter {
    Parameter::new(tensor(&[1, 2], &[1.0, 2.0], false))
}

/// The defaults, and what a parameter has after its first step.
fn has<R: Rule + Default>(defaults: &[(&str, f64)], states: &[&str]) {
    assert_eq!(R::default().list(), defaults, "{}", R::NAME);
    let w = matrix();
    let mut stepper = RuleOptimizer::with([w.clone()], R::default()).unwrap();
    set_grad(&w, &[0.5, -0.5]);
    stepper.step().unwrap();
    let expected: Vec<String> = states.iter().map(|state| format!("state.0.{state}")).collect();
    assert_eq!(names(&stepper), expected, "{}", R::NAME);
}

const UP: (&str, f64) = ("maximize", 0.0);
const APART: (&str, f64) = ("decoupled_weight_decay", 0.0);

/// As Adam's, and what follows.
fn adam<'a>(lr: f64, more: &[(&'a str, f64)]) -> Vec<(&'a str, f64)> {
    let adam = [("lr", lr), ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0.0)];
    [&adam, more].concat()
}

#[test]
fn options_and_states_are_pytorchs() {
    let (none, eps) = (("weight_decay", 0.0), |eps| ("eps", eps));
    let start = ("initial_accumulator_value", 0.0);
    has::<AdagradOptions>(&[("lr", 1e-2), ("lr_decay", 0.0), none, start, eps(1e-10), UP], &["step", "sum"]);
    has::<AdadeltaOptions>(
        &[("lr", 1.0), ("rho", 0.9), eps(1e-6), none, UP],
        &["acc_delta", "square_avg", "step"],
    );
    has::<AdamaxOptions>(&adam(2e-3, &[UP]), &["exp_avg", "exp_inf", "step"]);
    let psi = ("momentum_decay", 4e-3);
    has::<NAdamOptions>(&adam(2e-3, &[psi, APART, UP]), &["exp_avg", "exp_avg_sq", "mu_product", "step"]);
    has::<RAdamOptions>(&adam(1e-3, &[APART, UP]), &["exp_avg", "exp_avg_sq", "step"]);
    let bounds = [("eta_minus", 0.5), ("eta_plus", 1.2), ("step_size_min", 1e-6), ("step_size_max", 50.0)];
    has::<RpropOptions>(&[&[("lr", 1e-2)], &bounds[..], &[UP]].concat(), &["prev", "step", "step_size"]);
    let falls = [("lambd", 1e-4), ("alpha", 0.75), ("t0", 1e6)];
    has::<AsgdOptions>(&[&[("lr", 1e-2)], &falls[..], &[none, UP]].concat(), &["ax", "step"]);
    has::<LionOptions>(&[("lr", 1e-4), ("beta1", 0.9), ("beta2", 0.99), none, UP], &["exp_avg", "step"]);
    let iteration = [("ns_a", 3.4445), ("ns_b", -4.775), ("ns_c", 2.0315), ("ns_steps", 5.0), eps(1e-7)];
    let muon = [("lr", 1e-3), ("weight_decay", 0.1), ("momentum", 0.95), ("nesterov", 1.0)];
    has::<MuonOptions>(
        &[&muon[..], &iteration, &[("match_rms_adamw", 0.0)]].concat(),
        &["momentum_buffer", "step"],
    );
}

fn refused<R: Rule>(options: R) -> String {
    RuleOptimizer::with([matrix()], options).err().unwrap().to_string()
}

#[test]
fn options_out_of_their_ranges_are_refused() {
    for (got, expected) in [
        (refused(AdagradOptions::default().eps(-1.0)), "Adagrad: eps must be at least 0, got -1"),
        (refused(AdadeltaOptions::default().rho(1.5)), "Adadelta: rho must be in [0, 1], got 1.5"),
        (refused(AdamaxOptions::default().beta2(1.0)), "Adamax: beta2 must be in [0, 1), got 1"),
        (refused(NAdamOptions::default().lr(f64::NAN)), "NAdam: lr must be at least 0, got NaN"),
        (refused(RAdamOptions::default().beta1(-0.5)), "RAdam: beta1 must be in [0, 1), got -0.5"),
        (refused(RpropOptions::default().eta_minus(0.0)), "Rprop: eta_minus must be in (0, 1), got 0"),
        (refused(RpropOptions::default().eta_plus(1.0)), "Rprop: eta_plus must be above 1, got 1"),
        (
            refused(RpropOptions::default().step_size_min(60.0)),
            "Rprop: step_size_min must be at most step_size_max, 50, got 60",
        ),
        (refused(AsgdOptions::default().lambd(-1.0)), "ASGD: lambd must be at least 0, got -1"),
        (refused(LionOptions::default().beta2(2.0)), "Lion: beta2 must be in [0, 1), got 2"),
        (refused(MuonOptions::default().ns_steps(100)), "Muon: ns_steps must be below 100, got 100"),
    ] {
        assert_eq!(got, expected);
    }
}

#[test]
fn the_average_begins_after_its_step() {
    let w = Parameter::new(tensor::<f64>(&[1], &[0.0], false));
    let options = AsgdOptions::default().lr(1.0).lambd(0.0).t0(1.0);
    let mut asgd = RuleOptimizer::<_, f64>::with([w.clone()], options).unwrap();
    let mut averages = Vec::new();
    for _ in 0..5 {
        set_grad(&w, &[-1.0]);
        asgd.step().unwrap();
        averages.push(asgd.state_dict().tensor::<f64>("state.0.ax").unwrap().to_vec()[0]);
    }
    // The values are 1 to 5; from 3 on they are averaged, with 1/3 in single precision as PyTorch has it.
    let expected = [1.0, 2.0, 3.0, 3.5, 4.0];
    assert!(averages.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{averages:?}");
}
