/// The trained model's tape, and how much the answer depends on each state.
fn walk(model: &Model) -> Result<()> {
    println!("== walk\n");
    let loss = record(|| model.loss(1))?;
    loss.backward()?;
    let tape = Tape::of(&loss);
    println!("{} lines, the first and the last of them:", tape.len());
    let last = tape.len() - 6;
    println!("{}...", tape.filtered(|entry| entry.number < 9));
    println!("{}", tape.filtered(|entry| entry.number >= last));
    let states = tape.entries().iter().filter(|entry| entry.operation == "Blend");
    let norms = states.filter_map(|entry| entry.outputs[0].grad_norm());
    let norms: Vec<f64> = norms.collect();
    let largest = norms.iter().copied().fold(0.0, f64::max);
    for (step, norm) in norms.iter().enumerate() {
        println!("dloss/dh_{:<2} {}", step + 1, "*".repeat((40.0 * norm / largest).round() as usize));
    }
    Ok(())
}
