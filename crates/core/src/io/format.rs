//! The format `.safetensors`: the header's length, a header of JSON, the tensors' bytes one behind the
//! other.

use std::collections::BTreeMap;
use std::io::Read;

use safetensors::tensor::{Metadata, TensorInfo};

use super::AnyTensor;
use super::bytes::room;
use crate::tensor::memory::vec_of;

/// Where the format keeps its notes, among the tensors' names.
const RESERVED: &str = "__metadata__";
/// As many bytes as other readers of the format take a header for true.
const LONGEST_HEADER: u64 = 100_000_000;
/// How many bytes tell the header's length.
const PREFIX: u64 = 8;

type Tensors = BTreeMap<String, AnyTensor>;
type Notes = BTreeMap<String, String>;

/// The content of a file: tensors of wide elements first, so that each is aligned, and by name among those.
/// Gives up where there is no memory for it, which the caller answers for.
#[track_caller]
pub(super) fn write(tensors: &Tensors, notes: &Notes) -> Result<Vec<u8>, String> {
    if tensors.contains_key(RESERVED) {
        return Err(format!("no tensor may be named `{RESERVED}`, which the format reserves for its notes"));
    }
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.dtype()));
    let mut end = 0usize;
    let infos = sorted.iter().map(|(name, tensor)| {
        let start = end;
        // No vector is as long as what does not fit in a number.
        end = end.saturating_add(tensor.bytes_there());
        let info = TensorInfo { dtype: tensor.dtype(), shape: tensor.shape(), data_offsets: (start, end) };
        (name.to_string(), info)
    });
    let header = header(infos.collect(), notes)?;
    let mut file = vec_of((PREFIX as usize + header.len()).saturating_add(end));
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header.as_bytes());
    sorted.iter().for_each(|(_, tensor)| tensor.write_to(&mut file));
    Ok(file)
}

/// The header, filled with spaces to a multiple of 8 bytes.
fn header(infos: Vec<(String, TensorInfo)>, notes: &Notes) -> Result<String, String> {
    let refused = |error: &dyn std::fmt::Display| format!("the format can't hold it: {error}");
    let tensors = Metadata::new(None, infos).map_err(|error| refused(&error))?;
    let mut header = serde_json::to_string(&tensors).map_err(|error| refused(&error))?;
    if !notes.is_empty() {
        // Put in here, where their order is that of their keys.
        let notes = serde_json::to_string(notes).map_err(|error| refused(&error))?;
        let comma = if header == "{}" { "" } else { "," };
        header.insert_str(1, &format!("\"{RESERVED}\":{notes}{comma}"));
    }
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    if header.len() as u64 > LONGEST_HEADER {
        return Err(format!(
            "its header of {} bytes is longer than the {LONGEST_HEADER} allowed",
            header.len()
        ));
    }
    Ok(header)
}

/// What a file of `len` bytes holds. Nothing is read, and no memory taken, that the part before does not
/// vouch for.
pub(super) fn read(mut source: impl Read, len: u64) -> Result<(Tensors, Notes), String> {
    let header = read_header(&mut source, len)
        .map_err(|reason| format!("no safetensors file, or damaged: {reason}"))?;
    let each = header.offset_keys().into_iter().map(|name| {
        let info = header.info(&name).expect("one for each name");
        (name, info)
    });
    let each: Vec<(String, &TensorInfo)> = each.collect();
    let named = |name: &str, reason: String| format!("{name}: {reason}");
    each.iter()
        .try_for_each(|(name, info)| AnyTensor::check(info.dtype).map_err(|reason| named(name, reason)))?;
    let mut tensors = Tensors::new();
    for (name, info) in each {
        let tensor = read_tensor(&mut source, info).map_err(|reason| named(&name, reason))?;
        tensors.insert(name, tensor);
    }
    let notes = header.metadata().clone().unwrap_or_default();
    Ok((tensors, notes.into_iter().collect()))
}

/// A header that fits itself and the file's length.
fn read_header(source: &mut impl Read, len: u64) -> Result<Metadata, String> {
    let mut prefix = [0; PREFIX as usize];
    source.read_exact(&mut prefix).map_err(|_| format!("{len} bytes are no header"))?;
    let length = u64::from_le_bytes(prefix);
    let Some(rest) = len.checked_sub(PREFIX).and_then(|rest| rest.checked_sub(length)) else {
        return Err(format!("a header of {length} bytes in a file of {len}"));
    };
    if length > LONGEST_HEADER {
        return Err(format!("a header of {length} bytes is longer than the {LONGEST_HEADER} allowed"));
    }
    // Parsed as it comes: the first byte that is wrong is the last one read.
    let header: Metadata =
        serde_json::from_reader(source.take(length)).map_err(|error| format!("its header: {error}"))?;
    match header.data_len() as u64 {
        promised if promised == rest => Ok(header),
        promised => Err(format!("its header promises {promised} bytes of tensors, there are {rest}")),
    }
}

fn read_tensor(source: &mut impl Read, info: &TensorInfo) -> Result<AnyTensor, String> {
    let (start, end) = info.data_offsets;
    let mut data = room(end - start)?;
    let read = source.take((end - start) as u64).read_to_end(&mut data).map_err(|error| error.to_string())?;
    if read < end - start {
        return Err("its data is cut".to_string());
    }
    AnyTensor::parse(info.dtype, &info.shape, data)
}
