//! What examples print. Each runs in a process of its own, which is this test again.

use std::env;
use std::process::Command;

use crate::{own_cell, rnn_tour, step_1, step_2, step_3, step_4, step_5, step_6, step_7, step_8};

/// Names the example that the process is to run.
const EXAMPLE: &str = "WENGERT_BOOK_EXAMPLE";
/// The line before and behind what the example prints.
const MARK: &str = "---- printed by the example ----";

#[test]
fn prints_what_it_is_asked_for() {
    let Ok(example) = env::var(EXAMPLE) else { return };
    println!("\n{MARK}");
    match &*example {
        "step_1" => step_1::main(),
        "step_2" => step_2::main(),
        "step_3" => step_3::main(),
        "step_4" => step_4::main(),
        "step_5" => step_5::main(),
        "step_6" => step_6::main(),
        "step_7" => step_7::main(),
        "step_8" => step_8::main().unwrap(),
        "own_cell" => own_cell::run().map(drop).unwrap(),
        "rnn_tour" => rnn_tour::run().map(drop).unwrap(),
        other => panic!("no example {other}"),
    }
    println!("{MARK}");
}

/// What an example prints.
pub fn by(example: &str) -> String {
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(["--exact", "printed::prints_what_it_is_asked_for", "--nocapture"]).env(EXAMPLE, example);
    let output = again.output().unwrap();
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(&format!("{MARK}\n")).nth(1).unwrap_or_else(|| panic!("{text}")).to_string()
}

/// What stands below the heading `== section`, up to the next one.
pub fn section(text: &str, section: &str) -> String {
    let is_heading = |line: &&str| line.starts_with("== ");
    let is_this = |line: &str| {
        let rest = line.strip_prefix("== ").and_then(|title| title.strip_prefix(section));
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let mut lines = text.lines().skip_while(|line| !is_this(line));
    assert!(lines.next().is_some(), "no heading {section} in\n{text}");
    let lines: Vec<&str> = lines.take_while(|line| !is_heading(line)).collect();
    lines.join("\n").trim_matches('\n').to_string() + "\n"
}

/// Whether two texts are the same but for the last digits of their numbers, which are another machine's.
pub fn agree(a: &str, b: &str) -> bool {
    a.lines().count() == b.lines().count()
        && a.lines().zip(b.lines()).all(|(a, b)| {
            let (a, b): (Vec<&str>, Vec<&str>) = (words(a), words(b));
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        })
}

/// A line's words and numbers, without what separates them.
fn words(line: &str) -> Vec<&str> {
    line.split([' ', ',', '[', ']', '(', ')', ';', '=']).filter(|word| !word.is_empty()).collect()
}

/// A number with a point or an exponent.
fn number(word: &str) -> Option<f64> {
    word.parse().ok().filter(|_| word.contains(['.', 'e']))
}

/// Whether two words are equal, or numbers that are close: where one digit is all that is printed, of the
/// same size.
fn same(a: &str, b: &str) -> bool {
    let (Some(x), Some(y)) = (number(a), number(b)) else { return a == b };
    let largest = x.abs().max(y.abs());
    match (a.contains('.'), a.contains('e')) {
        (true, false) => (x - y).abs() <= 2e-3 * largest + 2e-4,
        (true, true) => (x - y).abs() <= 0.1 * largest,
        _ => x.max(y) <= 5.0 * x.min(y),
    }
}

/// Whether two texts are the same but for such numbers: those of what was trained are another machine's after
/// some hundred steps, since a rounding error grows with them.
pub fn agree_in_words(a: &str, b: &str) -> bool {
    let without =
        |line: &str| words(line).into_iter().filter(|word| number(word).is_none()).collect::<String>();
    a.lines().map(without).eq(b.lines().map(without))
}

#[test]
fn only_last_digits_may_differ() {
    assert!(agree("a [1.2345, 2]\n", "a [1.2346, 2]\n"));
    assert!(agree("h 1e-12 3e-4", "h 1e-12 5e-4"));
    for other in
        ["a [1.2445, 2]\n", "a [1.2345, 3]\n", "b [1.2345, 2]\n", "a [1.2345, 2]\nb\n", "a [1.2345]\n"]
    {
        assert!(!agree("a [1.2345, 2]\n", other), "{other}");
    }
    assert!(!agree("h 1e-12 3e-4", "h 1e-12 3e-6"));
    assert!(!agree("h 3.9e-6", "h 4.9e-6"));
    assert!(agree_in_words("after 100 steps 0.12\n", "after 100 steps 0.25\n"));
    assert!(!agree_in_words("after 100 steps 0.12\n", "after 200 steps 0.12\n"));
    assert!(!agree_in_words("after 100 steps 0.12\n", "after 100 steps 0.12\nand more"));
    assert_eq!(section("== A: one\nx\n\n== AB\ny\n", "A"), "x\n");
    assert_eq!(section("== A: one\nx\n\n== AB\ny\n", "AB"), "y\n");
}
