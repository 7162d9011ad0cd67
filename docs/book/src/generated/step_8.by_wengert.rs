fn by_wengert(at: &[yours::Tensor; 3]) -> Result<Numbers> {
    let inputs: Vec<_> = (0..8).map(|t| leaf(&numbers(&[1, 2], t as f64)).detach()).collect();
    let parameters = at.each_ref().map(leaf);
    let of = parameters.each_ref();

    let loss = loss(&inputs, &parameters);
    let first = grad(&[&loss], &of, GradOptions::default().create_graph(true))?;
    let squares = first.iter().map(|gradient| (gradient * gradient).sum());
    let steepness = squares.reduce(|a, b| a + b).expect("three of them");
    let second = grad(&[&steepness], &of, GradOptions::default())?;

    let mut all = Vec::new();
    for (value, gradients) in [(loss, first), (steepness, second)] {
        all.push(value.item()?);
        all.extend(gradients.iter().flat_map(Variable::to_vec));
    }
    Ok(all)
}
