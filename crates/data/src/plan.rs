//! Which samples are in which batch of an epoch.

use std::sync::Arc;

use crate::fingerprint::Fingerprint;
use crate::random::order_stream;

/// What decides the batches of an epoch.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub batch_size: usize,
    pub shuffle: bool,
    pub drop_last: bool,
    pub seed: u64,
    /// The lengths of the samples, if batches are to be of samples of like length.
    pub lengths: Option<Arc<[usize]>>,
    /// How many batches samples are sorted among.
    pub pool: usize,
}

impl Settings {
    /// How many batches `len` samples make.
    pub fn batches(&self, len: usize) -> usize {
        if self.drop_last { len / self.batch_size } else { len.div_ceil(self.batch_size) }
    }
}

/// The samples of each batch of an epoch.
pub(crate) struct Plan {
    order: Vec<usize>,
    /// Where each batch ends in the order.
    ends: Vec<usize>,
}

impl Plan {
    /// The batches of an epoch of `len` samples.
    pub fn of(settings: &Settings, len: usize, epoch: u64) -> Plan {
        let mut generator = order_stream(settings.seed, epoch);
        let mut order = if settings.shuffle { generator.permutation(len) } else { (0..len).collect() };
        // Dropped before samples are sorted: else it would always be the longest that are.
        if settings.drop_last {
            order.truncate(len - len % settings.batch_size);
        }
        let size = settings.batch_size;
        let batches = order.len().div_ceil(size);
        let mut sequence: Vec<usize> = (0..batches).collect();
        if let Some(lengths) = &settings.lengths {
            let pool = settings.pool.saturating_mul(size);
            order.chunks_mut(pool).for_each(|pool| pool.sort_by_key(|&sample| lengths[sample]));
            if settings.shuffle {
                sequence = generator.permutation(batches);
            }
        }
        Plan::in_sequence(&order, size, &sequence)
    }

    /// The batches of an order, in some sequence.
    fn in_sequence(order: &[usize], size: usize, sequence: &[usize]) -> Plan {
        let mut plan =
            Plan { order: Vec::with_capacity(order.len()), ends: Vec::with_capacity(sequence.len()) };
        for &batch in sequence {
            let end = order.len().min((batch + 1) * size);
            plan.order.extend_from_slice(&order[batch * size..end]);
            plan.ends.push(plan.order.len());
        }
        plan
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The samples of a batch.
    pub fn batch(&self, place: usize) -> &[usize] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.order[start..self.ends[place]]
    }

    /// A hash of all batches.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new("order").with(&self.order).with(&self.ends)
    }
}
