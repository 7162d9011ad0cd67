use wengert::prelude::*;

fn layer(_: Recurrent<Linear>) {}

fn main() {}
