//! How much of the models among the examples is said for the library's sake alone.

use std::fs;
use std::path::Path;

/// The examples that are models.
const MODELS: [&str; 11] = [
    "airline",
    "attention_decoder",
    "forecast",
    "hypernetwork",
    "maml",
    "mixture_density",
    "names/main",
    "names/model",
    "peephole",
    "slstm",
    "time_gaps",
];
/// Wrapping and conversions, which say nothing of a model.
const CEREMONY: [&str; 6] = ["Variable::new(", "Variable::from(", ".into()", ".cast(", "as f32", "as f64"];
/// How many of these there may be in a thousand lines of code.
const MOST: usize = 10;

/// The lines that are neither blank nor comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
}

/// The ceremony in a source, as `line: what`.
fn ceremony(text: &str) -> Vec<String> {
    let found = |line| CEREMONY.iter().flat_map(move |what| str::matches(line, what));
    code(text).flat_map(|line| found(line).map(move |what| format!("{what} in {}", line.trim()))).collect()
}

#[test]
fn models_are_written_with_little_ceremony() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let sources = MODELS.map(|name| fs::read_to_string(folder.join(name).with_extension("rs")).unwrap());
    let lines: usize = sources.iter().map(|text| code(text).count()).sum();
    let found: Vec<String> = sources.iter().flat_map(|text| ceremony(text)).collect();
    assert!(
        1000 * found.len() <= MOST * lines,
        "{} times in {lines} lines of code:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn ceremony_is_found_in_code_and_not_in_comments() {
    let text =
        "let x = Variable::new(t); // Variable::new(\n\n  // y.into()\nlet y = (n as f32, n as f32);\n";
    assert_eq!(code(text).count(), 2);
    assert_eq!(ceremony(text).len(), 4);
    assert_eq!(ceremony("x.map(Variable::from); i as i64; T::from(x); a.cast::<f64>()"), [""; 0]);
}
