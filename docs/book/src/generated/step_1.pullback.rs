/// The terms of the cotangents of the inputs `x`, given the output `y` and its cotangent `c`.
fn pullback(self, x: &[f64], y: f64, c: f64) -> Vec<f64> {
    match self {
        Rule::Leaf => vec![],
        Rule::Add => vec![c, c],
        Rule::Mul => vec![c * x[1], c * x[0]],
        Rule::Tanh => vec![c * (1.0 - y * y)],
    }
}
