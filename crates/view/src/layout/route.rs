//! The heights of the ranks, and the ways of the edges.

use super::{ABOVE, GraphLayout, Layers, MARGIN, PASSING, Placed, Route, label_extents};
use crate::graph::Graph;

/// An edge that leads back, and the room that it takes.
struct Back {
    edge: usize,
    from: usize,
    to: usize,
    label: (f64, f64),
}

/// Where ranks begin and end.
struct Heights {
    top: Vec<f64>,
    bottom: Vec<f64>,
    height: f64,
}

/// Heights by rank; `runs` has for the gap above each rank, and for that below the last one, how many edges
/// run along it.
fn heights(layers: &Layers, runs: &[usize]) -> Heights {
    let (mut top, mut bottom) = (Vec::new(), Vec::new());
    let mut y = MARGIN;
    for (rank, vertices) in layers.ranks.iter().enumerate() {
        y += runs[rank] as f64 * PASSING + if rank > 0 { gap(layers, rank) } else { 0.0 };
        top.push(y);
        y += vertices.iter().map(|&vertex| layers.vertices[vertex].height).fold(0.0, f64::max);
        bottom.push(y);
    }
    let last = runs[layers.ranks.len()] as f64 * PASSING;
    Heights { top, bottom, height: y + last + MARGIN }
}

/// The room above a rank, which grows with how far edges go sideways.
fn gap(layers: &Layers, rank: usize) -> f64 {
    let from = layers.ranks[rank].iter().map(|&vertex| &layers.vertices[vertex]);
    let aside = from.flat_map(|to| to.above.iter().map(|&above| (layers.vertices[above].x - to.x).abs()));
    ABOVE + (aside.fold(0.0, f64::max) / 10.0).min(3.0 * ABOVE)
}

pub(super) fn routed(graph: &Graph, layers: &Layers) -> GraphLayout {
    let backs: Vec<Back> =
        graph.edges.iter().enumerate().filter(|(_, edge)| edge.is_back).map(back(graph)).collect();
    let mut runs = vec![0; layers.ranks.len() + 1];
    let rank = |node: usize| layers.vertices[node].rank;
    for back in &backs {
        runs[rank(back.from) + 1] += 1;
        runs[rank(back.to)] += 1;
    }
    let heights = heights(layers, &runs);
    let box_of = |vertex: usize| {
        let of = &layers.vertices[vertex];
        let (top, bottom) = (heights.top[of.rank], heights.bottom[of.rank]);
        let y = top + (bottom - top - of.height) / 2.0;
        Placed { x: MARGIN + of.x - of.width / 2.0, y, width: of.width, height: of.height }
    };
    let nodes: Vec<Placed> = (0..graph.nodes.len()).map(box_of).collect();
    let mut edges: Vec<Route> = layers
        .chains
        .iter()
        .zip(&layers.labels)
        .map(|(chain, &label)| down(layers, &heights, chain, label, &nodes, &box_of))
        .collect();
    // Right ends by rank: what has been placed there so far.
    let right = |rank: &Vec<usize>| {
        let right =
            |&vertex: &usize| MARGIN + layers.vertices[vertex].x + layers.vertices[vertex].width / 2.0;
        rank.iter().map(right).fold(MARGIN, f64::max)
    };
    let rights = layers.ranks.iter().map(right).collect();
    let mut lanes = Lanes { rights, used: vec![0; runs.len()], ports: vec![0; 2 * nodes.len()] };
    // Short ways are inside of long ones.
    let mut order: Vec<&Back> = backs.iter().collect();
    order.sort_by_key(|back| rank(back.from).abs_diff(rank(back.to)));
    for back in order {
        edges[back.edge] = lanes.route(back, &nodes, &heights, [rank(back.from), rank(back.to)]);
    }
    let width = lanes.rights.iter().copied().fold(0.0, f64::max) + MARGIN;
    GraphLayout { width, height: heights.height, nodes, edges }
}

fn back(graph: &Graph) -> impl Fn((usize, &crate::graph::GraphEdge)) -> Back {
    |(place, edge)| Back { edge: place, from: edge.from, to: edge.to, label: label_extents(graph, place) }
}

/// The way of an edge that goes down: at each vertex straight through the rank.
fn down(
    layers: &Layers,
    heights: &Heights,
    chain: &[usize],
    label: usize,
    nodes: &[Placed],
    box_of: &impl Fn(usize) -> Placed,
) -> Route {
    let mut points = Vec::with_capacity(2 * chain.len());
    for (place, &vertex) in chain.iter().enumerate() {
        let of = &layers.vertices[vertex];
        let x = MARGIN + of.x;
        if place > 0 {
            points.push((x, heights.top[of.rank]));
        }
        if place + 1 < chain.len() {
            points.push((x, heights.bottom[of.rank]));
        }
    }
    // From the box itself, which may be lower than its rank, and to it.
    if let (Some(&from), Some(&to)) = (chain.first(), chain.last()) {
        let (first, last) = (points[0].0, points[points.len() - 1].0);
        points.insert(0, (first, nodes[from].y + nodes[from].height));
        points.push((last, nodes[to].y));
        points.dedup_by(|a, b| (a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-6);
    }
    Route { points, label: chain.get(label).map(|&vertex| box_of(vertex)).unwrap_or_default() }
}

/// What edges that lead back have taken so far.
struct Lanes {
    /// The right end of each rank.
    rights: Vec<f64>,
    /// Runs in each gap.
    used: Vec<usize>,
    /// Ends at each node, above and below.
    ports: Vec<usize>,
}

impl Lanes {
    /// Down out of the box, right along the gap, up beside everything, left along a gap, down into the box.
    fn route(&mut self, back: &Back, nodes: &[Placed], heights: &Heights, ranks: [usize; 2]) -> Route {
        let (width, height) = back.label;
        let [from, to] = ranks;
        // The ranks that the way is beside, and those next to its runs.
        let beside = if from >= to { to..=from } else { from + 1..=to - 1 };
        let near = beside.start().saturating_sub(1)..=(beside.end() + 1).min(self.rights.len() - 1);
        let left = self.rights[near.clone()].iter().copied().fold(MARGIN, f64::max) + PASSING;
        let lane = left + width / 2.0;
        self.rights[near].fill(left + width);
        let (below, above) = (self.run(heights, from + 1), self.run(heights, to));
        let out = self.port(2 * back.from + 1, nodes[back.from]);
        let into = self.port(2 * back.to, nodes[back.to]);
        let (bottom, top) = (nodes[back.from].y + nodes[back.from].height, nodes[back.to].y);
        let points =
            vec![(out, bottom), (out, below), (lane, below), (lane, above), (into, above), (into, top)];
        // The label is inside a rank, where nothing runs along.
        let middle = (below + above) / 2.0;
        let inside = |rank: usize| (heights.top[rank] + heights.bottom[rank]) / 2.0;
        let off = |rank: &usize| (inside(*rank) - middle).abs();
        let high = beside.filter(|&rank| heights.bottom[rank] - heights.top[rank] >= height);
        let y = high.min_by(|a, b| off(a).total_cmp(&off(b))).map_or(middle, inside) - height / 2.0;
        Route { points, label: Placed { x: lane - width / 2.0, y, width, height } }
    }

    /// The height of the next run in the gap above a rank.
    fn run(&mut self, heights: &Heights, gap: usize) -> f64 {
        let begin = if gap == 0 { MARGIN } else { heights.bottom[gap - 1] };
        self.used[gap] += 1;
        begin + (self.used[gap] as f64 - 0.5) * PASSING
    }

    /// Where the next edge that leads back meets a side of a box: right of the middle.
    fn port(&mut self, side: usize, at: Placed) -> f64 {
        self.ports[side] += 1;
        at.x + at.width * (0.5 + 0.5 * (1.0 - 0.5f64.powi(self.ports[side] as i32)))
    }
}
