use wengert_check::Program;
fn main() {
    let a: Vec<u64> = std::env::args().skip(1).map(|x| x.parse().unwrap()).collect();
    std::panic::set_hook(Box::new(|_| {}));
    let (mut n, mut f) = (0, 0);
    let mut ops = std::collections::BTreeMap::new();
    let t = std::time::Instant::now();
    for seed in a[0]..a[1] {
        let p = Program::from_seed(seed);
        n += 1;
        p.operations().for_each(|o| *ops.entry(o).or_insert(0) += 1);
        if let Err(m) = p.check() {
            if m.contains("gives another shape") {
                f += 1;
                continue;
            }
            println!("{seed} ({} lines): {m}", p.len());
            if a.len() > 2 {
                let s = p.shrink(std::time::Duration::from_secs(a[2]));
                println!("   -> {}\n{s}", s.check().unwrap_err());
            }
        }
    }
    println!("{n} programs, {f} misshapen, {:?}", t.elapsed());
    if a.len() > 3 {
        println!("{ops:?}");
    }
}
