use std::panic::catch_unwind;

use super::*;

fn moments(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    (mean, draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
}

fn draw(n: usize, mut f: impl FnMut(&mut Generator) -> f64) -> Vec<f64> {
    let mut g = Generator::from_seed(11);
    (0..n).map(|_| f(&mut g)).collect()
}

/// All kinds of draw, in an order that leaves the stream at odd words.
fn assorted(g: &mut Generator) -> Vec<u64> {
    let mut mask = [false; 77];
    g.fill_bernoulli(0.3, &mut mask);
    let mut floats = [0.0f32; 13];
    g.fill_uniform_f32(-1.0, 1.0, &mut floats);
    let mut all = vec![g.uniform(0.0, 5.0).to_bits(), g.normal().to_bits(), u64::from(g.bernoulli(0.5))];
    all.extend(g.permutation(19).into_iter().map(|i| i as u64));
    all.extend(mask.map(u64::from));
    all.extend(floats.map(|x| u64::from(x.to_bits())));
    all.push(g.below(1 << 40) as u64);
    all
}

#[test]
fn uniform_has_its_moments_and_bounds() {
    let draws = draw(200_000, |g| g.uniform(-2.0, 4.0));
    let (mean, variance) = moments(&draws);
    assert!((mean - 1.0).abs() < 0.02, "{mean}");
    assert!((variance - 3.0).abs() < 0.03, "{variance}");
    assert!(draws.iter().all(|x| (-2.0..4.0).contains(x)));
}

#[test]
fn uniform_never_rounds_up_to_the_end() {
    let mut g = Generator::from_seed(0);
    let (low, high) = (1e16, 1e16 + 4.0);
    assert!((0..10_000).all(|_| (low..high).contains(&g.uniform(low, high))));
    let mut out = [0.0f32; 10_000];
    g.fill_uniform_f32(1e8, 1e8 + 16.0, &mut out);
    assert!(out.iter().all(|x| (1e8..1e8 + 16.0).contains(x)));
    assert_eq!(g.uniform(3.0, 3.0), 3.0);
    g.fill_uniform_f32(3.0, 3.0, &mut out[..2]);
    assert_eq!(out[..2], [3.0, 3.0]);
}

#[test]
fn filled_uniform_has_its_moments() {
    let mut out = vec![0.0f32; 200_000];
    Generator::from_seed(2).fill_uniform_f32(0.0, 1.0, &mut out);
    let (mean, variance) = moments(&out.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
    assert!((mean - 0.5).abs() < 0.005, "{mean}");
    assert!((variance - 1.0 / 12.0).abs() < 0.002, "{variance}");
}

#[test]
fn normal_has_its_moments_and_tails() {
    let draws = draw(200_000, Generator::normal);
    let (mean, variance) = moments(&draws);
    assert!(mean.abs() < 0.01, "{mean}");
    assert!((variance - 1.0).abs() < 0.02, "{variance}");
    let within = |limit: f64| draws.iter().filter(|x| x.abs() < limit).count() as f64 / draws.len() as f64;
    assert!((within(1.0) - 0.6827).abs() < 0.005);
    assert!((within(2.0) - 0.9545).abs() < 0.003);
    assert!(within(3.5) < 1.0);
}

#[test]
fn bernoulli_has_its_rate() {
    for p in [0.0, 0.1, 0.5, 0.9, 1.0] {
        let (mean, _) = moments(&draw(100_000, |g| f64::from(g.bernoulli(p))));
        assert!((mean - p).abs() < 0.006, "{p}: {mean}");
        if p == 0.0 || p == 1.0 {
            assert_eq!(mean, p);
        }
    }
}

#[test]
fn filling_a_mask_equals_single_draws() {
    for p in [0.0, 0.25, 0.8, 1.0] {
        let (mut filled, mut single) = (Generator::from_seed(4), Generator::from_seed(4));
        let mut mask = vec![false; 1003];
        filled.fill_bernoulli(p, &mut mask);
        assert!(mask.iter().all(|m| *m == single.bernoulli(p)));
        assert_eq!(filled, single);
    }
}

#[test]
fn below_is_even() {
    let mut counts = [0; 7];
    let mut g = Generator::from_seed(8);
    (0..70_000).for_each(|_| counts[g.below(7)] += 1);
    assert!(counts.iter().all(|c| (9_500..10_500).contains(c)), "{counts:?}");
    assert!((0..100).all(|_| g.below(1) == 0));
    assert!((0..100).any(|_| g.below(usize::MAX) > usize::MAX / 2));
}

#[test]
fn permutations_are_permutations_and_even() {
    let mut g = Generator::from_seed(6);
    assert!(g.permutation(0).is_empty());
    assert_eq!(g.permutation(1), [0]);
    let mut counts = std::collections::HashMap::new();
    for _ in 0..24_000 {
        *counts.entry(g.permutation(4)).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 24);
    assert!(counts.values().all(|c| (850..1150).contains(c)), "{counts:?}");
    let mut large = g.permutation(1000);
    assert_ne!(large, (0..1000).collect::<Vec<_>>());
    large.sort();
    assert_eq!(large, (0..1000).collect::<Vec<_>>());
}

#[test]
fn what_is_no_distribution_is_refused() {
    fn refused<R>(f: fn(&mut Generator) -> R) -> bool {
        catch_unwind(|| f(&mut Generator::from_seed(0))).is_err()
    }
    assert!(refused(|g| g.uniform(1.0, 0.0)));
    assert!(refused(|g| g.uniform(f64::NAN, 0.0)));
    assert!(refused(|g| g.uniform(0.0, f64::INFINITY)));
    assert!(refused(|g| g.fill_uniform_f32(1.0, 0.0, &mut [])));
    assert!(refused(|g| g.bernoulli(1.5)));
    assert!(refused(|g| g.bernoulli(f64::NAN)));
    assert!(refused(|g| g.fill_bernoulli(-0.1, &mut [])));
    assert!(refused(|g| g.below(0)));
}

#[test]
fn a_seed_means_the_same_for_ever() {
    let mut g = Generator::from_seed(42);
    assert_eq!([g.next_u32(), g.next_u32()], [2278103804, 823500537]);
    assert_eq!(g.uniform(0.0, 1.0), 0.09114982297259133);
    assert!((g.normal() - 1.2424914634563757).abs() < 1e-15);
    assert!(!g.bernoulli(0.5));
    assert_eq!(g.permutation(6), [5, 0, 1, 3, 4, 2]);
    assert_eq!(g.below(1000), 583);
    assert_eq!(assorted(&mut Generator::from_seed(1)), assorted(&mut Generator::from_seed(1)));
    assert_ne!(assorted(&mut Generator::from_seed(1)), assorted(&mut Generator::from_seed(2)));
}

#[test]
fn a_state_continues_at_any_word() {
    // More than the generator buffers, so that both its middle and its ends are met.
    for skipped in 0..300 {
        let mut g = Generator::from_seed(13);
        for _ in 0..skipped {
            g.next_u32();
        }
        let state = g.state();
        let bytes = state.to_bytes();
        let mut restored = Generator::restore(&GeneratorState::from_bytes(&bytes).unwrap());
        assert_eq!(restored.state(), state);
        assert_eq!(assorted(&mut restored), assorted(&mut g), "after {skipped} words");
        assert_eq!(restored.state(), g.state());
    }
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let good = Generator::from_seed(0).state().to_bytes();
    assert!(GeneratorState::from_bytes(&good).is_ok());
    let refusal = |bytes: &[u8]| GeneratorState::from_bytes(bytes).unwrap_err().to_string();
    assert_eq!(refusal(&[]), "GeneratorState::from_bytes: bytes must be 64 bytes, got 0 bytes");
    assert!(refusal(&good[..63]).contains("got 63 bytes"));
    assert!(refusal(&[&good[..], &[0]].concat()).contains("got 65 bytes"));
    let mut other = good;
    other[7] = 3;
    assert!(refusal(&other).contains("chacha8"));
    let mut far = good;
    far[55] = 1;
    assert!(refusal(&far).contains("below 2^68"));
}

#[test]
fn a_state_without_a_stream_is_one_of_the_first() {
    let mut g = Generator::from_seed(4);
    g.next_u32();
    let mut old = g.state().to_bytes()[..56].to_vec();
    old[7] = 1;
    assert_eq!(GeneratorState::from_bytes(&old).unwrap(), g.state());
    assert!(GeneratorState::from_bytes(&old[..55]).unwrap_err().to_string().contains("must be 56 bytes"));
}

#[test]
fn streams_of_a_seed_are_reproducible_and_share_nothing() {
    let words = |seed, stream| {
        let mut g = Generator::stream(seed, stream);
        (0..1000).map(|_| g.next_u64()).collect::<Vec<_>>()
    };
    let streams = [(7, 0), (7, 1), (7, 2), (7, u64::MAX), (8, 1)];
    let mut all: Vec<u64> = streams.iter().flat_map(|&(seed, stream)| words(seed, stream)).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 5000, "no number of 64 bits comes twice");
    assert_eq!(words(7, 2), words(7, 2));
    assert!(Generator::stream(7, 0) == Generator::from_seed(7));
}

#[test]
fn a_state_continues_its_own_stream() {
    for skipped in [0, 1, 17, 64, 299] {
        let mut g = Generator::stream(13, 5);
        (0..skipped).for_each(|_| _ = g.next_u32());
        let bytes = g.state().to_bytes();
        let mut restored = Generator::restore(&GeneratorState::from_bytes(&bytes).unwrap());
        assert_eq!(assorted(&mut restored), assorted(&mut g), "after {skipped} words");
        assert_eq!(restored.state(), g.state());
    }
}

#[test]
fn threads_that_are_not_seeded_draw_different_numbers() {
    let threads: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(|| with_generator(|g| (0..100).map(|_| g.next_u64()).collect::<Vec<_>>()))
        })
        .collect();
    let mut all: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let mut main = Generator::from_seed(DEFAULT_SEED);
    all.extend((0..100).map(|_| main.next_u64()));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 900);
}

#[test]
fn threads_that_are_not_seeded_draw_from_no_stream_that_a_program_numbers() {
    let unseeded = || with_generator(|g| g.next_u64());
    let drawn: Vec<u64> = (0..8).map(|_| std::thread::spawn(unseeded).join().unwrap()).collect();
    for i in 0..1000 {
        assert!(!drawn.contains(&Generator::stream(DEFAULT_SEED, i).next_u64()), "that of stream {i}");
    }
}

#[test]
fn seeded_threads_draw_what_their_seed_says_and_are_their_own() {
    let in_thread = |seed: Option<u64>| {
        let run = move || {
            seed.into_iter().for_each(manual_seed);
            with_generator(assorted)
        };
        std::thread::spawn(run).join().unwrap()
    };
    manual_seed(5);
    let here = with_generator(|g| g.clone());
    assert_ne!(in_thread(None), in_thread(None));
    assert_eq!(in_thread(Some(3)), assorted(&mut Generator::from_seed(3)));
    assert_eq!(with_generator(|g| g.clone()), here);
}

#[test]
fn this_threads_state_is_restored() {
    manual_seed(21);
    with_generator(|g| g.next_u32());
    let state = generator_state();
    let drawn = with_generator(assorted);
    set_generator_state(&state);
    assert_eq!(with_generator(assorted), drawn);
}

#[test]
fn nested_use_says_what_is_wrong() {
    manual_seed(1);
    let nested: [fn(); 4] = [
        || manual_seed(2),
        || assert!(with_generator(|g| g.bernoulli(1.0))),
        || assert_eq!(generator_state(), generator_state()),
        || set_generator_state(&Generator::from_seed(0).state()),
    ];
    for f in nested {
        let payload = catch_unwind(|| with_generator(|_| f())).unwrap_err();
        let message = payload.downcast_ref::<String>().unwrap();
        assert!(message.contains("draw from the one it gave you"), "{message}");
    }
    // Neither that nor any other panic in the closure spoils the generator.
    assert_eq!(with_generator(assorted), assorted(&mut Generator::from_seed(1)));
}

#[test]
fn it_serves_rand_and_moves_between_threads() {
    fn use_it(mut generator: impl Rng + Clone + fmt::Debug + Send) -> bool {
        use rand::RngExt;
        generator.random_range(0..10) < 10 && format!("{generator:?}").contains("position: ")
    }
    assert!(use_it(Generator::from_seed(0)));
}
