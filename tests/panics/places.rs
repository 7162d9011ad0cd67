//! Closures, and what users make of modules and optimizers.

use wengert::nn::{Visitor, VisitorMut};
use wengert::optim::{Rule, RuleOptimizer, Update};
use wengert::prelude::*;
use wengert::{detect_anomaly, enable_grad, jacobian, scope, with_generator, with_plain};

use crate::leaf;
use crate::whole::{leaves_everything_whole, mistake};

#[test]
fn closures_that_run_in_a_mode_of_the_thread() {
    leaves_everything_whole(|| no_grad(|| mistake()));
    leaves_everything_whole(|| enable_grad(|| no_grad(|| mistake())));
    leaves_everything_whole(|| with_plain(|| mistake()));
    leaves_everything_whole(|| scope("outer", || scope("inner", || mistake())));
    leaves_everything_whole(|| {
        let _ = detect_anomaly::<()>(|| mistake());
    });
    leaves_everything_whole(|| with_generator(|_| mistake()));
}

#[test]
fn closures_over_elements() {
    let at_the_50th = |i: usize| if i == 50 { mistake() } else { i as f32 };
    leaves_everything_whole(|| drop(Tensor::from_fn([10, 10], at_the_50th)));
    leaves_everything_whole(|| drop(Tensor::from_fn([100], |i| i as i64).map(|i| at_the_50th(i as usize))));
    leaves_everything_whole(|| {
        let _ = Tensor::<f32>::zeros([3]).zip(&Tensor::<f32>::zeros([3]), |_, _| -> f32 { mistake() });
    });
}

#[test]
fn functions_that_are_differentiated() {
    leaves_everything_whole(|| {
        let x = leaf::<f64>(&[3]);
        let _ = jacobian(|x| if x[0].requires_grad() { mistake() } else { vec![x[0].exp()] }, &[&x]);
    });
}

#[test]
fn updates_of_a_parameter_which_changes_and_is_read_as_before() {
    let p = Parameter::new(Tensor::from([1.0f32, 2.0]));
    leaves_everything_whole(|| {
        let _ = p.update("half", |values| {
            values[0] = 5.0;
            mistake()
        });
    });
    assert_eq!(p.to_vec(), [5.0, 2.0]);
    p.update("whole", |values| values.fill(3.0)).unwrap();
    p.square().sum().backward().unwrap();
    assert_eq!((p.to_vec(), p.grad().unwrap().to_vec()), (vec![3.0, 3.0], vec![6.0, 6.0]));
}

wengert::optim::options! {
    /// Options of a rule that fails.
    Failing, "Failing" {
        /// Learning rate.
        lr: f64 = 0.1;
    }
}

impl Rule for Failing {
    fn states(&self) -> &'static [&'static str] {
        &["state"]
    }
    fn is_elementwise(&self) -> bool {
        true
    }
    fn update<T: Float>(&self, _: Update<'_, T>) {
        mistake();
    }
}

#[test]
fn rules_of_optimizers() {
    for len in [3, 200_000] {
        let p = Parameter::new(Tensor::<f32>::ones([len]));
        p.set_grad(Some(Variable::new(Tensor::ones([len]))));
        leaves_everything_whole(|| {
            let _ = RuleOptimizer::with([p.clone()], Failing::default()).unwrap().step();
        });
        Sgd::new([p.clone()], 0.5).unwrap().step().unwrap();
        assert!(p.to_vec().iter().all(|&x| x == 0.5));
    }
}

/// A layer, and a recurrent cell, that fails.
#[derive(Clone)]
struct Broken;

impl Module for Broken {
    type Element = f32;
    fn visit(&self, _: &mut Visitor<'_, f32>) {}
    fn visit_mut(&mut self, _: &mut VisitorMut<'_, f32>) {}
}

impl Forward for Broken {
    fn forward(&self, _: &Variable) -> Result<Variable> {
        mistake()
    }
}

impl Cell for Broken {
    type State = Variable;
    fn input_size(&self) -> usize {
        3
    }
    fn output_size(&self) -> usize {
        3
    }
    fn zero_state(&self, batch: usize) -> Variable {
        Tensor::zeros([batch, 3]).into()
    }
    fn project(&self, x: &Variable) -> Variable {
        x.clone()
    }
    fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
        if x.value().to_vec()[0] > 2.0 { mistake() } else { (h + x, x.tanh()) }
    }
}

#[test]
fn forwards_of_modules() {
    leaves_everything_whole(|| {
        let model = Sequential::new((Linear::new(3, 3).unwrap(), Broken));
        let _ = scope("model", || model.forward(&leaf(&[2, 3])));
    });
}

#[test]
fn steps_of_cells() {
    for every in [None, Some(2)] {
        leaves_everything_whole(|| {
            let mut rnn = Recurrent::of(3, |_| Ok(Broken)).bidirectional(true);
            if let Some(steps) = every {
                rnn = rnn.checkpointing(Checkpointing::Every(steps));
            }
            let x = Tensor::from_fn([5, 1, 3], |i| i as f32 / 4.0);
            let _ = rnn.build().unwrap().forward(&Variable::new(x).requires_grad_(true), None);
        });
    }
}
