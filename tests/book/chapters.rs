//! The chapters, and the blocks in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::{read, root};

const INCLUDE: &str = "{{#include ";

/// What a block of a chapter may say that it is.
const KINDS: [&str; 7] = ["rust", "rust,ignore", "text", "diff", "sh", "toml", "python"];

pub fn folder() -> PathBuf {
    root().join("docs/book/src")
}

/// The chapters, each with its text.
pub fn all() -> Vec<(String, String)> {
    let names =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), read(folder().join(name)))).collect()
}

/// The file that a line includes, all of it or, as in `file:1:5`, some lines.
pub fn include(line: &str) -> Option<&str> {
    line.trim().strip_prefix(INCLUDE)?.strip_suffix("}}")?.split(':').next()
}

/// The files under `generated` that chapters include, or show as pictures.
pub fn included() -> BTreeSet<String> {
    let picture = |line: &str| Some(line.split_once("](generated/")?.1.split_once(')')?.0.to_string());
    let text = |line: &str| Some(include(line)?.strip_prefix("generated/")?.to_string());
    let names = |chapter: &str| {
        chapter.lines().filter_map(|line| text(line).or_else(|| picture(line))).collect::<Vec<_>>()
    };
    all().iter().flat_map(|(_, text)| names(text)).collect()
}

/// The blocks of a text: what each says that it is, and its lines.
fn blocks(text: &str) -> Vec<(&str, Vec<&str>)> {
    let (mut found, mut open) = (Vec::new(), None);
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => open = Some((kind, Vec::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block that doesn't end");
    found
}

/// What is wrong with the blocks of a text: Rust that neither is compiled nor comes from a file that is.
fn untested(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (kind, lines) in blocks(text) {
        let includes = lines.len() == 1 && include(lines[0]).is_some();
        if !KINDS.contains(&kind) {
            wrong.push(format!("a block of kind {kind:?}, which is none of {KINDS:?}"));
        } else if kind.starts_with("rust") && includes != kind.ends_with("ignore") {
            wrong.push(format!("{kind:?} and not an include alone, or the other way round: {lines:?}"));
        }
    }
    wrong
}

#[test]
fn every_block_of_rust_is_compiled_and_run() {
    let doctests = read(root().join("crates/wengert/src/lib.rs"));
    for (name, text) in all() {
        let wrong = untested(&text);
        assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
        let has_own = blocks(&text).iter().any(|(kind, _)| *kind == "rust");
        let tested = doctests.contains(&format!("include_str!(\"../../../docs/book/src/{name}\")"));
        assert!(tested || !has_own, "crates/wengert/src/lib.rs has no doctests of {name}");
    }
}

#[test]
fn a_block_that_nothing_compiles_is_found() {
    assert_eq!(untested("```rust\nlet x = 1;\n```\n```text\nx\n```"), [""; 0]);
    assert_eq!(untested("```rust,ignore\n{{#include a.rs}}\n```"), [""; 0]);
    assert_eq!(untested("```rust,ignore\nlet x = 1;\n```").len(), 1);
    assert_eq!(untested("```rust\n{{#include a.rs}}\n```").len(), 1);
    assert_eq!(untested("```rust,no_run\nlet x = 1;\n```\n```\nx\n```").len(), 2);
}
