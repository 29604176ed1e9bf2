//! Parsing again after an edit: only the declarations whose text changed.

use super::chunk::Parsed;
use super::splitter::Start;
use super::{Syntax, parse_with};
use crate::span::Source;
use std::collections::HashMap;

/// A parser that remembers what each declaration of the last text came to.
///
/// What comes out of a chunk depends on the chunk's text alone (and on what it was taken to start with), so the text is the
/// key, and nothing has to be said about where an edit was. The whole text is still read into tokens, which costs a tenth of
/// parsing it. One parser serves one file: what the last text did not have is forgotten.
#[derive(Clone, Debug, Default)]
pub struct Incremental {
    known: HashMap<(Start, Box<str>), Parsed>,
    reused: usize,
    parsed: usize,
}

impl Incremental {
    /// Equal to [`parse`](super::parse) of the same source, whatever was parsed before.
    pub fn parse(&mut self, source: &Source) -> Syntax {
        let mut known = std::mem::take(&mut self.known);
        let mut seen: HashMap<(Start, Box<str>), Parsed> = HashMap::with_capacity(known.len());
        (self.reused, self.parsed) = (0, 0);
        let syntax = parse_with(source, |text, start, parse| {
            let key = (start, Box::from(text));
            if let Some(parsed) = seen.get(&key) {
                self.reused += 1;
                return parsed.clone();
            }
            let parsed = match known.remove(&key) {
                Some(parsed) => {
                    self.reused += 1;
                    parsed
                }
                None => {
                    self.parsed += 1;
                    parse()
                }
            };
            seen.insert(key, parsed.clone());
            parsed
        });
        self.known = seen;
        syntax
    }

    /// How many declarations of the last text were known, and how many had to be parsed.
    pub fn work(&self) -> (usize, usize) {
        (self.reused, self.parsed)
    }
}
