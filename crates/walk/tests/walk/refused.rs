//! What there is no memory for is an error.

use wengert_core::{Error, Tape, Tensor, Variable, record};
use wengert_walk::Scene;

use crate::limited::within;

/// The values are elements over one: running the tape again takes memory for each.
#[test]
fn a_tape_that_there_is_no_memory_to_run_again_has_no_scene() {
    within(1 << 20, "refused::a_tape_that_there_is_no_memory_to_run_again_has_no_scene", || {
        let many = Tensor::scalar(1.0f64).expand(&[1 << 34]).unwrap();
        let x = Variable::new(many).requires_grad_(true);
        let tape = Tape::of(&record(|| x.narrow(0, 0, 3).sum()));
        let scene = Scene::of::<f64>(&tape);
        assert!(matches!(scene, Err(Error::Memory { .. })), "{:?}", scene.map(|scene| scene.remarks));
    });
}
