/// A step, printed, and run again with another input.
fn tape() -> Result<()> {
    println!("== tape\n");
    let cell = Mgu::new(3, 4)?;
    for (name, parameter) in cell.named_parameters() {
        println!("{name:<8} {:?}", parameter.shape());
    }
    println!();
    let x = Variable::new(Tensor::randn([2, 3])).requires_grad_(true);
    let h = Variable::new(Tensor::randn([2, 4])).requires_grad_(true);
    let (next, _) = record(|| cell.forward(&x, Some(&h)))?;
    let (tape, places) = Tape::located(&[&x, &next]);
    println!("{tape}");

    println!("== replay\n");
    let (number, _) = places[0].expect("the input is on the tape");
    let other = Variable::new(Tensor::randn([2, 3]));
    let again: Replay<f32> = tape.replay_with(&[(number, other.clone())])?;
    let (called, _) = cell.forward(&other, Some(&h))?;
    let apart = (again.output() - &called).abs().max().item()?;
    println!("%{number} is the input; with another one, tape and cell differ by {apart}");
    assert!(apart < 1e-6);
    Ok(())
}
