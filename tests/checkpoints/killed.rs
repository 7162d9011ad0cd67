//! A process that is killed while it saves leaves the old file or the new one, and what it left beside
//! goes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wengert::{Generator, Tensor, TensorMap};

/// Tells this test's process, started again, where to save.
const PATH: &str = "WENGERT_TEST_SAVES_TO";
const ELEMENTS: usize = 5_000;

/// The content of a save: all elements are the same.
fn content(number: f32) -> TensorMap {
    let mut map = TensorMap::new();
    map.insert("x", Tensor::full([ELEMENTS], number));
    map.set_note("number", number.to_string());
    map
}

/// The number of a file that is whole.
fn number(path: &Path) -> f32 {
    let map = TensorMap::load(path).unwrap();
    let number: f32 = map.note("number").unwrap().parse().unwrap();
    assert_eq!(map, content(number));
    number
}

/// Saves until it is killed, one number after the other; no test unless the one below starts it.
#[test]
fn child() {
    let Ok(path) = std::env::var(PATH) else { return };
    let mut next = number(Path::new(&path)) + 1.0;
    println!("\nsaving");
    loop {
        content(next).save(&path).unwrap();
        next += 1.0;
    }
}

fn start(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "saving"), "the child has not begun");
    child
}

#[test]
fn a_process_killed_while_it_saves_leaves_a_whole_file_and_nothing_that_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    content(0.0).save(&path).unwrap();
    let entries = || std::fs::read_dir(folder.path()).unwrap().count();
    let (mut generator, mut before, mut halves) = (Generator::from_seed(0), 0.0, 0);
    for _ in 0..super::deep_cases().map_or(20, |cases| cases / 1000) {
        let mut child = start(&path);
        std::thread::sleep(Duration::from_micros(generator.below(50_000) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = number(&path);
        assert!(now >= before, "{now} after {before}");
        before = now;
        // At most what this one was at; the earlier ones' went with its first save.
        assert!(entries() <= 2, "{} files", entries());
        halves += entries() - 1;
    }
    println!("{halves} were killed over half a file, {before} saves were whole");
    content(-1.0).save(&path).unwrap();
    assert_eq!((number(&path), entries()), (-1.0, 1));
}
