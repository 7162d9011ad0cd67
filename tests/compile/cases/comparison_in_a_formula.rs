use wengert::prelude::*;

pointwise! {
    struct Least;
    fn eval(x, y) -> 1 { [R::select(x < y, x, y)] }
}

fn main() {}
