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

/// The characters of a text, with where they stand and how many brackets are open behind each.
fn depths(text: &str) -> impl Iterator<Item = (usize, char, i32)> {
    text.char_indices().scan(0, |depth, (at, c)| {
        *depth += match c {
            '(' | '<' | '[' | '{' => 1,
            // An arrow closes nothing.
            '>' if text[..at].ends_with('-') => 0,
            ')' | '>' | ']' | '}' => -1,
            _ => 0,
        };
        Some((at, c, *depth))
    })
}

/// What stands between the commas of a list up to its end, in brackets of its own or not.
fn listed(list: &str) -> Vec<&str> {
    let (mut found, mut start) = (Vec::new(), 0);
    for (at, c, depth) in depths(list).chain([(list.len(), ',', -1)]) {
        if depth < 0 || depth == 0 && c == ',' {
            found.push(list[start..at].trim());
            start = at + c.len_utf8();
        }
        if depth < 0 {
            break;
        }
    }
    found
}

/// The paths behind `root`, those in braces each; what follows them may stand behind.
fn paths<'c>(root: &str, code: &'c str) -> Vec<&'c str> {
    let behind = code.match_indices(root).map(|(at, _)| &code[at + root.len()..]);
    behind.flat_map(|path| path.strip_prefix('{').map_or_else(|| vec![path], listed)).collect()
}

/// The first names behind `crate::`; what macros write for other crates has no floor.
fn named(code: &str) -> Vec<&str> {
    let end = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    paths("crate::", code).into_iter().map(|path| &path[..end(path)]).collect()
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
    let of_parent = paths("super::", code);
    let is_of_parent = |name: &str| of_parent.iter().any(|path| path.starts_with(&format!("{name}::")));
    let through_parent = FLOORS.iter().filter(|name| **name != floor && is_of_parent(name));
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
    let nested = "use crate::{\n    base::{error::{Error, Result}, mode::no_grad},\n    ops::cat,\n};";
    assert_eq!(named(nested), ["base", "ops", ""]);
    assert_eq!(arrows_up("tape", nested), ["tape -> ops"]);
    assert_eq!(arrows_up("ops", nested), [""; 0]);
    assert_eq!(arrows_up("tape", "use crate::{base::{Error}}; fn f(ops: Ops) {}"), [""; 0]);
    assert_eq!(arrows_up("ops", "use super::{sum::Sum, tape::Variable};"), ["ops -> tape through super"]);
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

/// Where a crate's documentation is built with every feature, items say which one they need.
#[test]
fn documentation_marks_items_by_their_feature() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let asked = read("Cargo.toml").contains("rustdoc-args = [\"--cfg\", \"docsrs\"]");
        let marked = read("src/lib.rs").contains("#![cfg_attr(docsrs, feature(doc_cfg))]");
        assert!(asked && marked, "{}: asked {asked}, marked {marked}", folder.display());
    }
}

/// What the crates give to their users, a line each, without attributes.
fn interface() -> Vec<String> {
    let folder = root().join("docs/interface");
    let packages = fs::read_dir(root().join("crates")).unwrap();
    let names = packages.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let texts = names.map(|name| {
        let path = folder.join(&name).with_extension("txt");
        fs::read_to_string(&path).unwrap_or_else(|_| panic!("crates/{name} has no {}", path.display()))
    });
    texts.flat_map(|text| text.lines().map(without_attributes).collect::<Vec<_>>()).collect()
}

fn without_attributes(line: &str) -> String {
    let mut line = line.trim();
    while let Some((_, rest)) = line.strip_prefix("#[").and_then(|line| line.split_once("] ")) {
        line = rest;
    }
    line.to_string()
}

/// Whether a line of the interface is a function that takes a flag by position: but one that is named for it,
/// `x.batch_first(true)`, also where the flag is that of a name, `model.set_requires_grad("bias", false)`, or
/// the mask by which one of two numbers is taken.
fn takes_a_flag(line: &str) -> bool {
    let kinds = ["pub fn ", "pub const fn ", "pub unsafe fn "];
    let function = kinds.iter().find_map(|kind| line.strip_prefix(kind));
    let Some(function) = function else { return false };
    let open = depths(function).find(|(_, c, depth)| *c == '(' && *depth == 1);
    let arguments = open.map(|(at, ..)| listed(&function[at + 1..])).unwrap_or_default();
    let flags = arguments.iter().filter(|argument| **argument == "bool").count();
    let named = matches!(
        arguments[..],
        ["self" | "&self" | "&mut self", "bool", ..]
            | ["self" | "&self", "&str" | "&'static str", "bool", ..]
            | ["bool", "Self", "Self"]
    );
    flags > usize::from(named)
}

#[test]
fn no_function_takes_a_flag_by_position() {
    let wrong: Vec<String> = interface().into_iter().filter(|line| takes_a_flag(line)).collect();
    assert!(wrong.is_empty(), "a flag is set by a method named for it:\n{}", wrong.join("\n"));
    assert!(takes_a_flag("pub fn a::sum(&self, &[isize], bool) -> a::Tensor"));
    assert!(takes_a_flag("pub const fn a::sum(&self, &[isize], bool) -> a::Tensor"));
    assert!(takes_a_flag("pub fn a::with<R>(bool, impl core::ops::function::FnOnce() -> R) -> R"));
    assert!(takes_a_flag("pub fn a::with<R>(impl core::ops::function::FnOnce() -> R, bool) -> R"));
    assert!(takes_a_flag("pub fn a::map<F: core::ops::function::Fn(T) -> U>(&self, F, bool) -> a::Map<F>"));
    assert!(!takes_a_flag("pub fn a::each(&self, impl core::ops::function::Fn(bool) -> bool)"));
    assert!(!takes_a_flag("pub fn a::Options::batch_first(self, bool) -> Self"));
}

/// What `fn main() -> Result<()>` prints is `Debug`.
#[test]
fn errors_print_their_message_in_debug() {
    let folder = root().join("crates");
    let text: String = sources(&folder).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let lines = interface();
    let errors = lines.iter().filter_map(|line| line.split_once("core::error::Error for "));
    let names: Vec<&str> = errors.filter_map(|(_, path)| path.rsplit("::").next()).collect();
    assert!(names.contains(&"Error") && names.contains(&"Failure"), "{names:?}");
    for name in names {
        let debug = text.split_once(&format!("impl fmt::Debug for {name} {{")).map(|(_, text)| text);
        let body = debug.and_then(|text| text.split("\n}\n").next()).unwrap_or_default();
        assert!(body.contains("Display::fmt(self, f)"), "`Debug` of {name} is not its message");
    }
}

/// The name of a type that a line of the interface declares, and the crate that it is of.
fn type_of(line: &str) -> Option<(&str, &str)> {
    let kinds = ["pub struct ", "pub enum ", "pub union ", "pub trait ", "pub unsafe trait ", "pub type "];
    let path = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    let path = path.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').next()?;
    let mut parts = path.split("::").map(|part| part.trim_end_matches(':'));
    let of = parts.next().filter(|of| of.starts_with("wengert"))?;
    Some((parts.find(|part| part.starts_with(char::is_uppercase))?, of))
}

/// The names that `pub use .. as Name` gives to types.
fn renamed(code: &str) -> Vec<&str> {
    let uses = code.split("pub use ").skip(1).filter_map(|text| text.split(';').next());
    let words = uses.flat_map(|text| text.split(" as ").skip(1));
    let names = words.filter_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_').next());
    names.filter(|name| name.starts_with(char::is_uppercase)).collect()
}

/// The types of all crates by name, those under a new one among them. Only `wengert-kernel`'s `View`, a
/// region as a kernel reads it, may share its name, with the trait of `wengert-view`: users see one alone.
fn types() -> Vec<(String, String)> {
    let lines = interface();
    let mut types: Vec<(String, String)> = lines
        .iter()
        .filter_map(|line| type_of(line))
        .filter(|named| *named != ("View", "wengert_kernel"))
        .map(|(name, of)| (name.to_string(), of.to_string()))
        .collect();
    for path in sources(&root().join("crates")) {
        let text = fs::read_to_string(&path).unwrap();
        let names = renamed(&text).into_iter().map(String::from);
        types.extend(names.map(|name| (name, path.display().to_string())));
    }
    types.sort();
    types.dedup();
    types
}

fn of_one_name(types: &[(String, String)]) -> Vec<&[(String, String)]> {
    types.windows(2).filter(|pair| pair[0].0 == pair[1].0).collect()
}

#[test]
fn a_type_of_one_name_is_in_one_crate() {
    let types = types();
    let twice = of_one_name(&types);
    assert!(twice.is_empty(), "of one name: {twice:?}");
    for name in ["Tensor", "Error", "Real", "Kernel", "Mismatch", "Lstm", "StepLr"] {
        assert!(types.iter().any(|(other, _)| other == name), "{name} is not seen");
    }
}

#[test]
fn types_of_the_interface_are_seen() {
    let seen = |line: &str| {
        let line = without_attributes(line);
        type_of(&line).map(|(name, of)| format!("{of} {name}"))
    };
    let expected = |text: &str| Some(text.to_string());
    assert_eq!(seen("#[non_exhaustive] pub struct wengert_nn::Place"), expected("wengert_nn Place"));
    assert_eq!(seen("#[repr(C)] #[non_exhaustive] pub enum wengert_a::b::C<T>"), expected("wengert_a C"));
    assert_eq!(seen("pub trait wengert_core::Element: core::fmt::Debug"), expected("wengert_core Element"));
    assert_eq!(seen("pub type wengert_nn::Lstm<T> = wengert_nn::Recurrent<T>"), expected("wengert_nn Lstm"));
    assert_eq!(seen("pub type f32::Fused = wengert_core::Fused<f32>"), None);
    assert_eq!(seen("pub fn wengert_core::Tensor::zeros()"), None);
    let code = "pub use a::{B, C as Place,\n d as e};\nuse f::G as H;\npub use wengert_core as core;";
    assert_eq!(renamed(code), ["Place"]);
    let pair = |name: &str, of: &str| (name.to_string(), of.to_string());
    assert_eq!(of_one_name(&[pair("A", "a"), pair("B", "a"), pair("B", "b"), pair("C", "b")]).len(), 1);
}
