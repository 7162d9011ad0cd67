//! Which edges lead back: without them there are no circles.

/// The part of each node: nodes of one part reach each other. Kosaraju's way, without recursion.
pub(super) fn parts(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let (mut forward, mut backward) = (vec![Vec::new(); nodes], vec![Vec::new(); nodes]);
    for &(from, to) in edges {
        forward[from].push(to);
        backward[to].push(from);
    }
    let mut finished = Vec::with_capacity(nodes);
    let mut seen = vec![false; nodes];
    for start in 0..nodes {
        visit(start, &forward, &mut seen, |node| finished.push(node));
    }
    let mut part = vec![0; nodes];
    seen.fill(false);
    for (number, &start) in finished.iter().rev().enumerate() {
        visit(start, &backward, &mut seen, |node| part[node] = number);
    }
    part
}

/// Goes through what is reachable and not seen, telling each node once all behind it is told.
fn visit(start: usize, next: &[Vec<usize>], seen: &mut [bool], mut told: impl FnMut(usize)) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut path = vec![(start, 0)];
    while let Some((node, at)) = path.last_mut() {
        match next[*node].get(*at) {
            Some(&child) => {
                *at += 1;
                if !std::mem::replace(&mut seen[child], true) {
                    path.push((child, 0));
                }
            }
            None => {
                told(*node);
                path.pop();
            }
        }
    }
}
