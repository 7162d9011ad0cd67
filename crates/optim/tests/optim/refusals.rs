//! What an optimizer refuses, in its exact words.

use wengert_core::{Parameter, Result};
use wengert_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, Optimizer, RmsProp, RmsPropOptions, RuleOptimizer, Sgd,
    SgdOptions,
};

use crate::{parameter, set_grad};

fn said<R>(made: Result<RuleOptimizer<R>>) -> String {
    made.err().expect("a refusal").to_string()
}

fn w() -> [Parameter; 1] {
    [parameter([1.0, 2.0])]
}

#[test]
fn no_parameters() {
    let none = "parameters must be at least one, got none";
    assert_eq!(said(Sgd::new([], 0.1)), format!("SGD: {none}"));
    assert_eq!(said(Adam::new([], 0.1)), format!("Adam: {none}"));
    assert_eq!(said(AdamW::new([], 0.1)), format!("AdamW: {none}"));
    assert_eq!(said(RmsProp::new([], 0.1)), format!("RMSprop: {none}"));
    let mut sgd = Sgd::new(w(), 0.1).unwrap();
    assert_eq!(sgd.add_group([], SgdOptions::default()).unwrap_err().to_string(), format!("SGD: {none}"));
    assert_eq!(sgd.groups().len(), 1);
}

#[test]
fn learning_rates() {
    assert_eq!(said(Sgd::new(w(), -0.5)), "SGD: lr must be at least 0, got -0.5");
    assert_eq!(said(Adam::new(w(), -0.5)), "Adam: lr must be at least 0, got -0.5");
    assert_eq!(said(AdamW::new(w(), -0.5)), "AdamW: lr must be at least 0, got -0.5");
    assert_eq!(said(RmsProp::new(w(), -0.5)), "RMSprop: lr must be at least 0, got -0.5");
    assert_eq!(said(Sgd::new(w(), f64::NAN)), "SGD: lr must be at least 0, got NaN");
    assert_eq!(said(Adam::new(w(), f64::NAN)), "Adam: lr must be at least 0, got NaN");
    assert_eq!(said(AdamW::new(w(), f64::NAN)), "AdamW: lr must be at least 0, got NaN");
    assert_eq!(said(RmsProp::new(w(), f64::NAN)), "RMSprop: lr must be at least 0, got NaN");
    assert_eq!(said(Sgd::new(w(), f64::INFINITY)), "SGD: lr must be finite, got inf");
    assert!(Sgd::new(w(), 0.0).is_ok());
}

#[test]
fn groups_that_are_not_there_and_rates_out_of_range() {
    let [a, b, c] = [w(), w(), w()].map(|[parameter]| parameter);
    let mut sgd = Sgd::new([a.named("body"), b], 0.1).unwrap();
    sgd.add_group([c], SgdOptions::default()).unwrap();
    let error = sgd.set_group_lr(2, 0.5).unwrap_err().to_string();
    assert_eq!(error, "SGD: group must be one of 0 (body and 1 more), 1 (shape [2]), got 2");
    let before = sgd.lrs();
    sgd.scale_lr(-1.0);
    assert_eq!(sgd.step().unwrap_err().to_string(), "SGD: lr must be at least 0, got -0.1");
    sgd.scale_lr(-1.0);
    assert_eq!(sgd.lrs(), before);
}

#[test]
fn options_of_sgd() {
    let said = |options| said(Sgd::with(w(), options));
    let options = SgdOptions::default;
    assert_eq!(said(options().momentum(-0.1)), "SGD: momentum must be at least 0, got -0.1");
    assert_eq!(said(options().weight_decay(-0.1)), "SGD: weight_decay must be at least 0, got -0.1");
    assert_eq!(said(options().dampening(f64::NAN)), "SGD: dampening must be finite, got NaN");
    let nesterov = "SGD: nesterov must be used with momentum above 0 and dampening 0, got";
    assert_eq!(said(options().nesterov(true)), format!("{nesterov} momentum 0, dampening 0"));
    let damped = options().nesterov(true).momentum(0.9).dampening(0.5);
    assert_eq!(said(damped), format!("{nesterov} momentum 0.9, dampening 0.5"));
    assert!(Sgd::with(w(), options().nesterov(true).momentum(0.9)).is_ok());
}

#[test]
fn options_of_adam() {
    let adam = |options| said(Adam::with(w(), options));
    let adam_w = |options| said(AdamW::with(w(), options));
    assert_eq!(adam(AdamOptions::default().beta1(1.0)), "Adam: beta1 must be in [0, 1), got 1");
    assert_eq!(adam(AdamOptions::default().beta2(1.0)), "Adam: beta2 must be in [0, 1), got 1");
    assert_eq!(adam(AdamOptions::default().beta1(-0.1)), "Adam: beta1 must be in [0, 1), got -0.1");
    assert_eq!(adam(AdamOptions::default().beta2(f64::NAN)), "Adam: beta2 must be in [0, 1), got NaN");
    assert_eq!(adam(AdamOptions::default().eps(-1.0)), "Adam: eps must be at least 0, got -1");
    assert_eq!(
        adam(AdamOptions::default().weight_decay(-1.0)),
        "Adam: weight_decay must be at least 0, got -1"
    );
    assert_eq!(adam_w(AdamWOptions::default().beta1(1.0)), "AdamW: beta1 must be in [0, 1), got 1");
    assert_eq!(adam_w(AdamWOptions::default().beta2(1.0)), "AdamW: beta2 must be in [0, 1), got 1");
}

#[test]
fn options_of_rms_prop() {
    let said = |options| said(RmsProp::with(w(), options));
    let options = RmsPropOptions::default;
    assert_eq!(said(options().alpha(-0.1)), "RMSprop: alpha must be at least 0, got -0.1");
    assert_eq!(said(options().eps(-0.1)), "RMSprop: eps must be at least 0, got -0.1");
    assert_eq!(said(options().momentum(-0.1)), "RMSprop: momentum must be at least 0, got -0.1");
    assert_eq!(said(options().weight_decay(f64::NAN)), "RMSprop: weight_decay must be at least 0, got NaN");
}

#[test]
fn a_parameter_in_two_groups() {
    let [a, b] = [parameter::<f32, 2>([1.0, 2.0]), parameter([3.0])];
    let mut adam = Adam::new([a.clone()], 0.1).unwrap();
    let error = adam.add_group([b, a.clone()], AdamOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "Adam: parameters must be in no other group, got one of shape [2] that is");
    assert_eq!(adam.parameters().len(), 1, "none of the refused group is kept");
}

#[test]
fn options_that_were_changed_badly() {
    let [a] = w();
    let mut adam = Adam::new([a.clone()], 0.1).unwrap();
    set_grad(&a, &[1.0, 1.0]);
    adam.groups_mut()[0].options.beta1 = 1.0;
    let before = adam.state_dict();
    assert_eq!(adam.step().unwrap_err().to_string(), "Adam: beta1 must be in [0, 1), got 1");
    assert_eq!((a.to_vec(), adam.state_dict()), (vec![1.0, 2.0], before));
}

/// A step between a forward and its backward: the graph keeps what it was recorded with.
fn check_kept<O: Optimizer>(make: impl Fn([Parameter; 2]) -> O) {
    let [a, b] = [1.0, 2.0].map(|x| parameter::<f32, 2>([x, -x]));
    let mut optimizer = make([a.clone(), b.clone()]);
    let kept = (&*a * &*b).sum();
    for _ in 0..3 {
        (a.square().sum() + b.square().sum()).backward().unwrap();
        let before = a.to_vec();
        optimizer.step().unwrap();
        optimizer.zero_grad();
        assert_ne!(a.to_vec(), before);
    }
    kept.backward().unwrap();
    assert_eq!(a.grad().unwrap().to_vec(), [2.0, -2.0]);
    assert_eq!(b.grad().unwrap().to_vec(), [1.0, -1.0]);
}

#[test]
fn a_step_leaves_a_kept_graph_its_values() {
    check_kept(|p| Sgd::with(p, SgdOptions::default().momentum(0.9)).unwrap());
    check_kept(|p| Adam::new(p, 0.1).unwrap());
    check_kept(|p| AdamW::new(p, 0.1).unwrap());
    check_kept(|p| RmsProp::new(p, 0.1).unwrap());
}
