fn rnn_cell() -> Result<f64> {
    println!("== RNNCell(100, 200): one step at a time\n");
    let cell = RnnCell::new(100, 200)?;
    println!("{cell}");
    show("weight_hh", &cell.parameter("weight_hh")?);

    let x = Variable::new(Tensor::randn([6, 5, 100]));
    let mut h = Variable::new(Tensor::zeros([5, 200]));
    let mut out = Vec::new();
    for t in 0..6 {
        let (output, state) = cell.forward(&x.select(0, t), Some(&h))?;
        out.push(output);
        h = state;
    }
    println!("state after six steps\n{h}\n");
    println!("{} outputs, each {:?}\n", out.len(), out[0].shape());

    let (one, _) = cell.forward(&x.select(0, 0), None)?;
    println!("the tape of a single step\n{}", Tape::of(&one));
    gradients(&cell, &h)
}
