use wengert::prelude::*;

struct Unit<T: Float = f32> {
    weight: Parameter<T>,
    bias: Parameter<T>,
    width: usize,
}
module!(Unit<T> { weight } keep { width });

fn main() {}
