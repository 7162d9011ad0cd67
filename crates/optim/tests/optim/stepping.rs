//! Which parameters a step changes, and with which options.

use wengert_core::{Parameter, Tensor, Variable};
use wengert_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, Optimizer, RmsProp, RmsPropOptions, Sgd, SgdOptions,
};

use crate::{names, parameter, set_grad};

#[test]
fn defaults_are_pytorchs() {
    let SgdOptions { lr, momentum, dampening, weight_decay, nesterov, maximize, .. } = SgdOptions::default();
    assert_eq!(
        (lr, momentum, dampening, weight_decay, nesterov, maximize),
        (1e-3, 0.0, 0.0, 0.0, false, false)
    );
    let AdamOptions { lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, .. } = AdamOptions::default();
    assert_eq!((lr, beta1, beta2, eps, weight_decay), (1e-3, 0.9, 0.999, 1e-8, 0.0));
    assert!(!amsgrad && !maximize);
    let AdamWOptions { lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, .. } = AdamWOptions::default();
    assert_eq!((lr, beta1, beta2, eps, weight_decay), (1e-3, 0.9, 0.999, 1e-8, 1e-2));
    assert!(!amsgrad && !maximize);
    let RmsPropOptions { lr, alpha, eps, weight_decay, momentum, centered, maximize, .. } =
        RmsPropOptions::default();
    assert_eq!((lr, alpha, eps, weight_decay, momentum), (1e-2, 0.99, 1e-8, 0.0, 0.0));
    assert!(!centered && !maximize);
}

#[test]
fn a_tied_parameter_is_stepped_once() {
    let w = parameter::<f64, 1>([1.0]);
    let mut sgd = Sgd::new([w.clone(), w.clone(), w.clone()], 0.25).unwrap();
    (w.square().sum() + w.sum()).backward().unwrap();
    sgd.step().unwrap();
    assert_eq!(w.to_vec(), vec![1.0 - 0.25 * 3.0]);
    assert_eq!(sgd.parameters().len(), 1);
    assert_eq!(names(&sgd), ["state.0.step"]);
}

#[test]
fn a_frozen_parameter_is_skipped() {
    let [a, b] = [parameter::<f64, 1>([1.0]), parameter([1.0])];
    let mut adam = Adam::new([a.clone(), b.clone()], 0.1).unwrap();
    set_grad(&a, &[1.0]);
    set_grad(&b, &[1.0]);
    b.set_requires_grad(false);
    adam.step().unwrap();
    assert_eq!(b.to_vec(), vec![1.0]);
    assert_eq!(names(&adam), ["state.0.exp_avg", "state.0.exp_avg_sq", "state.0.step", "state.1.step"]);
    assert_eq!(adam.state_dict().number("state.1.step"), Ok(0.0));
    // Its first step, later, is as the other's was.
    let first = a.to_vec();
    b.set_requires_grad(true);
    a.zero_grad();
    adam.step().unwrap();
    assert_eq!((a.to_vec(), b.to_vec()), (first.clone(), first));
    assert_eq!(adam.state_dict().number("state.0.step"), Ok(1.0));
}

#[test]
fn a_frozen_parameter_may_be_needed() {
    let [a, b] = [parameter::<f64, 1>([1.0]), parameter([1.0])];
    let mut sgd = Sgd::new([a.clone(), b.clone()], 0.5).unwrap();
    set_grad(&a, &[1.0]);
    set_grad(&b, &[1.0]);
    let needs = b.square();
    b.set_requires_grad(false);
    sgd.step().unwrap();
    assert_eq!((a.to_vec(), b.to_vec(), needs.to_vec()), (vec![0.5], vec![1.0], vec![1.0]));
}

#[test]
fn groups_have_options_of_their_own() {
    let [a, b] = [parameter::<f64, 1>([1.0]), parameter([1.0])];
    let mut sgd = Sgd::new([a.clone()], 0.25).unwrap();
    sgd.add_group([b.clone()], SgdOptions::default().lr(0.5).maximize(true)).unwrap();
    set_grad(&a, &[1.0]);
    set_grad(&b, &[1.0]);
    sgd.step().unwrap();
    assert_eq!((a.to_vec(), b.to_vec()), (vec![0.75], vec![1.5]));
    assert_eq!(sgd.lr(), 0.25, "the first group's");
    sgd.groups_mut()[1].options.lr = 1.0;
    sgd.step().unwrap();
    assert_eq!((a.to_vec(), b.to_vec()), (vec![0.5], vec![2.5]));
    sgd.set_lr(0.125);
    sgd.step().unwrap();
    assert_eq!((a.to_vec(), b.to_vec()), (vec![0.375], vec![2.625]));
    let of_groups: Vec<usize> =
        sgd.groups().iter().flat_map(|group| group.parameters()).map(|p| p.id()).collect();
    assert_eq!(of_groups, [a.id(), b.id()]);
}

#[test]
fn rates_are_set_by_group_and_scaled_together() {
    let [a, b] = [parameter::<f64, 1>([1.0]), parameter([1.0])];
    let mut sgd = Sgd::new([a.clone()], 0.25).unwrap();
    sgd.add_group([b.clone()], SgdOptions::default().lr(1.0)).unwrap();
    assert_eq!(sgd.lrs(), [0.25, 1.0]);
    sgd.set_group_lr(1, 0.5).unwrap();
    assert_eq!(sgd.lrs(), [0.25, 0.5], "the other group's stays");
    sgd.scale_lr(0.5);
    assert_eq!(sgd.lrs(), [0.125, 0.25]);
    [&a, &b].into_iter().for_each(|parameter| set_grad(parameter, &[1.0]));
    sgd.step().unwrap();
    assert_eq!((a.to_vec(), b.to_vec()), (vec![0.875], vec![0.75]));
}

#[test]
fn zero_grad_leaves_no_gradient() {
    let [a, b] = [parameter::<f64, 1>([1.0]), parameter([1.0])];
    let mut sgd = Sgd::new([a.clone(), b.clone()], 0.1).unwrap();
    a.square().sum().backward().unwrap();
    assert!(a.grad().is_some() && b.grad().is_none());
    sgd.zero_grad();
    assert!(a.grad().is_none() && b.grad().is_none());
    sgd.step().unwrap();
    assert_eq!(a.to_vec(), vec![1.0]);
    let steps = ["state.0.step", "state.1.step"].map(|name| sgd.state_dict().number(name).unwrap());
    assert_eq!(steps, [0.0; 2], "no step was taken");
}

#[test]
fn an_infinite_element_stays_when_nothing_pulls_at_it() {
    // As a learned mask has: its gradient is 0.
    let start = [f64::NEG_INFINITY, 1.0];
    let parameters: Vec<Parameter<f64>> = (0..4).map(|_| parameter(start)).collect();
    let own = |i: usize| [parameters[i].clone()];
    let mut optimizers: Vec<Box<dyn Optimizer<f64>>> = vec![
        Box::new(Sgd::new(own(0), 0.1).unwrap()),
        Box::new(Adam::new(own(1), 0.1).unwrap()),
        Box::new(AdamW::new(own(2), 0.1).unwrap()),
        Box::new(RmsProp::new(own(3), 0.1).unwrap()),
    ];
    for _ in 0..3 {
        parameters.iter().for_each(|parameter| set_grad(parameter, &[0.0, 1.0]));
        optimizers.iter_mut().for_each(|optimizer| optimizer.step().unwrap());
    }
    for parameter in &parameters {
        let got = parameter.to_vec();
        assert!(got[0] == f64::NEG_INFINITY && got[1] < 1.0, "{got:?}");
    }
}

#[test]
fn plain_tensors_keep_the_value_before_the_step() {
    let start = Tensor::from([1.0f32, 2.0]);
    let w = Parameter::new(start.clone());
    let seen = w.value();
    let mut sgd = Sgd::new([w.clone()], 1.0).unwrap();
    // A gradient that is the value itself.
    w.set_grad(Some(Variable::from(w.value())));
    sgd.step().unwrap();
    assert_eq!(w.to_vec(), vec![0.0, 0.0]);
    assert_eq!((start.to_vec(), seen.to_vec()), (vec![1.0, 2.0], vec![1.0, 2.0]));
}

#[test]
fn each_optimizer_reaches_the_minimum() {
    let target = Variable::from(Tensor::from([1.0f32, -2.0, 0.5]));
    let reach = |make: &dyn Fn([Parameter; 1]) -> Box<dyn Optimizer>| {
        let w = parameter::<f32, 3>([0.0; 3]);
        let mut optimizer = make([w.clone()]);
        for step in 0..600 {
            optimizer.set_lr(0.05 * (1.0 - f64::from(step) / 600.0));
            optimizer.zero_grad();
            (&*w - &target).square().sum().backward().unwrap();
            optimizer.step().unwrap();
        }
        let far = w.to_vec().iter().zip(target.to_vec()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-3, "{far}");
    };
    reach(&|w| Box::new(Sgd::with(w, SgdOptions::default().momentum(0.9).nesterov(true)).unwrap()));
    reach(&|w| Box::new(Adam::with(w, AdamOptions::default().amsgrad(true)).unwrap()));
    reach(&|w| Box::new(AdamW::with(w, AdamWOptions::default().weight_decay(0.0)).unwrap()));
    reach(&|w| Box::new(RmsProp::new(w, 0.05).unwrap()));
}

/// A centred RMSprop under gradients that stay as they are, where the variance is all rounding.
fn under_steady_gradients<T: wengert_core::Float>() {
    let options = RmsPropOptions::default().lr(1e-6).centered(true);
    let spread = |i: usize| (1.0 + (i * 7919 % 1009) as f64 / 1009.0) * 10f64.powi(i as i32 % 9 - 4);
    let w = Parameter::<T>::new(Tensor::zeros([500]));
    set_grad(&w, &(0..500).map(spread).collect::<Vec<_>>());
    let mut rms_prop = RmsProp::with([w.clone()], options.clone()).unwrap();
    for step in 1..=3000 {
        rms_prop.step().unwrap();
        if step % 500 == 0 {
            let lost = w.to_vec().iter().filter(|x| !x.to_f64().is_finite()).count();
            assert_eq!(lost, 0, "of 500 parameters after {step} steps in {}", T::NAME);
        }
    }
    let spoilt = Parameter::<T>::new(Tensor::zeros([1]));
    set_grad(&spoilt, &[f64::NAN]);
    RmsProp::with([spoilt.clone()], options).unwrap().step().unwrap();
    assert!(spoilt.to_vec()[0].to_f64().is_nan(), "a gradient that is NaN is not hidden");
}

#[test]
fn a_centred_variance_is_never_negative_under_steady_gradients() {
    under_steady_gradients::<f32>();
    under_steady_gradients::<f64>();
}
