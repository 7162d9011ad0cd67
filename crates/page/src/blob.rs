//! Wengert as WebAssembly, as it stands in a page.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Compressed by gzip; browsers have the way back built in.
const BLOB: &[u8] = include_bytes!("wengert.wasm.gz");

/// The module compressed and as text.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| STANDARD.encode(BLOB))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_module_comes_back() {
        let packed = STANDARD.decode(text()).unwrap();
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
        assert!(back.starts_with(b"\0asm"));
        assert!(BLOB.len() <= 700 * 1024, "{} bytes to download", BLOB.len());
    }
}
