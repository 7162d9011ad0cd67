//! The engine of the page answers as the library does.
//!
//! The committed module is asked, or the one that `WENGERT_ENGINE` names; where there is no node, nothing is.

use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use wengert_check::RandomProgram;
use wengert_core::{Tape, Tensor, Variable, manual_seed, record};
use wengert_nn::Lstm;

/// Numbers may be off by this, relative to the largest around them: products have other tiles here and
/// there, and powers, sines and cosines come from other libraries. In single precision by that.
const OFF: [f64; 2] = [1e-12, 1e-4];
/// Random programs that are asked for, behind all others.
const PROGRAMS: u64 = 40;

fn requests() -> Vec<Value> {
    let cell = "x: [3, 1, 2] = sin\nW: [2, 3] = normal\nU: [3, 3] = normal\nh = zeros [1, 3]\n\
                for t in 0..3:\n  h = tanh(x[t] W + h U)\nloss = mean(h^2)";
    let mut requests = vec![
        json!({"program": cell, "check": true}),
        json!({"program": cell, "type": "f32", "values": {"W": [1, 2, 3, 4, 5, 6]}}),
        json!({"program": "w: [2] = ones\nloss = sum(w + [1, 2, 3])"}),
        json!({"program": "w: [2, 2] = uniform(0, 1)\nloss = sum(softmax(w) log_softmax(w)') + norm(w)"}),
        json!({"program": "w: [3] = [1, 2, 3]\nloss = sum(gelu(w) + erf(w) + w^1.5 + 2^w - log(w))"}),
        json!({"program": "w: [1] = ones\nrepeat 300: w = sin(w)\nloss = sum(w)"}),
        json!({"tape": {"entries": []}}),
        json!({"tape": 3}),
        json!([]),
    ];
    manual_seed(1);
    let lstm = Lstm::builder(2, 3).build().unwrap();
    let x = Variable::new(Tensor::randn([2, 1, 2])).requires_grad_(true);
    let loss = record(|| lstm.forward(&x, None).unwrap().0.square().mean());
    loss.backward().unwrap();
    let tape = Tape::of(&loss);
    requests.push(json!({"tape": tape, "type": "f32", "edits": {"0": [1.0, 2.0, 3.0, 4.0]}}));
    requests.push(json!({"tape": tape, "check": true, "fold": {"depth": 0}}));
    requests.extend((0..PROGRAMS).map(|seed| json!({"tape": RandomProgram::from_seed(seed).tape()})));
    requests
}

/// Answers the requests, if this process was started for that: which instructions it has is asked once.
#[test]
fn natively() {
    if env::var_os("WENGERT_ANSWERS").is_some() {
        requests()
            .iter()
            .for_each(|request| println!("answer {}", wengert_walk::answer(&request.to_string())));
    }
}

fn module() -> PathBuf {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../page/src/wengert.wasm.gz");
    env::var_os("WENGERT_ENGINE").map_or(committed.into(), PathBuf::from)
}

fn here() -> Vec<Value> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "natively", "--nocapture"]).env("WENGERT_ANSWERS", "1");
    let output = command.env("WENGERT_SIMD", "portable").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("answer "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// How many numbers were compared and how many had other bits; what else differs is a failure.
fn compare(here: &Value, there: &Value, off: f64, scale: f64, counts: &mut [usize; 2], place: &str) {
    match (here, there) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            counts[0] += 1;
            counts[1] += usize::from(a.to_bits() != b.to_bits());
            assert!(
                (a - b).abs() <= off * scale.max(a.abs()),
                "{place}: {a} here, {b} there, beside {scale}"
            );
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{place}");
            let largest = a.iter().filter_map(Value::as_f64).fold(scale, |most, x| most.max(x.abs()));
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                compare(a, b, off, largest, counts, &format!("{place}[{i}]"));
            }
        }
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{place}: {:?} {:?}", a.keys(), b.keys());
            // What cancels is as far off as what it comes from.
            let norm = a.get("norm").and_then(Value::as_f64).map_or(scale, |norm| norm.max(scale));
            for (key, a) in a {
                // Differences divide what rounding leaves by their step, and say so with few digits; a
                // picture shows norms that were recorded.
                let (off, scale) = match key.as_str() {
                    "numerical" | "largest" => (1e-5, norm.max(1.0)),
                    _ => (off, norm),
                };
                if key != "verdict" {
                    compare(a, &b[key], off, scale, counts, &format!("{place}.{key}"));
                }
            }
        }
        _ => assert_eq!(here, there, "{place}"),
    }
}

#[test]
fn the_engine_answers_as_the_library_does() {
    let module = module();
    let has_node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if !has_node || !module.exists() {
        return println!("left out: there is no node here, or no {}", module.display());
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(&module).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = node.spawn().unwrap();
    let text: String = requests().iter().map(|request| format!("{request}\n")).collect();
    running.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{node:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let there: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let here = here();
    assert_eq!((here.len(), there.len()), (requests().len(), requests().len()));
    let mut counts = [0; 2];
    for (number, (here, there)) in here.iter().zip(&there).enumerate() {
        let off = OFF[usize::from(here["scene"]["type"] == "f32")];
        // In a random program sums cancel, of terms that come from cotangents of 1.
        let is_random = number + PROGRAMS as usize >= requests().len();
        let scale = if is_random { 1.0 } else { 0.0 };
        compare(here, there, off, scale, &mut counts, &format!("request {number}"));
    }
    println!("{} numbers, {} with other bits", counts[0], counts[1]);
    assert!(counts[0] > 5000, "{counts:?}");
}
