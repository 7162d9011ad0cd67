/// The cotangents of all nodes up to this one, whose own is one.
fn sweep(self) -> Vec<f64> {
    let nodes = self.tape.nodes.borrow();
    let mut sums = vec![0.0; self.number + 1];
    sums[self.number] = 1.0;
    for number in (0..=self.number).rev() {
        let node = &nodes[number];
        let x: Vec<f64> = node.inputs.iter().map(|&input| nodes[input].output).collect();
        let terms = node.rule.pullback(&x, node.output, sums[number]);
        for (&input, term) in node.inputs.iter().zip(terms) {
            sums[input] += term;
        }
    }
    sums
}
