use wengert::prelude::*;
use wengert_check::gradcheck_module;

fn main() {
    let lstm = Lstm::new(1, 2).unwrap();
    gradcheck_module(&lstm, &[]).unwrap();
}
