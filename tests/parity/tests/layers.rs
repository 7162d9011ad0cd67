//! The cases of layers beside this file, through the runner that a user runs.

use std::path::Path;
use std::process::Command;

#[test]
fn every_layer_agrees_with_pytorch() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("layers");
    let output = Command::new(env!("CARGO_BIN_EXE_parity")).arg(&cases).output().expect("the runner starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let count = std::fs::read_dir(cases).unwrap().count();
    assert!(count > 90 && said.ends_with(&format!("{count} passed, 0 failed, 0 skipped\n")), "{said}");
}
