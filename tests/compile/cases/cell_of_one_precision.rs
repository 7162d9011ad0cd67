use wengert::prelude::*;
use wengert_check::RecurrentConfig;

#[derive(Clone)]
struct Unit {
    weight: Parameter,
}
cell!(Unit { weight });

impl Cell for Unit {
    type State = Variable;
    fn input_size(&self) -> usize {
        1
    }
    fn output_size(&self) -> usize {
        1
    }
    fn zero_state(&self, _: usize) -> Variable {
        unimplemented!()
    }
    fn step(&self, _: &Variable, _: &Variable) -> (Variable, Variable) {
        unimplemented!()
    }
}

fn unit(_: usize) -> Result<Unit> {
    unimplemented!()
}

fn main() {
    let layer = |config: &RecurrentConfig| config.layer(Recurrent::of(1, unit));
}
