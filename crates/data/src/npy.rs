//! The `.npy` format (`numpy.lib.format`): a header, a dictionary of Python in text, and the elements.
//!
//! Nothing is set aside for a shape before the bytes behind the header are known to be its elements.

use wengert_core::__private::vec_of;
use wengert_core::{AnyTensor, Element, Tensor};

/// The array in the bytes of a file, or why there is none.
pub(crate) fn parse(bytes: &[u8]) -> Result<AnyTensor, String> {
    let (header, data) = parts(bytes).ok_or("is cut short, or no array of numpy")?;
    let header = Header::parse(header)?;
    let kind = header.kind.split_at_checked(1).filter(|(order, _)| ["<", ">", "|"].contains(order));
    let big = header.kind.starts_with('>');
    match kind.map_or("", |(_, kind)| kind) {
        "f4" => header.tensor(data, |bytes| f32::from_le_bytes(ordered(bytes, big))),
        "f8" => header.tensor(data, |bytes| f64::from_le_bytes(ordered(bytes, big))),
        "b1" => header.tensor(data, |[byte]: [u8; 1]| byte != 0),
        "i1" => header.tensor(data, |bytes| i64::from(i8::from_le_bytes(bytes))),
        "i2" => header.tensor(data, |bytes| i64::from(i16::from_le_bytes(ordered(bytes, big)))),
        "i4" => header.tensor(data, |bytes| i64::from(i32::from_le_bytes(ordered(bytes, big)))),
        "i8" => header.tensor(data, |bytes| i64::from_le_bytes(ordered(bytes, big))),
        "u1" => header.tensor(data, |[byte]: [u8; 1]| i64::from(byte)),
        "u2" => header.tensor(data, |bytes| i64::from(u16::from_le_bytes(ordered(bytes, big)))),
        "u4" => header.tensor(data, |bytes| i64::from(u32::from_le_bytes(ordered(bytes, big)))),
        "u8" => {
            let of = |bytes| u64::from_le_bytes(ordered(bytes, big));
            // Those above the largest i64 would be negative.
            match data.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok()).map(of).max() {
                Some(most) if i64::try_from(most).is_err() => {
                    Err(format!("expected integers of at most {}, got {most}", i64::MAX))
                }
                _ => header.tensor(data, |bytes| of(bytes) as i64),
            }
        }
        _ => Err(format!("expected numbers or truth values, got elements of type {}", header.kind)),
    }
}

/// The header's text, and what is behind it.
fn parts(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&[major, _minor], rest) = bytes.strip_prefix(b"\x93NUMPY")?.split_first_chunk()?;
    let (length, rest) = match major {
        1 => {
            rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_le_bytes(*length)), rest))?
        }
        2 | 3 => {
            rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length) as usize, rest))?
        }
        _ => return None,
    };
    let (text, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(text).ok()?, data))
}

/// The bytes of a number with the lowest first.
fn ordered<const N: usize>(mut bytes: [u8; N], big: bool) -> [u8; N] {
    if big {
        bytes.reverse();
    }
    bytes
}

/// What a header says: `{'descr': '<f8', 'fortran_order': False, 'shape': (5, 3), }`.
struct Header<'a> {
    kind: &'a str,
    fortran: bool,
    shape: Vec<usize>,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let header = || {
            let kind = value(text, "descr")?;
            // A list of named fields is no text.
            let kind = match kind.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
                Some((kind, _)) => kind,
                None => kind.split_inclusive(']').next()?,
            };
            let fortran = match value(text, "fortran_order")? {
                order if order.starts_with("False") => false,
                order if order.starts_with("True") => true,
                _ => return None,
            };
            let (shape, _) = value(text, "shape")?.strip_prefix('(')?.split_once(')')?;
            let extents = shape.split(',').map(str::trim).filter(|extent| !extent.is_empty());
            Some(Header {
                kind,
                fortran,
                shape: extents.map(|extent| extent.parse().ok()).collect::<Option<_>>()?,
            })
        };
        header().ok_or_else(|| format!("expected a header of numpy, got {:?}", text.trim_end()))
    }

    /// The tensor whose elements are in `data`, `N` bytes each.
    fn tensor<const N: usize, T: Element>(
        &self,
        data: &[u8],
        of: impl Fn([u8; N]) -> T,
    ) -> Result<AnyTensor, String> {
        let count = self.shape.iter().try_fold(N, |bytes, &extent| bytes.checked_mul(extent));
        if count != Some(data.len()) {
            let expected = format!("the elements of shape {:?}, {N} bytes each", self.shape);
            return Err(format!("expected {expected}, got {} bytes", data.len()));
        }
        let chunks = data.as_chunks::<N>().0;
        let mut elements = vec_of(chunks.len());
        elements.extend(chunks.iter().map(|&chunk| of(chunk)));
        let tensor = if self.fortran {
            let turned: Vec<usize> = self.shape.iter().rev().copied().collect();
            let axes: Vec<isize> = (0..turned.len() as isize).rev().collect();
            Tensor::from_vec(elements, turned).and_then(|tensor| tensor.permute(&axes))
        } else {
            Tensor::from_vec(elements, &self.shape)
        };
        tensor.map(|tensor| tensor.contiguous().into()).map_err(|error| error.to_string())
    }
}

/// What stands behind a name in a header.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    Some(text.split_once(&format!("'{name}':"))?.1.trim_start())
}
