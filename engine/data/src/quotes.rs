//! Where text follows a closing quote: `"a"b`.
//!
//! The tokenizer reads that as `ab` and says nothing. Whoever wrote it meant something else, so it is looked for here, in
//! the bytes that the tokenizer took, and only in records that have a quote at all.

/// Bytes kept of what follows a quote: enough for a message.
const KEPT: usize = 256;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Goes over the file along with the tokenizer.
pub(crate) struct Quotes {
    delimiter: u8,
    state: State,
    /// Of the current record.
    field: usize,
    stray: Option<Stray>,
    at_start_of_file: bool,
}

/// What follows a closing quote.
pub(crate) struct Stray {
    /// The field, from 0.
    pub field: usize,
    /// Up to the end of the field, or its first bytes.
    pub text: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// No byte of the field was seen yet.
    Before,
    Bare,
    Quoted,
    /// After a quote in a quoted field: the end, or the first half of a doubled quote.
    Closing,
    Stray,
}

impl Quotes {
    /// Before the first byte of a file.
    pub fn new(delimiter: u8) -> Quotes {
        Quotes { delimiter, state: State::Before, field: 0, stray: None, at_start_of_file: true }
    }

    /// A record begins.
    pub fn begin_record(&mut self) {
        (self.state, self.field, self.stray) = (State::Before, 0, None);
    }

    /// Takes the bytes of the record, in one piece (`whole`) or in several.
    pub fn take(&mut self, mut bytes: &[u8], whole: bool) {
        if std::mem::take(&mut self.at_start_of_file) {
            bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        }
        if whole && !bytes.contains(&b'"') {
            return;
        }
        for byte in bytes {
            self.step(*byte);
        }
    }

    fn step(&mut self, byte: u8) {
        let ends = byte == self.delimiter || byte == b'\n' || byte == b'\r';
        self.state = match self.state {
            State::Quoted if byte == b'"' => State::Closing,
            State::Closing if byte == b'"' => State::Quoted,
            State::Quoted => State::Quoted,
            _ if ends => {
                self.field += usize::from(byte == self.delimiter);
                State::Before
            }
            State::Before if byte == b'"' => State::Quoted,
            State::Before | State::Bare => State::Bare,
            State::Closing => {
                // The first of a record is told; another one in it is most likely the same mistake.
                if self.stray.is_none() {
                    self.stray = Some(Stray { field: self.field, text: vec![byte] });
                }
                State::Stray
            }
            State::Stray => {
                if let Some(stray) = &mut self.stray
                    && stray.field == self.field
                    && stray.text.len() < KEPT
                {
                    stray.text.push(byte);
                }
                State::Stray
            }
        };
    }

    /// What follows a closing quote in the record just read.
    pub fn stray(&self) -> Option<&Stray> {
        self.stray.as_ref()
    }
}
