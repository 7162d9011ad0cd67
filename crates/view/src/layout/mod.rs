//! Where the nodes, labels and edges of a graph go: a layered layout.
//!
//! Nodes stand in ranks, each below those that it takes values from. Between two ranks of nodes is one of
//! labels, which are vertices like nodes, as are the places where a long edge passes a rank; so nothing of
//! one rank overlaps. Edges run straight through a rank, at their vertex, and bend only between ranks.

mod arrange;
mod rank;
mod route;

use crate::graph::{Graph, GraphNode};
use crate::text::columns;

/// Width of a column of text, and height of a line.
pub(crate) const COLUMN: f64 = 7.2;
pub(crate) const LINE_HEIGHT: f64 = 16.0;
/// Width and height in labels, which are smaller.
pub(crate) const SMALL_COLUMN: f64 = 6.0;
pub(crate) const SMALL_LINE: f64 = 13.0;
const PADDING: f64 = 10.0;
/// Beside a box, above a rank, and around all.
const BESIDE: f64 = 14.0;
const ABOVE: f64 = 16.0;
const MARGIN: f64 = 20.0;
/// The room of an edge that passes a rank, or of one that leads back.
const PASSING: f64 = 12.0;
/// The most places where edges pass ranks: a graph that needs more is not seen anyway.
const MOST_VERTICES: usize = 100_000;

/// A rectangle of a [`GraphLayout`], in pixels from the upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Placed {
    /// The left side.
    pub x: f64,
    /// The upper side.
    pub y: f64,
    /// The extent to the right.
    pub width: f64,
    /// The extent downwards.
    pub height: f64,
}

/// The way of an edge in a [`GraphLayout`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Route {
    /// The points that the edge goes through. Those of an edge that goes down are joined by curves that
    /// leave and arrive vertically, those of one that leads back by straight lines.
    pub points: Vec<(f64, f64)>,
    /// The place of the label.
    pub label: Placed,
}

/// The places of everything in a [`Graph`].
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable};
/// use wengert_view::{GraphLayout, View};
/// let x = Variable::new(Tensor::from([0.5f32])).requires_grad_(true);
/// let layout = GraphLayout::of(&Tape::of(&x.sin()).graph()).unwrap();
/// assert!(layout.nodes[0].y + layout.nodes[0].height < layout.nodes[1].y);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct GraphLayout {
    /// The width of the frame.
    pub width: f64,
    /// The height of the frame.
    pub height: f64,
    /// The boxes of the nodes, in the graph's order.
    pub nodes: Vec<Placed>,
    /// The ways of the edges, in the graph's order.
    pub edges: Vec<Route>,
}

/// What stands in a rank: a node, a label, or the place where an edge passes.
#[derive(Clone, Debug)]
pub(crate) struct Vertex {
    rank: usize,
    width: f64,
    height: f64,
    /// The middle.
    x: f64,
    above: Vec<usize>,
    below: Vec<usize>,
    is_passing: bool,
}

/// The graph with its labels and passing edges as vertices; nodes come first.
pub(crate) struct Layers {
    vertices: Vec<Vertex>,
    /// The vertices of each rank, from left to right.
    ranks: Vec<Vec<usize>>,
    /// The vertices of each edge from its start to its end; none of an edge that leads back.
    chains: Vec<Vec<usize>>,
    /// Which of a chain has the label.
    labels: Vec<usize>,
}

impl GraphLayout {
    /// The layout of a graph; none if edges pass so many ranks that no picture would be of use, which a graph
    /// that is folded does not come near to.
    pub fn of(graph: &Graph) -> Option<GraphLayout> {
        let mut layers = rank::layers(graph)?;
        arrange::order(&mut layers);
        arrange::place(&mut layers);
        Some(route::routed(graph, &layers))
    }
}

/// The extents of a node's box.
fn extents(node: &GraphNode) -> (f64, f64) {
    let texts = node.texts();
    let columns = texts.iter().map(|text| columns(text)).max().unwrap_or(0).max(4);
    (columns as f64 * COLUMN + 2.0 * PADDING, texts.len() as f64 * LINE_HEIGHT + PADDING)
}

/// The extents of an edge's label.
fn label_extents(graph: &Graph, edge: usize) -> (f64, f64) {
    let text = edge_text(graph, edge);
    (columns(&text) as f64 * SMALL_COLUMN + 6.0, SMALL_LINE + 2.0)
}

/// The text of an edge's label.
pub(crate) fn edge_text(graph: &Graph, edge: usize) -> String {
    let edge = &graph.edges[edge];
    let times = if edge.count > 1 { format!(" \u{d7}{}", edge.count) } else { String::new() };
    format!("{}{times}", edge.label)
}
