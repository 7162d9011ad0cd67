//! Wengert as WebAssembly, as it stands in a page.

use std::io::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

const BLOB: &[u8] = include_bytes!("wengert.wasm");

/// The module compressed and as text; browsers have the way back built in.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(BLOB).expect("memory can be written");
        STANDARD.encode(encoder.finish().expect("memory can be written"))
    })
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
        assert!(back == BLOB && back.starts_with(b"\0asm"));
    }
}
