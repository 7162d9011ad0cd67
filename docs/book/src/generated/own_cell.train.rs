fn train() -> Result<(Model, f64)> {
    println!("== train\n");
    let model = Model::new()?;
    let mut adam = Adam::new(model.parameters(), 3e-3)?;
    for step in 0..=150 {
        let loss = model.loss(&draw(32)?)?;
        if step % 50 == 0 {
            println!("after {step:3} steps the loss is {:.2}", loss.item()?);
        }
        loss.backward()?;
        adam.step()?;
        adam.zero_grad();
    }
    let bits = draw(500)?;
    let (logits, first) = (model.logits(&bits)?.to_vec(), bits.select(0, 0).to_vec());
    let right = logits.iter().zip(&first).filter(|(logit, bit)| (**logit > 0.0) == (**bit > 0.5)).count();
    let share = right as f64 / first.len() as f64;
    println!("of new sequences it is right about {share:.3}");
    Ok((model, share))
}
