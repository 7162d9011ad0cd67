//! The cases beside this file, through the runner that a user runs.

use std::path::Path;
use std::process::{Command, Output};

fn parity(path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_parity")).arg(path).output().expect("the runner starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_case_agrees_with_pytorch() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let output = parity(&cases);
    assert!(output.status.success(), "{}", said(&output));
    let count = std::fs::read_dir(cases).unwrap().count();
    assert!(count > 100 && said(&output).ends_with(&format!("{count} passed, 0 failed, 0 skipped\n")));
}

/// A case of one exponential, whose result the caller says.
fn case(folder: &Path, says: &str, result: f64) -> std::path::PathBuf {
    let mut map = wengert::TensorMap::new();
    map.set_note("case", says);
    map.insert("in.0", wengert::Tensor::from([0.0f64]));
    map.insert("expect.output", wengert::Tensor::from([result]));
    map.insert("cotangent.output", wengert::Tensor::from([2.0f64]));
    map.insert("expect.grad.in.0", wengert::Tensor::from([2.0f64]));
    let path = folder.join("case.safetensors");
    map.save(&path).unwrap();
    path
}

const EXP: &str =
    r#"{"kind": "op", "name": "exp", "op": "exp", "args": {}, "dtype": "f64", "double": false}"#;

#[test]
fn a_case_that_is_off_fails_and_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    assert!(parity(&case(folder.path(), EXP, 1.0)).status.success());
    let output = parity(&case(folder.path(), EXP, 1.001));
    assert!(!output.status.success());
    assert!(
        said(&output)
            .contains("case.safetensors: expect.output: off by 1.000e-3 absolute, 9.990e-4 relative")
    );
    assert!(said(&output).ends_with("0 passed, 1 failed, 0 skipped\n"));
}

#[test]
fn what_is_not_known_and_what_is_no_case_fails() {
    let folder = tempfile::tempdir().unwrap();
    let output = parity(&case(folder.path(), &EXP.replace("exp", "besselj"), 1.0));
    assert!(said(&output).contains("unsupported: op besselj") && !output.status.success());
    let output = parity(&case(folder.path(), &EXP.replace("\"op\",", "\"dance\","), 1.0));
    assert!(said(&output).contains("unsupported: kind dance") && !output.status.success());
    let garbage = folder.path().join("garbage.safetensors");
    std::fs::write(&garbage, [9u8; 64]).unwrap();
    assert!(!parity(&garbage).status.success());
}
