use wengert::prelude::*;

struct Model {
    rnn: Lstm,
    width: usize,
}
module!(Model { rnn, width });

fn main() {}
