//! Documents that their readers accept, whatever names there are.

use std::io::Write as _;
use std::process::{Command, Stdio};

use wengert_core::{Parameter, Tape, Tensor, record, scope};
use wengert_view::{Fold, Graph, HeatMap, View, parameter_norms};

use crate::{leaf, lstm};

const NAME: &str = "w \"<&'>\"\n\\n ]]> \u{1}\u{202e}";

/// A tape whose parameter and module have a name full of marks.
fn marked() -> (Tape, Parameter<f64>) {
    let w = Parameter::new(Tensor::from([1.0, 2.0])).named(NAME);
    let loss = record(|| scope(NAME, || w.square()).sum());
    loss.backward().unwrap();
    (Tape::of(&loss), w)
}

/// Goes through a document of XML: marks are closed in order, and outside of them no mark is bare.
fn check_xml(text: &str) {
    assert!(text.chars().all(|c| !c.is_control() || c == '\n'), "{text:?}");
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        check_entities(&rest[..at]);
        assert!(
            !rest[..at].contains('>') || open.last().is_some_and(|tag| tag == "style"),
            "{}",
            &rest[..at]
        );
        let mut quoted = false;
        let is_end = |c: char| {
            quoted ^= c == '"';
            c == '>' && !quoted
        };
        let end = at + rest[at..].find(is_end).expect("a mark ends");
        let tag = &rest[at + 1..end];
        check_entities(tag);
        assert!(!tag.contains('<'), "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap().to_string());
        }
        rest = &rest[end + 1..];
    }
    assert_eq!((open.len(), rest.trim()), (0, ""));
}

fn check_entities(text: &str) {
    for part in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|entity| part.starts_with(entity));
        assert!(known, "&{part}");
    }
}

/// Whether a line of DOT ends outside of quotes; inside, a backslash takes what is behind it along.
fn closes_its_quotes(line: &str) -> bool {
    let (mut is_inside, mut is_taken) = (false, false);
    for c in line.chars() {
        match c {
            _ if is_taken => is_taken = false,
            '\\' if is_inside => is_taken = true,
            '"' => is_inside = !is_inside,
            _ => {}
        }
    }
    !is_inside
}

#[test]
fn names_full_of_marks_are_escaped() {
    let (tape, _w) = marked();
    for fold in [Fold::default(), Fold::default().depth(0)] {
        let graph = Graph::of(&tape, &fold).gradients(true);
        check_xml(&graph.to_svg());
        let dot = graph.to_dot();
        assert!(dot.lines().all(closes_its_quotes), "{dot}");
        assert!(!dot.contains('\u{1}') && dot.contains("w \\\"<&'>\\\""), "{dot}");
    }
    check_xml(&HeatMap::of(&Tensor::from([1.0f64])).title(NAME).to_svg());
    check_xml(&parameter_norms(&tape).to_svg());
    let explained = tape.explain();
    assert!(explained.contains("w \"<&'>\"\\n\\n ]]>") && !explained.contains('\u{202e}'), "{explained}");
    assert!(!parameter_norms(&tape).to_terminal().contains('\u{1}'));
}

#[test]
fn pictures_are_sound_xml_with_a_title() {
    let (tape, _lstm) = lstm(3);
    for fold in [Fold::default(), Fold::none(), Fold::default().depth(0)] {
        let svg = Graph::of(&tape, &fold).gradients(true).to_svg();
        check_xml(&svg);
        for part in ["<title>", "<desc>", "role=\"img\"", "prefers-color-scheme:dark", "|grad|"] {
            assert!(svg.contains(part), "{part}");
        }
    }
}

#[test]
fn gradients_are_drawn_only_where_asked_for_and_where_they_flow() {
    let x = leaf(&[1.0]);
    let graph = Tape::of(&x.exp()).graph();
    assert!(!graph.to_svg().contains("way grad") && !graph.to_dot().contains("n1 -> n0"));
    let graph = graph.gradients(true);
    assert!(graph.to_svg().contains("way grad") && graph.to_dot().contains("n1 -> n0 [style=dotted"));
}

/// Graphviz reads what is written for it, where it is installed.
#[test]
fn graphviz_reads_the_graphs() {
    let (tape, _lstm) = lstm(3);
    let (marked, _w) = marked();
    let empty = Tape::of(&leaf(&[1.0]).detach());
    for tape in [&tape, &marked, &empty] {
        for fold in [Fold::default(), Fold::none(), Fold::default().depth(0)] {
            let dot = Graph::of(tape, &fold).gradients(true).to_dot();
            let mut command = Command::new("dot");
            command.arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let Ok(mut reader) = command.spawn() else { return };
            reader.stdin.take().unwrap().write_all(dot.as_bytes()).unwrap();
            let output = reader.wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && !told.contains("syntax"), "{told}\n{dot}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("</svg>"));
        }
    }
}
