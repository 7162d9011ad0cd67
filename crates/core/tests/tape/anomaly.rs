//! The first NaN or infinity is found where it arises.

use wengert_core::{Error, Tensor, detect_anomaly, scope};

use crate::{gradient, vector};

/// The parts of an anomaly that tests look at: pass, operation, file, path, shapes.
fn found<R: std::fmt::Debug>(f: impl FnOnce() -> Result<R, Error>) -> (String, String, String, String) {
    match detect_anomaly(f).unwrap_err() {
        Error::Anomaly { pass, operation, location, path, shapes, .. } => {
            assert!(location.file().ends_with("anomaly.rs"), "recorded at {location}");
            (pass.to_string(), operation.to_string(), path, shapes)
        }
        other => panic!("{other}"),
    }
}

fn of(pass: &str, operation: &str, path: &str, shapes: &str) -> (String, String, String, String) {
    (pass.to_string(), operation.to_string(), path.to_string(), shapes.to_string())
}

#[test]
fn the_forward_operation_that_made_it_is_named_with_its_module() {
    let x = vector([1.0, 0.0]);
    let found = found(|| Ok(scope("head", || (x.ln() * 2.0).exp().sum())));
    assert_eq!(found, of("forward", "Ln", " in head", "inputs [[2]], output [2]"));
}

#[test]
fn the_backward_operation_that_made_it_is_named() {
    let x = vector([4.0, 0.0]);
    let found = found(|| (x.sqrt() * 3.0).sum().backward());
    assert_eq!(found, of("backward", "Sqrt", "", "cotangent [2] of input 0"));
    assert!(x.grad().is_none(), "the backward stops before it reaches a leaf");
}

#[test]
fn an_error_of_the_watched_code_comes_out_and_so_does_its_value() {
    let x = vector([1.0, 2.0]);
    assert!(matches!(detect_anomaly(|| x.backward()), Err(Error::NonScalar { .. })));
    assert_eq!(detect_anomaly(|| x.square().sum().item()).unwrap(), 5.0);
    detect_anomaly(|| x.square().sum().backward()).unwrap();
    assert_eq!(gradient(&x), [2.0, 4.0]);
}

#[test]
fn nothing_is_looked_at_outside() {
    let x = vector([0.0]);
    let _ = detect_anomaly(|| Ok(x.ln()));
    x.sqrt().sum().backward().unwrap();
    assert_eq!(x.grad().unwrap().value(), Tensor::from([f64::INFINITY]));
}
