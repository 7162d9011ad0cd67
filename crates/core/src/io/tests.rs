//! Files that come back, and files that are refused.

use proptest::prelude::*;

use std::fs::{self, File};
use std::io::{self, Read};

use super::*;

fn sample() -> TensorMap {
    let mut map = TensorMap::new();
    map.insert("a", Tensor::from([[1.5f32, -2.0], [f32::INFINITY, 0.0]]).t());
    map.insert("b.weight", Tensor::from([1i64 << 40, -1]));
    map.insert("c", Tensor::<f64>::zeros([0, 3]));
    map.insert("mask", Tensor::from([true, false]));
    map.insert("state", AnyTensor::Bytes(vec![1, 2, 255]));
    map.set_note("position", "17");
    map
}

#[test]
fn what_is_saved_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.safetensors");
    sample().save(&path).unwrap();
    assert_eq!(TensorMap::load(&path).unwrap(), sample());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    assert_eq!(sample().prefixed("b.").names().collect::<Vec<_>>(), vec!["weight"]);
}

#[test]
fn a_type_that_stays_keeps_every_bit() {
    let mut map = TensorMap::new();
    let numbers = [(1i64 << 53) + 1, i64::MAX, i64::MIN];
    map.insert("i", Tensor::from(numbers));
    // A signalling NaN, which any arithmetic would make a quiet one.
    let nan = f32::from_bits(0x7f80_0001);
    map.insert("f", Tensor::from([nan]));
    let back = TensorMap::from_bytes(&map.to_bytes().unwrap()).unwrap();
    assert_eq!(back.tensor::<i64>("i").unwrap().to_vec(), numbers);
    assert_eq!(back.tensor::<f32>("f").unwrap().to_vec()[0].to_bits(), nan.to_bits());
    // Nobody else holds it, so it may change, and the map's stays.
    let mut own = back.tensor::<i64>("i").unwrap();
    own.data_mut().unwrap()[0] = 0;
    assert_eq!(back.tensor::<i64>("i").unwrap().to_vec(), numbers);
}

#[test]
fn a_failed_save_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let left = || fs::read_dir(folder.path()).unwrap().count();
    let path = folder.path().join("missing").join("map.safetensors");
    let error = sample().save(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: No such file", path.display())), "{error}");
    assert_eq!(left(), 0);
    // A folder can't be replaced by a file: the last move fails.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    assert!(matches!(sample().save(&taken), Err(Error::File { .. })));
    assert_eq!((taken.is_dir(), left()), (true, 1));
    // There is room for the file's name but not for that of the one beside it: nothing can be written.
    let long = folder.path().join("n".repeat(250));
    fs::write(&long, "old").unwrap();
    assert!(matches!(sample().save(&long), Err(Error::File { .. })));
    assert_eq!((fs::read(&long).unwrap(), left()), (b"old".to_vec(), 2));
    let error = sample().save(folder.path().join("..")).unwrap_err().to_string();
    assert!(error.ends_with("the path names no file"), "{error}");
}

#[test]
fn threads_that_save_to_one_path_never_show_half_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.safetensors");
    std::thread::scope(|scope| {
        for size in 1..5 {
            let path = &path;
            scope.spawn(move || {
                let mut map = TensorMap::new();
                map.insert("x", Tensor::full([1000 * size], size as f32));
                for _ in 0..20 {
                    map.save(path).unwrap();
                    let seen = TensorMap::load(path).unwrap().tensor::<f32>("x").unwrap().to_vec();
                    assert!(seen.len() as f32 == 1000.0 * seen[0] && seen.iter().all(|x| *x == seen[0]));
                }
            });
        }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A file of one tensor, by its header.
fn file(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let x = format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{}]}}"#, data.len());
    let header = format!(r#"{{"__metadata__":{{"format":"pt"}},"x":{x}}}"#);
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_bytes(), data].concat()
}

#[test]
fn other_element_types_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.safetensors");
    for dtype in ["F16", "BF16", "I32"] {
        let width = if dtype == "I32" { 4 } else { 2 };
        fs::write(&path, file(dtype, "[1]", &[0; 4][..width])).unwrap();
        let expected = format!(
            "{}: x: elements of type {dtype} are not supported; F32, F64, I64, BOOL and U8 are",
            path.display()
        );
        assert_eq!(TensorMap::load(&path).unwrap_err().to_string(), expected);
    }
}

#[test]
fn headers_that_promise_too_much_are_refused() {
    let max = usize::MAX;
    for shape in [format!("[0,{max},{max}]"), format!("[{max},{max},0]"), format!("[{max}]"), "[2]".into()] {
        for dtype in ["F32", "I64", "BOOL"] {
            let refused = TensorMap::from_bytes(&file(dtype, &shape, &[]));
            assert!(matches!(refused, Err(Error::File { .. })), "{dtype} {shape}: {refused:?}");
        }
    }
    let empty = TensorMap::from_bytes(&file("F32", "[1,1,0,1,7]", &[])).unwrap();
    assert_eq!((empty.get("x").unwrap().shape(), empty.note("format")), (vec![1, 1, 0, 1, 7], Some("pt")));
    for length in [1u64 << 20, 99_999_999, 1 << 40, u64::MAX] {
        let bytes = [&length.to_le_bytes()[..], &[b'{'; 50]].concat();
        assert!(TensorMap::from_bytes(&bytes).is_err(), "a header of {length}");
    }
}

#[test]
fn a_name_that_the_format_reserves_is_refused_when_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.safetensors");
    sample().save(&path).unwrap();
    let mut map = sample();
    map.insert("__metadata__", Tensor::from([1.0f32]));
    for error in [map.to_bytes().unwrap_err(), map.save(&path).unwrap_err()] {
        let reason = "no tensor may be named `__metadata__`, which the format reserves for its notes";
        assert!(error.to_string().ends_with(reason), "{error}");
    }
    assert_eq!(TensorMap::load(&path).unwrap(), sample());
    // Longer names are anybody's, and so is that one among the notes.
    let mut map = TensorMap::new();
    map.insert("__metadata__.weight", Tensor::from([1.0f32]));
    map.set_note("__metadata__", "a note");
    assert_eq!(TensorMap::from_bytes(&map.to_bytes().unwrap()).unwrap(), map);
}

#[test]
fn names_and_notes_come_back_whatever_characters_they_have() {
    let odd = ["", "\"", "\\", "a\nb\0", "\u{7f}\u{2028}", "\u{1f600}", "{}", "],[", "\\u0041"];
    let mut map = TensorMap::new();
    for name in odd {
        map.insert(name, Tensor::from([1.0f32]));
        map.set_note(name, name);
    }
    assert_eq!(TensorMap::from_bytes(&map.to_bytes().unwrap()).unwrap(), map);
    let mut notes = TensorMap::new();
    notes.set_note("only", "notes");
    assert_eq!(TensorMap::from_bytes(&notes.to_bytes().unwrap()).unwrap(), notes);
    let nothing = TensorMap::new();
    assert_eq!(TensorMap::from_bytes(&nothing.to_bytes().unwrap()).unwrap(), nothing);
}

#[test]
fn equal_maps_are_equal_bytes() {
    let keys: Vec<String> = (0..40).map(|i| format!("key {i}")).collect();
    let made = |keys: &mut dyn Iterator<Item = &String>| {
        let mut map = TensorMap::new();
        for key in keys {
            map.insert(key, Tensor::from([[key.len() as f32, 1.0], [2.0, 3.0]]));
            map.set_note(key, "a note");
        }
        map.to_bytes().unwrap()
    };
    let bytes = made(&mut keys.iter());
    assert_eq!(made(&mut keys.iter().rev()), bytes);
    assert_eq!(TensorMap::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
    // And how an element lies in memory is no part of it.
    let mut turned = TensorMap::new();
    turned.insert("x", Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]).t());
    let mut straight = TensorMap::new();
    straight.insert("x", Tensor::from([[1.0f32, 3.0], [2.0, 4.0]]));
    assert_eq!(turned.to_bytes().unwrap(), straight.to_bytes().unwrap());
}

#[test]
fn tensors_lie_aligned_whatever_lies_before_them() {
    let mut map = sample();
    map.insert("z", Tensor::from([1.0f64]));
    let bytes = map.to_bytes().unwrap();
    let (header, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    for (name, info) in metadata.tensors() {
        let width = info.dtype.bitsize() / 8;
        assert_eq!((8 + header + info.data_offsets.0) % width, 0, "{name}");
    }
}

/// Counts what is read.
struct Counted<'b>(&'b [u8], usize);

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(out)?;
        self.1 += read;
        Ok(read)
    }
}

#[test]
fn no_tensor_is_read_behind_a_header_that_is_refused() {
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut broken = [
        header("{\"x\": 7}"),
        header("nothing"),
        header(r#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#),
        header(r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#),
        header(r#"{"x":{"dtype":"I32","shape":[25000],"data_offsets":[0,100000]}}"#),
        [0xff; 8].to_vec(),
    ];
    for bytes in &mut broken {
        let read = bytes.len();
        bytes.extend(vec![0; 100_000]);
        let mut source = Counted(bytes, 0);
        assert!(format::read(&mut source, bytes.len() as u64).is_err());
        assert!(source.1 <= read, "{} of {read}", source.1);
    }
    // Zeros, as a file with holes has: nothing of a header of any length but its first byte.
    let mut zeros = 90_000u64.to_le_bytes().to_vec();
    zeros.extend(vec![0; 100_000]);
    let mut source = Counted(&zeros, 0);
    assert!(format::read(&mut source, zeros.len() as u64).is_err());
    assert!(source.1 < 16, "{}", source.1);
}

#[test]
fn a_large_file_with_holes_is_refused_by_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holes");
    for length in [0u64, 99_999_999, 1 << 40, u64::MAX] {
        fs::write(&path, length.to_le_bytes()).unwrap();
        // Not every file system has room for it.
        if File::options().write(true).open(&path).unwrap().set_len(8 << 30).is_ok() {
            let error = TensorMap::load(&path).unwrap_err().to_string();
            assert!(error.contains("holes: no safetensors file, or damaged: "), "{error}");
        }
    }
}

#[test]
fn a_folder_is_no_file_to_load() {
    let folder = tempfile::tempdir().unwrap();
    let error = TensorMap::load(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with(": is not a regular file"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_refused_instead_of_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for error in [TensorMap::load(&pipe).map(|_| ()), sample().save(&pipe)] {
        let error = error.unwrap_err().to_string();
        assert!(error.ends_with("pipe: is not a regular file"), "{error}");
    }
    assert!(!fs::metadata(&pipe).unwrap().is_file(), "it stays");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(TensorMap::load("/dev/zero").unwrap_err().to_string().ends_with("is not a regular file"));
}

#[test]
fn a_file_cut_short_is_refused_wherever_it_is_cut() {
    let bytes = sample().to_bytes().unwrap();
    for len in 0..bytes.len() {
        assert!(TensorMap::from_bytes(&bytes[..len]).is_err(), "cut at {len} of {}", bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(TensorMap::from_bytes(&bytes).is_err());
    }

    #[test]
    fn a_flipped_byte_never_panics(place in 0usize..400, byte in any::<u8>()) {
        let mut bytes = sample().to_bytes().unwrap();
        let place = place % bytes.len();
        bytes[place] = byte;
        let _ = TensorMap::from_bytes(&bytes);
    }
}
