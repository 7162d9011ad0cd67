use wengert::prelude::*;

struct Model {
    head: Linear,
}

fn count(module: &impl Module) -> usize {
    module.num_parameters()
}

fn main() {
    let model = Model { head: Linear::new(1, 1).unwrap() };
    count(&model);
}
