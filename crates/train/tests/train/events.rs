//! Event files, read back by a parser of their own.

use std::path::Path;

use wengert_core::{Stateful, Tensor};
use wengert_train::EventFile;

/// CRC-32C bit by bit, without a table.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for bit in bytes.iter().flat_map(|byte| (0..8).map(move |at| byte >> at & 1)) {
        let out = (crc & 1) as u8 ^ bit;
        crc = (crc >> 1) ^ (0x82f6_3b78 * u32::from(out));
    }
    !crc
}

/// The records of a file, whose checksums fit.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    let checked = |data: &[u8], sum: &[u8]| {
        let crc = crc32c(data);
        let masked = crc.rotate_left(17).wrapping_add(0xa282_ead8);
        assert_eq!(masked, u32::from_le_bytes(sum.try_into().unwrap()));
    };
    while !bytes.is_empty() {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        checked(&bytes[..8], &bytes[8..12]);
        checked(&bytes[12..12 + length], &bytes[12 + length..16 + length]);
        records.push(&bytes[12..12 + length]);
        bytes = &bytes[16 + length..];
    }
    records
}

#[derive(Clone, Debug, PartialEq)]
enum Value<'b> {
    Number(u64),
    Double(f64),
    Float(f32),
    Bytes(&'b [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => 0,
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            other => panic!("wire type {other}"),
        };
        let (data, value);
        (data, bytes) = bytes.split_at(length);
        value = match key & 7 {
            0 => Value::Number(varint(&mut bytes)),
            1 => Value::Double(f64::from_le_bytes(data.try_into().unwrap())),
            2 => Value::Bytes(data),
            _ => Value::Float(f32::from_le_bytes(data.try_into().unwrap())),
        };
        fields.push((key >> 3, value));
    }
    fields
}

/// The fields of an event but its time, a time of this century.
fn event(record: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut fields = fields(record);
    let (1, Value::Double(time)) = fields.remove(0) else { panic!("an event begins with its time") };
    assert!((1.7e9..5e9).contains(&time));
    fields
}

fn inner<'b>(fields: &[(u64, Value<'b>)], number: u64) -> &'b [u8] {
    match fields.iter().find(|field| field.0 == number) {
        Some((_, Value::Bytes(bytes))) => bytes,
        other => panic!("{other:?} for field {number}"),
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn scalars_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = EventFile::create(folder.path().join("run")).unwrap();
    let values = [(0, "loss", 0.1), (300, "a/b é", -1e30), (1 << 40, "loss", f64::NAN)];
    values.iter().for_each(|&(step, tag, value)| events.scalar(step, tag, value).unwrap());
    let bytes = read(events.path());
    let records = records(&bytes);
    assert_eq!(event(records[0]), [(3, Value::Bytes(b"brain.Event:2"))]);
    for (record, (step, tag, value)) in records[1..].iter().zip(values) {
        let event = event(record);
        assert_eq!(event[0], (2, Value::Number(step)));
        let summary = fields(inner(&event, 5));
        let found = fields(inner(&summary, 1));
        assert_eq!(found[0], (1, Value::Bytes(tag.as_bytes())));
        let (2, Value::Float(got)) = found[1] else { panic!("{found:?}") };
        assert!(got == value as f32 || (got.is_nan() && value.is_nan()));
    }
    assert_eq!(records.len(), 4);
}

#[test]
fn histograms_count_every_finite_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = EventFile::create(folder.path()).unwrap();
    let values = [3.0f64, f64::NAN, -1.0, 0.5, 0.5, f64::INFINITY, 2.99];
    events.histogram(4, "w", &Tensor::from(values)).unwrap();
    events.histogram(4, "same", &Tensor::from([2.0f32, 2.0])).unwrap();
    events.histogram(4, "wide", &Tensor::from([-1e308f64, 1e308])).unwrap();
    assert!(events.histogram(4, "none", &Tensor::from([f32::NAN])).is_err());
    let bytes = read(events.path());
    let doubles = |bytes: &[u8]| -> Vec<f64> {
        bytes.chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    let histogram = |at: usize| {
        let summary = fields(inner(&event(records(&bytes)[at]), 5));
        let found = fields(inner(&fields(inner(&summary, 1)), 5));
        let number = |field: u64| match found.iter().find(|found| found.0 == field) {
            Some((_, Value::Double(value))) => *value,
            other => panic!("{other:?}"),
        };
        ([1, 2, 3, 4, 5].map(number), doubles(inner(&found, 6)), doubles(inner(&found, 7)))
    };
    let (statistics, limits, counts) = histogram(1);
    let squares = 9.0 + 1.0 + 0.5 + 2.99 * 2.99;
    assert_eq!(statistics, [-1.0, 3.0, 5.0, 5.99, squares]);
    assert!(limits.is_sorted() && *limits.last().unwrap() == 3.0);
    // How many are below each limit and not below the one before, the last limit included.
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let below = |limit: f64| finite.iter().filter(|value| **value < limit || limit == 3.0).count();
    let expected = (0..limits.len()).map(|i| below(limits[i]) - if i > 0 { below(limits[i - 1]) } else { 0 });
    assert_eq!(counts, expected.map(|count| count as f64).collect::<Vec<_>>());
    let (_, limits, counts) = histogram(2);
    assert_eq!((limits, counts), (vec![2.0], vec![2.0]));
    let (_, limits, counts) = histogram(3);
    assert!(limits.iter().all(|limit| limit.is_finite()));
    assert_eq!((counts[0], counts[counts.len() - 1]), (1.0, 1.0));
}

#[test]
fn a_resumed_run_marks_where_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = EventFile::create(folder.path()).unwrap();
    first.scalar(7, "loss", 1.0).unwrap();
    let state = first.state_dict();
    first.scalar(8, "loss", 1.0).unwrap();
    let mut second = EventFile::create(folder.path()).unwrap();
    assert!(second.path() > first.path());
    second.load_state_dict(&state).unwrap();
    second.scalar(8, "loss", 2.0).unwrap();
    let bytes = read(second.path());
    let records = records(&bytes);
    let mark = event(records[1]);
    assert_eq!(mark[0], (2, Value::Number(8)));
    assert_eq!(fields(inner(&mark, 7)), [(1, Value::Number(1))]);
    assert_eq!((event(records[2])[0].clone(), records.len()), ((2, Value::Number(8)), 3));
}
