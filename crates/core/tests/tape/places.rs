//! Where cotangents are written: in place, over others, into parts of one buffer; and what is kept of
//! values that change.

use wengert_core::{Parameter, Tensor, Variable, cat, with_plain};

fn leaf<const N: usize>(shape: [usize; N]) -> Variable<f64> {
    let count: usize = shape.iter().product();
    let numbers = (0..count).map(|i| (i as f64 * 0.7).sin()).collect();
    Variable::new(Tensor::from_vec(numbers, shape).unwrap()).requires_grad_(true)
}

/// The gradients that a program leaves at leaves, by the fast ways, equal those of the plain sweep.
#[track_caller]
fn holds(leaves: &[&Variable<f64>], program: impl Fn() -> Variable<f64>) {
    let gradients = || {
        leaves.iter().for_each(|leaf| leaf.zero_grad());
        program().backward().unwrap();
        leaves.iter().map(|leaf| leaf.grad().unwrap().to_vec()).collect::<Vec<_>>()
    };
    let (fast, plain) = (gradients(), with_plain(gradients));
    for (fast, plain) in fast.iter().zip(&plain) {
        assert!(
            fast.iter().zip(plain).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + b.abs())),
            "{fast:?}, {plain:?}"
        );
    }
}

#[test]
fn a_recurrence_of_matrix_and_vectors_halves_each_steps_cotangent() {
    let w = Variable::new(Tensor::<f32>::ones([256, 1]));
    let xs: Vec<_> = (0..6).map(|_| Variable::new(Tensor::<f32>::ones([1])).requires_grad_(true)).collect();
    let mut h = Variable::new(Tensor::<f32>::zeros([256]));
    for x in &xs {
        h = &h * 0.5 + w.matmul(x);
    }
    (&h * &Variable::new(Tensor::ones([256]))).sum().backward().unwrap();
    let found: Vec<f32> = xs.iter().map(|x| x.grad().unwrap().item().unwrap()).collect();
    assert_eq!(found, [8.0, 16.0, 32.0, 64.0, 128.0, 256.0]);
}

#[test]
fn the_same_with_a_weight_that_is_computed_from_a_parameter_and_for_any_element_type() {
    let parameter = leaf([64, 5]);
    let xs: Vec<_> = (0..5).map(|_| leaf([5])).collect();
    let all: Vec<_> = xs.iter().chain([&parameter]).collect();
    holds(&all, || {
        let w = &parameter / parameter.norm(2.0, &[]);
        let start = Variable::new(Tensor::zeros([64]));
        xs.iter().fold(start, |h, x| (&h * 0.5 + w.matmul(x)).tanh()).sum()
    });
}

#[test]
fn a_cotangent_that_is_packed_and_then_written_over_is_packed_again() {
    // The way back multiplies by one cotangent twice, keeps a pack of it, and then a formula writes over it.
    let (x, a, b) = (leaf([32, 32]), leaf([32, 32]), leaf([32, 32]));
    holds(&[&x, &a, &b], || {
        let y = x.exp();
        let step = |y: &Variable<f64>| (a.matmul(y) + b.matmul(y)) * 0.01;
        let mut y = y;
        for _ in 0..4 {
            y = step(&y) + &y * 0.5;
        }
        y.square().sum()
    });
}

#[test]
fn every_way_to_change_a_tensor_changes_its_version_or_its_storage() {
    let mut tensor = Tensor::<f32>::zeros([4]);
    let before = tensor.version();
    tensor.data_mut().unwrap()[0] = 1.0;
    assert!(tensor.version() > before);
    let parameter = Parameter::new(Tensor::<f32>::zeros([4]));
    let identity = || (parameter.value().storage_id(), parameter.value().version());
    let mut seen = vec![identity()];
    let ways: [&dyn Fn(); 3] = [
        &|| parameter.update("test", |values| values[0] = 2.0).unwrap(),
        &|| parameter.set_value(Tensor::ones([4])).unwrap(),
        &|| {
            let holder = parameter.value();
            parameter.update("test", |values| values[0] = 3.0).unwrap();
            assert_eq!(holder.to_vec()[0], 1.0);
        },
    ];
    for change in ways {
        change();
        assert!(!seen.contains(&identity()));
        seen.push(identity());
    }
}

#[test]
fn parts_with_axes_of_one_element_get_their_cotangents() {
    for rows in [1, 2, 3, 17] {
        let x = leaf([rows, 2]);
        holds(&[&x], || {
            let [mean, spread] = x.parts(-1);
            (mean * spread.exp()).sum()
        });
        let x = leaf([rows, 2, 1]);
        holds(&[&x], || {
            let [mean, spread] = x.parts(1);
            (mean * spread.exp()).sum()
        });
        let x = leaf([rows, 4]);
        holds(&[&x], || {
            let parts = x.split(&[1, 3], -1);
            (parts[0].exp() * &parts[1]).sum()
        });
        holds(&[&x], || {
            let parts = x.chunk(4, -1);
            (parts[0].exp() * parts[1].sigmoid() + parts[2].tanh() * &parts[3]).sum()
        });
        let x = leaf([2, rows, 1, 2]);
        holds(&[&x], || {
            let [first, second] = x.parts(0);
            let [left, right] = first.exp().parts(-1);
            (left * right.sin() * second.sum_keepdim(&[-1]).tanh()).sum()
        });
    }
}

#[test]
fn parts_of_parts_with_one_element_get_their_cotangents() {
    for (rows, width) in [(2, 1), (3, 1), (1, 4), (5, 3)] {
        let x = leaf([rows, 4 * width]);
        holds(&[&x], || {
            let [a, b] = x.parts(-1);
            let ([a, b], [c, d]) = (a.parts(-1), b.parts(-1));
            (a.tanh() * b.sigmoid() + c * d.exp()).sum()
        });
    }
}

#[test]
fn parts_without_elements_get_cotangents_without_elements() {
    let x = leaf([3, 0]);
    let [a, b] = x.parts(-1);
    (a * b.exp()).sum().backward().unwrap();
    assert_eq!(x.grad().unwrap().shape(), [3, 0]);
    let x = leaf([0, 2]);
    holds(&[&x], || {
        let [a, b] = x.parts(-1);
        (a * b.exp()).sum()
    });
    let x = leaf([2, 3]);
    holds(&[&x], || {
        let parts = x.split(&[0, 3], -1);
        cat(&[&parts[0].exp(), &parts[1].exp()], 1).sum()
    });
}
