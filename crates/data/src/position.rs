//! Where a loader is in its data, to be saved and resumed from.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wengert_core::{Error, Result, Stateful, TensorMap};

use crate::dataset::Dataset;
use crate::fingerprint::Fingerprint;
use crate::loader::DataLoader;
use crate::plan::{Plan, Settings};
use crate::state::{insert_whole, whole};

/// An epoch, and how many of its batches have been taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub epoch: u64,
    pub batch: usize,
}

/// The position; nothing panics while it is locked.
pub(crate) fn locked(position: &Mutex<Position>) -> MutexGuard<'_, Position> {
    position.lock().unwrap_or_else(PoisonError::into_inner)
}

const NAMES: [&str; 9] =
    ["epoch", "batch", "seed", "order", "samples", "content", "batch_size", "shuffle", "drop_last"];

impl<D: Dataset, C> DataLoader<D, C> {
    fn content(&self) -> Fingerprint {
        *self.content.get_or_init(|| self.dataset.fingerprint())
    }

    /// What must be the same where a position is taken over: how messages call it, its name in a state, and
    /// its value here.
    fn conditions(&self) -> [(&'static str, &'static str, u64); 5] {
        let Settings { batch_size, shuffle, drop_last, .. } = self.settings;
        [
            ("the number of samples", "samples", self.dataset.len() as u64),
            ("the content of the dataset", "content", self.content().value()),
            ("batch_size", "batch_size", batch_size as u64),
            ("shuffle", "shuffle", shuffle.into()),
            ("drop_last", "drop_last", drop_last.into()),
        ]
    }
}

/// Saves the position: the epoch, the batch in it, the seed, and hashes of the epoch's order and of the
/// dataset. What continues from it is the same bit for bit.
///
/// A state of another dataset (by its length or [`fingerprint`](Dataset::fingerprint)), or of a loader whose
/// settings make other batches, is refused by an error that says what differs. The seed is taken over.
impl<D: Dataset, C> Stateful for DataLoader<D, C> {
    fn state_dict(&self) -> TensorMap {
        let Position { epoch, batch } = *locked(&self.position);
        let mut map = TensorMap::new();
        insert_whole(&mut map, "epoch", epoch);
        insert_whole(&mut map, "batch", batch as u64);
        insert_whole(&mut map, "seed", self.settings.seed);
        insert_whole(&mut map, "order", self.plan(epoch).fingerprint().value());
        self.conditions().iter().for_each(|&(_, name, value)| insert_whole(&mut map, name, value));
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        map.check_names(NAMES)?;
        for (called, name, here) in self.conditions() {
            check(called, whole(map, name)?, here)?;
        }
        let (epoch, batch) = (whole(map, "epoch")?, whole(map, "batch")?);
        if batch >= self.len() as u64 {
            return Err(Error::argument(NAME, "batch", format!("in 0..{}", self.len()), batch));
        }
        let settings = Settings { seed: whole(map, "seed")?, ..self.settings.clone() };
        let order = Plan::of(&settings, self.dataset.len(), epoch).fingerprint();
        check("the order of the samples", whole(map, "order")?, order.value())?;
        self.settings = settings;
        *locked(&self.position) = Position { epoch, batch: batch as usize };
        Ok(())
    }
}

const NAME: &str = "load_state_dict";

/// Refuses a value that is another than the saved one; hashes are printed as such.
fn check(called: &'static str, saved: u64, here: u64) -> Result<()> {
    if saved == here {
        return Ok(());
    }
    let print = |value: u64| match called {
        "the content of the dataset" | "the order of the samples" => format!("{value:016x}"),
        "shuffle" | "drop_last" => (value != 0).to_string(),
        _ => value.to_string(),
    };
    let expected = format!("{} as when the state was saved", print(saved));
    Err(Error::argument(NAME, called, expected, print(here)))
}
