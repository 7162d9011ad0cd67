//! Closures, and what users make of modules and optimizers.

use wengert::data::{DataLoader, Dataset, Fingerprint, VecDataset};
use wengert::nn::{Visitor, VisitorMut};
use wengert::optim::schedule::{LambdaLr, MultiplicativeLr, Schedule};
use wengert::optim::{LbfgsOptions, Rule, RuleOptimizer, Update};
use wengert::prelude::*;
use wengert::train::{Checkpoints, Kept, Stop};
use wengert::{
    Stateful, detect_anomaly, enable_grad, hessian, hvp, jacobian, jvp, record, scope, set_warning_hook,
    try_record, vjp, with_generator, with_plain,
};

use crate::leaf;
use crate::whole::{leaves_everything_whole, mistake};

/// A number that a user's code does not come to compute, of whatever it has.
fn mistake_of<T: Float>(_: &[Variable<T>]) -> f64 {
    mistake()
}

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
    leaves_everything_whole(|| drop(record(|| leaf::<f32>(&[3]).exp() * mistake_of::<f32>(&[]))));
    leaves_everything_whole(|| {
        let failed = try_record::<f32, _>(|| Ok(leaf::<f32>(&[3]).exp() * mistake_of::<f32>(&[])));
        assert!(failed.is_err());
        mistake()
    });
}

#[test]
fn the_warning_hook() {
    set_warning_hook(Some(Box::new(|_| mistake())));
    leaves_everything_whole(|| drop(Lstm::builder(2, 2).dropout(0.5).build()));
    set_warning_hook(None);
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
    let x = leaf::<f64>(&[3]);
    leaves_everything_whole(|| drop(hessian(|x| x[0].exp().sum() * mistake_of(x), &[&x])));
    leaves_everything_whole(|| drop(hvp(|x| x[0].exp().sum() * mistake_of(x), &[&x], &[&x])));
    leaves_everything_whole(|| drop(vjp(|x| vec![x[0].exp() * mistake_of(x)], &[&x], &[&x])));
    leaves_everything_whole(|| drop(jvp(|x| vec![x[0].exp() * mistake_of(x)], &[&x], &[&x])));
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

#[test]
fn closures_that_are_given_a_module() {
    let linear = Linear::new(3, 3).unwrap();
    let values = || {
        linear
            .named_parameters()
            .into_iter()
            .map(|(name, p)| (name, p.value().into()))
            .collect::<Vec<(String, Variable)>>()
    };
    leaves_everything_whole(|| drop(linear.with_parameters(&values(), |_| -> Result<()> { mistake() })));
    leaves_everything_whole(|| drop(linear.with_flat(&linear.flat(), |_| -> Result<()> { mistake() })));
    leaves_everything_whole(|| drop(watched(&linear, || mistake())));
    leaves_everything_whole(|| {
        let within = || watched(&linear, || Ok(linear.forward(&leaf(&[2, 3]))? * mistake_of::<f32>(&[])));
        let _ = summary_of(&linear, within);
    });
    assert_eq!(summary(&linear, &leaf(&[2, 3])).unwrap().total().output, Some(vec![2, 3]));
}

#[test]
fn losses_of_windows() {
    for k2 in [2, 4] {
        leaves_everything_whole(|| {
            // Anew each time: its gradients are from the thread's pool.
            let (gru, mut truncated) = (Gru::new(3, 2).unwrap(), Truncated::new(2, k2).unwrap());
            let mut window = |loss: fn(&Variable) -> Result<Variable>| {
                truncated.window(&gru, &leaf(&[2, 1, 3]), None, loss).map(drop)
            };
            window(|out| Ok(out.square().sum())).unwrap();
            let _ = window(|out| Ok(out.square().sum() * mistake_of::<f32>(&[])));
        });
    }
}

#[test]
fn losses_of_the_optimizer_that_evaluates_them() {
    for (strong_wolfe, calls) in [(false, 0), (false, 2), (true, 1)] {
        let p = Parameter::new(Tensor::from([-1.2f64, 1.0]));
        let options = || LbfgsOptions::default().strong_wolfe(strong_wolfe);
        leaves_everything_whole(|| {
            let mut left = calls;
            let loss = || {
                let loss = p.square().square().sum();
                if left == 0 {
                    Ok(loss * mistake_of::<f64>(&[]))
                } else {
                    left -= 1;
                    Ok(loss)
                }
            };
            let _ = Lbfgs::with([p.clone()], options()).unwrap().step(loss);
        });
        Lbfgs::with([p.clone()], options()).unwrap().step(|| Ok(p.square().sum())).unwrap();
    }
}

#[test]
fn functions_of_schedules() {
    let from = |step: u64| if step == 2 { mistake() } else { 0.5 };
    let (lambda, multiplicative) =
        (LambdaLr::new(0.1, from).unwrap(), MultiplicativeLr::new(0.1, from).unwrap());
    let schedules: [&(dyn Schedule + Sync); 2] = [&lambda, &multiplicative];
    for schedule in schedules {
        leaves_everything_whole(|| assert!((0..4).all(|step| schedule.lr(step) > 0.0)));
        assert_eq!(schedule.lr(1), 0.05);
    }
}

#[test]
fn conditions_to_stop() {
    let stop = Stop::new().when(|| mistake());
    leaves_everything_whole(|| stop.over(0..3).for_each(drop));
}

/// A part of a checkpoint that fails when it is saved, or when it is loaded.
struct Part {
    saves: bool,
}

impl Stateful for Part {
    fn state_dict(&self) -> TensorMap {
        if self.saves { TensorMap::new() } else { mistake() }
    }
    fn load_state_dict(&mut self, _: &TensorMap) -> Result<()> {
        mistake()
    }
}

#[test]
fn parts_of_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = &Checkpoints::new(folder.path()).unwrap();
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    leaves_everything_whole(|| {
        let _ = checkpoints.save(1, None, &Kept::new().part("part", &mut Part { saves: false }));
    });
    assert_eq!(files(), 0);
    checkpoints.save(1, None, &Kept::new().part("part", &mut Part { saves: true })).unwrap();
    leaves_everything_whole(|| {
        let _ = checkpoints.resume(&mut Kept::new().part("part", &mut Part { saves: true }));
    });
    assert_eq!(files(), 1);
}

/// Samples of which the fourth fails.
struct Samples;

impl Dataset for Samples {
    type Item = i64;
    fn len(&self) -> usize {
        6
    }
    fn get(&self, index: usize) -> Result<i64> {
        if index == 3 { mistake() } else { Ok(index as i64) }
    }
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new("samples")
    }
}

#[test]
fn samples_and_batches_on_the_callers_thread() {
    leaves_everything_whole(|| {
        let loader = DataLoader::builder(Samples).batch_size(2).shuffle(1).build().unwrap();
        loader.iter().for_each(drop);
    });
    leaves_everything_whole(|| {
        let samples = VecDataset::new((0..6i64).collect());
        let collate = |samples: Vec<i64>| if samples.contains(&3) { mistake() } else { Ok(samples) };
        let loader = DataLoader::builder(samples).batch_size(2).collate(collate).build().unwrap();
        loader.iter().for_each(drop);
    });
}
