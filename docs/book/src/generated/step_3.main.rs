/// Prints what the chapter shows.
pub fn main() {
    let tape = Tape::default();
    let x = tape.leaf(Tensor::new(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let row = tape.leaf(Tensor::new(&[3], &[0.1, 0.2, 0.3]));
    let column = tape.leaf(Tensor::new(&[2, 1], &[10.0, 20.0]));
    let gate = row.tanh();
    let loss = (x * gate + column).sum();
    println!("{tape}");

    let cotangents = loss.sweep();
    for (name, variable) in [("x", x), ("gate", gate), ("row", row), ("column", column)] {
        let cotangent = cotangents[variable.number].as_ref().unwrap();
        println!("dloss/d{name:<6} {:?} {:.2?}", cotangent.shape, cotangent.data);
    }
}
