//! Tests that run again in a process of their own, whose memory the shell limits.

use std::process::{Command, Stdio};

/// Says to the process that it is the limited one.
const VARIABLE: &str = "WENGERT_TEST_IS_LIMITED";

/// Runs `work` in a process with so many KiB of address space, which begins the test `name` again; whatever
/// ends it fails the test that began it. Nothing runs where there is no `sh`, or WENGERT_UNLIMITED says
/// that the process needs all address space, as with a sanitizer.
pub fn within(kib: usize, name: &str, work: impl FnOnce()) {
    if std::env::var_os(VARIABLE).is_some() {
        return work();
    }
    if std::env::var_os("WENGERT_UNLIMITED").is_some() {
        return;
    }
    let test = std::env::current_exe().expect("a test runs from a file");
    let limited = format!("ulimit -v {kib} || exit 77; exec \"$0\" \"$@\"");
    let shell = Command::new("sh")
        .args(["-c", &limited])
        .arg(test)
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env(VARIABLE, "1")
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output();
    let Ok(output) = shell else { return };
    let out = String::from_utf8_lossy(&output.stdout);
    // A shell that can't limit memory says so.
    if output.status.code() == Some(77) {
        return;
    }
    assert!(out.contains("1 passed") || !output.status.success(), "the limited process ran no test: {out}");
    let tail = |text: &str| text.chars().skip(text.chars().count().saturating_sub(2000)).collect::<String>();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{}\n{}", output.status, tail(&out), tail(&err));
}
