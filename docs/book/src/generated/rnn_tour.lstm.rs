fn lstm() -> Result<f64> {
    println!("== LSTM(50, 100, num_layers=2): two states, two layers\n");
    let lstm = Lstm::builder(50, 100).num_layers(2).build()?;
    println!("{lstm}");
    let weight = lstm.parameter("weight_hh_l0")?;
    println!(
        "weight_hh_l0 {:?}: four gates (input, forget, cell, output) of 100 rows each, one below",
        weight.shape()
    );
    println!("the other, so that one product serves all four\n");

    let x = Variable::new(Tensor::randn([10, 3, 50]));
    let (out, (h, c)) = lstm.forward(&x, None)?;
    println!("from zeros: out {:?}, h {:?}, c {:?}", out.shape(), h.shape(), c.shape());
    let state = (Variable::new(Tensor::randn([2, 3, 100])), Variable::new(Tensor::randn([2, 3, 100])));
    let (out, (h, c)) = lstm.forward(&x, Some(&state))?;
    println!("from h_0, c_0: out {:?}, h {:?}, c {:?}\n", out.shape(), h.shape(), c.shape());
    gradients(&lstm, &out)
}
