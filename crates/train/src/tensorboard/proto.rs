//! Messages of Protocol Buffers, as far as events need them.

/// A message, as the bytes of the fields so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

/// How a field's value lies in the bytes.
const VARINT: u64 = 0;
const EIGHT: u64 = 1;
const BYTES: u64 = 2;
const FOUR: u64 = 5;

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn number(self, field: u64, value: u64) -> Self {
        self.varint(field << 3 | VARINT).varint(value)
    }

    pub(super) fn double(self, field: u64, value: f64) -> Self {
        self.varint(field << 3 | EIGHT).raw(&value.to_le_bytes())
    }

    pub(super) fn float(self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | FOUR).raw(&value.to_le_bytes())
    }

    pub(super) fn text(self, field: u64, text: &str) -> Self {
        self.block(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u64, message: &Message) -> Self {
        self.block(field, &message.bytes)
    }

    /// A packed list.
    pub(super) fn doubles(self, field: u64, values: &[f64]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.block(field, &bytes)
    }

    fn block(self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | BYTES).varint(bytes.len() as u64).raw(bytes)
    }

    /// Seven bits a byte, the lowest first; all but the last have their highest bit set.
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
}
