//! What there is no memory for is an error, and nothing has changed.

use wengert_core::{Error, Parameter, Tensor};
use wengert_optim::Averaged;

use crate::limited::within;

/// A gibibyte of address space.
const LIMIT: usize = 1 << 20;

#[test]
fn averages_there_is_no_memory_for_are_an_error() {
    within(LIMIT, "refused::averages_there_is_no_memory_for_are_an_error", || {
        let (small, large) = (Parameter::new(Tensor::<f32>::ones([3])), Parameter::new(many()));
        let mut averaged = Averaged::ema([small.clone(), large], 0.5).unwrap();
        averaged.update().unwrap();
        small.set_value(Tensor::zeros([3])).unwrap();
        let error = averaged.update().unwrap_err();
        assert!(matches!(error, Error::Memory { operation: "Averaged::update", .. }), "{error}");
        assert_eq!(averaged.updates(), 1);
        averaged.swap().unwrap();
        assert_eq!(small.to_vec(), [1.0; 3], "no average has moved");
    });
}

/// So many elements over one that there is memory for none of them.
fn many() -> Tensor<f32> {
    Tensor::scalar(1.0f32).expand(&[1 << 34]).unwrap()
}
