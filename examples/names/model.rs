//! The network: a vector for each character, a GRU in both directions, a score for each language.

use wengert::data::PaddedBatch;
use wengert::prelude::*;

pub struct Model {
    letters: Embedding,
    gru: Gru,
    head: Linear,
}
module!(Model { letters, gru, head });

impl Model {
    pub fn new(letters: usize, width: usize, hidden: usize, languages: usize) -> Result<Self> {
        Ok(Model {
            letters: Embedding::new(letters, width)?,
            gru: Gru::builder(width, hidden).bidirectional(true).build()?,
            head: Linear::new(2 * hidden, languages)?,
        })
    }

    /// Scores (N, languages) of names, by the last state of each direction.
    pub fn forward(&self, names: &PaddedBatch<i64>) -> Result<Variable> {
        let letters = self.letters.forward(&names.data)?;
        let options = PackOptions::default().enforce_sorted(false);
        let packed = pack_padded_sequence(&letters, &names.lengths, options)?;
        let (_, h) = self.gru.forward_packed(&packed, None)?;
        self.head.forward(&cat(&[h.select(0, 0), h.select(0, 1)], -1))
    }
}
