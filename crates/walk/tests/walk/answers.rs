//! Whatever is asked, there is an answer.

use proptest::prelude::*;
use serde_json::{Value, json};
use wengert_core::{Tape, Tensor, Variable, record};
use wengert_walk::answer;

fn ask(request: &Value) -> Value {
    serde_json::from_str(&answer(&request.to_string())).unwrap()
}

fn message(request: &str) -> String {
    let answer: Value = serde_json::from_str(&answer(request)).unwrap();
    answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}")).to_string()
}

fn tape() -> Tape {
    let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
    Tape::of(&record(|| (x.sin() * 2.0).sum()))
}

#[test]
fn a_tape_is_answered_by_its_scene() {
    let answer = ask(&json!({"tape": tape(), "edits": {"0": [3.0, "inf"]}, "type": "f64", "title": "T",
        "fold": {"steps": false}}));
    let scene = &answer["scene"];
    assert_eq!(scene["title"], "T");
    assert_eq!(scene["lines"][0]["outputs"][0]["value"]["data"], json!([3.0, "inf"]));
    assert_eq!(scene["lines"][1]["outputs"][0]["value"]["data"][1], "NaN");
    assert_eq!(scene["backward"][0]["kind"], "seed");
    assert_eq!(scene["backward"][1]["gives"][0]["to"], json!({"line": 2, "output": 0}));
    assert!(
        scene["drawings"]["rolled"]["svg"].as_str().unwrap().contains("data-node=\"0\" data-lines=\"0\"")
    );
    assert_eq!(scene["check"], Value::Null);
}

#[test]
fn a_program_is_answered_by_its_scene_checked_if_that_is_asked() {
    let request =
        json!({"program": "w: [2] = ones\nloss = sum(w^3)", "values": {"w": [1.0, -2.0]}, "check": true});
    let scene = &ask(&request)["scene"];
    assert_eq!(scene["lines"][0]["outputs"][0]["grad"]["data"], json!([3.0, 12.0]));
    assert_eq!(scene["lines"][1]["source"], "2:13");
    assert_eq!(scene["check"]["rows"][0]["name"], "w");
    assert!(scene["check"]["verdict"].as_str().unwrap().starts_with("All gradients agree"));
    // A kink is no gradient that differences could find.
    let kink = json!({"program": "w: [1] = zeros\nloss = sum(relu(w))", "check": true});
    let verdict = ask(&kink)["scene"]["check"]["verdict"].as_str().unwrap().to_string();
    assert!(verdict.starts_with("Differences disagree with the gradient of w"), "{verdict}");
}

#[test]
fn requests_that_are_none_are_refused_with_a_word() {
    for (request, said) in [
        ("", "the request: "),
        ("{", "the request: "),
        ("[]", "the request: "),
        ("null", "the request: "),
        ("{}", "either a \"tape\" or a \"program\""),
        (r#"{"program": "x", "tape": {"entries": []}}"#, "either a \"tape\" or a \"program\""),
        (r#"{"tape": {"entries": []}}"#, "empty tape"),
        (r#"{"program": 3}"#, "expected a string"),
        (r#"{"program": "w: [1] = ones", "type": "f16"}"#, "f32 or f64"),
        (r#"{"program": "w: [1] = ones", "values": {"w": ["x"]}}"#, "got \"x\""),
        (r#"{"program": "w: [1] = ones", "edits": {"0": [1]}}"#, "\"values\" by name"),
        (r#"{"program": "w: [1] = ones", "more": 1}"#, "unknown field `more`"),
        (r#"{"program": "w: [1] = ones\ny = sum(w)", "values": {"w": [1, 2]}}"#, "expected 1 elements"),
        (r#"{"program": "w: [1] = ones\ny = sum(w)", "values": {"v": [1]}}"#, "did you mean `w`?"),
        (r#"{"program": "w: [1] = ones\ny = sum(w)", "values": {"w": [1e999]}}"#, "number out of range"),
    ] {
        assert!(message(request).contains(said), "{request}: {}", message(request));
    }
    let deep = "[".repeat(100_000);
    assert!(message(&deep).contains("the request: "));
    assert!(message(&format!("{{\"tape\": {deep}")).contains("the request: "));
}

#[test]
fn edits_that_do_not_fit_are_refused() {
    for (edits, said) in [
        (json!({"0": [1.0]}), "2 elements"),
        (json!({"1": [1.0]}), "%1"),
        (json!({"99999999999999999999": [1.0]}), "the number of a line"),
        (json!({"-1": [1.0]}), "the number of a line"),
    ] {
        let answer = ask(&json!({"tape": tape(), "edits": edits}));
        assert!(answer["error"]["message"].as_str().unwrap().contains(said), "{answer}");
    }
    // The last one of two counts, as JSON readers have it.
    let text = json!({"tape": tape()}).to_string();
    let twice = text.replacen('{', r#"{"edits": {"0": [1, 1], "0": [5, 5]}, "#, 1);
    let answer: Value = serde_json::from_str(&answer(&twice)).unwrap();
    assert_eq!(answer["scene"]["lines"][0]["outputs"][0]["value"]["data"], json!([5.0, 5.0]));
}

/// A part of a document, found by choices.
fn part<'v>(value: &'v mut Value, choices: &[usize]) -> &'v mut Value {
    let Some((choice, rest)) = choices.split_first() else { return value };
    let is_empty = match &*value {
        Value::Array(parts) => parts.is_empty(),
        Value::Object(parts) => parts.is_empty(),
        _ => true,
    };
    if is_empty {
        return value;
    }
    match value {
        Value::Array(parts) => {
            let count = parts.len();
            part(&mut parts[choice % count], rest)
        }
        Value::Object(parts) => {
            let count = parts.len();
            part(parts.values_mut().nth(choice % count).unwrap(), rest)
        }
        _ => unreachable!(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn garbage_is_answered(text in ".{0,200}") {
        prop_assert!(serde_json::from_str::<Value>(&answer(&text)).unwrap()["error"].is_object());
    }

    /// A tape of which something is another thing.
    #[test]
    fn damaged_tapes_are_answered(
        choices in proptest::collection::vec(any::<usize>(), 1..9),
        other in prop_oneof![
            Just(json!(null)), Just(json!(0)), Just(json!(7)), Just(json!(-1)), Just(json!(1e300)),
            Just(json!([])),
            Just(json!("MatMul")), Just(json!([3, 4])), Just(json!({})), Just(json!(usize::MAX)),
            Just(json!("NaN")),
        ],
    ) {
        let mut request = json!({"tape": tape(), "check": true});
        *part(&mut request["tape"], &choices) = other;
        let answer: Value = serde_json::from_str(&answer(&request.to_string())).unwrap();
        prop_assert!(answer["error"]["message"].is_string() || answer["scene"].is_object());
    }
}
