//! Randomness that only a seed and a place decide.

use wengert_core::__private::vec_of;
use wengert_core::{Generator, GeneratorState, generator_state, set_generator_state};

/// Sets the orders of data apart from what a program draws with the same seed.
const ORDERS: u64 = 0x6461_7461_2e6f_7264;
/// Sets apart what the samples of a batch draw.
const DRAWS: u64 = 0x6461_7461_2e64_7277;

/// The stream of an epoch's order.
pub(crate) fn order_stream(seed: u64, epoch: u64) -> Generator {
    Generator::stream(seed ^ ORDERS, epoch)
}

/// The numbers `0..len` as they stand, or in the order that belongs to a seed. What the allocator refuses
/// unwinds.
pub(crate) fn order(len: usize, seed: Option<u64>) -> Vec<usize> {
    let Some(seed) = seed else {
        let mut order = vec_of(len);
        order.extend(0..len);
        return order;
    };
    shuffled(seed, 0, len)
}

/// The numbers `0..len` in the order that belongs to a seed and an epoch.
pub(crate) fn shuffled(seed: u64, epoch: u64, len: usize) -> Vec<usize> {
    order_stream(seed, epoch).permutation(len)
}

/// Runs what makes a batch with a generator of the batch's own, so that what it draws does not depend on
/// where and when it is made. The thread's own generator stays where it was.
pub(crate) fn seeded<R>(seed: u64, epoch: u64, batch: usize, make: impl FnOnce() -> R) -> R {
    let _own = Restored(generator_state());
    let stream = Generator::stream(seed ^ DRAWS, (epoch << 32) | (batch as u64 & 0xffff_ffff));
    set_generator_state(&stream.state());
    make()
}

/// A generator's state that is set again in the end, also if what is between panics.
struct Restored(GeneratorState);

impl Drop for Restored {
    fn drop(&mut self) {
        set_generator_state(&self.0);
    }
}
