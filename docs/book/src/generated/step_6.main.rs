/// Prints what the chapter shows.
pub fn main() {
    let tape = Tape::default();
    let x = tape.leaf(Tensor::new(&[], &[0.5]));
    orders(x, 1);
    println!("{tape}");

    let t = 0.5f64.tanh();
    let slope = 1.0 - t * t;
    let formulas = [t, slope, -2.0 * t * slope, (6.0 * t * t - 2.0) * slope];
    for (order, (variable, formula)) in orders(x, 3).iter().zip(formulas).enumerate() {
        let value = variable.value().data[0];
        println!("order {order}: %{:<2} is {value:9.6}, by the formula {formula:9.6}", variable.number);
        assert!((value - formula).abs() < 1e-14);
    }

    println!();
    let (v, w) = (numbers(&[3, 3], 4.0), numbers(&[3, 3], 9.0));
    let of_v = hessian_times(&v);
    let of_w = hessian_times(&w);
    let (one, other) = ((&w * &of_v).sum_to(&[]).data[0], (&v * &of_w).sum_to(&[]).data[0]);
    println!("w H v = {one:.12}\nv H w = {other:.12}");
    assert!((one - other).abs() < 1e-12);
}
