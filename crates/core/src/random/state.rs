//! The state of a generator, as bytes too.

use crate::base::error::{Error, Result};

/// The place of a [`Generator`](super::Generator) in its stream, as a checkpoint keeps it.
///
/// ```
/// use wengert_core::{Generator, GeneratorState};
/// let state = Generator::from_seed(5).state();
/// let bytes = state.to_bytes();
/// assert_eq!(GeneratorState::from_bytes(&bytes)?, state);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratorState {
    pub(super) key: [u8; 32],
    /// Which of the key's streams.
    pub(super) stream: u64,
    /// In 32-bit words from the start of the stream.
    pub(super) position: u128,
}

/// Says what the bytes are: the algorithm and the layout's version.
const TAG: [u8; 8] = *b"chacha8\x02";
/// A layout without the stream, which is the first one.
const OLD_TAG: [u8; 8] = *b"chacha8\x01";
/// The stream has 2^64 blocks of 16 words.
const POSITION_BITS: u32 = 68;

impl GeneratorState {
    /// The length of a state as bytes.
    ///
    /// ```
    /// use wengert_core::{Generator, GeneratorState};
    /// assert_eq!(Generator::from_seed(0).state().to_bytes().len(), GeneratorState::BYTES);
    /// ```
    pub const BYTES: usize = TAG.len() + 32 + 16 + 8;

    /// The state as bytes, the same on every platform.
    ///
    /// ```
    /// use wengert_core::Generator;
    /// let g = Generator::from_seed(0);
    /// assert_eq!(g.state().to_bytes(), g.clone().state().to_bytes());
    /// ```
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&TAG);
        bytes[8..40].copy_from_slice(&self.key);
        bytes[40..56].copy_from_slice(&self.position.to_le_bytes());
        bytes[56..].copy_from_slice(&self.stream.to_le_bytes());
        bytes
    }

    /// The state that [`to_bytes`](Self::to_bytes) wrote, with this version or an earlier one.
    ///
    /// # Errors
    /// If the bytes are not such a state.
    ///
    /// ```
    /// use wengert_core::GeneratorState;
    /// assert!(GeneratorState::from_bytes(b"something else").is_err());
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let refuse = |expected: String, got: String| {
            Err(Error::argument("GeneratorState::from_bytes", "bytes", expected, got))
        };
        let is_old = bytes.starts_with(&OLD_TAG);
        let expected = Self::BYTES - if is_old { 8 } else { 0 };
        if bytes.len() != expected {
            return refuse(format!("{expected} bytes"), format!("{} bytes", bytes.len()));
        }
        if !is_old && !bytes.starts_with(&TAG) {
            return refuse(
                format!("a generator's state starting {:?}", TAG.escape_ascii().to_string()),
                format!("{:?}", bytes[..8].escape_ascii().to_string()),
            );
        }
        let (mut key, mut position, mut stream) = ([0; 32], [0; 16], [0; 8]);
        key.copy_from_slice(&bytes[8..40]);
        position.copy_from_slice(&bytes[40..56]);
        if !is_old {
            stream.copy_from_slice(&bytes[56..]);
        }
        let (position, stream) = (u128::from_le_bytes(position), u64::from_le_bytes(stream));
        if position >> POSITION_BITS != 0 {
            return refuse(format!("a position below 2^{POSITION_BITS}"), format!("position {position}"));
        }
        Ok(GeneratorState { key, stream, position })
    }
}
