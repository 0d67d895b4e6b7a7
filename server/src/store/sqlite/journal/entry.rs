//! An entry of the journal as bytes: its format, and for each append the number of the stream, how many rows, and the rows.

use std::collections::BTreeMap;

use bytes::Bytes;
use shared::wire::lib0::{ReadError, Reader, Writer};

use super::super::Row as StoredRow;

/// How entries are written. Their first byte, so that another way can be told apart.
const FORMAT: u8 = 1;

/// An entry that is being written.
#[derive(Debug, Default)]
pub(super) struct Entry(Writer);

impl Entry {
    /// So many rows of a stream follow; returns where they will stand.
    pub(super) fn begin(&mut self, id: i64, count: u64) -> usize {
        if self.is_empty() {
            self.0.byte(FORMAT);
        }
        self.0.var_uint(id.cast_unsigned()).var_uint(count);
        self.0.bytes().len()
    }

    /// A row.
    pub(super) fn row(&mut self, seq: u64, at: u64, principal: &str, payload: &[u8]) {
        self.0.var_uint(seq).var_uint(at).var_string(principal).var_bytes(payload);
    }

    /// Rows as they stood in another entry.
    pub(super) fn again(&mut self, rows: &[u8]) {
        self.0.raw(rows);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.bytes().is_empty()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// A row within an entry.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    seq: u64,
    at: u64,
    principal: &'a str,
    payload: &'a [u8],
}

impl<'a> Row<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ReadError> {
        let (seq, at) = (reader.var_uint()?, reader.var_uint()?);
        Ok(Self { seq, at, principal: reader.var_string()?, payload: reader.var_bytes()? })
    }

    /// Its number, its principal, its time and its payload.
    pub(super) fn parts(self) -> (u64, &'a str, u64, &'a [u8]) {
        (self.seq, self.principal, self.at, self.payload)
    }
}

impl From<Row<'_>> for StoredRow {
    fn from(row: Row<'_>) -> Self {
        let payload = Bytes::copy_from_slice(row.payload);
        Self { seq: row.seq, principal: row.principal.to_owned(), at: row.at, payload }
    }
}

/// Rows of one stream, one after another.
pub(super) fn rows(bytes: &[u8]) -> Result<Vec<Row<'_>>, ReadError> {
    let mut reader = Reader::new(bytes);
    let mut rows = Vec::new();
    while !reader.is_empty() {
        rows.push(Row::read(&mut reader)?);
    }
    Ok(rows)
}

/// Adds the rows of an entry to what is known of their streams. The same row twice is one.
pub(super) fn read(entry: &[u8], streams: &mut BTreeMap<i64, BTreeMap<u64, StoredRow>>) -> Result<(), ReadError> {
    let mut reader = Reader::new(entry);
    if reader.byte()? != FORMAT {
        return Err(ReadError::Oversized);
    }
    while !reader.is_empty() {
        let rows = streams.entry(reader.var_uint()?.cast_signed()).or_default();
        for _ in 0..reader.var_uint()? {
            let row = Row::read(&mut reader)?;
            rows.insert(row.seq, row.into());
        }
    }
    Ok(())
}

/// Covers the number of the entry, so that none is taken for another.
pub(super) fn checksum(id: i64, entry: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&id.to_le_bytes());
    crc.update(entry);
    crc.finalize()
}
