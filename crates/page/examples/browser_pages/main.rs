//! Writes the pages that `tests/browser/run.py` opens, and the numbers that it expects there.
//!
//! `cargo run -p wengert-page --example browser_pages -- FOLDER`

mod bad;
mod lstm;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wengert_core::{Parameter, Result, Tape, Tensor, Variable, record};
use wengert_page::{Page, playground};

/// Names that a page which took them for markup or script would run, or end at.
const NAMES: [&str; 4] = [
    "</script><img src=x onerror=\"hacked=1\">",
    "\"'><svg onload=hacked=1><b>&amp;&lt;",
    "line\u{2028}separator\u{2029}and \\u0041 \\",
    "<!-- {{script}} ]]> ${hacked=1} `",
];

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).expect("a folder"));
    fs::create_dir_all(&folder).expect("a folder that can be made");
    lstm::write(&folder)?;
    bad::write(&folder)?;
    names(&folder)?;
    long(&folder)?;
    million(&folder)?;
    playground().to_html(folder.join("playground.html"))
}

/// The page of a tape, and what is expected of it.
fn put(folder: &Path, name: &str, page: &Page, expected: &Value) -> Result<()> {
    page.to_html(folder.join(format!("{name}.html")))?;
    fs::write(folder.join(format!("{name}.json")), expected.to_string()).expect("a file that can be written");
    Ok(())
}

fn names(folder: &Path) -> Result<()> {
    let parameters: Vec<Parameter<f64>> =
        NAMES.iter().map(|name| Parameter::new(Tensor::from([1.0, 2.0])).named(*name)).collect();
    let loss =
        record(|| parameters.iter().fold(Variable::new(Tensor::from(1.0)), |sum, p| sum * p.exp().sum()));
    loss.backward()?;
    let title = format!("{} {{{{data}}}}", NAMES[0]);
    let page = Page::of(&Tape::of(&loss))?.title(&title);
    put(folder, "names", &page, &json!({ "title": title, "names": NAMES }))
}

/// A recurrence of some ten thousand lines.
fn long(folder: &Path) -> Result<()> {
    let u = Parameter::new(Tensor::<f64>::eye(8) * 0.5).named("U");
    let x = Variable::new(Tensor::from_fn([1, 8], |i| i as f64 / 8.0));
    let step = |h: Variable<f64>| (h.matmul(&u) + &x).tanh();
    let loss = record(|| (0..3333).fold(x.clone(), |h, _| step(h)).sum());
    loss.backward()?;
    let tape = Tape::of(&loss);
    assert!(tape.len() >= 10_000);
    put(folder, "long", &Page::of(&tape)?.title("A long recurrence"), &json!({ "lines": tape.len() }))
}

fn million(folder: &Path) -> Result<()> {
    let x = Variable::new(Tensor::from([0.5f32])).requires_grad_(true);
    let y = (0..1_000_000).fold(x.clone(), |y, _| y.sin());
    let page = Page::of(&Tape::of(&y))?.title("A million nodes");
    put(folder, "million", &page, &json!({}))
}
