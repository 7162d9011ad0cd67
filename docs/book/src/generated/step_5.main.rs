/// Prints what the chapter shows.
pub fn main() {
    let inputs: Vec<Tensor> = (0..8).map(|t| numbers(&[1, 2], t as f64)).collect();
    let mut columns = Vec::new();
    for scale in [0.5, 2.0] {
        let tape = Tape::default();
        let (w, u) = (numbers(&[3, 2], 0.5), numbers(&[3, 3], 2.0).map(|a| scale * a));
        let parameters = [w, u, numbers(&[3], 7.0)].map(|value| tape.leaf(value));
        let states = run(&inputs, tape.leaf(Tensor::new(&[1, 3], &[0.0; 3])), parameters);
        let loss = (states[8] * states[8]).sum();

        let cotangents = loss.sweep();
        let norm_at = |v: &Variable<'_>| norm(cotangents[v.number].as_ref().unwrap());
        println!("{} nodes for 8 steps; dloss/dU has norm {:.4}", loss.number + 1, norm_at(&parameters[1]));
        columns.push(states.iter().map(norm_at).collect::<Vec<f64>>());
    }
    println!("\nnorms     U * 0.5   U * 2.0");
    for t in (0..=8).rev() {
        println!("dloss/dh_{t} {:.1e}   {:.1e}", columns[0][t], columns[1][t]);
    }
}
