/// The Hessian of the recurrence's loss in U, times a direction.
fn hessian_times(direction: &Tensor) -> Tensor {
    let tape = Tape::default();
    let inputs: Vec<Tensor> = (0..8).map(|t| numbers(&[1, 2], t as f64)).collect();
    let values = [numbers(&[3, 2], 0.5), numbers(&[3, 3], 2.0), numbers(&[3], 7.0)];
    let parameters = values.map(|value| tape.leaf(value));
    let states = run(&inputs, tape.leaf(Tensor::new(&[1, 3], &[0.0; 3])), parameters);
    let loss = (states[8] * states[8]).sum();

    let u = parameters[1];
    let recorded = || tape.nodes.borrow().len();
    let forward = recorded();
    let gradient = loss.sweep()[u.number].expect("the loss depends on U");
    let with_gradient = recorded();
    let slope = (gradient * tape.leaf(direction.clone())).sum();
    let product = slope.sweep()[u.number].expect("and so does its gradient");
    println!("nodes: {forward} forward, {with_gradient} with the gradient, {} in all", recorded());
    product.value()
}
