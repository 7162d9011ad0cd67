fn record(&self, rule: Rule, inputs: &[Variable<'_>], output: f64) -> Variable<'_> {
    let inputs = inputs.iter().map(|input| input.number).collect();
    let mut nodes = self.nodes.borrow_mut();
    nodes.push(Node { rule, inputs, output });
    Variable { tape: self, number: nodes.len() - 1 }
}
