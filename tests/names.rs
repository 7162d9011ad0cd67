//! The table of names in `docs/names.md`, made from the aliases that the sources declare.
//!
//! `WENGERT_WRITE=1 cargo test -p wengert --test names` writes it anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

const HEAD: &str = "\
# Names

What is called otherwise elsewhere (PyTorch, NumPy, Keras, JAX), and what it is called here. The
documentation's search finds these names too.

| elsewhere | here |
| --- | --- |
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The texts of all sources under a folder.
fn texts(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
}

/// The first word of `text`.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// What the line that follows an alias declares: the name behind its keyword, or its first word in a list of
/// macros.
fn item(line: &str) -> &str {
    let keywords = ["fn ", "struct ", "enum ", "trait ", "type "];
    let behind = keywords.iter().find_map(|keyword| line.split_once(keyword)).map(|(_, rest)| rest);
    word(behind.unwrap_or(line.trim_start()))
}

/// Whether a line declares an item, by itself or in a list that a macro takes.
fn declares(line: &str) -> bool {
    let line = line.trim();
    // The last is an activation: a name, its constants, and what it makes of `x`.
    line.starts_with("pub ") || line.starts_with("fn ") || line.ends_with(';') || line.contains(" x => ")
}

/// Each alias, with the item that has it.
fn aliases(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let alias = |line: &str| {
        let alias = line.trim().strip_prefix("#[doc(alias = \"")?.strip_suffix("\")]")?;
        Some(alias.to_string())
    };
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(alias) = alias(line) else { continue };
        // Between them may be other attributes, on one line or, closed by a bracket, on several.
        let mut rest = lines[at + 1..].iter().skip_while(|line| line.trim_start().starts_with('#'));
        let mut of = rest.next().expect("an item behind its alias");
        if !declares(of) {
            of = rest.find(|line| declares(line)).expect("an item behind its alias");
        }
        found.push((alias, item(of).to_string()));
    }
    found
}

/// The table as the sources have it.
fn table() -> String {
    let mut all = Vec::new();
    texts(&root().join("crates"), &mut all);
    let rows: BTreeSet<(String, String)> = all.iter().flat_map(|text| aliases(text)).collect();
    let mut sorted: Vec<_> = rows.into_iter().collect();
    sorted.sort_by_key(|(alias, _)| alias.to_lowercase());
    let rows = sorted.iter().map(|(alias, item)| format!("| `{alias}` | `{item}` |\n"));
    HEAD.to_string() + &rows.collect::<String>()
}

#[test]
fn the_table_of_names_is_that_of_the_sources() {
    let (path, table) = (root().join("docs/names.md"), table());
    if env::var_os("WENGERT_WRITE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == table, "docs/names.md is not what the sources say: WENGERT_WRITE=1 writes it anew");
}

#[test]
fn an_alias_is_that_of_the_item_behind_it() {
    let text =
        "#[doc(alias = \"log\")]\nln Ln;\n#[doc(alias = \"view\")]\n#[track_caller]\npub fn reshape(&self)";
    let found = aliases(text);
    assert_eq!(found, [("log", "ln"), ("view", "reshape")].map(|(a, b)| (a.to_string(), b.to_string())));
}
