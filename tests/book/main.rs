//! What holds of the book in `docs/book`: it prints what the files say and do, and its links lead somewhere.
//!
//! `WENGERT_WRITE=1 cargo test -p wengert --test book` writes `docs/book/src/generated` anew.

#![allow(clippy::duplicate_mod, reason = "step 8 has step 7 inside")]

mod chapters;
mod difference;
mod excerpt;
mod links;
mod pages;
mod picture;
mod printed;

#[path = "../../examples/own_cell.rs"]
mod own_cell;
#[path = "../../examples/rnn_tour.rs"]
mod rnn_tour;
#[path = "../../examples/steps/step_1.rs"]
mod step_1;
#[path = "../../examples/steps/step_2.rs"]
mod step_2;
#[path = "../../examples/steps/step_3.rs"]
mod step_3;
#[path = "../../examples/steps/step_4.rs"]
mod step_4;
#[path = "../../examples/steps/step_5.rs"]
mod step_5;
#[path = "../../examples/steps/step_6.rs"]
mod step_6;
#[path = "../../examples/steps/step_7.rs"]
mod step_7;
#[path = "../../examples/steps/step_8.rs"]
mod step_8;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// What is printed by a model that was trained.
const TRAINED: [&str; 2] = ["own_cell.train.out", "own_cell.walk.out"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where an example's source is.
fn source(example: &str) -> PathBuf {
    let folder = if example.starts_with("step_") { "examples/steps" } else { "examples" };
    root().join(folder).join(example).with_extension("rs")
}

/// What the file of this name under `generated` has to say: `step_2.diff` what step 2 changes, `step_2.out`
/// what it prints, `rnn_tour.LSTM.out` that below the heading LSTM, `step_2.sweep.rs` its item `sweep`,
/// `step.svg` a picture.
fn generated(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        [step, "diff"] => difference::to(step),
        [picture, "svg"] => picture::of(picture),
        [example, "out"] => printed::by(example),
        [example, section, "out"] => printed::section(&printed::by(example), section),
        ["backward", item, "rs"] => {
            excerpt::item(&read(root().join("crates/core/src/backward/mod.rs")), item)
        }
        [example, item, "rs"] => excerpt::item(&read(source(example)), item),
        _ => panic!("nothing makes {name}"),
    }
}

#[test]
fn what_the_chapters_include_is_what_the_files_say_and_do() {
    let folder = chapters::folder().join("generated");
    let included = chapters::included();
    let mut wrong = Vec::new();
    for name in &included {
        let (path, now) = (folder.join(name), generated(name));
        let written = fs::read_to_string(&path).unwrap_or_default();
        let is_same = match &**name {
            name if TRAINED.contains(&name) => printed::agree_in_words(&written, &now),
            name if name.ends_with(".out") => printed::agree(&written, &now),
            _ => written == now,
        };
        match env::var_os("WENGERT_WRITE") {
            Some(_) => fs::write(&path, &now).unwrap(),
            None if is_same => {}
            None => wrong.push(format!("{name} is now\n{now}")),
        }
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !included.contains(&name) {
            match env::var_os("WENGERT_WRITE") {
                Some(_) => fs::remove_file(folder.join(&name)).unwrap(),
                None => wrong.push(format!("no chapter includes {name}")),
            }
        }
    }
    assert!(wrong.is_empty(), "WENGERT_WRITE=1 writes {} anew:\n{}", folder.display(), wrong.join("\n"));
}
