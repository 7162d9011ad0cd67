//! States through a file's bytes, and files that do not fit.

use proptest::prelude::*;
use wengert_core::{Error, Parameter, Tensor, TensorMap};
use wengert_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, Optimizer, RmsProp, RmsPropOptions, Rule, RuleOptimizer, Sgd,
    SgdOptions,
};

use crate::{Case, adam, adam_w, bits, case, config, names, parameter, rms_prop, set_grad, sgd};

fn copied(map: &TensorMap) -> TensorMap {
    TensorMap::from_bytes(&map.to_bytes().unwrap()).unwrap()
}

/// Goes half the way, saves, loads into an optimizer with default options, and goes on with both.
pub(crate) fn check_resumed<R: Rule + Default>(options: R, case: &Case) -> Result<(), TestCaseError> {
    let parameters = case.parameters::<f32>();
    let mut stepper = RuleOptimizer::with(parameters.clone(), options).unwrap();
    let half = case.grads.len() / 2;
    for step in 0..half {
        case.set_grads(step, &parameters);
        stepper.step().unwrap();
    }
    let map = stepper.state_dict();
    let copies: Vec<Parameter> = parameters.iter().map(|parameter| parameter.copy()).collect();
    let mut resumed = RuleOptimizer::with(copies.clone(), R::default()).unwrap();
    resumed.load_state_dict(&copied(&map)).unwrap();
    prop_assert_eq!(&resumed.state_dict(), &map);
    for step in half..case.grads.len() {
        case.set_grads(step, &parameters);
        case.set_grads(step, &copies);
        stepper.step().unwrap();
        resumed.step().unwrap();
    }
    prop_assert_eq!(bits(&parameters), bits(&copies));
    prop_assert_eq!(stepper.state_dict(), resumed.state_dict());
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sgd_goes_on_bit_for_bit(options in sgd(), case in case()) {
        check_resumed(options, &case)?;
    }

    #[test]
    fn adam_goes_on_bit_for_bit(options in adam(), case in case()) {
        check_resumed(options, &case)?;
    }

    #[test]
    fn adam_w_goes_on_bit_for_bit(options in adam_w(), case in case()) {
        check_resumed(options, &case)?;
    }

    #[test]
    fn rms_prop_goes_on_bit_for_bit(options in rms_prop(), case in case()) {
        check_resumed(options, &case)?;
    }
}

fn states_of<R: Rule>(options: R) -> Vec<String> {
    let w = parameter::<f32, 2>([1.0, 2.0]);
    let mut stepper = RuleOptimizer::with([w.clone()], options).unwrap();
    assert_eq!(names(&stepper), ["state.0.step"], "none before the first step");
    set_grad(&w, &[0.5, -0.5]);
    stepper.step().unwrap();
    names(&stepper)
        .into_iter()
        .map(|name| name.replace("state.0.", ""))
        .filter(|name| name != "step")
        .collect()
}

#[test]
fn there_are_only_the_states_that_the_options_ask_for() {
    assert_eq!(states_of(SgdOptions::default()), [""; 0]);
    assert_eq!(states_of(SgdOptions::default().momentum(0.9)), ["momentum_buffer"]);
    assert_eq!(states_of(AdamOptions::default()), ["exp_avg", "exp_avg_sq"]);
    assert_eq!(states_of(AdamWOptions::default()), ["exp_avg", "exp_avg_sq"]);
    assert_eq!(states_of(AdamOptions::default().amsgrad(true)), ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]);
    assert_eq!(states_of(AdamWOptions::default().amsgrad(true)), ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]);
    assert_eq!(states_of(RmsPropOptions::default()), ["square_avg"]);
    assert_eq!(states_of(RmsPropOptions::default().centered(true)), ["grad_avg", "square_avg"]);
    assert_eq!(states_of(RmsPropOptions::default().momentum(0.5)), ["momentum_buffer", "square_avg"]);
    let both = RmsPropOptions::default().momentum(0.5).centered(true);
    assert_eq!(states_of(both), ["grad_avg", "momentum_buffer", "square_avg"]);
}

#[test]
fn options_are_saved_under_their_names() {
    let w = parameter::<f32, 2>([1.0, 2.0]);
    let map =
        Sgd::with([w], SgdOptions::default().lr(0.5).momentum(0.25).nesterov(true)).unwrap().state_dict();
    let numbers: Vec<(&str, f64)> = map.names().map(|name| (name, map.number(name).unwrap())).collect();
    let expected = [
        ("group.0.dampening", 0.0),
        ("group.0.initial_lr", 0.5),
        ("group.0.lr", 0.5),
        ("group.0.maximize", 0.0),
        ("group.0.momentum", 0.25),
        ("group.0.nesterov", 1.0),
        ("group.0.weight_decay", 0.0),
        ("state.0.step", 0.0),
        ("version", 2.0),
    ];
    assert_eq!(numbers, expected);
}

#[test]
fn options_changed_since_the_last_step_can_be_saved() {
    // Momentum begins after the save: its first step takes the gradient whole, whatever the dampening.
    let w = parameter::<f32, 2>([1.0, 2.0]);
    let mut sgd = Sgd::new([w.clone()], 0.1).unwrap();
    set_grad(&w, &[1.0, 2.0]);
    sgd.step().unwrap();
    let options = &mut sgd.groups_mut()[0].options;
    (options.momentum, options.dampening) = (0.9, 0.5);
    let map = copied(&sgd.state_dict());
    assert_eq!(map.get("state.0.momentum_buffer").unwrap().shape(), vec![0]);

    let copy = w.copy::<f32>();
    let mut resumed = Sgd::new([copy.clone()], 1.0).unwrap();
    resumed.load_state_dict(&map).unwrap();
    for (optimizer, parameter) in [(&mut sgd, &w), (&mut resumed, &copy)] {
        let before = parameter.to_vec();
        set_grad(parameter, &[1.0, 2.0]);
        optimizer.step().unwrap();
        assert_eq!(parameter.to_vec(), vec![before[0] - 0.1, before[1] - 0.1 * 2.0]);
    }
    assert_eq!(sgd.state_dict(), resumed.state_dict());

    // And momentum that ends takes its state along.
    sgd.groups_mut()[0].options.momentum = 0.0;
    resumed.load_state_dict(&copied(&sgd.state_dict())).unwrap();
    assert_eq!(names(&resumed), ["state.0.step"]);
    resumed.step().unwrap();
    sgd.step().unwrap();
    assert_eq!(
        (names(&resumed), names(&sgd)),
        (vec!["state.0.step".to_string()], vec!["state.0.step".to_string()])
    );
    assert_eq!(bits(&[w]), bits(&[copy]));
}

#[test]
fn groups_are_saved_in_order() {
    let make = || {
        let [a, b, c] = [1.0, 2.0, 3.0].map(|x| parameter::<f32, 1>([x]));
        let mut adam = Adam::new([a.clone(), b.clone()], 0.1).unwrap();
        adam.add_group([c.clone()], AdamOptions::default().lr(0.5).amsgrad(true)).unwrap();
        ([a, b, c], adam)
    };
    let ([a, _, c], mut adam) = make();
    set_grad(&a, &[1.0]);
    set_grad(&c, &[-1.0]);
    adam.step().unwrap();
    let expected = [
        "0.exp_avg",
        "0.exp_avg_sq",
        "0.step",
        "1.step",
        "2.exp_avg",
        "2.exp_avg_sq",
        "2.max_exp_avg_sq",
        "2.step",
    ];
    assert_eq!(names(&adam), expected.map(|name| format!("state.{name}")));
    let (_, mut other) = make();
    other.set_lr(7.0);
    other.load_state_dict(&copied(&adam.state_dict())).unwrap();
    assert_eq!(other.state_dict(), adam.state_dict());
    assert_eq!((other.groups()[0].options.lr, other.groups()[1].options.lr), (0.1, 0.5));
}

/// Two parameters after two steps.
fn stepped() -> ([Parameter; 2], Adam) {
    let parameters = [parameter::<f32, 3>([1.0, 2.0, 3.0]), Parameter::new(Tensor::zeros([2, 2]))];
    let mut adam = Adam::new(parameters.clone(), 0.1).unwrap();
    for _ in 0..2 {
        set_grad(&parameters[0], &[0.5, 0.25, -1.0]);
        set_grad(&parameters[1], &[1.0; 4]);
        adam.step().unwrap();
    }
    (parameters, adam)
}

/// The map without some names.
fn without(map: &TensorMap, names: &[&str]) -> TensorMap {
    let mut rest = TensorMap::new();
    for name in map.names().filter(|name| !names.contains(name)) {
        rest.insert(name, map.get(name).unwrap().clone());
    }
    rest
}

fn refused<R: Rule>(stepper: &mut RuleOptimizer<R>, map: &TensorMap) -> Error {
    let before = (stepper.state_dict(), bits(&stepper.parameters()));
    let error = stepper.load_state_dict(map).unwrap_err();
    assert_eq!((stepper.state_dict(), bits(&stepper.parameters())), before, "changed in spite of {error}");
    error
}

#[test]
fn one_error_lists_all_that_does_not_fit() {
    let (_, saved) = stepped();
    let mut map = without(&saved.state_dict(), &["group.0.eps", "state.0.exp_avg"]);
    map.insert_number("group.0.lr", 0.7);
    map.insert("group.0.beta1", Tensor::<f64>::zeros([2]));
    map.insert("state.0.exp_avg_sq", Tensor::<f32>::zeros([4]));
    map.insert("state.1.exp_avg", Tensor::<f32>::zeros([4]));
    map.insert("state.1.max_exp_avg_sq", Tensor::<f32>::zeros([2, 2]));
    map.insert_number("state.2.step", 1.0);
    map.insert_number("group.1.lr", 1.0);
    map.insert_number("epoch", 3.0);
    let (_, mut adam) = stepped();
    let error = refused(&mut adam, &copied(&map));
    let list = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let expected = Error::Mismatch {
        missing: list(&["group.0.eps", "state.0.exp_avg"]),
        unexpected: list(&["epoch", "group.1.lr", "state.1.max_exp_avg_sq", "state.2.step"]),
        misshapen: list(&[
            "group.0.beta1 expected [], got [2]",
            "state.0.exp_avg_sq expected [3], got [4]",
            "state.1.exp_avg expected [2, 2], got [4]",
        ]),
    };
    assert_eq!(error, expected);
    let text = "the values do not fit, nothing was changed\n  \
        missing: group.0.eps, state.0.exp_avg\n  \
        unexpected: epoch, group.1.lr, state.1.max_exp_avg_sq, state.2.step\n  \
        of another shape: group.0.beta1 expected [], got [2], state.0.exp_avg_sq expected [3], got [4], \
        state.1.exp_avg expected [2, 2], got [4]";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_missing_step_count_says_nothing_about_the_states() {
    let (_, mut adam) = stepped();
    let map = without(&adam.state_dict(), &["state.1.step"]);
    let Error::Mismatch { missing, unexpected, misshapen } = refused(&mut adam, &map) else { panic!() };
    assert_eq!(missing, ["state.1.step"]);
    assert!(unexpected.is_empty() && misshapen.is_empty());
}

#[test]
fn states_before_the_first_step_are_unexpected() {
    let (_, mut adam) = stepped();
    let mut map = adam.state_dict();
    map.insert_number("state.1.step", 0.0);
    let Error::Mismatch { missing, unexpected, misshapen } = refused(&mut adam, &map) else { panic!() };
    assert_eq!(unexpected, ["state.1.exp_avg", "state.1.exp_avg_sq"]);
    assert!(missing.is_empty() && misshapen.is_empty());
}

#[test]
fn what_was_saved_before_the_first_step_starts_over() {
    let (parameters, mut adam) = stepped();
    let fresh = Adam::new(parameters, 0.1).unwrap().state_dict();
    adam.load_state_dict(&copied(&fresh)).unwrap();
    assert_eq!(adam.state_dict(), fresh);
}

#[test]
fn a_missing_option_says_nothing_about_the_states() {
    let w = parameter::<f32, 1>([1.0]);
    let mut sgd = Sgd::with([w.clone()], SgdOptions::default().momentum(0.9)).unwrap();
    set_grad(&w, &[1.0]);
    sgd.step().unwrap();
    let map = without(&sgd.state_dict(), &["group.0.momentum"]);
    let Error::Mismatch { missing, unexpected, misshapen } = refused(&mut sgd, &map) else { panic!() };
    assert_eq!(missing, ["group.0.momentum"]);
    assert!(unexpected.is_empty() && misshapen.is_empty());
}

#[test]
fn another_optimizers_file_is_refused() {
    let (parameters, adam) = stepped();
    let mut rms_prop = RmsProp::new(parameters, 0.1).unwrap();
    let Error::Mismatch { missing, unexpected, .. } = refused(&mut rms_prop, &adam.state_dict()) else {
        panic!()
    };
    let absent =
        ["group.0.alpha", "group.0.momentum", "group.0.centered", "state.0.square_avg", "state.1.square_avg"];
    assert_eq!(missing, absent);
    assert!(
        unexpected.contains(&"group.0.beta1".to_string())
            && unexpected.contains(&"state.1.exp_avg".to_string())
    );
}

#[test]
fn a_loaded_optimizer_changes_its_own_parameters() {
    let (_, saved) = stepped();
    let own = [parameter::<f32, 3>([1.0, 2.0, 3.0]), Parameter::new(Tensor::zeros([2, 2]))];
    let mut adam_w = AdamW::new(own.clone(), 0.3).unwrap();
    adam_w.load_state_dict(&saved.state_dict()).unwrap();
    assert_eq!(adam_w.lr(), 0.1);
    assert_eq!(own[0].to_vec(), vec![1.0, 2.0, 3.0], "loading steps nothing");
    set_grad(&own[0], &[1.0; 3]);
    adam_w.step().unwrap();
    assert!(own[0].to_vec()[0] < 1.0);
}
