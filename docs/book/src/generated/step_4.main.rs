/// Prints what the chapter shows.
pub fn main() {
    let tape = Tape::default();
    let x = tape.leaf(Tensor::new(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let weight = tape.leaf(Tensor::new(&[1, 3], &[0.3, -0.2, 0.1]));
    let bias = tape.leaf(Tensor::new(&[1], &[0.5]));
    let loss = (x.matmul(weight.t()) + bias).tanh().sum();
    println!("{tape}");

    let cotangents = loss.sweep();
    for (name, leaf) in [("x", x), ("weight", weight), ("bias", bias)] {
        let cotangent = cotangents[leaf.number].as_ref().unwrap();
        println!("dloss/d{name:<6} {:?} {:.4?}", cotangent.shape, cotangent.data);
    }
}
