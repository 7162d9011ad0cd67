/// The derivatives of the cell and of two layers of it in both directions, first and second.
fn check() -> std::result::Result<(), Box<dyn Error>> {
    println!("== check\n");
    let cell = Mgu::new(3, 4)?;
    let x = Variable::new(Tensor::randn([2, 3])).requires_grad_(true);
    let h = Variable::new(Tensor::randn([2, 4])).requires_grad_(true);
    gradcheck_module(&cell, &[&x, &h])?;
    gradgradcheck_module(&cell, &[&x, &h])?;
    println!("the cell's first and second derivatives are those of differences");

    let layers = Recurrent::of(3, |input| Mgu::new(input, 2)).num_layers(2).bidirectional(true).build()?;
    let x = Variable::new(Tensor::randn([4, 1, 3])).requires_grad_(true);
    gradcheck_module(&layers, &[&x])?;
    println!("so are the first ones of {layers}");
    Ok(())
}
