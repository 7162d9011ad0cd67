//! The order inside each rank, and the places from left to right.

use super::{BESIDE, Layers, Vertex};

/// How often the ranks are gone through, down and up.
const SWEEPS: usize = 12;

/// Orders each rank by the barycentres of the vertices' neighbours, keeping the order of fewest crossings.
pub(super) fn order(layers: &mut Layers) {
    let mut best = layers.ranks.clone();
    let mut fewest = crossings(layers);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let is_down = sweep % 2 == 0;
        let mut places = places(layers);
        for step in 0..layers.ranks.len() {
            let rank = if is_down { step } else { layers.ranks.len() - 1 - step };
            let vertices = &layers.vertices;
            let centre = |&vertex: &usize| {
                let of = &vertices[vertex];
                let beside = if is_down { &of.above } else { &of.below };
                mean(beside.iter().map(|&other| places[other] as f64)).unwrap_or(places[vertex] as f64)
            };
            let mut keyed: Vec<(f64, usize)> =
                layers.ranks[rank].iter().map(|vertex| (centre(vertex), *vertex)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            layers.ranks[rank] = keyed.iter().map(|&(_, vertex)| vertex).collect();
            layers.ranks[rank].iter().enumerate().for_each(|(place, &vertex)| places[vertex] = place);
        }
        let count = crossings(layers);
        if count < fewest {
            (fewest, best) = (count, layers.ranks.clone());
        }
    }
    layers.ranks = best;
}

/// The place of each vertex in its rank.
fn places(layers: &Layers) -> Vec<usize> {
    let mut places = vec![0; layers.vertices.len()];
    for rank in &layers.ranks {
        rank.iter().enumerate().for_each(|(place, &vertex)| places[vertex] = place);
    }
    places
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// How many pairs of edges between neighbouring ranks cross.
fn crossings(layers: &Layers) -> usize {
    let places = places(layers);
    let mut count = 0;
    for (rank, vertices) in layers.ranks.iter().enumerate() {
        // A tree of counts over the places below: how many edges so far end behind a place.
        let below = layers.ranks.get(rank + 1).map_or(0, Vec::len);
        let mut tree = vec![0usize; below + 1];
        let mut so_far = 0;
        for &vertex in vertices {
            let mut ends: Vec<usize> = layers.vertices[vertex].below.iter().map(|&to| places[to]).collect();
            ends.sort_unstable();
            for &end in &ends {
                let (mut at, mut before) = (end + 1, 0);
                while at > 0 {
                    before += tree[at];
                    at &= at - 1;
                }
                count += so_far - before;
            }
            for end in ends {
                let mut at = end + 1;
                while at <= below {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
                so_far += 1;
            }
        }
    }
    count
}

/// Places the vertices of each rank from left to right, as near to their neighbours as their order and
/// widths allow.
pub(super) fn place(layers: &mut Layers) {
    for rank in 0..layers.ranks.len() {
        settle(layers, rank, |_| None);
    }
    for sweep in 0..SWEEPS {
        let is_down = sweep % 2 == 0;
        for step in 0..layers.ranks.len() {
            let rank = if is_down { step } else { layers.ranks.len() - 1 - step };
            let is_last = sweep + 2 >= SWEEPS;
            settle(layers, rank, |vertex| match (is_last, is_down) {
                (true, _) => Some([&vertex.above[..], &vertex.below[..]].concat()),
                (false, true) => Some(vertex.above.clone()),
                (false, false) => Some(vertex.below.clone()),
            });
        }
    }
    straighten(layers);
    let left =
        layers.vertices.iter().map(|vertex| vertex.x - vertex.width / 2.0).fold(f64::INFINITY, f64::min);
    layers.vertices.iter_mut().for_each(|vertex| vertex.x -= left);
}

/// The room that a vertex may be moved in, between its neighbours.
fn room(layers: &Layers, rank: &[usize], place: usize) -> (f64, f64) {
    let own = &layers.vertices[rank[place]];
    let beside = |other: &usize| own.width / 2.0 + BESIDE + layers.vertices[*other].width / 2.0;
    let left = place.checked_sub(1).map(|place| &rank[place]);
    let low = left.map_or(f64::NEG_INFINITY, |left| layers.vertices[*left].x + beside(left));
    let high = rank.get(place + 1).map_or(f64::INFINITY, |right| layers.vertices[*right].x - beside(right));
    (low, high)
}

/// Puts the places where a long edge passes right below each other, as many at once as there is room for.
fn straighten(layers: &mut Layers) {
    let places = places(layers);
    for chain in 0..layers.chains.len() {
        let chain = layers.chains[chain].clone();
        let mut run: Vec<usize> = Vec::new();
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        for &vertex in chain.iter().skip(1) {
            let own = &layers.vertices[vertex];
            let is_end = !own.is_passing;
            let (left, right) = room(layers, &layers.ranks[own.rank], places[vertex]);
            // What was placed to the last bit may have no room at all.
            let is_apart = left.max(low) > right.min(high);
            if (is_end || is_apart) && !run.is_empty() {
                let wanted = mean(run.iter().map(|&vertex| layers.vertices[vertex].x)).unwrap_or(0.0);
                let x = wanted.max(low).min(high);
                run.drain(..).for_each(|vertex| layers.vertices[vertex].x = x);
                (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
            }
            if !is_end && left <= right {
                run.push(vertex);
                (low, high) = (low.max(left), high.min(right));
            }
        }
    }
}

/// Vertices that have run into each other, and stand together where they want to be on average.
struct Group {
    /// The mean of where they would have the first one, and the weight of that.
    wanted: f64,
    weight: f64,
    count: usize,
}

/// Solves for the places of one rank: the least squares of the distances to where each vertex wants to be,
/// under the order and the room that each needs (pool adjacent violators).
fn settle(layers: &mut Layers, rank: usize, beside: impl Fn(&Vertex) -> Option<Vec<usize>>) {
    let order = &layers.ranks[rank];
    let mut offsets = Vec::with_capacity(order.len());
    let mut groups: Vec<Group> = Vec::with_capacity(order.len());
    let (mut offset, mut before) = (0.0, 0.0);
    for (place, &vertex) in order.iter().enumerate() {
        let vertex = &layers.vertices[vertex];
        if place > 0 {
            offset += before + BESIDE + vertex.width / 2.0;
        }
        before = vertex.width / 2.0;
        offsets.push(offset);
        let beside = beside(vertex).unwrap_or_default();
        let wanted = mean(beside.iter().map(|&other| layers.vertices[other].x));
        // Long edges want to be straight.
        let weight = if vertex.is_passing { 4.0 } else { 1.0 };
        let weight = if wanted.is_some() { weight } else { 0.05 };
        let wanted = wanted.unwrap_or(vertex.x) - offset;
        let mut group = Group { wanted, weight, count: 1 };
        while let Some(last) = groups.pop_if(|last| last.wanted >= group.wanted) {
            let weight = last.weight + group.weight;
            let wanted = (last.wanted * last.weight + group.wanted * group.weight) / weight;
            group = Group { wanted, weight, count: last.count + group.count };
        }
        groups.push(group);
    }
    let starts = groups.iter().flat_map(|group| std::iter::repeat_n(group.wanted, group.count));
    let places: Vec<f64> = starts.zip(&offsets).map(|(start, offset)| start + offset).collect();
    for (place, x) in places.into_iter().enumerate() {
        layers.vertices[layers.ranks[rank][place]].x = x;
    }
}
