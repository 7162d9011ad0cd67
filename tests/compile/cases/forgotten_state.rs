use wengert::prelude::*;

#[derive(Clone)]
struct Memory {
    fast: Variable,
    slow: Variable,
}
state!(Memory { fast });

fn main() {}
