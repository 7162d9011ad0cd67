//! A file whose rows are held to the memory that there is.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use wengert_core::__private::vec_of;

/// From how many bytes on it is looked whether there is memory for a row.
const LONG: u64 = 1 << 13;
/// What a byte of a row may take: itself and a cell's end, of eight bytes, in vectors that grow to twice what
/// they hold, in up to four records at a time.
const TAKES: u64 = 4 * 2 * (1 + 8);

/// A file that looks for memory before a row becomes long: the reader of rows itself would abort.
pub(super) struct Pulled {
    file: File,
    row: Row,
    /// How many bytes of it have been read.
    bytes: u64,
    /// How long a row may become until it is looked again.
    room: u64,
}

/// Where the row begins that is being read, in bytes.
#[derive(Clone, Default)]
pub(super) struct Row(Rc<Cell<u64>>);

impl Row {
    pub(super) fn begin(&self, byte: u64) {
        self.0.set(byte);
    }
}

impl Pulled {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Pulled { file: File::open(path)?, row: Row::default(), bytes: 0, room: LONG })
    }

    pub(super) fn row(&self) -> Row {
        self.row.clone()
    }
}

impl Read for Pulled {
    /// What the allocator refuses unwinds.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes += read as u64;
        let row = self.bytes - self.row.0.get();
        if row > self.room {
            self.room = 2 * row;
            drop(vec_of::<u8>(usize::try_from(self.room.saturating_mul(TAKES)).unwrap_or(usize::MAX)));
        }
        Ok(read)
    }
}
