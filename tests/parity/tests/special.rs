//! The tables of special numbers beside this file, through the runner that a user runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn tables() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("special")
}

fn compared(folder: &Path) -> Output {
    let mut runner = Command::new(env!("CARGO_BIN_EXE_parity"));
    runner.arg("--special").arg(folder).output().expect("the runner starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_difference_at_special_numbers_is_listed_and_every_listed_one_is_there() {
    let output = compared(&tables());
    assert!(output.status.success(), "{}", said(&output));
    let count: usize = said(&output).split(' ').next().unwrap().parse().unwrap();
    assert!(count > 20_000, "{count} compared");
}

/// A folder of tables of one operation, `sqrt` of these lines, and of these differences.
fn small(cases: &str, differences: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("f32.csv", format!("operation,inputs,value,gradients\n{cases}"));
    write("f64.csv", "operation,inputs,value,gradients\n".to_string());
    write("differences.csv", format!("types,operation,inputs,what,ours,pytorch,reason\n{differences}"));
    write("README.md", "| **root** | why |".to_string());
    folder
}

#[test]
fn what_agrees_passes() {
    let output =
        compared(small("sqrt,0,0,inf\nsqrt,-0,-0,-inf\nsqrt,-1,nan,nan\nsqrt,4,2,0.25\n", "").path());
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).starts_with("8 compared, 0 differ"));
}

#[test]
fn a_difference_that_is_not_listed_fails_and_is_printed_as_a_line_of_the_list() {
    for (case, line) in [
        ("sqrt,4,2.00001,0.25", "f32,sqrt,4,value,2,2.00001,"),
        ("sqrt,4,2,inf", "f32,sqrt,4,gradient 0,0.25,inf,"),
        ("sqrt,-0,0,-inf", "f32,sqrt,-0,value,-0,0,"),
        ("sqrt,-1,0,nan", "f32,sqrt,-1,value,nan,0,"),
    ] {
        let output = compared(small(case, "").path());
        assert!(
            !output.status.success() && said(&output).starts_with(&format!("{line}\n")),
            "{}",
            said(&output)
        );
        assert!(compared(small(case, &format!("{line}root\n")).path()).status.success(), "{line}");
    }
}

#[test]
fn a_listed_difference_that_is_none_or_another_one_fails() {
    let of = |differences: &str| compared(small("sqrt,4,2,0.5", differences).path());
    let listed = "f32,sqrt,4,gradient 0,0.25,0.5,root\n";
    assert!(of(listed).status.success());
    let stale = of(&format!("{listed}f32,sqrt,4,value,2,3,root\n"));
    assert!(!stale.status.success() && said(&stale).contains("no longer differs: f32,sqrt,4,value"));
    let another = of("f32,sqrt,4,gradient 0,0.3,0.5,root\n");
    assert!(!another.status.success() && said(&another).contains("f32,sqrt,4,gradient 0,0.25,0.5,"));
}

#[test]
fn a_difference_without_a_reason_that_the_page_explains_fails() {
    let of = |reason: &str| {
        compared(small("sqrt,4,2,0.5", &format!("f32,sqrt,4,gradient 0,0.25,0.5,{reason}\n")).path())
    };
    assert!(of("root").status.success());
    assert!(!of("").status.success() && said(&of("")).contains("without a reason"));
    assert!(!of("whim").status.success() && said(&of("whim")).contains("no reason **whim**"));
}
