/// A recorded operation: its rule, the numbers of the nodes that its inputs came from, its output.
struct Node {
    rule: Rule,
    inputs: Vec<usize>,
    output: f64,
}
