//! The registry of operations: each entry is what it says.

use wengert_core::{Domain, Fitted, Generator, OperationEntry, Tape, Tensor, operations, with_plain};

use crate::check::{V, gradients, leaves, refs};

/// Extents of the first input.
const SHAPES: [&[usize]; 9] = [&[], &[3], &[1], &[2, 3], &[4, 1], &[1, 2, 2], &[2, 1, 3], &[2, 0], &[16, 5]];

fn numbers(domain: Domain, shape: &[usize], generator: &mut Generator) -> Tensor<f64> {
    let mut number = || match domain {
        Domain::Mask => generator.below(2) as f64,
        Domain::Positive => generator.uniform(0.5, 1.5),
        Domain::NonZero if generator.bernoulli(0.5) => generator.uniform(0.5, 1.5),
        Domain::NonZero => generator.uniform(-1.5, -0.5),
        _ => generator.uniform(-1.5, 1.5),
    };
    Tensor::from_fn(shape, |_| number())
}

/// Calls `check` with every operation, some inputs and arguments that it fits.
fn for_each(mut check: impl FnMut(&OperationEntry<f64>, &Fitted, &[Tensor<f64>])) {
    let mut generator = Generator::from_seed(5);
    for operation in operations::<f64>() {
        let mut fitting = 0;
        for shape in SHAPES.iter().cycle().take(6 * SHAPES.len()) {
            let Some(fitted) = operation.fit(&mut |bound| generator.below(bound), shape) else { continue };
            let inputs = fitted.shapes.iter().enumerate();
            let inputs: Vec<Tensor<f64>> =
                inputs.map(|(i, shape)| numbers(operation.domain(i), shape, &mut generator)).collect();
            check(&operation, &fitted, &inputs);
            fitting += 1;
        }
        assert!(fitting >= 12, "{} fits only {fitting} of the inputs", operation.name());
    }
}

/// Whether the operation itself stands on the tape of its result, rather than something before or behind
/// it.
fn names(operation: &OperationEntry<f64>, results: &[V]) -> bool {
    results.iter().any(|result| result.grad_fn() == Some(operation.name()))
}

#[test]
fn an_operation_is_built_again_from_what_the_tape_says_of_it() {
    let mut seen = std::collections::BTreeSet::new();
    for_each(|operation, fitted, inputs| {
        let inputs = leaves(inputs);
        let results = operation.apply(&fitted.attributes, &refs(&inputs));
        // What changes nothing is not recorded: a shape that is there already.
        let Some(recorded) = results.iter().find(|_| names(operation, &results)) else { return };
        seen.insert(operation.name());
        let tape = Tape::of(recorded);
        let line = tape.entries().iter().rfind(|line| line.operation == operation.name()).unwrap();
        let again = operation.apply(&line.attributes, &refs(&inputs));
        assert_eq!(results.len(), again.len(), "{}: {}", operation.name(), line.attributes);
        for (result, again) in results.iter().zip(&again) {
            assert_eq!(result.shape(), again.shape(), "{}: {}", operation.name(), line.attributes);
            let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
            let (a, b) = (result.to_vec(), again.to_vec());
            assert!(a.iter().zip(&b).all(same), "{} ({}): {a:?}, {b:?}", operation.name(), line.attributes);
        }
    });
    let never: Vec<&str> =
        operations::<f64>().iter().map(|o| o.name()).filter(|name| !seen.contains(name)).collect();
    // A value that lies in order is contiguous already.
    assert_eq!(never, ["Contiguous"]);
}

#[test]
fn the_fast_ways_and_the_plain_sweep_agree_for_each_operation() {
    for_each(|operation, fitted, inputs| {
        let back = |plain: bool, record: bool| {
            let inputs = leaves(inputs);
            let go = || {
                let results = operation.apply(&fitted.attributes, &refs(&inputs));
                let cotangents =
                    results.iter().map(|y| V::from(Tensor::from_fn(y.shape(), |i| 0.5 + i as f64 * 0.1)));
                gradients(&results, &cotangents.collect::<Vec<_>>(), &refs(&inputs), record)
            };
            let found = if plain { with_plain(go) } else { go() };
            found.iter().map(V::to_vec).collect::<Vec<_>>()
        };
        let plain = back(true, false);
        for (way, found) in [
            ("fast", back(false, false)),
            ("recorded", back(false, true)),
            ("plain, recorded", back(true, true)),
        ] {
            for (input, (x, y)) in found.iter().zip(&plain).enumerate() {
                let near = |(x, y): (&f64, &f64)| {
                    (x - y).abs() <= 1e-12 * (1.0 + y.abs()) || (x.is_nan() && y.is_nan())
                };
                let near = x.iter().zip(y).all(near);
                assert!(
                    near,
                    "{} ({}), input {input}: {x:?} {way}, {y:?} plain",
                    operation.name(),
                    fitted.attributes
                );
            }
        }
    });
}

#[test]
#[should_panic(expected = "expected an attribute dim, a whole number; there is (index=1)")]
fn an_argument_that_is_missing_is_named() {
    let all = operations::<f64>();
    let softmax = all.iter().find(|operation| operation.name() == "Softmax").unwrap();
    softmax.apply(&wengert_core::Attributes::none().int("index", 1), &[&V::from(Tensor::ones([2]))]);
}

#[test]
fn regions_and_indices_that_lie_outside_are_refused() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let all = operations::<f64>();
    let refused = |name: &str, attributes: wengert_core::Attributes, shape: &[usize]| {
        let operation = all.iter().find(|operation| operation.name() == name).unwrap();
        let x = V::from(Tensor::ones(shape));
        catch_unwind(AssertUnwindSafe(|| operation.apply(&attributes, &[&x]))).is_err()
    };
    let region = |offset: i64| {
        let attributes = wengert_core::Attributes::none().ints("base", &[4]).int("offset", offset);
        attributes.int("rank", 1).ints("size", &[2]).ints("stride", &[2])
    };
    assert!(!refused("Extract", region(1), &[4]) && refused("Extract", region(2), &[4]));
    assert!(
        !refused("Embed", region(1), &[2])
            && refused("Embed", region(2), &[2])
            && refused("Embed", region(1), &[3])
    );
    let added = |index: i64, to: &[usize]| {
        let attributes =
            wengert_core::Attributes::none().int("dim", 0).indices("index", &Tensor::from([index]));
        attributes.ints("to", to)
    };
    assert!(!refused("IndexAdd", added(2, &[3]), &[1]) && refused("IndexAdd", added(3, &[3]), &[1]));
    assert!(refused("IndexAdd", added(0, &[]), &[1]) && refused("IndexAdd", added(0, &[3]), &[2]));
}
