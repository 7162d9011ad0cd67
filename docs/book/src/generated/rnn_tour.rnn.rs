fn rnn() -> Result<f64> {
    println!("== RNN(100, 200): a whole sequence\n");
    let rnn = Rnn::new(100, 200)?;
    println!("{rnn}");
    show("weight_hh_l0", &rnn.parameter("weight_hh_l0")?);

    let x = Variable::new(Tensor::randn([6, 5, 100]));
    let (out, h) = rnn.forward(&x, None)?;
    println!("from zeros: out {:?}, h {:?}", out.shape(), h.shape());
    let h_0 = Variable::new(Tensor::randn([1, 5, 200]));
    let (out, h) = rnn.forward(&x, Some(&h_0))?;
    println!("from h_0 {:?}: out {:?}, h {:?}\n", h_0.shape(), out.shape(), h.shape());
    gradients(&rnn, &out)
}
