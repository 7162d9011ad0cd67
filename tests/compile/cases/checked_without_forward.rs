use wengert::prelude::*;
use wengert_check::gradcheck_module;

struct Scale {
    factor: Parameter,
}
module!(Scale { factor });

fn main() {
    let scale = Scale { factor: Parameter::new(Tensor::from([2.0])) };
    gradcheck_module(&scale, &[]).unwrap();
}
