//! What a step changes in the one before, as the chapters print it.

use crate::{read, source};

/// How many lines around a change are shown.
const AROUND: usize = 2;

/// A line of either file, or of both.
#[derive(Clone, Copy, PartialEq)]
enum Line<'a> {
    Both(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// The difference between a step and the one before. What stands from `main` on is left
/// out: that is another program in each step.
pub fn to(step: &str) -> String {
    let number: usize = step.trim_start_matches("step_").parse().unwrap();
    let text = |number: usize| read(source(&format!("step_{number}")));
    let (old, new) = (text(number - 1), text(number));
    written(&lines(&before_main(&old), &before_main(&new)))
}

/// The lines from the first blank one up to `main`.
fn before_main(text: &str) -> Vec<&str> {
    let head = text.lines().skip_while(|line| !line.is_empty());
    let mut lines: Vec<&str> = head.take_while(|line| !line.starts_with("pub fn main")).collect();
    while lines.last().is_some_and(|line| line.is_empty() || line.starts_with("///")) {
        lines.pop();
    }
    lines
}

/// How much it is worth that two lines are the same: brackets and blanks are so everywhere.
fn worth(line: &str) -> usize {
    if line.chars().any(char::is_alphanumeric) { 4 } else { 1 }
}

/// The lines of both in order, with as much as possible in common.
fn lines<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let mut best = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let either = best[i + 1][j].max(best[i][j + 1]);
            let both = if old[i] == new[j] { best[i + 1][j + 1] + worth(old[i]) } else { 0 };
            best[i][j] = either.max(both);
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len()
            && j < new.len()
            && old[i] == new[j]
            && best[i][j] == best[i + 1][j + 1] + worth(old[i])
        {
            found.push(Line::Both(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && best[i + 1][j] >= best[i][j + 1] {
            found.push(Line::Old(old[i]));
            i += 1;
        } else {
            found.push(Line::New(new[j]));
            j += 1;
        }
    }
    found
}

impl<'a> Line<'a> {
    /// With its mark.
    fn marked(self) -> (char, &'a str) {
        match self {
            Line::Both(content) => (' ', content),
            Line::Old(content) => ('-', content),
            Line::New(content) => ('+', content),
        }
    }
}

/// The item around the next change from line `start` on, if it begins above that line.
fn item_around<'a>(lines: &[Line<'a>], start: usize) -> &'a str {
    let changed = lines[start..].iter().take_while(|line| matches!(line, Line::Both(_))).count();
    let above = lines[..start + changed].iter().enumerate().rev().map(|(at, line)| (at, line.marked().1));
    let mut margin =
        above.filter(|(_, content)| content.starts_with(|c: char| c.is_alphabetic() || c == '}'));
    match margin.next() {
        Some((at, content)) if at < start && content != "}" => content.trim_end_matches(" {"),
        _ => "",
    }
}

/// The changes, with some lines around each; above what is left out stands the item that it is in.
fn written(lines: &[Line<'_>]) -> String {
    let is_near = |at: usize| {
        let near = at.saturating_sub(AROUND)..(at + AROUND + 1).min(lines.len());
        lines[near].iter().any(|line| !matches!(line, Line::Both(_)))
    };
    let (mut text, mut left_out) = (String::new(), false);
    for (at, line) in lines.iter().enumerate() {
        if !is_near(at) {
            left_out = true;
            continue;
        }
        if std::mem::take(&mut left_out) {
            text += format!("@@ {}", item_around(lines, at)).trim_end();
            text.push('\n');
        }
        let (mark, content) = line.marked();
        text += format!("{mark}{content}").trim_end();
        text.push('\n');
    }
    text
}

#[test]
fn a_difference_has_what_changed_and_a_little_around() {
    let old = "struct A {\n    one,\n    two,\n    three,\n    four,\n}".lines().collect::<Vec<_>>();
    let new = "struct A {\n    one,\n    two,\n    three,\n    five,\n}".lines().collect::<Vec<_>>();
    let expected = "@@ struct A\n     two,\n     three,\n-    four,\n+    five,\n }\n";
    assert_eq!(written(&lines(&old, &new)), expected);
    assert_eq!(written(&lines(&old, &old)), "");
    assert_eq!(before_main("//! Head\n\nstruct A;\n\npub fn main() {}\n"), ["", "struct A;"]);
}
