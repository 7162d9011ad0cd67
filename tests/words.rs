//! What holds of the words: the documentation of a public item stands alone, as it is read on its page.

use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 11] =
    ["core", "data", "nn", "optim", "train", "check", "view", "walk", "page", "wengert", "kernel"];
/// First words that point at something that is not on the page, or that open no noun or verb of the item.
const POINTING: [&str; 46] = [
    "This", "These", "That", "Those", "It", "Its", "They", "As", "See", "Same", "What", "Which", "Such",
    "Added", "Also", "Side", "There", "Here", "Of", "For", "Not", "By", "After", "At", "Before", "Behind",
    "Being", "Between", "From", "In", "Never", "No", "None", "Nothing", "On", "Only", "So", "Their", "To",
    "Under", "Where", "While", "With", "Without", "Whatever", "Whose",
];
const SECTIONS: [&str; 2] = ["# Errors", "# Panics"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The Rust sources under a folder, but for files of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.to_string_lossy().ends_with(".rs") && !path.to_string_lossy().ends_with("tests.rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A line of a block of documentation, without the mark.
fn documentation(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("///").map(str::trim)
}

/// Whether a line opens something whose items are public without saying so: a trait, an enum, a macro.
fn opens_public(line: &str) -> bool {
    let starts = ["pub trait ", "pub unsafe trait ", "pub enum "];
    let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    starts.iter().any(|start| line.starts_with(start))
        || line.split_once("! {").is_some_and(|(name, _)| is_name(name))
}

/// Whether a line declares something, and with it everything up to its indentation.
fn declares(line: &str) -> bool {
    let starts =
        ["pub", "impl", "trait ", "enum ", "struct ", "fn ", "mod ", "macro_rules! ", "unsafe ", "union "];
    starts.iter().any(|start| line.starts_with(start)) || opens_public(line)
}

/// Whether the documentation that ends before line `end` is that of a public item.
fn is_public(lines: &[&str], end: usize) -> bool {
    let mut is_open = false;
    let is_attribute = |line: &&&str| {
        let begins = line.trim_start().starts_with("#[");
        let is_part = is_open || begins || line.trim_start().starts_with("//");
        is_open = (is_open || begins) && !line.ends_with(']');
        is_part
    };
    let attributes = lines[end..].iter().take_while(is_attribute).count();
    let (attributes, rest) = lines[end..].split_at(attributes);
    let Some(item) = rest.first() else { return false };
    if item.trim_start().starts_with("pub") || attributes.contains(&"#[macro_export]") {
        return !item.trim_start().starts_with("pub(");
    }
    let mut around =
        lines[..end].iter().filter(|line| !line.trim().is_empty() && indent(line) < indent(item));
    around.rfind(|line| declares(line.trim_start())).is_some_and(|line| opens_public(line.trim_start()))
}

/// The first word of a text, whatever marks are around it.
fn first_word(text: &str) -> &str {
    let text = text.strip_prefix("The same").map_or(text, |_| "Same");
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// What is wrong with the documentation of public items in a source: the number of the line, and its text.
fn pointing(text: &str) -> Vec<(usize, &str)> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let mut wrong = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let start = at;
        let block: Vec<&str> = lines[at..].iter().map_while(|line| documentation(line)).collect();
        at += block.len().max(1);
        if block.is_empty() || !is_public(&lines, at) {
            continue;
        }
        let opening = POINTING.contains(&first_word(block[0])).then_some(0);
        let sections = block.iter().enumerate().filter(|(_, line)| SECTIONS.contains(line));
        let texts = sections.filter_map(|(at, _)| {
            let next = at + 1 + block[at + 1..].iter().position(|line| !line.is_empty())?;
            block[next].starts_with("As ").then_some(next)
        });
        wrong.extend(opening.into_iter().chain(texts).map(|line| (start + line + 1, block[line])));
    }
    wrong
}

#[test]
fn the_documentation_of_a_public_item_stands_alone() {
    let mut wrong = Vec::new();
    for path in CRATES.iter().flat_map(|name| sources(&root().join("crates").join(name).join("src"))) {
        let text = fs::read_to_string(&path).unwrap();
        let place = path.strip_prefix(root()).unwrap().display().to_string();
        wrong.extend(pointing(&text).into_iter().map(|(line, text)| format!("{place}:{line}: {text}")));
    }
    assert!(
        wrong.is_empty(),
        "{} that begin with one of {POINTING:?}, or a section with \"As\":\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn only_documentation_that_points_elsewhere_is_found() {
    assert_eq!(pointing("/// This.\n#[inline]\npub fn f() {}"), [(1, "This.")]);
    assert_eq!(pointing("/// The same as there.\n#[allow(\n    dead_code\n)]\npub fn f() {}").len(), 1);
    assert_eq!(
        pointing("/// Thistles.\npub fn f() {}\n/// This.\npub(crate) fn g() {}\n/// It.\nfn h() {}"),
        []
    );
    assert_eq!(pointing("pub trait T {\n    /// What it is.\n    fn f();\n}"), [(2, "What it is.")]);
    assert_eq!(pointing("trait T {\n    /// What it is.\n    fn f();\n}"), []);
    assert_eq!(
        pointing("pub enum E {\n    S {\n        /// Its name.\n        name: u8,\n    },\n}").len(),
        1
    );
    assert_eq!(pointing("pub struct S {\n    /// Its name.\n    name: u8,\n}"), []);
    assert_eq!(pointing("unary! {\n    /// See there.\n    exp Exp;\n}"), [(2, "See there.")]);
    assert_eq!(pointing("/// Of the elements.\npub fn f() {}\n/// Offset.\npub fn g() {}").len(), 1);
    assert_eq!(
        pointing("pub struct S {\n    /// Where it goes.\n    pub to: u8,\n}"),
        [(2, "Where it goes.")]
    );
    assert_eq!(pointing("/// From 0 to 1.\npub fn f() {}\n/// Nothing yet.\npub fn g() {}").len(), 2);
    assert_eq!(pointing("/// Such.\n#[macro_export]\nmacro_rules! m {\n}").len(), 1);
    assert_eq!(pointing("/// F.\n///\n/// # Errors\n/// As there.\npub fn f() {}"), [(4, "As there.")]);
    assert_eq!(pointing("/// F.\n///\n/// # Errors\n/// If so.\npub fn f() {}"), []);
    assert_eq!(pointing("#[cfg(test)]\nmod tests {\n/// This.\npub fn f() {}"), []);
}
