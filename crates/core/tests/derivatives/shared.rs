//! A matrix that many products share gets one sum of all their terms, however it was used.

use wengert_check::{check_gradient, tensor};
use wengert_core::{GradOptions, Tape, Tensor, Variable, grad};

use crate::check::V;

/// `x_t = tanh(use(x, w))` again and again: the weight's cotangent is a sum of products.
fn repeated(steps: usize, x: &V, w: &V, once: impl Fn(&V, &V) -> V) -> V {
    (0..steps).fold(x.clone(), |x, _| once(&x, w).tanh())
}

check_gradient! {
    fn by_linear(steps in 1..5, x in tensor([2, 3]), w in tensor([3, 3])) {
        repeated(steps, &x, &w, |x, w| x.linear(w, Some(x)))
    }

    fn on_the_right(steps in 1..5, x in tensor([2, 3]), w in tensor([3, 3])) {
        repeated(steps, &x, &w, |x, w| x.matmul(w))
    }

    fn on_the_left(steps in 1..5, x in tensor([3, 2]), w in tensor([3, 3])) {
        repeated(steps, &x, &w, |x, w| w.matmul(x))
    }

    fn transposed_at_each_step(steps in 1..5, x in tensor([2, 3]), w in tensor([3, 3])) {
        repeated(steps, &x, &w, |x, w| x.matmul(&w.t()))
    }

    fn narrowed_at_each_step(steps in 1..5, x in tensor([2, 2]), w in tensor([5, 4])) {
        repeated(steps, &x, &w, |x, w| {
            let (a, b) = (w.narrow(0, 1, 2).narrow(1, 2, 2), w.narrow(0, 3, 2).narrow(1, 0, 2));
            // Without the factor, derivatives grow so much over the steps that differences have no digits
            // left for the small ones.
            (x.linear(&a, None) * x.matmul(&b.t()) + x.linear(&a, None)) * 0.25
        })
    }

    fn a_computed_weight(steps in 1..5, x in tensor([2, 3]), v in tensor([3, 3])) {
        repeated(steps, &x, &v.sin(), |x, w| x.linear(w, None))
    }

    fn in_other_ways_too(x in tensor([2, 3]), w in tensor([3, 3])) {
        let y = x.linear(&w, None).tanh().matmul(&w.t());
        (y.matmul(&w.select(0, 1)), &w * &w, w.sum())
    }

    fn parts_that_overlap_and_the_whole_by_turns(x in tensor([4, 3])) {
        let one = x.narrow(0, 0, 2) * x.narrow(0, 1, 2);
        let two = x.sin().narrow(1, 1, 2) * x.slice(1, 0, 3, 2);
        ((one, two), x.select(0, 1) * x.select(0, 2), (x.unbind(1)[1].square(), &x * &x))
    }

    fn rows_of_one_buffer(steps in 1..5, x in tensor([8, 3]), w in tensor([3, 3])) {
        (0..steps).fold(x.narrow(0, 0, 2), |sum, t| sum + x.narrow(0, 2 * (t % 4), 2).linear(&w, None))
    }
}

#[test]
fn many_steps_are_one_product() {
    let w = Variable::new(Tensor::<f64>::randn([3, 3])).requires_grad_(true);
    let loss = repeated(20, &Variable::new(Tensor::randn([2, 3])), &w, |x, w| x.linear(w, None)).sum();
    let [gradient] = &grad(&[&loss], &[&w], GradOptions::default().create_graph(true)).unwrap()[..] else {
        unreachable!("one input has one gradient")
    };
    // Each step but the first takes its cotangent on to the step before; the weight's terms take one product
    // together.
    let products = Tape::of(gradient).entries().iter().filter(|entry| entry.operation == "MatMul").count();
    assert_eq!(products, 19 + 1);
}

#[test]
fn more_rows_than_are_kept_waiting_make_no_difference() {
    let (x, w) = (V::new(Tensor::randn([500, 3])), V::new(Tensor::randn([3, 3])).requires_grad_(true));
    let loss = |steps: usize| {
        (0..steps).map(|_| x.linear(&w, None).sum()).fold(V::new(Tensor::scalar(0.0)), |a, b| a + b)
    };
    loss(1).backward().unwrap();
    let once = w.grad().unwrap().to_vec();
    w.zero_grad();
    loss(7).backward().unwrap();
    let found = w.grad().unwrap().to_vec();
    assert!(
        once.iter().zip(&found).all(|(one, seven)| (7.0 * one - seven).abs() < 1e-10),
        "{once:?} {found:?}"
    );
}

#[test]
fn a_hook_sees_the_whole_sum() {
    let w = V::new(Tensor::randn([3, 3])).requires_grad_(true);
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = seen.clone();
    let mut doubled = &w * 2.0;
    doubled.register_hook(move |g| {
        kept.lock().unwrap().push(g.to_vec());
        None
    });
    let x = V::new(Tensor::ones([1, 3]));
    (x.linear(&doubled, None).sum() + x.linear(&doubled, None).sum()).backward().unwrap();
    assert_eq!(*seen.lock().unwrap(), vec![vec![2.0; 9]]);
    assert_eq!(w.grad().unwrap().to_vec(), vec![4.0; 9]);
}
