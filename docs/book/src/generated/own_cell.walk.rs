/// The trained model's tape, and where along it the loss depends on what.
fn walk(model: &Model) -> Result<()> {
    println!("== walk\n");
    let bits = draw(1)?.requires_grad_(true);
    let loss = record(|| model.loss(&bits))?;
    loss.backward()?;
    let tape = Tape::of(&loss);
    println!("{} lines, those of the first step and of the end:", tape.len());
    println!("{}...", tape.filtered(|entry| (8..11).contains(&entry.number)));
    println!("{}", tape.filtered(|entry| entry.number + 6 >= tape.len()));

    let states = tape.entries().iter().filter(|entry| entry.operation == "Blend");
    let of_states: Vec<f64> = states.filter_map(|entry| entry.outputs[0].grad_norm()).collect();
    let of_bits = bits.grad().expect("a backward has passed").to_vec();
    for t in 0..STEPS {
        println!("step {}: dloss/dx {:9.1e}   dloss/dh {:9.1e}", t + 1, of_bits[t].abs(), of_states[t]);
    }
    assert!(of_bits[1..].iter().all(|other| other.abs() < of_bits[0].abs()));
    Ok(())
}
