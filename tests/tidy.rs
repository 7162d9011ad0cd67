//! What holds of the sources: which folder may name which, and how long files and lines are.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors of `crates/core/src`, from the ground up: a file names its own floor and those below it.
const FLOORS: [&str; 8] = ["base", "random", "tensor", "io", "tape", "ops", "backward", "listing"];
const MOST_LINES: usize = 400;
const MOST_COLUMNS: usize = 110;
/// The crates without `unsafe`; all of it is in `crates/kernel`.
const SAFE: [&str; 10] = ["core", "data", "nn", "optim", "train", "check", "view", "walk", "page", "wengert"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The Rust sources under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A source without comments, texts, and the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split('"').step_by(2).collect::<String>() + "\n").collect()
}

/// The first names behind `crate::`, those in braces each; what macros write for other crates has no floor.
fn named(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let path = &code[at + "crate::".len()..];
        let end = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        match path.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default().split(',');
                names.extend(list.map(|name| &name.trim()[..end(name.trim())]));
            }
            None => names.push(&path[..end(path)]),
        }
    }
    names
}

/// The arrows from a floor to one above it, and to what has no floor.
fn arrows_up(floor: &str, code: &str) -> Vec<String> {
    let height = |name: &str| FLOORS.iter().position(|floor| *floor == name);
    let may_name = |name: &str| match height(name) {
        Some(above) => above <= height(floor).expect("a floor"),
        // What the crate exports for the code of its macros, and those themselves, stand at its root.
        None => code.contains(&format!("$crate::{name}")) || name == "pointwise",
    };
    let mut arrows: Vec<String> = named(code)
        .into_iter()
        .filter(|name| !name.is_empty() && !may_name(name))
        .map(|name| format!("{floor} -> {name}"))
        .collect();
    let through_parent =
        FLOORS.iter().filter(|name| **name != floor && code.contains(&format!("super::{name}::")));
    arrows.extend(through_parent.map(|name| format!("{floor} -> {name} through super")));
    arrows.sort();
    arrows.dedup();
    arrows
}

#[test]
fn no_floor_of_the_core_names_one_above_it() {
    let core = root().join("crates/core/src");
    let mut wrong = Vec::new();
    for path in sources(&core) {
        let place = path.strip_prefix(&core).unwrap();
        let Some(floor) = place.parent().and_then(|folder| folder.iter().next()) else { continue };
        let is_test = place.file_stem().is_some_and(|stem| stem == "tests");
        if !is_test {
            let text = fs::read_to_string(&path).unwrap();
            let arrows = arrows_up(&floor.to_string_lossy(), &code(&text));
            wrong.extend(arrows.into_iter().map(|arrow| format!("{}: {arrow}", place.display())));
        }
    }
    assert!(wrong.is_empty(), "arrows against {FLOORS:?}:\n{}", wrong.join("\n"));
}

#[test]
fn an_arrow_up_is_seen() {
    assert_eq!(arrows_up("tensor", "use crate::base::error::Error;\nuse crate::tensor::Tensor;"), [""; 0]);
    assert_eq!(arrows_up("tensor", "use crate::tape::Variable;"), ["tensor -> tape"]);
    assert_eq!(arrows_up("base", "fn f() { crate::tensor::memory::refuse() }"), ["base -> tensor"]);
    assert_eq!(arrows_up("tape", "use crate::{base::error::Error, ops::cat};"), ["tape -> ops"]);
    assert_eq!(arrows_up("ops", "use crate::elsewhere::Thing;"), ["ops -> elsewhere"]);
    assert_eq!(arrows_up("ops", "use crate::Tensor;"), ["ops -> Tensor"]);
    assert_eq!(arrows_up("ops", "use super::tape::Variable;"), ["ops -> tape through super"]);
    assert_eq!(code("#[doc = \"crate::ops\"]\n"), "#[doc = ]\n");
    assert_eq!(code("use a;\n// crate::ops\n#[cfg(test)]\nmod tests {\n use crate::ops; }"), "use a;\n");
}

#[test]
fn files_and_lines_are_short() {
    let mut wrong = Vec::new();
    for folder in ["crates", "examples", "tests", "benches"] {
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let place = path.strip_prefix(root()).unwrap().display();
            let lines = text.lines().count();
            if lines > MOST_LINES {
                wrong.push(format!("{place}: {lines} lines"));
            }
            let long = text.lines().enumerate().filter(|(_, line)| line.chars().count() > MOST_COLUMNS);
            wrong.extend(
                long.map(|(at, line)| format!("{place}:{}: {} columns", at + 1, line.chars().count())),
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "more than {MOST_LINES} lines or {MOST_COLUMNS} columns:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn crates_but_one_forbid_what_is_unsafe() {
    for name in SAFE {
        let text = fs::read_to_string(root().join("crates").join(name).join("src/lib.rs")).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "crates/{name}");
    }
}

/// What the crates give to their users, a line each.
fn interface() -> Vec<String> {
    let folder = fs::read_dir(root().join("docs/interface")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    texts
        .flat_map(|path| fs::read_to_string(path).unwrap().lines().map(String::from).collect::<Vec<_>>())
        .collect()
}

/// Whether a line of the interface is a function that takes a flag by position: but one that is named for it,
/// `x.batch_first(true)`, also where the flag is that of a name, `model.set_requires_grad("bias", false)`.
fn takes_a_flag(line: &str) -> bool {
    let Some((_, arguments)) = line.strip_prefix("pub fn ").and_then(|line| line.split_once('(')) else {
        return false;
    };
    let mut depth = 0;
    let arguments: Vec<&str> = arguments
        .split(|c: char| {
            depth += match c {
                '(' | '<' | '[' => 1,
                ')' | '>' | ']' => -1,
                _ => 0,
            };
            depth < 0 || depth == 0 && c == ','
        })
        .map(str::trim)
        .collect();
    let flags = arguments.iter().filter(|argument| **argument == "bool").count();
    let named = matches!(
        arguments[..],
        ["self" | "&self" | "&mut self", "bool", ..]
            | ["self" | "&self", "&str" | "&'static str", "bool", ..]
    );
    flags > usize::from(named)
}

#[test]
fn no_function_takes_a_flag_by_position() {
    let wrong: Vec<String> = interface().into_iter().filter(|line| takes_a_flag(line)).collect();
    assert!(wrong.is_empty(), "a flag is set by a method named for it:\n{}", wrong.join("\n"));
    assert!(takes_a_flag("pub fn a::sum(&self, &[isize], bool) -> a::Tensor"));
    assert!(takes_a_flag("pub fn a::with<R>(bool, impl core::ops::function::FnOnce() -> R) -> R"));
    assert!(!takes_a_flag("pub fn a::each(&self, impl core::ops::function::Fn(bool) -> bool)"));
    assert!(!takes_a_flag("pub fn a::Options::batch_first(self, bool) -> Self"));
}

#[test]
fn a_type_of_one_name_is_in_one_crate() {
    let mut types: Vec<(String, String)> = Vec::new();
    for line in interface() {
        let kinds = ["pub struct ", "pub enum ", "pub trait "];
        let Some(path) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else { continue };
        let path = path.split(['<', ':', ' ', '(']).filter(|part| !part.is_empty()).collect::<Vec<_>>();
        if let [of, name, ..] = path[..] {
            types.push((name.to_string(), of.to_string()));
        }
    }
    types.sort();
    types.dedup();
    let twice: Vec<_> = types.windows(2).filter(|pair| pair[0].0 == pair[1].0).collect();
    assert!(types.len() > 150 && twice.is_empty(), "{} types, of one name: {twice:?}", types.len());
}
