//! In a formula the signs of a comparison may belong to a type.

use wengert::prelude::*;

pointwise! {
    struct Formula;
    fn eval(x, y) -> 1 {
        let twice = |a: R| -> R { a + a };
        let z: Option<R> = Some(<R as Real>::lit(2.0));
        let all = [x, y, twice(x)].into_iter().fold(R::lit(0.0), |sum, a| sum + a);
        [R::select(x.gt(y), std::convert::identity::<R>(all), Option::<R>::unwrap_or(z, y))]
    }
}

fn main() {
    let of = |v: f32| Variable::new(Tensor::from([v]));
    assert_eq!(Formula.apply1([&of(2.0), &of(1.0)]).to_vec(), [7.0]);
}
