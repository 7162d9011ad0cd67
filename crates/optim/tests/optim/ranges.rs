//! Numbers of a saved state outside what the arithmetic can take, and what is taken all the same.

use wengert_core::{AnyTensor, Error, Parameter, Tensor, TensorMap};
use wengert_optim::{
    Adam, AdamOptions, Optimizer, RmsProp, RmsPropOptions, Rule, RuleOptimizer, Sgd, SgdOptions,
};

use crate::{bits, parameter, set_grad};

/// Two parameters, the second not stepped.
fn stepped<R: Rule>(options: R) -> ([Parameter; 2], RuleOptimizer<R>) {
    let parameters = [parameter::<f32, 3>([1.0, 2.0, 3.0]), parameter([4.0])];
    let mut stepper = RuleOptimizer::with(parameters.clone(), options).unwrap();
    for _ in 0..3 {
        set_grad(&parameters[0], &[0.5, 0.25, -1.0]);
        stepper.step().unwrap();
    }
    (parameters, stepper)
}

/// A load that is refused, in these words, and changes nothing: neither values nor steps nor states.
#[track_caller]
fn refused<R: Rule>(stepper: &mut RuleOptimizer<R>, map: &TensorMap) -> Error {
    let before = (stepper.state_dict().to_bytes().unwrap(), bits(&stepper.parameters()));
    let error = stepper.load_state_dict(map).unwrap_err();
    let after = (stepper.state_dict().to_bytes().unwrap(), bits(&stepper.parameters()));
    assert!(before == after, "changed in spite of {error}");
    error
}

#[test]
fn steps_are_whole_numbers_that_a_file_holds_exactly() {
    let (_, mut adam) = stepped(AdamOptions::default());
    let good = adam.state_dict();
    let numbers = [-1.0, 0.5, 1e300, 18446744073709551616.0, 9007199254740994.0, f64::INFINITY, f64::NAN];
    for step in numbers {
        let mut map = good.clone();
        map.insert_number("state.0.step", step);
        let expected =
            format!("Adam: step must be a whole number from 0 to 2^53, got {step} for state.0.step");
        assert_eq!(refused(&mut adam, &map).to_string(), expected);
        // Of the form without a version, in which only what was stepped has a count.
        let mut old = TensorMap::new();
        let names = map.names().filter(|name| !["version", "state.1.step"].contains(name));
        names.for_each(|name| old.insert(name, map.get(name).unwrap().clone()));
        let expected = expected.replace("from 0", "from 1");
        assert_eq!(refused(&mut adam, &old).to_string(), expected);
        old.insert_number("state.0.step", 0.0);
        assert!(refused(&mut adam, &old).to_string().ends_with("got 0 for state.0.step"));
    }
}

#[test]
fn the_largest_step_count_that_is_accepted_can_be_stepped() {
    for options in [AdamOptions::default(), AdamOptions::default().amsgrad(true).beta1(0.0)] {
        let (parameters, mut adam) = stepped(options);
        let mut map = adam.state_dict();
        map.insert_number("state.0.step", (1u64 << 53) as f64);
        adam.load_state_dict(&map).unwrap();
        set_grad(&parameters[0], &[0.5, 0.25, -1.0]);
        adam.step().unwrap();
        adam.step().unwrap();
        assert!(parameters[0].to_vec().iter().all(|x| x.is_finite()));
        adam.load_state_dict(&adam.state_dict()).unwrap();
    }
}

#[test]
fn options_outside_their_ranges_are_refused() {
    let (_, mut adam) = stepped(AdamOptions::default());
    for (name, value, expected) in [
        ("group.0.lr", -1.0, "Adam: lr must be at least 0, got -1"),
        ("group.0.lr", f64::INFINITY, "Adam: lr must be finite, got inf"),
        ("group.0.eps", f64::NAN, "Adam: eps must be at least 0, got NaN"),
        ("group.0.beta2", 1.0, "Adam: beta2 must be in [0, 1), got 1"),
        ("group.0.amsgrad", 0.5, "Adam: amsgrad must be 0 or 1, got 0.5"),
        ("group.0.maximize", f64::NAN, "Adam: maximize must be 0 or 1, got NaN"),
    ] {
        let mut map = adam.state_dict();
        map.insert_number(name, value);
        assert_eq!(refused(&mut adam, &map).to_string(), expected);
    }
}

#[test]
fn means_of_squares_below_zero_are_refused() {
    let below = Tensor::from([0.5f32, -1e-3, 0.0]);
    let (_, mut adam) = stepped(AdamOptions::default().amsgrad(true));
    for state in ["exp_avg_sq", "max_exp_avg_sq"] {
        let mut map = adam.state_dict();
        map.insert(format!("state.0.{state}"), below.clone());
        let expected = format!("Adam: {state} must be at least 0 everywhere, got ");
        let error = refused(&mut adam, &map).to_string();
        assert!(error.starts_with(&expected) && error.ends_with(&format!("in state.0.{state}")), "{error}");
    }
    let (_, mut rms_prop) = stepped(RmsPropOptions::default().centered(true).momentum(0.5));
    let mut map = rms_prop.state_dict();
    map.insert("state.0.square_avg", below.clone());
    let error = refused(&mut rms_prop, &map).to_string();
    assert!(error.starts_with("RMSprop: square_avg must be at least 0 everywhere"), "{error}");
    // Other states have either sign.
    for state in ["grad_avg", "momentum_buffer"] {
        let mut map = rms_prop.state_dict();
        map.insert(format!("state.0.{state}"), below.clone());
        rms_prop.load_state_dict(&map).unwrap();
    }
}

#[test]
fn what_an_exploded_gradient_left_is_saved_and_loaded() {
    let (parameters, mut adam) = stepped(AdamOptions::default());
    for grad in [[1e30, 0.0, f64::NAN], [f64::NEG_INFINITY, 1.0, 1.0]] {
        set_grad(&parameters[0], &grad);
        adam.step().unwrap();
        let saved = adam.state_dict();
        adam.load_state_dict(&saved).unwrap();
        assert_eq!(adam.state_dict().to_bytes().unwrap(), saved.to_bytes().unwrap());
    }
}

#[test]
fn states_are_real_numbers_and_a_step_is_one_number() {
    let (_, mut sgd) = stepped(SgdOptions::default().momentum(0.9));
    let name = "state.0.momentum_buffer";
    let wrong: [(&str, AnyTensor, &str); 5] = [
        (name, AnyTensor::Bytes(vec![1, 2, 3]), "expected [3] of f32 or f64, got [3] of u8"),
        (name, Tensor::from([1i64, 2, 3]).into(), "expected [3] of f32 or f64, got [3] of i64"),
        (name, Tensor::from([true, false, true]).into(), "expected [3] of f32 or f64, got [3] of bool"),
        ("state.0.step", Tensor::from([1.0f64, 2.0]).into(), "expected [], got [2]"),
        ("group.0.lr", Tensor::<f32>::zeros([0]).into(), "expected [], got [0]"),
    ];
    for (name, entry, expected) in wrong {
        let mut map = sgd.state_dict();
        map.insert(name, entry);
        let Error::Mismatch { missing, unexpected, misshapen } = refused(&mut sgd, &map) else { panic!() };
        assert_eq!(misshapen, [format!("{name} {expected}")]);
        assert!(missing.is_empty() && unexpected.is_empty());
    }
}

#[test]
fn versions_to_come_are_refused() {
    let (_, mut sgd) = stepped(SgdOptions::default());
    for version in [0.0, 1.0, 3.0, 2.5, f64::NAN] {
        let mut map = sgd.state_dict();
        map.insert_number("version", version);
        let expected = format!("SGD: the saved state's version must be 2, got {version}");
        assert_eq!(refused(&mut sgd, &map).to_string(), expected);
    }
}

#[test]
fn a_computed_value_with_a_gradient_is_not_stepped_and_neither_are_the_others() {
    let w = parameter::<f32, 1>([1.0]);
    let twice = Parameter::computed((&*w * 2.0).retain_grad()).named("cell.weight");
    let mut optimizers: [Box<dyn Optimizer>; 3] = [
        Box::new(Sgd::new([w.clone(), twice.clone()], 0.1).unwrap()),
        Box::new(Adam::new([w.clone(), twice.clone()], 0.1).unwrap()),
        Box::new(RmsProp::new([w.clone(), twice.clone()], 0.1).unwrap()),
    ];
    twice.square().sum().backward().unwrap();
    for optimizer in &mut optimizers {
        let error = optimizer.step().unwrap_err().to_string();
        let expected = "must be ones that can be set, got a computed value in the place of cell.weight";
        assert!(error.ends_with(expected), "{error}");
        assert_eq!(w.to_vec(), [1.0]);
    }
}
