use wengert::prelude::*;

fn main() {
    let _ = Recurrent::of(1, |input| Linear::new(input, 2));
}
