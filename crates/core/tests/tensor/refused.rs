//! What the allocator refuses is an error where the function returns one, elsewhere a panic that says so;
//! the process goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_core::{
    AnyTensor, Error, GradOptions, Result, Tape, Tensor, TensorMap, Variable, cat, grad, is_recording,
    jacobian, manual_seed, record, set_pool_limit,
};

use crate::limited::within;

/// A gibibyte of address space.
const LIMIT: usize = 1 << 20;
/// Elements of which there is memory for none.
const MANY: usize = 1 << 34;

/// What a function did that should have been refused for want of memory.
fn refused<R>(operation: &str, result: Result<R>) {
    match result.err() {
        Some(Error::Memory { operation: by, bytes, .. }) => {
            assert_eq!(by, operation);
            assert!(bytes >= MANY, "{operation}: {bytes}");
        }
        other => panic!("{operation}: {other:?}"),
    }
}

/// So many elements over one.
fn many() -> Variable {
    Variable::new(Tensor::scalar(1.0f32).expand(&[MANY]).unwrap())
}

#[test]
fn functions_that_return_a_result_give_an_error() {
    within(LIMIT, "refused::functions_that_return_a_result_give_an_error", || {
        refused("arange", Tensor::<f32>::arange(0.0, 1e13, 1.0));
        refused("bernoulli", Tensor::<f32>::bernoulli([MANY], 0.5));
        let index = Tensor::from([1i64, 0]);
        refused("one_hot", index.one_hot::<f32>(MANY));
        refused("one_hot", index.unsqueeze(1).unwrap().expand(&[2, MANY]).unwrap().one_hot::<f32>(2));
        let x = many().value();
        let rows = Tensor::from([[1.0f32], [2.0]]).expand(&[2, MANY]).unwrap();
        refused("reshape", rows.reshape([2 * MANY]));
        refused("zip", x.zip(&x, |a, b| a + b));
        refused("argsort", x.argsort(0));
        refused("dropout", many().dropout(0.5));
        let targets = Tensor::scalar(0i64).expand(&[MANY]).unwrap();
        refused("cross_entropy", many().unsqueeze(1).cross_entropy(&targets, -1));
        let map = TensorMap::from_iter([("x", x)]);
        refused("TensorMap::to_bytes", map.to_bytes());
        refused("TensorMap::save", map.save(std::env::temp_dir().join("never-there")));
        refused("TensorMap::tensor", map.tensor::<f32>("x"));
        refused("TensorMap::tensor", map.tensor::<i64>("x"));
    });
}

/// The tensors are there, the file's content would be too much beside them.
#[test]
fn maps_of_which_there_is_no_memory_for_a_file_are_refused() {
    within(LIMIT, "refused::maps_of_which_there_is_no_memory_for_a_file_are_refused", || {
        const EACH: usize = 24 << 20;
        fn content(of: impl Into<AnyTensor>) -> Result<Vec<u8>> {
            let of = of.into();
            TensorMap::from_iter((0..64).map(|i| (i.to_string(), of.clone()))).to_bytes()
        }
        let big = |result: Result<Vec<u8>>| match result {
            Err(Error::Memory { operation: "TensorMap::to_bytes", bytes, .. }) => assert!(bytes > 64 * EACH),
            other => panic!("{other:?}"),
        };
        big(content(Tensor::<f32>::zeros([EACH / 4])));
        big(content(Tensor::<f64>::zeros([EACH / 8])));
        big(content(Tensor::<i64>::zeros([EACH / 8])));
        big(content(Tensor::from_fn([EACH], |_| true)));
        // Half of the limit, written once and in one piece.
        let part = Tensor::<f32>::zeros([8 << 20]);
        let half = TensorMap::from_iter((0..16).map(|i| (i.to_string(), part.clone())));
        assert!(half.to_bytes().unwrap().len() > 512 << 20);
    });
}

/// There is memory for one value of the shape, but not for all that is needed.
#[test]
fn what_there_is_half_the_memory_for_is_refused_too() {
    within(LIMIT / 4, "refused::what_there_is_half_the_memory_for_is_refused_too", || {
        const HALF: usize = 18 << 20;
        let small = |operation: &str, result: Result<Variable<f64>>| match result {
            Err(Error::Memory { operation: by, .. }) => assert_eq!(by, operation),
            other => panic!("{operation}: {:?}", other.map(|y| y.numel())),
        };
        let x = Variable::new(Tensor::scalar(1.0f64).expand(&[HALF]).unwrap());
        small("dropout", x.dropout(0.5));
        let targets = Tensor::scalar(0i64).expand(&[HALF]).unwrap();
        small("cross_entropy", x.unsqueeze(1).cross_entropy(&targets, -1));
    });
}

#[test]
fn a_refused_backward_is_an_error_and_leaves_the_thread_as_it_was() {
    within(LIMIT, "refused::a_refused_backward_is_an_error_and_leaves_the_thread_as_it_was", || {
        // Forward takes no memory to speak of: the cotangent does.
        let x = Variable::new(many().value()).requires_grad_(true);
        let y = || x.narrow(0, 0, 3).square().sum();
        refused("backward", y().backward());
        refused("grad", grad(&[&y()], &[&x], GradOptions::default()));
        refused("grad", jacobian(|x| vec![x[0].narrow(0, 0, 3)], &[&x]));
        assert!(is_recording() && x.grad().is_none());
        let small = Variable::new(Tensor::from([1.0f32, 2.0])).requires_grad_(true);
        small.square().sum().backward().unwrap();
        assert_eq!(small.grad().unwrap().to_vec(), [2.0, 4.0]);
    });
}

/// What is on the tape takes no memory to speak of: running it does.
#[test]
fn a_tape_that_there_is_no_memory_to_run_again_is_refused() {
    within(LIMIT, "refused::a_tape_that_there_is_no_memory_to_run_again_is_refused", || {
        let x = Variable::new(many().value()).requires_grad_(true);
        refused("replay", Tape::of(&record(|| x.narrow(0, 0, 3).sum())).replay::<f32>());
        let one = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
        for entry in [&Tape::of(&one.softmax(0)).entries()[1], &Tape::of(&one.cumsum(0)).entries()[1]] {
            refused("replay", entry.apply(&[&many()]));
            assert_eq!(entry.apply(&[&one]).unwrap()[0].to_vec(), [1.0]);
        }
        let tape = Tape::of(&record(|| one.expand([MANY]).narrow(0, 0, 3).sum()));
        let mut again = tape.replay::<f32>().unwrap();
        refused("grad", again.backward());
        let narrowed = tape.entries().iter().find(|entry| entry.outputs[0].shape == [3]).unwrap();
        refused("pull_back", again.pull_back(narrowed, &[Some(Variable::ones([3]))]));
    });
}

#[test]
fn operations_panic_with_a_message_and_the_process_goes_on() {
    within(LIMIT, "refused::operations_panic_with_a_message_and_the_process_goes_on", || {
        let x = many();
        let works: [(&str, &dyn Fn()); 8] = [
            ("zeros", &|| drop(Tensor::<f32>::zeros([MANY]))),
            ("copy", &|| drop(x.value().copy())),
            ("tanh", &|| drop(x.tanh())),
            ("matmul", &|| drop(x.unsqueeze(1).matmul(&x.narrow(0, 0, 1).unsqueeze(0)))),
            ("cat", &|| drop(cat(&[&x, &x], 0))),
            ("layer_norm", &|| drop(x.unsqueeze(1).layer_norm(&[1], None, None, 1e-5))),
            ("to_vec", &|| drop(x.to_vec())),
            ("unbind", &|| drop(x.unbind(0))),
        ];
        for (name, work) in works {
            let payload = catch_unwind(AssertUnwindSafe(work)).expect_err(name);
            let message = payload.downcast_ref::<String>().expect("a message");
            assert!(message.contains("there is no memory for ["), "{name}: {message}");
        }
        assert_eq!(Tensor::<f32>::ones([100]).to_vec(), [1.0; 100]);
    });
}

#[test]
fn what_the_pool_keeps_is_given_back_before_anything_is_refused() {
    within(LIMIT, "refused::what_the_pool_keeps_is_given_back_before_anything_is_refused", || {
        set_pool_limit(usize::MAX);
        // A third of the limit each, of different sizes: two fit beside each other, three don't.
        for elements in [80usize << 20, 90 << 20, 100 << 20] {
            assert_eq!(Tensor::<f32>::zeros([elements]).numel(), elements);
        }
    });
}

#[test]
fn a_refusal_draws_no_random_numbers() {
    within(LIMIT, "refused::a_refusal_draws_no_random_numbers", || {
        manual_seed(3);
        let expected = Tensor::<f32>::rand([4]);
        manual_seed(3);
        refused("bernoulli", Tensor::<f32>::bernoulli([MANY], 0.5));
        assert_eq!(Tensor::<f32>::rand([4]), expected);
    });
}
