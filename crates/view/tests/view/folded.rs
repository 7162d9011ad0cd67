//! Which lines become one node.

use std::time::{Duration, Instant};

use wengert_core::{Tape, scope};
use wengert_view::{Fold, Graph, NodeKind, View};

use crate::{V, leaf, lstm};

#[test]
fn an_lstm_of_any_length_has_the_same_nodes() {
    let graphs: Vec<Graph> = [2, 4, 9, 33].iter().map(|&steps| lstm(steps).0.graph()).collect();
    for (graph, steps) in graphs.iter().zip([2, 4, 9, 33]) {
        assert!(graph.nodes.len() <= 40, "{} nodes", graph.nodes.len());
        let gates: Vec<usize> =
            graph.nodes.iter().filter(|node| node.name == "LstmGates").map(|node| node.count).collect();
        assert_eq!(gates, [steps, steps], "a node for each layer");
        let kinds = |graph: &Graph| graph.nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>();
        assert_eq!(kinds(graph), kinds(&graphs[0]));
        let back: Vec<&str> =
            graph.edges.iter().filter(|edge| edge.is_back).map(|edge| &*edge.label).collect();
        assert_eq!(back, ["[2, 4]"; 4], "of each layer the output to the product, the state to the gates");
    }
}

#[test]
fn every_line_has_one_node_and_every_input_one_edge() {
    let (tape, _lstm) = lstm(5);
    for fold in [Fold::default(), Fold::none(), Fold::default().varied(true), Fold::none().depth(0)] {
        let graph = Graph::of(&tape, &fold);
        let mut lines: Vec<usize> = graph.nodes.iter().flat_map(|node| node.lines.clone()).collect();
        lines.sort_unstable();
        assert_eq!(lines, (0..tape.len()).collect::<Vec<_>>(), "{fold:?}");
        assert!(graph.nodes.iter().all(|node| node.count == node.lines.len()));
    }
    let unfolded = Graph::of(&tape, &Fold::none());
    let inputs =
        tape.entries().iter().flat_map(|entry| &entry.inputs).filter(|input| input.number().is_some());
    assert_eq!(unfolded.edges.iter().map(|edge| edge.count).sum::<usize>(), inputs.count());
    assert!(unfolded.edges.iter().all(|edge| !edge.is_back && edge.from < edge.to));
}

#[test]
fn modules_fold_to_boxes() {
    let (tape, _lstm) = lstm(5);
    let graph = Graph::of(&tape, &Fold::default().depth(0));
    let boxes: Vec<(&str, NodeKind)> = graph.nodes.iter().map(|node| (&*node.name, node.kind)).collect();
    let (module, operation) = (NodeKind::Module, NodeKind::Operation);
    assert_eq!(
        boxes,
        [("l0", module), ("l1", module), ("Reshape", operation), ("Square", operation), ("Mean", operation)]
    );
    let x = leaf(&[1.0]);
    let y = scope("outer", || scope("inner", || x.exp().sin()).cos());
    let count = |depth| Graph::of(&Tape::of(&y), &Fold::default().depth(depth)).nodes.len();
    assert_eq!([count(0), count(1), count(2)], [2, 3, 4], "the leaf without a name is outside");
}

#[test]
fn calls_at_two_places_are_two_nodes_and_other_attributes_too() {
    let x = leaf(&[1.0, 2.0, 3.0]);
    let twice = Tape::of(&x.exp().exp()).graph();
    assert_eq!(twice.nodes.len(), 3, "two places of one line");
    let steps: Vec<V> = (0..3).map(|step| x.select(0, step)).collect();
    let sum = steps.iter().skip(1).fold(steps[0].clone(), |sum, step| sum + step);
    let tape = Tape::of(&sum);
    assert_eq!(tape.graph().nodes.len(), 5);
    let varied = Graph::of(&tape, &Fold::default().varied(true));
    let select = varied.nodes.iter().find(|node| node.name == "Select").unwrap();
    assert_eq!((varied.nodes.len(), select.count), (3, 3));
    assert!(select.attributes.ends_with('\u{2026}'), "{}", select.attributes);
}

/// Products with two weights in one call are two nodes: the cell's one step is no recurrence.
#[test]
fn a_step_of_a_cell_has_no_edge_back() {
    let (tape, _cell) = crate::cell();
    let graph = tape.graph();
    assert_eq!(graph.nodes.len(), tape.len());
    assert!(graph.edges.iter().all(|edge| !edge.is_back));
}

#[test]
fn ten_thousand_lines_are_folded_and_drawn_at_once() {
    let (tape, _lstm) = lstm(1700);
    assert!(tape.len() > 10_000, "{}", tape.len());
    let start = Instant::now();
    let svg = tape.to_svg();
    let took = start.elapsed();
    println!("{} lines, {} bytes: {took:?}", tape.len(), svg.len());
    assert!(svg.contains("LstmGates \u{d7}1700"));
    // A machine that is busy, and a build that is not optimised, may take longer than the second at most.
    assert!(took < Duration::from_secs(5), "{took:?}");
    let unfolded = Graph::of(&tape, &Fold::none()).to_svg();
    assert!(unfolded.contains("too large"), "{} bytes", unfolded.len());
}
