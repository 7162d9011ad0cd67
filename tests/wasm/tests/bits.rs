//! What is trained in WebAssembly has the bits of the plain mode here.

use std::env;
use std::process::Command;

/// Prints the bits, if this process was started for that: how a process computes is read once.
#[test]
fn natively() {
    match env::var("WENGERT_TRAIN").as_deref() {
        Ok("plain") => wasm_training::trained_plainly().iter().for_each(|bits| println!("bits {bits}")),
        Ok(_) => wasm_training::trained_fast().iter().for_each(|bits| println!("bits {bits}")),
        Err(_) => {}
    }
}

fn numbers(command: &mut Command, mark: &str) -> Vec<u32> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_prefix(mark)?.parse().ok()).collect()
}

fn here(way: &str) -> Vec<u32> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "natively", "--nocapture"]).env("WENGERT_TRAIN", way);
    numbers(command.env("WENGERT_SIMD", "portable"), "bits ")
}

fn there(module: &str, plainly: &str) -> Vec<u32> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/train.mjs");
    numbers(Command::new("node").args([script, module, plainly]), "")
}

/// `WENGERT_TRAINING` names the module, which `.ci/run` builds.
#[test]
fn in_webassembly() {
    let Ok(module) = env::var("WENGERT_TRAINING") else {
        return println!("left out: no module named by WENGERT_TRAINING");
    };
    let plain = here("plain");
    assert!(plain.len() > 800, "{}", plain.len());
    assert_eq!(there(&module, "1"), plain, "the plain mode");
    // The fast ways sum in another order than the plain one, and products here and there have other tiles.
    let value = |bits: &u32| f64::from(f32::from_bits(*bits));
    for (a, b) in there(&module, "0").iter().zip(&here("fast")) {
        let (a, b) = (value(a), value(b));
        assert!((a - b).abs() <= 1e-4 * (1.0 + b.abs()), "{a} {b}");
    }
}
