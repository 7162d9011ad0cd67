//! Nothing overlaps, and nothing is outside.

use proptest::prelude::*;
use wengert_core::{Tape, scope};
use wengert_view::{Fold, Graph, GraphLayout, Placed};

use crate::{V, cell, leaf, lstm, scalar};

/// Whether two rectangles share more than a side.
fn overlap(a: &Placed, b: &Placed) -> bool {
    let apart =
        |a: f64, a_extent: f64, b: f64, b_extent: f64| a + a_extent <= b + 1e-6 || b + b_extent <= a + 1e-6;
    !(apart(a.x, a.width, b.x, b.width) || apart(a.y, a.height, b.y, b.height))
}

/// Points along the way of an edge.
fn along(points: &[(f64, f64)], is_straight: bool) -> Vec<(f64, f64)> {
    let between = |pair: &[(f64, f64)]| {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        (0..=16).map(move |step| {
            let t = f64::from(step) / 16.0;
            if is_straight || x0 == x1 {
                return (x0 + (x1 - x0) * t, y0 + (y1 - y0) * t);
            }
            // A curve of third degree whose inner points are above and below the ends, at half the height.
            let (u, middle) = (1.0 - t, (y0 + y1) / 2.0);
            let x = (u * u * u + 3.0 * u * u * t) * x0 + (3.0 * u * t * t + t * t * t) * x1;
            (x, u * u * u * y0 + 3.0 * u * t * middle + t * t * t * y1)
        })
    };
    points.windows(2).flat_map(between).collect()
}

fn check(graph: &Graph) {
    let layout = GraphLayout::of(graph).unwrap();
    assert_eq!((layout.nodes.len(), layout.edges.len()), (graph.nodes.len(), graph.edges.len()));
    let labels = layout.edges.iter().map(|edge| edge.label);
    let all: Vec<Placed> = layout.nodes.iter().copied().chain(labels).collect();
    for (i, a) in all.iter().enumerate() {
        assert!(a.width > 0.0 && a.height > 0.0, "{a:?}");
        assert!(a.x >= 0.0 && a.y >= 0.0, "{a:?}");
        assert!(a.x + a.width <= layout.width && a.y + a.height <= layout.height, "{a:?} of {layout:?}");
        for (j, b) in all.iter().enumerate().take(i) {
            assert!(!overlap(a, b), "{i} {a:?} and {j} {b:?} of {} nodes", graph.nodes.len());
        }
    }
    for (place, (edge, route)) in graph.edges.iter().zip(&layout.edges).enumerate() {
        if !edge.is_back {
            assert!(route.points.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{route:?}");
        }
        let own = [edge.from, edge.to, graph.nodes.len() + place];
        for (x, y) in along(&route.points, edge.is_back) {
            assert!(x >= 0.0 && y >= 0.0 && x <= layout.width && y <= layout.height, "({x}, {y})");
            let inside = |at: &Placed| {
                x > at.x + 0.1 && x < at.x + at.width - 0.1 && y > at.y + 0.1 && y < at.y + at.height - 0.1
            };
            let crossed = all.iter().enumerate().find(|(i, at)| !own.contains(i) && inside(at));
            assert!(crossed.is_none(), "edge {place} crosses {crossed:?} at ({x}, {y})");
        }
        let ((x0, y0), (x1, y1)) = (route.points[0], *route.points.last().unwrap());
        let (from, to) = (&layout.nodes[edge.from], &layout.nodes[edge.to]);
        assert!((y0 - from.y - from.height).abs() < 1e-6 && x0 > from.x && x0 < from.x + from.width);
        assert!((y1 - to.y).abs() < 1e-6 && x1 > to.x && x1 < to.x + to.width);
    }
}

#[test]
fn boxes_and_labels_of_known_tapes() {
    let tapes = [scalar().0, cell().0, lstm(4).0];
    for tape in &tapes {
        for fold in [Fold::default(), Fold::none(), Fold::default().depth(0)] {
            check(&Graph::of(tape, &fold));
        }
    }
}

/// A value of many operations, at few places of the source: folded, it has circles of all kinds.
fn program(steps: &[(u8, usize, usize)]) -> V {
    let mut values = vec![leaf(&[0.5, -0.5]), leaf(&[1.0, 2.0])];
    for &(operation, a, b) in steps {
        let (a, b) = (&values[a % values.len()], &values[b % values.len()]);
        let value = match operation % 6 {
            0 => a + b,
            1 => scope("inner", || a * b),
            2 => scope("inner", || scope("a long name of a module", || a.sin())),
            3 => a.softmax(0),
            4 => a * f64::from(operation),
            _ => wengert_core::cat(&[a, b], 0).narrow(0, 1, 2),
        };
        values.push(value);
    }
    values[2..].iter().fold(values[0].clone(), |sum, value| sum + value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn nothing_overlaps_in_any_small_graph(
        steps in prop::collection::vec((any::<u8>(), 0usize..40, 0usize..40), 1..24),
        depth in 0usize..4,
        is_folded in any::<bool>(),
    ) {
        let tape = Tape::of(&program(&steps));
        let fold = Fold::none().steps(is_folded);
        check(&Graph::of(&tape, &if depth < 3 { fold.depth(depth) } else { fold }));
    }
}
