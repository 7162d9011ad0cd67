fn gru() -> Result<f64> {
    println!("== GRU(10, 20): three gates\n");
    let gru = Gru::new(10, 20)?;
    println!("{gru}");
    let x = Variable::new(Tensor::randn([3, 32, 10]));
    println!("weight_hh_l0 {:?}", gru.parameter("weight_hh_l0")?.shape());
    let (out, h) = gru.forward(&x, None)?;
    println!("h {:?}, out {:?}\n", h.shape(), out.shape());
    gradients(&gru, &out)
}
