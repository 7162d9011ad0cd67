/// Prints what the chapter shows.
pub fn main() {
    let at = [numbers(&[3, 2], 0.5), numbers(&[3, 3], 2.0), numbers(&[3], 7.0)];
    println!("h      first order  second order");
    for h in [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12] {
        let first = deviation(loss, &at, h);
        let second = deviation(|x| steepness(loss, x), &at, h);
        println!("{h:<6.0e} {first:<12.0e} {second:.0e}");
    }
    assert!(deviation(loss, &at, 1e-5) < 1e-8);
    assert!(deviation(|x| steepness(loss, x), &at, 1e-5) < 1e-7);

    // A factor that is given as a value is cut off from the tape.
    let mistaken = deviation(|x| (x[1] * x[1].tape.leaf(x[1].value())).sum(), &at, 1e-5);
    println!("\nwith a factor that is cut off: {mistaken:.3}");
    assert!(mistaken > 0.1);
}
