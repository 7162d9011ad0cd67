//! Seeded randomness: the same seed gives the same numbers, on every platform and in every thread.

mod state;
#[cfg(test)]
mod tests;
mod thread;

use std::convert::Infallible;
use std::fmt;

use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use wengert_kernel::memory::refusal::refuse;

pub use state::GeneratorState;
pub use thread::{DEFAULT_SEED, generator_state, manual_seed, set_generator_state, with_generator};

/// A seeded stream of random numbers (ChaCha with 8 rounds).
///
/// It implements `rand`'s traits, so everything in that ecosystem draws from it. What its own methods draw
/// is defined here and not by `rand`, whose algorithms may change between versions; only
/// [`normal`](Self::normal) is `rand_distr`'s.
///
/// ```
/// use wengert_core::Generator;
/// let (mut a, mut b) = (Generator::from_seed(7), Generator::from_seed(7));
/// assert_eq!(a.normal(), b.normal());
/// ```
#[derive(Clone, PartialEq)]
pub struct Generator {
    inner: ChaCha8Rng,
}

impl Generator {
    /// The stream that belongs to a seed.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// assert_ne!(Generator::from_seed(0).uniform(0.0, 1.0), Generator::from_seed(1).uniform(0.0, 1.0));
    /// ```
    pub fn from_seed(seed: u64) -> Self {
        // The key is expanded here, by SplitMix64, so that a seed means the same with any version of rand.
        let mut key = [0; 32];
        let mut counter = seed;
        for word in key.chunks_exact_mut(8) {
            counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = counter;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
        }
        Generator { inner: ChaCha8Rng::from_seed(key) }
    }

    /// Stream `i` of those that belong to a seed: reproducible, and independent of all others. Stream 0 is
    /// that of [`from_seed`](Self::from_seed). For work on several threads each takes one of its own.
    ///
    /// ```
    /// use wengert_core::{Generator, Tensor, set_generator_state};
    /// let draw = |thread: u64| {
    ///     let run = move || {
    ///         set_generator_state(&Generator::stream(42, thread).state());
    ///         Tensor::<f32>::randn([3]).to_vec()
    ///     };
    ///     std::thread::spawn(run).join().unwrap()
    /// };
    /// assert_ne!(draw(0), draw(1));
    /// assert_eq!(draw(1), draw(1));
    /// ```
    pub fn stream(seed: u64, i: u64) -> Self {
        // Streams of one ChaCha key differ in the nonce, so no two overlap.
        let mut generator = Generator::from_seed(seed);
        generator.inner.set_stream(i);
        generator
    }

    /// The place in the stream now, to be continued from later.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let mut g = Generator::from_seed(3);
    /// g.normal();
    /// let state = g.state();
    /// let next = g.normal();
    /// assert_eq!(Generator::restore(&state).normal(), next);
    /// ```
    pub fn state(&self) -> GeneratorState {
        GeneratorState {
            key: self.inner.get_seed(),
            stream: self.inner.get_stream(),
            position: self.inner.get_word_pos(),
        }
    }

    /// A generator that continues from a state, bit for bit.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let g = Generator::from_seed(3);
    /// assert_eq!(Generator::restore(&g.state()), g);
    /// ```
    pub fn restore(state: &GeneratorState) -> Self {
        let mut inner = ChaCha8Rng::from_seed(state.key);
        inner.set_stream(state.stream);
        inner.set_word_pos(state.position);
        Generator { inner }
    }

    /// A number from U(`low`, `high`): `low` is possible, `high` is not (unless both are the same).
    ///
    /// As `f32` it may round to `high`; [`fill_uniform_f32`](Self::fill_uniform_f32) never gives that.
    ///
    /// # Panics
    /// If `low > high` or their distance is not finite.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let x = Generator::from_seed(0).uniform(-1.0, 1.0);
    /// assert!((-1.0..1.0).contains(&x));
    /// ```
    #[inline]
    #[track_caller]
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        let span = high - low;
        assert!(span >= 0.0 && span.is_finite(), "uniform: expected low <= high, got low {low}, high {high}");
        const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
        let x = low + span * ((self.inner.next_u64() >> 11) as f64 * UNIT);
        // The sum may have been rounded up to `high`.
        if x < high { x } else { high.next_down().max(low) }
    }

    /// A number from the standard normal distribution.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let mut g = Generator::from_seed(0);
    /// let mean = (0..10_000).map(|_| g.normal()).sum::<f64>() / 10_000.0;
    /// assert!(mean.abs() < 0.05);
    /// ```
    #[inline]
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.inner)
    }

    /// True with probability `p`, to the nearest 2<sup>-32</sup>; 0 and 1 are exact.
    ///
    /// # Panics
    /// If `p` is not a probability.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let mut g = Generator::from_seed(0);
    /// assert!(g.bernoulli(1.0) && !g.bernoulli(0.0));
    /// ```
    #[inline]
    #[track_caller]
    pub fn bernoulli(&mut self, p: f64) -> bool {
        u64::from(self.inner.next_u32()) < bernoulli_limit(p)
    }

    /// A whole number in `0..n`, each equally likely.
    ///
    /// # Panics
    /// If `n` is 0.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// assert!(Generator::from_seed(0).below(6) < 6);
    /// ```
    #[inline]
    #[track_caller]
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "below: expected n of at least 1, got 0");
        self.below_u64(n as u64) as usize
    }

    /// [`below`](Self::below) a number of 64 bits, which is not 0.
    #[inline]
    pub(crate) fn below_u64(&mut self, n: u64) -> u64 {
        // Lemire's method: the upper half of a product, with the few draws refused that would favour some
        // numbers. Always 64 bits, so that 32-bit platforms draw the same.
        let mut product = u128::from(self.inner.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let refused = n.wrapping_neg() % n;
            while (product as u64) < refused {
                product = u128::from(self.inner.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// The numbers `0..n` in random order, each order equally likely.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let mut order = Generator::from_seed(0).permutation(5);
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2, 3, 4]);
    /// ```
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order = Vec::new();
        if order.try_reserve_exact(n).is_err() {
            refuse::<usize>(n);
        }
        order.extend(0..n);
        self.shuffle(&mut order);
        order
    }

    /// Puts the items in random order, each order equally likely (Fisher and Yates).
    pub(crate) fn shuffle<I>(&mut self, items: &mut [I]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }

    /// Fills `out` from U(`low`, `high`) with the 24 bits that an `f32` resolves; `high` never comes up
    /// (unless it equals `low`).
    ///
    /// # Panics
    /// If `low > high` or their distance is not finite.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let mut x = [0.0f32; 100];
    /// Generator::from_seed(0).fill_uniform_f32(2.0, 3.0, &mut x);
    /// assert!(x.iter().all(|v| (2.0..3.0).contains(v)));
    /// ```
    #[track_caller]
    pub fn fill_uniform_f32(&mut self, low: f32, high: f32, out: &mut [f32]) {
        let span = high - low;
        let ordered = span >= 0.0 && span.is_finite();
        assert!(ordered, "fill_uniform_f32: expected low <= high, got low {low}, high {high}");
        const UNIT: f32 = 1.0 / (1u32 << 24) as f32;
        let below_high = high.next_down().max(low);
        self.fill_words(out, |word| {
            let x = low + span * ((word >> 8) as f32 * UNIT);
            if x < high { x } else { below_high }
        });
    }

    /// Fills `out` with what as many calls of [`bernoulli`](Self::bernoulli) would give, faster: a mask for
    /// dropout.
    ///
    /// # Panics
    /// If `p` is not a probability.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let mut keep = [false; 1000];
    /// Generator::from_seed(0).fill_bernoulli(0.9, &mut keep);
    /// let kept = keep.iter().filter(|k| **k).count();
    /// assert!((850..950).contains(&kept));
    /// ```
    #[track_caller]
    pub fn fill_bernoulli(&mut self, p: f64, out: &mut [bool]) {
        let limit = bernoulli_limit(p);
        match u32::try_from(limit) {
            Ok(limit) => self.fill_words(out, |word| word < limit),
            // Probability 1: the words are drawn all the same, so that the stream moves on equally for any p.
            Err(_) => self.fill_words(out, |_| true),
        }
    }

    /// Each of `out` from the next 32 bits of the stream.
    #[inline]
    fn fill_words<T>(&mut self, out: &mut [T], f: impl Fn(u32) -> T) {
        let mut bytes = [0u8; 1024];
        for chunk in out.chunks_mut(bytes.len() / 4) {
            let drawn = &mut bytes[..chunk.len() * 4];
            self.inner.fill_bytes(drawn);
            for (out, word) in chunk.iter_mut().zip(drawn.chunks_exact(4)) {
                *out = f(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
            }
        }
    }
}

/// A 32-bit draw below this is a success: `p` times 2<sup>32</sup>.
#[inline]
#[track_caller]
fn bernoulli_limit(p: f64) -> u64 {
    assert!((0.0..=1.0).contains(&p), "bernoulli: expected a probability in [0, 1], got {p}");
    (p * (1u64 << 32) as f64).round() as u64
}

/// Shows the position only: the key fills a line and tells nobody anything.
impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("position", &self.inner.get_word_pos()).finish_non_exhaustive()
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.inner.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.inner.try_next_u64()
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.inner.try_fill_bytes(bytes)
    }
}
