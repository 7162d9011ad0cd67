//! Vocabularies saved and loaded.

use wengert_core::__private::{or_refused, text_of, vec_of};
use wengert_core::{AnyTensor, Error, Result, Stateful, Tensor, TensorMap};

use super::{NAME, Tokens, Vocabulary};
use crate::fingerprint::in_order;
use crate::state::{integers, whole};

/// Saves the tokens as bytes of UTF-8 one behind the other, and how many each has.
///
/// ```
/// use wengert_core::Stateful;
/// use wengert_data::Vocabulary;
/// let (letters, mut loaded) = (Vocabulary::characters("für")?, Vocabulary::default());
/// loaded.load_state_dict(&letters.state_dict())?;
/// assert_eq!(loaded, letters);
/// # Ok::<(), wengert_core::Error>(())
/// ```
impl Stateful for Vocabulary {
    fn state_dict(&self) -> TensorMap {
        let mut map = TensorMap::new();
        let lengths: Vec<i64> = self.tokens.iter().map(|token| token.len() as i64).collect();
        map.insert("lengths", Tensor::from(lengths));
        map.insert("tokens", AnyTensor::Bytes(self.tokens.concat().into_bytes()));
        map.insert("words", Tensor::scalar(i64::from(self.kind == Tokens::Words)));
        map.insert("unknown", Tensor::scalar(self.unknown.map_or(-1, |number| number as i64)));
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        map.check_names(["lengths", "tokens", "unknown", "words"])?;
        let kind = if whole(map, "words")? != 0 { Tokens::Words } else { Tokens::Characters };
        let unknown = integers(map, "unknown")?.item()?;
        let unknown = (unknown != -1).then(|| usize::try_from(unknown).unwrap_or(usize::MAX));
        let (bytes, lengths) = (map.bytes("tokens")?, integers(map, "lengths")?);
        let tokens = or_refused(NAME, || cut(bytes, in_order(&lengths.contiguous())))?;
        *self = Vocabulary::from_tokens(kind, tokens, unknown)?;
        Ok(())
    }
}

/// The texts of these lengths that lie one behind the other.
fn cut(bytes: &[u8], lengths: &[i64]) -> Result<Vec<String>> {
    let refused = |got: String| Error::argument(NAME, "tokens", "texts of the lengths beside them", got);
    let mut rest = std::str::from_utf8(bytes).map_err(|error| refused(error.to_string()))?;
    let mut tokens = vec_of(lengths.len());
    for &length in lengths {
        let parts = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
        let (token, behind) = parts.ok_or_else(|| refused(format!("a token of {length} bytes")))?;
        tokens.push(text_of(token));
        rest = behind;
    }
    if rest.is_empty() { Ok(tokens) } else { Err(refused(format!("{} bytes left over", rest.len()))) }
}
