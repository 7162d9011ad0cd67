//! Vocabularies with special tokens and without rare ones.

use std::cmp::Reverse;
use std::collections::HashMap;

use wengert_core::__private::{or_refused, reserve_in, text_of, vec_of};
use wengert_core::Result;

use super::{NAME, Tokens, Vocabulary};

/// The settings of a [`Vocabulary`], from [`Vocabulary::builder`].
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Tokens, Vocabulary};
/// let builder = Vocabulary::builder(Tokens::Words).special("<pad>").unknown("<unk>").min_count(2);
/// let words = builder.build("the cat and the dog and a bird")?;
/// assert_eq!(words.tokens(), ["<pad>", "<unk>", "and", "the"]);
/// assert_eq!(words.encode("the fish")?, Tensor::from([3i64, 1]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct VocabularyBuilder {
    kind: Tokens,
    special: Vec<String>,
    unknown: Option<usize>,
    min_count: usize,
    max_size: usize,
}

impl VocabularyBuilder {
    pub(super) fn new(kind: Tokens) -> Self {
        VocabularyBuilder { kind, special: Vec::new(), unknown: None, min_count: 1, max_size: usize::MAX }
    }

    /// Adds a token that need not be in a text; the first one has number 0.
    pub fn special(mut self, token: impl Into<String>) -> Self {
        self.special.push(token.into());
        self
    }

    /// Adds the token that stands for those that are not known, which are errors by default.
    pub fn unknown(mut self, token: impl Into<String>) -> Self {
        self.unknown = Some(self.special.len());
        self.special(token)
    }

    /// How often a text must have a token; default once.
    pub fn min_count(mut self, count: usize) -> Self {
        self.min_count = count;
        self
    }

    /// How many tokens there are at most beside the special ones, the most frequent of all; default all.
    pub fn max_size(mut self, tokens: usize) -> Self {
        self.max_size = tokens;
        self
    }

    /// The vocabulary of a text, which is to be the training part.
    ///
    /// # Errors
    /// If there is no token, or a special one twice.
    pub fn build(self, text: &str) -> Result<Vocabulary> {
        let tokens = or_refused(NAME, || Ok(self.tokens(text)))?;
        Vocabulary::from_tokens(self.kind, tokens, self.unknown)
    }

    /// The special tokens, and behind them those of a text that are kept.
    fn tokens(&self, text: &str) -> Vec<String> {
        let mut counts = HashMap::<&str, usize>::new();
        for token in self.kind.of(text) {
            reserve_in(&mut counts, 1);
            *counts.entry(token).or_default() += 1;
        }
        let is_kept =
            |token: &str, count| count >= self.min_count && !self.special.iter().any(|s| s == token);
        // Of those that are as frequent, the first in the alphabet is first.
        let mut found: Vec<(Reverse<usize>, &str)> = vec_of(counts.len());
        let kept = counts.into_iter().filter(|&(token, count)| is_kept(token, count));
        found.extend(kept.map(|(token, count)| (Reverse(count), token)));
        found.sort_unstable();
        found.truncate(self.max_size);
        found.sort_unstable_by_key(|&(_, token)| token);
        let mut tokens = vec_of(self.special.len() + found.len());
        tokens.extend(self.special.iter().cloned());
        tokens.extend(found.into_iter().map(|(_, token)| text_of(token)));
        tokens
    }
}
