use wengert::prelude::*;

pointwise! {
    struct Ramp;
    fn eval(x) -> 1 { [if x > 0.0 { x } else { 0.0 }] }
}

fn main() {}
