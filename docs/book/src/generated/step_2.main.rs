/// Prints what the chapter shows.
pub fn main() {
    let tape = Tape::default();
    let x = tape.leaf(Tensor::new(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let w = tape.leaf(Tensor::new(&[2, 3], &[0.1, -0.2, 0.3, -0.4, 0.5, -0.6]));
    let unused = w.tanh();
    let loss = (x * w * w).sum();
    println!("{tape}");

    let cotangents = loss.sweep();
    println!("loss     {:?}", loss.value().data);
    println!("dloss/dx {:.2?}", cotangents[x.number].as_ref().unwrap().data);
    println!("dloss/dw {:.2?}", cotangents[w.number].as_ref().unwrap().data);
    println!("of %{}    {:?}", unused.number, cotangents[unused.number]);
}
