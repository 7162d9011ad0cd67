//! The page of a recorded tape.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};
use wengert_core::{AnyTensor, Error, Result, Tape};
use wengert_walk::{Scene, SceneLine, Value as Shown};

use crate::assemble::{self, Kind};
use crate::blob;

/// The most bytes of a tape that goes into the page with its values, so that inputs can be edited there.
const MOST_BYTES: usize = 4 << 20;

/// A tape as a page that walks through it: forward line after line, then backward event after event, with the
/// values, the cotangents that have arrived, the sums that form where paths meet, the products that wait at
/// shared weights, and the drawing of the graph. Inputs of few elements can be edited in the page, which then
/// computes forward and backward anew.
///
/// The tape is best that of a loss that was computed inside [`record`](wengert_core::record) and went
/// backward; of others the page says what is missing.
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable, record};
/// use wengert_page::Page;
/// let x = Variable::new(Tensor::from([0.5f64])).requires_grad_(true);
/// let loss = record(|| x.tanh().sum());
/// loss.backward()?;
/// let text = Page::of(&Tape::of(&loss))?.title("a tanh").to_text();
/// assert!(text.contains("<title>a tanh</title>") && text.contains("Tanh"));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Page {
    title: String,
    scene: Value,
    /// What the page asks the engine, but for the edits; none if nothing can be edited.
    request: Option<Value>,
}

impl Page {
    /// The page of a tape.
    ///
    /// # Errors
    /// If the tape cannot be walked at all: nothing of it is known that could be shown.
    pub fn of(tape: &Tape) -> Result<Page> {
        let scene = if is_double(tape) { Scene::of::<f64>(tape)? } else { Scene::of::<f32>(tape)? };
        let mut scene = scene;
        scene.remarks.extend(other_gradients(tape, &scene));
        if scene.lines.len() < tape.len() {
            scene.drawings.rolled.svg = of_shown(&scene.drawings.rolled.svg, &scene.lines);
        }
        let scene = as_json(&scene)?;
        Ok(Page { title: "A recorded tape".to_string(), request: request(tape, &scene)?, scene })
    }

    /// Sets the title, which is any text.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The page as text.
    pub fn to_text(&self) -> String {
        let mut scene = self.scene.clone();
        scene["title"] = json!(self.title);
        let engine = if self.request.is_some() { blob::text() } else { "" };
        let data = json!({ "scene": scene, "request": self.request, "engine": engine });
        assemble::page(Kind::Walk, &self.title, &data.to_string())
    }

    /// Writes the page to a file, beside it and then renamed. The file is all there is: it needs no network
    /// and no other file.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn to_html(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::write(path.as_ref(), &self.to_text())
    }
}

/// Whether the numbers of a tape, as far as they are known, are of double precision.
fn is_double(tape: &Tape) -> bool {
    let values = tape.entries().iter().rev().flat_map(|entry| &entry.outputs);
    let mut kinds = values.filter_map(|output| output.value.as_ref()).map(AnyTensor::kind);
    kinds.find(|kind| ["f32", "f64"].contains(kind)) == Some("f64")
}

fn as_json(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::argument("Page::of", "tape", "data", error))
}

/// A remark on gradients that were recorded, where the rules alone give others.
fn other_gradients(tape: &Tape, scene: &Scene) -> Option<String> {
    let lines = tape.entries().iter().zip(&scene.lines).filter(|(entry, line)| {
        let outputs = entry.outputs.iter().zip(&line.outputs);
        outputs
            .filter_map(|(was, is)| Some((was.grad.as_ref()?, is.grad.as_ref()?)))
            .any(|(was, is)| differ(was, is))
    });
    let name =
        |line: &SceneLine| if line.name.is_empty() { format!("%{}", line.number) } else { line.name.clone() };
    let names: Vec<String> = lines.map(|(_, line)| name(line)).collect();
    let most = names.len().min(8);
    let more = if names.len() > most { ", .." } else { "" };
    (!names.is_empty()).then(|| {
        format!(
            "The backward that was recorded gave other gradients than the rules alone, which are shown: \
             those of {}{more}. A hook changed them, or those of several backwards were added up.",
            names[..most].join(", ")
        )
    })
}

/// A drawing whose nodes name only those of their lines that are shown, of which there may be a million.
fn of_shown(svg: &str, lines: &[SceneLine]) -> String {
    const NAMED: &str = "data-lines=\"";
    let shown: HashSet<String> = lines.iter().map(|line| line.number.to_string()).collect();
    let mut parts = svg.split(NAMED);
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (numbers, rest) = part.split_once('"').unwrap_or((part, ""));
        let kept: Vec<&str> = numbers.split(' ').filter(|number| shown.contains(*number)).collect();
        out += &format!("{NAMED}{}\"{rest}", kept.join(" "));
    }
    out
}

/// Whether a gradient is another than the one of a scene, by more than the order of sums explains.
fn differ(was: &AnyTensor, is: &Shown) -> bool {
    let allowed = if was.kind() == "f32" { 1e-3 } else { 1e-9 };
    let was = was.cast::<f64>().to_vec();
    match &is.data {
        Some(is) if is.len() == was.len() => {
            let scale = was.iter().fold(0.0f64, |scale, x| scale.max(x.abs()));
            was.iter().zip(is).any(|(was, is)| (was - is.0).abs() > allowed * scale)
        }
        _ => {
            let norm = was.iter().fold(0.0f64, |norm, x| norm.hypot(*x));
            (norm - is.norm.0).abs() > allowed * norm
        }
    }
}

/// What computes the scene anew, if something in it can be edited (in a scene of folded lines nothing can)
/// and the tape is not too large to be there.
fn request(tape: &Tape, scene: &Value) -> Result<Option<Value>> {
    let lines = scene["lines"].as_array().map_or(&[][..], Vec::as_slice);
    if !lines.iter().any(|line| line["editable"] == json!(true)) {
        return Ok(None);
    }
    let request = json!({ "tape": as_json(tape)?, "type": scene["type"] });
    Ok(Some(request).filter(|request| request.to_string().len() <= MOST_BYTES))
}
