use wengert::prelude::*;

#[derive(Clone)]
struct Unit {
    weight: Parameter,
}
cell!(Unit { weight });

impl Cell for Unit {
    type State = (Variable, f32);
    fn input_size(&self) -> usize {
        1
    }
    fn output_size(&self) -> usize {
        1
    }
    fn zero_state(&self, _: usize) -> (Variable, f32) {
        unimplemented!()
    }
    fn step(&self, _: &Variable, _: &(Variable, f32)) -> (Variable, (Variable, f32)) {
        unimplemented!()
    }
}

fn main() {}
