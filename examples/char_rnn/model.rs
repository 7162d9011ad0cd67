//! The network: a vector for each character, a recurrent layer, a score for each next character.

use wengert::Generator;
use wengert::data::{Tokens, Vocabulary};
use wengert::prelude::*;

/// Characters in, scores of the next ones out.
pub struct CharModel<C> {
    embedding: Embedding,
    rnn: Recurrent<C>,
    dropout: Dropout,
    head: Linear,
}

module!(impl[C: Cell<Element = f32>] CharModel[C] as f32 { embedding, rnn, dropout, head });

impl<C: Cell<Element = f32>> CharModel<C> {
    pub fn new(alphabet: usize, embedding: usize, rnn: Recurrent<C>, dropout: f64) -> Result<Self> {
        let width = rnn.output_size();
        Ok(CharModel {
            embedding: Embedding::new(alphabet, embedding)?,
            rnn,
            dropout: Dropout::new(dropout)?,
            head: Linear::new(width, alphabet)?,
        })
    }

    /// Scores (L, N, alphabet) for characters (L, N), from a state that goes on.
    pub fn forward(&self, characters: &Tensor<i64>, state: &C::State) -> Result<(Variable, C::State)> {
        let (out, state) = self.rnn.forward(&self.embedding.forward(characters)?, Some(state))?;
        Ok((self.head.forward(&self.dropout.forward(&out)?)?, state))
    }

    pub fn zero_state(&self, batch: usize) -> C::State {
        self.rnn.zero_state(batch)
    }

    /// Writes `count` characters after `prompt`, with a generator of its own so that training is not
    /// disturbed.
    pub fn write(
        &self,
        alphabet: &Vocabulary,
        prompt: &str,
        count: usize,
        temperature: f64,
        generator: &mut Generator,
    ) -> Result<String> {
        let letters = alphabet.tokens();
        let mut text: String =
            Tokens::Characters.of(prompt).filter(|letter| alphabet.number(letter).is_some()).collect();
        if text.is_empty() {
            text.push_str(&letters[0]);
        }
        let mut state = self.zero_state(1);
        let mut next = alphabet.encode(&text)?.unsqueeze(1)?;
        no_grad(|| {
            for _ in 0..count {
                let (scores, after) = self.forward(&next, &state)?;
                state = after;
                let last = scores.select(0, next.numel() - 1) / temperature.max(1e-3);
                let chosen = draw(&last.softmax(-1).to_vec(), generator);
                text.push_str(&letters[chosen]);
                next = Tensor::from([[chosen as i64]]);
            }
            Ok(text)
        })
    }
}

/// An index with the given probabilities.
fn draw(probabilities: &[f32], generator: &mut Generator) -> usize {
    let mut left = generator.uniform(0.0, 1.0);
    for (index, &p) in probabilities.iter().enumerate() {
        left -= f64::from(p);
        if left < 0.0 {
            return index;
        }
    }
    probabilities.len() - 1
}
