//! What a page asks, and what it is answered.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use wengert_core::Tape;
use wengert_view::Fold;

use crate::build::SceneOptions;
use crate::limits::MOST_REQUEST;
use crate::scene::Scene;
use crate::script::{Script, ScriptError};

/// A request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    tape: Option<Tape>,
    #[serde(default)]
    edits: BTreeMap<String, Vec<Element>>,
    program: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, Vec<Element>>,
    #[serde(rename = "type")]
    element: Option<String>,
    fold: Option<FoldRequest>,
    #[serde(default)]
    check: bool,
    title: Option<String>,
}

/// An element, which as a text may be what JSON has no number for.
#[derive(Deserialize)]
#[serde(untagged)]
enum Element {
    Number(f64),
    Text(String),
}

/// How far pictures are folded: `Fold` as an object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FoldRequest {
    steps: Option<bool>,
    varied: Option<bool>,
    depth: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Response {
    Scene(Box<Scene>),
    Error(Refusal),
}

/// Why there is no scene.
#[derive(Serialize)]
struct Refusal {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

impl Refusal {
    fn new(message: impl ToString) -> Self {
        Refusal { message: message.to_string(), line: None, column: None }
    }
}

impl From<ScriptError> for Refusal {
    fn from(error: ScriptError) -> Self {
        Refusal { message: error.message, line: Some(error.line), column: Some(error.column) }
    }
}

/// Answers a request, an object of JSON, with an object of JSON; never panics.
///
/// A request is `{"tape": .., "edits": {"0": [1.0]}}`, a tape as `serde` gives it and other values for
/// leaves by the numbers of their lines, or `{"program": "..", "values": {"W": [1.0]}}`, the text of a
/// [`Script`] and other values for leaves by name. Both may have `"type"`, `"f32"` or `"f64"`; `"check":
/// true`, for gradients held against differences; `"fold": {"steps": true, "varied": true, "depth": 0}`;
/// and a `"title"`. Elements that JSON has no numbers for are `"NaN"`, `"inf"` and `"-inf"`.
///
/// The answer is `{"scene": ..}`, a [`Scene`], or `{"error": {"message": ".."}}`, with `line` and `column`
/// if it is a mistake in the program's text.
///
/// ```
/// let answer = wengert_walk::answer(r#"{"program": "w: [2] = ones\nloss = sum(w^2)", "type": "f64"}"#);
/// assert!(answer.starts_with(r#"{"scene":{"title":"#), "{answer}");
/// let answer = wengert_walk::answer(r#"{"program": "w: [2] = one", "type": "f64"}"#);
/// assert!(answer.contains(r#""line":1,"column":10"#), "{answer}");
/// ```
pub fn answer(request: &str) -> String {
    let response = catch_unwind(AssertUnwindSafe(|| respond(request))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
        Err(Refusal::new(format!("the computation failed: {text}")))
    });
    let response = response.map_or_else(Response::Error, |scene| Response::Scene(Box::new(scene)));
    serde_json::to_string(&response)
        .unwrap_or_else(|error| format!("{{\"error\":{{\"message\":\"no JSON: {}\"}}}}", error.line()))
}

fn respond(request: &str) -> Result<Scene, Refusal> {
    if request.len() > MOST_REQUEST {
        let got = request.len();
        return Err(Refusal::new(format!("expected a request of at most {MOST_REQUEST} bytes, got {got}")));
    }
    let request: Request =
        serde_json::from_str(request).map_err(|error| Refusal::new(format!("the request: {error}")))?;
    let is_double = match request.element.as_deref() {
        None | Some("f64") => true,
        Some("f32") => false,
        Some(other) => return Err(Refusal::new(format!("expected type f32 or f64, got {other:?}"))),
    };
    let mut options = SceneOptions::default().check(request.check);
    if let Some(FoldRequest { steps, varied, depth }) = request.fold {
        let fold = Fold::default().steps(steps.unwrap_or(true)).varied(varied.unwrap_or(true));
        options = options.fold(depth.map_or(fold.clone(), |depth| fold.depth(depth)));
    }
    if let Some(title) = request.title {
        options = options.title(title);
    }
    match (request.tape, request.program) {
        (Some(tape), None) => {
            if !request.values.is_empty() {
                return Err(Refusal::new("expected \"edits\" by line beside a tape, got \"values\""));
            }
            for (line, elements) in request.edits {
                let number = line.parse().map_err(|_| {
                    Refusal::new(format!("edits: expected the number of a line, got {line:?}"))
                })?;
                options = options.edit(number, numbers(&line, elements)?);
            }
            let scene = if is_double {
                Scene::with::<f64>(&tape, &options)
            } else {
                Scene::with::<f32>(&tape, &options)
            };
            scene.map_err(Refusal::new)
        }
        (None, Some(text)) => {
            if !request.edits.is_empty() {
                return Err(Refusal::new("expected \"values\" by name beside a program, got \"edits\""));
            }
            let mut program = Script::parse(&text)?;
            for (name, elements) in request.values {
                let elements = numbers(&name, elements)?;
                program = program.with_value(&name, elements);
            }
            let scene = if is_double {
                program.scene_with::<f64>(options)
            } else {
                program.scene_with::<f32>(options)
            };
            Ok(scene?)
        }
        _ => Err(Refusal::new("expected either a \"tape\" or a \"program\"")),
    }
}

fn numbers(name: &str, elements: Vec<Element>) -> Result<Vec<f64>, Refusal> {
    let number = |element| match element {
        Element::Number(value) => Ok(value),
        Element::Text(text) => match text.parse::<f64>() {
            Ok(value) if !value.is_finite() => Ok(value),
            _ => Err(Refusal::new(format!("{name}: expected a number, NaN, inf or -inf, got {text:?}"))),
        },
    };
    elements.into_iter().map(number).collect()
}
