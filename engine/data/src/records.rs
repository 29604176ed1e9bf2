//! The records of a CSV file, one at a time, in buffers that are used again.
//!
//! Uses the tokenizer below the `csv` crate directly, for what that crate does not tell: whether the last quote was
//! closed, where a record begins in a file with quoted newlines, and how long a record may get before it is a mistake.

use crate::quotes::{Quotes, Stray};
use crate::report::At;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// More than any record of a real table; reached by a quote that nobody closed.
pub(crate) const LONGEST_RECORD: usize = 64 << 20;
const CHUNK: usize = 1 << 17;

/// Why reading ended early.
pub(crate) enum Stop {
    Io(std::io::Error),
    Unclosed { row: u64, line: u64, opened: u64, column: Option<String> },
    TooLong { row: u64, line: u64 },
}

/// A file being read.
pub(crate) struct Records {
    /// Open.
    pub file: File,
    /// To open it anew.
    pub path: PathBuf,
    /// The header's names, once known: for messages.
    pub names: Vec<String>,
    reader: Reader,
    quotes: Quotes,
    chunk: Vec<u8>,
    position: usize,
    filled: usize,
    ended: bool,
    text: Vec<u8>,
    used: usize,
    ends: Vec<usize>,
    count: usize,
    /// Records so far, the header being the first.
    index: u64,
    at: At,
    last_line: u64,
}

impl Records {
    /// Before the first record.
    pub fn new(file: File, path: &Path, delimiter: u8) -> Records {
        Records {
            file,
            path: path.to_owned(),
            names: Vec::new(),
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            quotes: Quotes::new(delimiter),
            chunk: vec![0; CHUNK],
            position: 0,
            filled: 0,
            ended: false,
            text: vec![0; 1 << 10],
            used: 0,
            ends: vec![0; 64],
            count: 0,
            index: 0,
            at: At::default(),
            last_line: 1,
        }
    }

    /// Goes on to the next record, if there is one.
    pub fn next(&mut self) -> Result<bool, Stop> {
        (self.used, self.count) = (0, 0);
        let before = self.reader.line();
        let mut whole = true;
        self.quotes.begin_record();
        loop {
            if self.position == self.filled && !self.refill()? {
                return Ok(false);
            }
            let input = &self.chunk[self.position..self.filled];
            let (result, read, wrote, fields) =
                self.reader.read_record(input, &mut self.text[self.used..], &mut self.ends[self.count..]);
            let ended = matches!(result, ReadRecordResult::Record);
            self.quotes.take(&input[..read], whole && ended);
            whole = false;
            self.position += read;
            self.used += wrote;
            self.count += fields;
            match result {
                // What was fed last is the newline that `refill` adds: only an open quote can swallow it.
                ReadRecordResult::InputEmpty if self.ended && self.used + self.count > 0 => return Err(self.unclosed()),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.used >= LONGEST_RECORD => {
                    let line = self.reader.line() - self.newlines(self.used);
                    return Err(Stop::TooLong { row: self.index, line });
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.place(before);
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// More bytes; after the last, once, a newline: it ends a record that has no end of its own.
    fn refill(&mut self) -> Result<bool, Stop> {
        if self.ended {
            return Ok(false);
        }
        let read = loop {
            match self.file.read(&mut self.chunk) {
                Ok(n) => break n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Stop::Io(e)),
            }
        };
        (self.position, self.filled) = (0, read);
        if read == 0 {
            self.ended = true;
            (self.chunk[0], self.filled) = (b'\n', 1);
        }
        Ok(true)
    }

    /// Finds out where the record that just ended began. `before` is the line at which its reading began, which is too
    /// low when blank lines were skipped.
    fn place(&mut self, before: u64) {
        let after = self.reader.line();
        let by_newline = self.position > 0 && self.chunk[self.position - 1] == b'\n';
        self.last_line = after - u64::from(by_newline);
        let inside = if self.last_line > before { self.newlines(self.used) } else { 0 };
        self.at = At { row: self.index, line: self.last_line.saturating_sub(inside).max(1) };
        self.index += 1;
    }

    fn newlines(&self, end: usize) -> u64 {
        self.text[..end].iter().filter(|b| **b == b'\n').count() as u64
    }

    fn unclosed(&self) -> Stop {
        // The newline that `refill` added was counted as a line and kept as text.
        let line = self.reader.line().saturating_sub(self.newlines(self.used)).max(1);
        let complete = self.count.checked_sub(1).map_or(0, |last| self.ends[last]);
        let column = self.names.get(self.count).cloned();
        Stop::Unclosed { row: self.index, line, opened: line + self.newlines(complete), column }
    }

    /// Where this record stands.
    pub fn at(&self) -> At {
        self.at
    }

    /// The last line of this record.
    pub fn last_line(&self) -> u64 {
        self.last_line
    }

    /// What follows a closing quote in this record.
    pub fn stray(&self) -> Option<&Stray> {
        self.quotes.stray()
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.count
    }

    /// A field, if it is UTF-8.
    pub fn field(&self, index: usize) -> Option<&str> {
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        let end = *self.ends.get(index)?;
        std::str::from_utf8(self.text.get(start..end)?).ok()
    }
}
