//! Properties as a user writes them.

use wengert_check::{Property, check_gradient, tensor};
use wengert_core::Tensor;

check_gradient! {
    fn gated_sum(n in 1..4, x in tensor([n, 3]), h in tensor([n, 3])) {
        x.sigmoid() * h.tanh() + 1.0
    }

    fn shapes_may_follow_from_tensors(x in tensor((1..4, 1..3)), y in tensor([x.shape()[1], 2])) {
        (x.matmul(&y), x.sum())
    }
}

check_gradient! {
    #![property(Property::new().order(1).cases(50))]
    fn relu_off_its_kink(x in tensor((0..4, 3)).away_from(&[0.0], 0.1)) { x.relu() }
}

#[test]
fn a_failure_shrinks() {
    let text = Property::new().seed(3).run(
        |case| {
            let n = case.draw(1..5);
            case.input("x", tensor([n, 3]));
            case.input("w", tensor([n, 3]));
        },
        |x| {
            let y = x[0].tanh() * x[1].sigmoid();
            &y + (&y * &y).detach() * 0.001
        },
    );
    println!("{}", text.unwrap_err());
    let _ = Tensor::from([1.0]);
}
