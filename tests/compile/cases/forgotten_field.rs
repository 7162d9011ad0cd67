use wengert::prelude::*;

struct Model {
    rnn: Lstm,
    head: Linear,
}
module!(Model { rnn });

fn main() {}
