//! Five steps of each optimizer with two parameters, as PyTorch 2 takes them in double precision.

use wengert_core::{Float, Parameter, Result};
use wengert_optim::Optimizer;

use crate::{set_grad, tensor};

/// After each step the elements of both parameters.
type Steps = [[f64; 7]; 5];

fn check<T: Float, O: Optimizer<T>>(
    make: impl Fn([Parameter<T>; 2]) -> Result<O>,
    expected: &Steps,
    tolerance: f64,
) {
    let a = Parameter::new(tensor(&[3], &[1.5, -0.75, 0.25], false));
    let b = Parameter::new(tensor(&[2, 2], &[2.0, -1.0, 0.5, -3.0], false));
    let mut optimizer = make([a.clone(), b.clone()]).unwrap();
    for (t, expected) in (1i32..).zip(expected) {
        let step = f64::from(t);
        set_grad(&a, &[0.0, 1.0, 2.0].map(|i| 0.5 - 0.25 * step + 0.125 * i));
        set_grad(&b, &[0.0, 1.0, 2.0, 3.0].map(|i| (-1.0f64).powi(t) * 0.75 + 0.0625 * step * i - 0.3));
        if t == 3 {
            b.zero_grad();
        }
        optimizer.step().unwrap();
        let got: Vec<f64> = a.to_vec().into_iter().chain(b.to_vec()).map(T::to_f64).collect();
        let near = got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() <= tolerance);
        assert!(near, "after step {t}: {got:?}, expected {expected:?}");
    }
}

/// A test for each optimizer: how one is made, and its steps.
macro_rules! agrees {
    ($($name:ident: |$p:ident| $make:expr, $steps:expr;)*) => {
        $(
            #[test]
            fn $name() {
                check::<f64, _>(|$p| $make, &$steps, 1e-12);
                check::<f32, _>(|$p| $make, &$steps, 2e-5);
            }
        )*
    };
}

// The modules see the macro only if they come after it.
mod adadelta;
mod adagrad;
mod adam;
mod adam_w;
mod adamax;
mod asgd;
mod nadam;
mod radam;
mod rms_prop;
mod rprop;
mod sgd;
