//! Which rank each node stands in.

use super::{BESIDE, Layers, MOST_VERTICES, PASSING, Vertex, extents, label_extents};
use crate::graph::Graph;

/// The ranks of the nodes, two apart so that labels have one of their own between.
fn ranks(graph: &Graph) -> Vec<usize> {
    let count = graph.nodes.len();
    let edges: Vec<(usize, usize)> =
        graph.edges.iter().filter(|edge| !edge.is_back).map(|edge| (edge.from, edge.to)).collect();
    let (mut below, mut waiting) = (vec![Vec::new(); count], vec![0usize; count]);
    for &(from, to) in &edges {
        below[from].push(to);
        waiting[to] += 1;
    }
    // What comes from a leaf that nobody else takes is moved along.
    let mut incoming = vec![0; count];
    let is_alone = |node: usize| waiting[node] == 0 && below[node].len() == 1;
    edges.iter().filter(|&&(from, _)| !is_alone(from)).for_each(|&(_, to)| incoming[to] += 1);
    let mut ranks = vec![0; count];
    let mut order: Vec<usize> = (0..count).filter(|&node| waiting[node] == 0).collect();
    let mut at = 0;
    while let Some(&node) = order.get(at) {
        at += 1;
        for &to in &below[node] {
            ranks[to] = ranks[to].max(ranks[node] + 2);
            waiting[to] -= 1;
            if waiting[to] == 0 {
                order.push(to);
            }
        }
    }
    // What has no more edges above than below, parameters above all, stands right above what takes it first.
    for &node in order.iter().rev().filter(|&&node| incoming[node] <= below[node].len()) {
        if let Some(first) = below[node].iter().map(|&to| ranks[to]).min() {
            ranks[node] = first - 2;
        }
    }
    ranks
}

/// The vertices of all ranks.
pub(super) fn layers(graph: &Graph) -> Option<Layers> {
    let ranks = ranks(graph);
    let spans = graph.edges.iter().filter(|edge| !edge.is_back);
    let passing: usize = spans.map(|edge| ranks[edge.to] - ranks[edge.from] - 1).sum();
    if passing > MOST_VERTICES {
        return None;
    }
    let vertex = |rank, (width, height): (f64, f64), is_passing| Vertex {
        rank,
        width,
        height,
        x: 0.0,
        above: Vec::new(),
        below: Vec::new(),
        is_passing,
    };
    let nodes = graph.nodes.iter().zip(&ranks);
    let mut vertices: Vec<Vertex> = nodes.map(|(node, &rank)| vertex(rank, extents(node), false)).collect();
    let (mut chains, mut labels) = (Vec::new(), Vec::new());
    for (place, edge) in graph.edges.iter().enumerate() {
        let mut chain = Vec::new();
        if !edge.is_back {
            chain.push(edge.from);
            for rank in ranks[edge.from] + 1..ranks[edge.to] {
                // The label is next to what takes the value.
                let is_label = rank + 1 == ranks[edge.to];
                let room = if is_label { label_extents(graph, place) } else { (PASSING - BESIDE / 2.0, 0.0) };
                chain.push(vertices.len());
                vertices.push(vertex(rank, room, !is_label));
            }
            chain.push(edge.to);
            for pair in chain.windows(2) {
                vertices[pair[0]].below.push(pair[1]);
                vertices[pair[1]].above.push(pair[0]);
            }
        }
        labels.push(chain.len().saturating_sub(2));
        chains.push(chain);
    }
    let highest = vertices.iter().map(|vertex| vertex.rank + 1).max().unwrap_or(0);
    let mut ranks = vec![Vec::new(); highest];
    vertices.iter().enumerate().for_each(|(place, vertex)| ranks[vertex.rank].push(place));
    Some(Layers { vertices, ranks, chains, labels })
}
