use wengert::prelude::*;

#[derive(Clone)]
struct Memory {
    fast: Variable,
}

#[derive(Clone)]
struct Unit {
    weight: Parameter,
}
cell!(Unit { weight });

impl Cell for Unit {
    type State = Memory;
    fn input_size(&self) -> usize {
        1
    }
    fn output_size(&self) -> usize {
        1
    }
    fn zero_state(&self, _: usize) -> Memory {
        unimplemented!()
    }
    fn step(&self, _: &Variable, _: &Memory) -> (Variable, Memory) {
        unimplemented!()
    }
}

fn main() {}
