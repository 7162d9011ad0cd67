//! Random programs over the registry of operations: the fast ways of the tape against the plain sweep.

use std::collections::BTreeMap;
use std::env;
use std::ops::Range;
use std::process::Command;
use std::time::Duration;

use wengert_check::{RandomProgram, check_programs};

/// How many programs, unless `WENGERT_DEEP_CASES` asks for another number.
const PROGRAMS: u64 = 2000;
/// Where the seeds begin, unless `WENGERT_SEED` says it.
const FIRST: u64 = 0;
/// One of so many programs has its digest compared between levels.
const ONE_OF: u64 = 10;

fn from_env(name: &str) -> Option<u64> {
    env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: expected a number, got {text}")))
}

/// The seeds of one of so many programs that are asked for, and of one at least.
fn seeds(one_of: u64) -> Range<u64> {
    let count = from_env("WENGERT_DEEP_CASES").unwrap_or(PROGRAMS);
    let first = from_env("WENGERT_SEED").unwrap_or(FIRST);
    first..first + count.div_ceil(one_of)
}

/// How many seeds.
fn count(seeds: &Range<u64>) -> u64 {
    seeds.end - seeds.start
}

#[test]
fn the_fast_ways_compute_what_the_plain_sweep_does() {
    let seeds = seeds(1);
    let count = count(&seeds);
    match check_programs(seeds, Duration::from_secs(30)) {
        Ok(tally) => {
            println!("{tally}");
            // A few programs may be of tiny values alone.
            assert!(count < 100 || tally.shared >= count, "several threads had nothing to share: {tally}");
        }
        Err(message) => panic!("{message}"),
    }
}

/// Prints digests, if this process was started for that.
#[test]
fn digests() {
    if env::var_os("WENGERT_DIGESTS").is_some() {
        for seed in seeds(ONE_OF) {
            let digest = RandomProgram::from_seed(seed)
                .digest()
                .unwrap_or_else(|error| panic!("program {seed}: {error}"));
            println!("digest {seed} {} {:e} {:e}", digest.bits, digest.sum, digest.allowed);
        }
    }
}

type Digests = BTreeMap<u64, (u64, f64, f64)>;

/// The digests that a process with these instructions finds.
fn at_level(level: &str) -> Digests {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "digests", "--nocapture"])
        .env("WENGERT_DIGESTS", "1")
        .env("WENGERT_SIMD", level);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{level}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let digest = |line: &str| {
        let words: Vec<&str> = line.strip_prefix("digest ")?.split(' ').collect();
        Some((
            words[0].parse().ok()?,
            (words[1].parse().ok()?, words[2].parse().ok()?, words[3].parse().ok()?),
        ))
    };
    let digests: Digests = text.lines().filter_map(digest).collect();
    assert_eq!(digests.len() as u64, count(&seeds(ONE_OF)), "{level}: {text}");
    digests
}

#[test]
fn all_instructions_give_the_same_up_to_rounding() {
    let [portable, avx2, best] = ["portable", "avx2", ""].map(at_level);
    for (level, digests) in [("avx2", &avx2), ("the best", &best)] {
        for (seed, (_, sum, allowed)) in digests {
            let (_, reference, _) = portable[seed];
            let off = (sum - reference).abs();
            assert!(
                off <= *allowed,
                "program {seed}: {reference:e} in portable, {sum:e} in {level}, off by {off:e}"
            );
        }
    }
    // What differs between these two is the width of a vector, and of all sums only those of products go
    // along that.
    let without_products = |seed: &u64| {
        let program = RandomProgram::from_seed(*seed).to_string();
        ["MatMul", "Linear", "Rnn", "Lstm", "Gru"].iter().all(|product| !program.contains(product))
    };
    let (mut compared, mut differing) = (0, Vec::new());
    for (seed, digest) in avx2.iter().filter(|(seed, _)| without_products(seed)) {
        compared += 1;
        if best[seed].0 != digest.0 {
            differing.push(seed);
        }
    }
    let all = best.len();
    assert!(all < 100 || compared > all / 5, "only {compared} programs have no products");
    assert!(
        differing.is_empty(),
        "programs {differing:?} have other bits with AVX2 than with the best instructions"
    );
}
