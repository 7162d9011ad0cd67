//! Pages that chapters show in frames: walks through tapes that were recorded, and the playground.
//!
//! `WENGERT_PAGES=target/book/pages cargo test -p wengert --test book pages` puts them into the book that is
//! built.

use std::collections::BTreeSet;
use std::{env, fs};

use wengert::prelude::*;
use wengert::record;
use wengert_page::{Page, playground};

use crate::own_cell::Mgu;
use crate::{chapters, root};

const NAMES: [&str; 3] = ["cell.html", "playground.html", "recurrence.html"];
const FOLDER: &str = "pages/";

/// Whether a link leads to a page.
pub fn is_one(place: &str) -> bool {
    place.strip_prefix(FOLDER).is_some_and(|name| NAMES.contains(&name))
}

fn of(name: &str) -> Result<String> {
    manual_seed(0);
    Ok(match name {
        "cell.html" => cell()?.to_text(),
        "recurrence.html" => recurrence()?.to_text(),
        _ => playground().to_text(),
    })
}

fn random(name: &str, shape: &[usize]) -> Parameter<f64> {
    Parameter::new(Tensor::randn(shape)).named(name)
}

/// Three steps of `h' = tanh(x W^T + h U^T + b)`, and a loss.
fn recurrence() -> Result<Page> {
    let (w, u, b) = (random("W", &[3, 2]), random("U", &[3, 3]), random("b", &[3]));
    let (x, start) = (["x1", "x2", "x3"].map(|name| random(name, &[1, 2])), random("h0", &[1, 3]));
    let step = |h: Variable<f64>, x: &Parameter<f64>| (x.linear(&w, Some(&b)) + h.linear(&u, None)).tanh();
    let loss = record(|| x.iter().fold((*start).clone(), step).square().sum());
    loss.backward()?;
    Ok(Page::of(&Tape::of(&loss))?.title("A recurrence of three steps"))
}

/// Two steps of the cell that the chapter writes, and a loss.
fn cell() -> Result<Page> {
    let rnn = Recurrent::of(2, |input| Mgu::new(input, 3)).build()?;
    let x = Parameter::new(Tensor::<f32>::randn([2, 1, 2])).named("x");
    let loss = record(|| rnn.forward(&x, None).map(|(out, _)| out.select(0, 1).square().sum()))?;
    loss.backward()?;
    Ok(Page::of(&Tape::of(&loss))?.title("Two steps of a minimal gated unit"))
}

/// The sources of the frames in a text.
fn frames(text: &str) -> impl Iterator<Item = &str> {
    text.split("<iframe ").skip(1).filter_map(|frame| frame.split_once("src=\"")?.1.split('"').next())
}

#[test]
fn the_pages_that_chapters_show_are_made() {
    let chapters = chapters::all();
    let shown: BTreeSet<&str> = chapters.iter().flat_map(|(_, text)| frames(text)).collect();
    let made: BTreeSet<String> = NAMES.iter().map(|name| FOLDER.to_string() + name).collect();
    assert_eq!(shown, made.iter().map(String::as_str).collect(), "frames, and pages that are made");
    for name in NAMES {
        let text = of(name).unwrap();
        assert!(text.starts_with("<!doctype html>"), "{name}");
        if let Some(folder) = env::var_os("WENGERT_PAGES") {
            let folder = root().join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(name), text).unwrap();
        }
    }
}

#[test]
fn a_frame_of_nothing_is_found() {
    assert!(is_one("pages/cell.html") && !is_one("pages/nothing.html") && !is_one("cell.html"));
    assert_eq!(
        frames("<iframe title=\"a\" src=\"pages/x.html\"></iframe>").collect::<Vec<_>>(),
        ["pages/x.html"]
    );
}
