//! The plain mode, asked for from outside.

use std::process::Command;

use wengert_core::{Tensor, is_plain};

use crate::{gradient, vector};

/// Says to the process that it is the one with the variable, and whether it is to be plain.
const EXPECTED: &str = "WENGERT_TEST_PLAIN";

#[test]
fn the_environment_makes_all_threads_of_a_process_plain() {
    if let Ok(expected) = std::env::var(EXPECTED) {
        let expected = expected == "yes";
        assert_eq!((is_plain(), std::thread::spawn(is_plain).join().unwrap()), (expected, expected));
        let x = vector([1.0, -2.0]);
        (x.tanh() * Tensor::from([3.0, 5.0])).sum().backward().unwrap();
        let right = [(1.0f64, 3.0), (-2.0, 5.0)].map(|(x, c)| c * (1.0 - x.tanh().powi(2)));
        assert!(gradient(&x).iter().zip(right).all(|(found, right)| (found - right).abs() < 1e-15));
        return;
    }
    for (value, expected) in [("1", "yes"), ("0", "no"), ("", "no")] {
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "plain::the_environment_makes_all_threads_of_a_process_plain"])
            .env("WENGERT_PLAIN", value)
            .env(EXPECTED, expected)
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && out.contains("1 passed"), "WENGERT_PLAIN={value}: {out}");
    }
}
