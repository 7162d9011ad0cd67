use wengert::prelude::*;

fn double(_: Variable<i64>) {}

fn main() {}
