//! Runs in processes of their own that are killed again and again.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use wengert_core::{Generator, TensorMap};

/// Tells this test's process, started again, where to run.
const FOLDER: &str = "WENGERT_TEST_RUNS_IN";

/// The folder of a process that [`check`] started; none in any other.
pub fn folder() -> Option<OsString> {
    std::env::var_os(FOLDER)
}

/// Says that a step is done, which is when the process may be killed.
pub fn step_done(step: usize) {
    println!("\nstep {step}");
}

fn start(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// All checkpoints and the log by name, as bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder.join("checkpoints")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.chain([folder.join("log.csv")]).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

/// Which entries of two checkpoints differ, in words.
fn entries_that_differ(a: &[u8], b: &[u8]) -> String {
    let (Ok(a), Ok(b)) = (TensorMap::from_bytes(a), TensorMap::from_bytes(b)) else { return String::new() };
    let names: Vec<&str> = a.names().filter(|name| a.get(name) != b.get(name)).collect();
    format!(" in {}", names.join(", "))
}

/// Has the run that `test` goes on with end once by itself, and once killed after some of its steps, at least
/// `least` and fewer than `least + more`, each time: all files must be the same.
pub fn check(test: &str, least: usize, more: usize) {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(start(test, whole.path()).wait_with_output().unwrap().status.success());
    let (mut generator, mut kills) = (Generator::from_seed(1), 0);
    loop {
        let mut child = start(test, parts.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let until = least + generator.below(more);
        let steps = lines.by_ref().filter(|line| line.starts_with("step ")).take(until).count();
        if steps < until {
            assert!(child.wait().unwrap().success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills >= 2, "{kills} kills");
    let (whole, parts) = (files(whole.path()), files(parts.path()));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|file| file.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&whole), names(&parts));
    for ((name, whole), (_, parts)) in whole.iter().zip(&parts) {
        assert!(whole == parts, "{name} differs{}", entries_that_differ(whole, parts));
    }
}
