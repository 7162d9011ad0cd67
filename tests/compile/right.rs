//! What looks like a mistake and is none.

mod glob {
    use wengert::*;

    #[test]
    fn all_names_at_once_leave_the_standard_library_its_own() {
        core::mem::drop(Tensor::from([1.0f32]));
    }
}

use wengert::prelude::*;

pointwise! {
    struct Formula;
    fn eval(x, y) -> 1 {
        let twice = |a: R| -> R { a + a };
        let z: Option<R> = Some(<R as Real>::square(y));
        let all = [x, y, twice(x)].into_iter().fold(0.0, |sum, a| sum + a);
        [R::select(x.gt(y), std::convert::identity::<R>(all), Option::<R>::unwrap_or(z, y))]
    }
}

#[test]
fn a_sign_of_comparison_that_belongs_to_a_type_is_none() {
    let at = |x: f32, y: f32| {
        let [x, y] = [x, y].map(|v| Variable::new(Tensor::from([v])));
        Formula.apply1([&x, &y]).item().unwrap()
    };
    assert_eq!((at(2.0, 1.0), at(1.0, 3.0)), (7.0, 9.0));
}

struct Model {
    head: Linear,
    scale: Option<Parameter>,
    width: usize,
}
module!(Model { head, scale } keep { width });

#[test]
fn a_field_that_is_no_module_goes_behind_keep() {
    let model = Model { head: Linear::new(2, 3).unwrap(), scale: None, width: 3 };
    assert_eq!(model.num_parameters(), model.width * 3);
}
