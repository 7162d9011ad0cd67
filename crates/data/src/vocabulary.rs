//! Text as numbers.

mod builder;
mod saved;

pub use builder::VocabularyBuilder;

use std::collections::HashMap;

use wengert_core::__private::{append, or_refused, reserve, reserve_in, text_of};
use wengert_core::{Error, Result, Tensor};

use crate::fingerprint::in_order;

/// The pieces that a text is cut into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tokens {
    /// Each character by itself.
    #[default]
    Characters,
    /// Each run of characters between white space.
    Words,
}

impl Tokens {
    /// The tokens of a text.
    ///
    /// ```
    /// use wengert_data::Tokens;
    /// assert_eq!(Tokens::Words.of("to be").collect::<Vec<_>>(), ["to", "be"]);
    /// assert_eq!(Tokens::Characters.of("to be").count(), 5);
    /// ```
    pub fn of(self, text: &str) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Tokens::Characters => Box::new(text.split("").filter(|piece| !piece.is_empty())),
            Tokens::Words => Box::new(text.split_whitespace()),
        }
    }

    /// The text between two tokens.
    fn between(self) -> &'static str {
        match self {
            Tokens::Characters => "",
            Tokens::Words => " ",
        }
    }
}

/// A number for each token of a text: the special ones first, then the others in alphabetical order
/// (`torchtext.vocab.Vocab`).
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::Vocabulary;
/// let letters = Vocabulary::characters("banana")?;
/// assert_eq!((letters.len(), letters.encode("ban")?), (3, Tensor::from([1i64, 0, 2])));
/// assert_eq!(letters.decode(&Tensor::from([2i64, 0]))?, "na");
/// let error = letters.encode("bench").unwrap_err().to_string();
/// assert_eq!(error, "Vocabulary: every token must be one of the 3 known ones, got \"e\" at token 1");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "StringLookup")]
#[doc(alias = "Vocab")]
#[doc(alias = "Tokenizer")]
#[doc(alias = "TextVectorization")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    kind: Tokens,
    tokens: Vec<String>,
    numbers: HashMap<String, usize>,
    /// The number of what is not known.
    unknown: Option<usize>,
}

const NAME: &str = "Vocabulary";

impl Vocabulary {
    /// The characters of a text.
    ///
    /// # Errors
    /// If there are none, or no memory for them.
    pub fn characters(text: &str) -> Result<Self> {
        Vocabulary::builder(Tokens::Characters).build(text)
    }

    /// The words of a text, what is between white space.
    ///
    /// # Errors
    /// If there are none, or no memory for them.
    pub fn words(text: &str) -> Result<Self> {
        Vocabulary::builder(Tokens::Words).build(text)
    }

    /// Settings of a vocabulary with special tokens or without rare ones.
    pub fn builder(kind: Tokens) -> VocabularyBuilder {
        VocabularyBuilder::new(kind)
    }

    /// A vocabulary of these tokens, numbered as they stand.
    ///
    /// # Errors
    /// If there is none, one is there twice, the number of the unknown one is not below theirs, or there is
    /// no memory for them.
    ///
    /// ```
    /// use wengert_data::{Tokens, Vocabulary};
    /// let names = ["cat", "dog"].map(String::from).to_vec();
    /// let classes = Vocabulary::from_tokens(Tokens::Words, names, None)?;
    /// assert_eq!(classes.number("dog"), Some(1));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn from_tokens(kind: Tokens, tokens: Vec<String>, unknown: Option<usize>) -> Result<Self> {
        if tokens.is_empty() {
            return Err(Error::shape(NAME, "at least 1 token", 0));
        }
        let numbers = or_refused(NAME, || numbered(&tokens))?;
        if let Some(unknown) = unknown.filter(|unknown| *unknown >= tokens.len()) {
            let expected = format!("in 0..{}", tokens.len());
            return Err(Error::argument(NAME, "the unknown token", expected, unknown));
        }
        Ok(Vocabulary { kind, tokens, numbers, unknown })
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are none, as before one is loaded.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The tokens by number.
    #[doc(alias = "get_itos")]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The number of a token, or of the unknown one if it is not known and there is such a number.
    #[doc(alias = "get_stoi")]
    pub fn number(&self, token: &str) -> Option<usize> {
        self.numbers.get(token).copied().or(self.unknown)
    }

    /// A text as the numbers of its tokens, (T).
    ///
    /// # Errors
    /// If a token is not known and there is no number for such, or there is no memory for the numbers.
    pub fn encode(&self, text: &str) -> Result<Tensor<i64>> {
        or_refused("Vocabulary::encode", || {
            let mut numbers = Vec::new();
            for (place, token) in self.kind.of(text).enumerate() {
                reserve(&mut numbers, 1);
                numbers.push(self.known(token, place)?);
            }
            Ok(Tensor::from(numbers))
        })
    }

    /// The number of the token at some place of a text.
    fn known(&self, token: &str, place: usize) -> Result<i64> {
        self.number(token).map(|number| number as i64).ok_or_else(|| {
            let expected = format!("one of the {} known ones", self.len());
            Error::argument(NAME, "every token", expected, format!("{token:?} at token {place}"))
        })
    }

    /// The text of some numbers, words with a space between them.
    ///
    /// # Errors
    /// If a number is not that of a token, or there is no memory for the text.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_data::Vocabulary;
    /// let words = Vocabulary::words("to be or not")?;
    /// assert_eq!(words.decode(&words.encode("not  to be")?)?, "not to be");
    /// let error = words.decode(&Tensor::from([0i64, 4])).unwrap_err().to_string();
    /// assert_eq!(error, "Vocabulary: every number must be in 0..4, got 4");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn decode(&self, numbers: &Tensor<i64>) -> Result<String> {
        or_refused("Vocabulary::decode", || {
            let mut text = String::new();
            for (place, &number) in in_order(&numbers.contiguous()).iter().enumerate() {
                let token = usize::try_from(number).ok().and_then(|number| self.tokens.get(number));
                let token = token.ok_or_else(|| {
                    Error::argument(NAME, "every number", format!("in 0..{}", self.len()), number)
                })?;
                append(&mut text, if place > 0 { self.kind.between() } else { "" });
                append(&mut text, token);
            }
            Ok(text)
        })
    }
}

/// The number of each token, which must be there once.
fn numbered(tokens: &[String]) -> Result<HashMap<String, usize>> {
    let mut numbers = HashMap::new();
    reserve_in(&mut numbers, tokens.len());
    for (number, token) in tokens.iter().enumerate() {
        if numbers.insert(text_of(token), number).is_some() {
            return Err(Error::argument(NAME, "every token", "there once", format!("{token:?} twice")));
        }
    }
    Ok(numbers)
}
