//! What there is no memory for is an error, and nothing has changed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_core::{Error, Parameter, Result, Tensor, Variable, clear_pool, set_num_threads};
use wengert_optim::{
    Averaged, Lbfgs, LbfgsOptions, Muon, Optimizer, Sgd, SgdOptions, clip_grad_norm, clip_grad_value,
};

use crate::leaving::leaving;
use crate::limited::within;

/// A gibibyte of address space.
const LIMIT: usize = 1 << 20;

fn refused<R>(operation: &str, result: Result<R>) {
    match result.err() {
        Some(Error::Memory { operation: by, .. }) => assert_eq!(by, operation),
        other => panic!("{operation}: {other:?}"),
    }
}

#[test]
fn averages_there_is_no_memory_for_are_an_error() {
    within(LIMIT, "refused::averages_there_is_no_memory_for_are_an_error", || {
        let (small, large) = (Parameter::new(Tensor::<f32>::ones([3])), Parameter::new(many()));
        let mut averaged = Averaged::ema([small.clone(), large], 0.5).unwrap();
        averaged.update().unwrap();
        small.set_value(Tensor::zeros([3])).unwrap();
        refused("Averaged::update", averaged.update());
        assert_eq!(averaged.updates(), 1);
        averaged.swap().unwrap();
        assert_eq!(small.to_vec(), [1.0; 3], "no average has moved");
    });
}

#[test]
fn steps_there_is_no_memory_for_are_an_error_and_count_for_nothing() {
    within(LIMIT, "refused::steps_there_is_no_memory_for_are_an_error_and_count_for_nothing", || {
        let large = Parameter::new(many());
        large.set_grad(Some(Variable::from(many())));
        let mut sgd = Sgd::with([large.clone()], SgdOptions::default().lr(0.1).momentum(0.9)).unwrap();
        refused("SGD", sgd.step());
        assert_eq!(sgd.state_dict().number("state.0.step"), Ok(0.0));
        let mut map = sgd.state_dict();
        map.insert_number("state.0.step", 1.0);
        map.insert("state.0.momentum_buffer", many());
        refused("SGD", sgd.load_state_dict(&map));
        assert_eq!(sgd.state_dict().number("state.0.step"), Ok(0.0));
        let small = Parameter::new(Tensor::<f32>::ones([3]));
        let mut lbfgs = Lbfgs::new([large, small.clone()], 0.1).unwrap();
        refused("LBFGS", lbfgs.step(|| Ok(small.square().sum())));
        let mut map = lbfgs.state_dict();
        map.insert_number("state.n_iter", 1.0);
        for vector in ["d", "prev_flat_grad"] {
            map.insert(format!("state.0.{vector}"), many());
        }
        for changes in ["old_dirs", "old_stps"] {
            map.insert(format!("state.0.{changes}"), Tensor::<f32>::zeros([0, 1 << 34]));
        }
        refused("LBFGS", lbfgs.load_state_dict(&map));
        assert_eq!(lbfgs.state_dict().number("state.n_iter"), Ok(0.0));
    });
}

#[test]
fn a_muon_without_memory_for_its_matrices_keeps_its_momentum() {
    within(LIMIT, "refused::a_muon_without_memory_for_its_matrices_keeps_its_momentum", || {
        set_num_threads(1);
        let w = Parameter::new(Tensor::<f32>::ones([2, 1 << 21]));
        w.set_grad(Some(Variable::from(Tensor::ones([2, 1 << 21]))));
        let mut muon = Muon::new([w], 0.1).unwrap();
        muon.step().unwrap();
        let before = muon.state_dict();
        clear_pool();
        leaving(24, || refused("Muon", muon.step()));
        assert!(muon.state_dict() == before);
        muon.step().unwrap();
    });
}

#[test]
fn gradients_that_there_is_no_memory_to_clip_stay() {
    within(LIMIT, "refused::gradients_that_there_is_no_memory_to_clip_stay", || {
        set_num_threads(1);
        let (small, large) = (Parameter::new(Tensor::<f32>::ones([3])), Parameter::new(many()));
        large.set_grad(Some(Variable::from(many())));
        refused("clip_grad_norm", clip_grad_norm(std::slice::from_ref(&large), 1.0));
        assert_eq!(large.grad().unwrap().shape(), [1 << 34]);
        // Held by somebody else, too.
        let held = Tensor::<f32>::ones([4 << 20]);
        let both = [small.clone(), Parameter::new(held.clone())];
        let grads = || both.each_ref().map(|parameter| parameter.grad().unwrap().value());
        small.set_grad(Some(Variable::from(Tensor::ones([3]))));
        both[1].set_grad(Some(Variable::from(held.clone())));
        leaving(8, || {
            refused("clip_grad_norm", clip_grad_norm(&both, 1.0));
            let clipped = catch_unwind(AssertUnwindSafe(|| clip_grad_value(&both, 0.5)));
            let message = *clipped.unwrap_err().downcast::<String>().unwrap();
            assert!(message.starts_with("clip_grad_value: there is no memory"), "{message}");
            let [one, other] = grads();
            assert_eq!((one.to_vec(), other.as_slice()), (vec![1.0; 3], held.as_slice()));
        });
        clip_grad_value(&both, 0.5);
        assert_eq!((grads()[0].to_vec(), grads()[1].at(&[7]), held.at(&[7])), (vec![0.5; 3], 0.5, 1.0));
    });
}

/// However much memory there is: a step goes all the way, or parameters are where an iteration began.
#[test]
fn lbfgs_moves_all_parameters_or_none() {
    within(LIMIT, "refused::lbfgs_moves_all_parameters_or_none", || {
        set_num_threads(1);
        let (mut refusals, mut moves) = (0, 0);
        for mebibytes in 1..56 {
            let of = |len: usize| Parameter::new(Tensor::<f32>::ones([len]));
            let (small, large) = (of(3), of(1 << 20));
            let options = LbfgsOptions::default().max_iter(1).strong_wolfe(mebibytes % 2 == 0);
            let mut lbfgs = Lbfgs::with([small.clone(), large.clone()], options).unwrap();
            let loss = || Ok(small.square().sum() + large.square().sum());
            let result = leaving(mebibytes, || catch_unwind(AssertUnwindSafe(|| lbfgs.step(loss))));
            let (a, b) = (small.value().at(&[0]), large.value().at(&[5]));
            match result.expect("no panic") {
                Ok(_) => moves += usize::from(a < 1.0 && b < 1.0),
                Err(Error::Memory { .. }) => refusals += 1,
                Err(error) => panic!("{error}"),
            }
            assert_eq!(a, b, "with {mebibytes} mebibytes");
        }
        assert!(refusals > 10 && moves > 10, "{refusals} refusals, {moves} moves");
    });
}

/// So many elements over one that there is memory for none of them.
fn many() -> Tensor<f32> {
    Tensor::scalar(1.0f32).expand(&[1 << 34]).unwrap()
}
