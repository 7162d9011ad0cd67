/// Prints what the chapter shows.
pub fn main() -> Result<()> {
    let at = [numbers(&[3, 2], 0.5), numbers(&[3, 3], 2.0), numbers(&[3], 7.0)];
    let yours = by_yours(&at);
    let plain = with_plain(|| by_wengert(&at))?;
    let real = by_wengert(&at)?;

    println!("                 loss           dloss/dW[0,0]  its square norm  d/dU[0,0] of that");
    for (name, all) in [("your tape", &yours), ("the plain sweep", &plain), ("the real one", &real)] {
        println!("{name:<16} {:<14.10} {:<14.10} {:<16.10} {:<.10}", all[0], all[1], all[19], all[26]);
    }
    let count = yours.len();
    for other in [&plain, &real] {
        assert_eq!(other.len(), count);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + a.abs());
        assert!(yours.iter().zip(other).all(close));
    }
    println!("all {count} numbers agree within 1e-12\n");

    let [x, w, u, b] = [&[1, 2][..], &[3, 2], &[3, 3], &[3]].map(|shape| leaf(&numbers(shape, 1.0)));
    println!("one step on the real tape:\n{}", Tape::of(&loss(&[x], &[w, u, b])));
    Ok(())
}
