//! Parsing again after an edit: only the declarations whose text changed.
//!
//! What comes out of a chunk depends on the chunk's text alone (and on what it was taken to start with). So nothing has to be
//! said about where an edit was: the chunks before the first byte that differs and behind the last one are what they were, and
//! only their places move. The whole text is still read into tokens, which costs a fortieth of parsing it.

use super::ast::{Declaration, Edition, Ident};
use super::chunk::{self, Parsed};
use super::lexer::{self, Token};
use super::shift::place_finding;
use super::splitter::{self, Start};
use super::{
    LARGEST_FILE, MOST_FINDINGS, Shift, Syntax, failure, misplaced_edition, missing_edition, too_large, too_many,
};
use crate::finding::Finding;
use crate::span::{Source, Span};
use std::ops::Range;
use std::sync::Arc;

/// A parser that keeps what it said of the last text. One parser serves one file.
#[derive(Clone, Debug, Default)]
pub struct Incremental {
    syntax: Syntax,
    /// The last text; nothing, when it was not read to its end.
    text: Option<Arc<str>>,
    pieces: Vec<Piece>,
    reused: usize,
    parsed: usize,
}

/// A chunk of the last text.
#[derive(Clone, Debug)]
struct Piece {
    /// With the indentation before it, which is part of what its fix removes.
    text: Range<usize>,
    start: Start,
    declares: bool,
    /// What few chunks come to, at its place in the file.
    rest: Option<Box<Rest>>,
}

#[derive(Clone, Debug)]
struct Rest {
    edition: Option<Edition>,
    broken: Option<Ident>,
    findings: Vec<Finding>,
}

/// What a text changed in the tree of the one before it.
pub(crate) struct Edit {
    /// How many declarations before the change are what they were.
    pub(crate) before: usize,
    /// Those that are gone.
    pub(crate) removed: Vec<Declaration>,
    /// How many stand in their place.
    pub(crate) added: usize,
    /// Names in the changed part whose declarations could not be understood, then or now.
    pub(crate) broken: Vec<String>,
}

/// Where a chunk stands in a text.
struct Laid {
    text: Range<usize>,
    chunk: splitter::Chunk,
}

impl Incremental {
    /// Parses the text of a file; equal to [`parse`](super::parse) of the same source, whatever was parsed before.
    pub fn parse(&mut self, source: &Source) -> &Syntax {
        self.edit(source);
        &self.syntax
    }

    /// What the last text came to.
    pub fn syntax(&self) -> &Syntax {
        &self.syntax
    }

    /// The same, for good.
    pub fn into_syntax(self) -> Syntax {
        self.syntax
    }

    /// How many chunks of the last text were known, and how many had to be parsed.
    pub fn work(&self) -> (usize, usize) {
        (self.reused, self.parsed)
    }

    /// Where each declaration of the last text stands, with the lines that tell of it.
    pub(crate) fn declared(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.pieces.iter().filter(|piece| piece.declares).map(|piece| piece.text.clone())
    }

    /// Parses the text of a file, and says what is another than before.
    pub(crate) fn edit(&mut self, source: &Source) -> Edit {
        let text = &*source.text;
        let before = self.text.take();
        if text.len() > LARGEST_FILE {
            let gone =
                std::mem::replace(&mut self.syntax, Syntax { findings: vec![too_large(source)], ..Syntax::default() });
            self.pieces.clear();
            return Edit::whole(gone, &self.syntax);
        }
        let tokens = lexer::lex(text);
        let laid = lay_out(text, &tokens);
        let (head, tail) = before.as_deref().map_or((0, 0), |before| self.unchanged(before, text, &laid));
        let parse = |laid: &Laid| parse_chunk(source, &tokens, laid);
        let fresh: Vec<(Piece, Option<Declaration>)> = match head + tail {
            0 => return self.anew(source, &tokens, &laid),
            _ => laid[head..laid.len() - tail].iter().map(parse).collect(),
        };
        let known = self.pieces[..head].iter().chain(&self.pieces[self.pieces.len() - tail..]);
        let told: usize = known.chain(fresh.iter().map(|(piece, _)| piece)).map(Piece::told).sum();
        if told >= MOST_FINDINGS {
            return self.anew(source, &tokens, &laid);
        }
        (self.reused, self.parsed) = (head + tail, fresh.len());
        let by = text.len().wrapping_sub(before.as_deref().map_or(0, str::len));
        let edit = self.replace(head, tail, by, fresh);
        self.text = Some(source.text.clone());
        self.gather(source);
        edit
    }

    /// How many chunks at the beginning and at the end are what they were.
    fn unchanged(&self, before: &str, text: &str, laid: &[Laid]) -> (usize, usize) {
        let (before, text) = (before.as_bytes(), text.as_bytes());
        let same = same_start(before, text);
        let old = self.pieces.iter().zip(laid);
        let head = old.take_while(|(old, new)| old.text.end <= same && old.is_at(new, 0)).count();
        let same = same_end(before, text);
        let by = text.len().wrapping_sub(before.len());
        let old = self.pieces[head..].iter().rev().zip(laid[head..].iter().rev());
        let tail = old.take_while(|(old, new)| old.text.start >= before.len() - same && old.is_at(new, by)).count();
        (head, tail)
    }

    /// Puts chunks in place of those between the first `head` and the last `tail`, which moves `by` bytes.
    fn replace(&mut self, head: usize, tail: usize, by: usize, fresh: Vec<(Piece, Option<Declaration>)>) -> Edit {
        let changed = head..self.pieces.len() - tail;
        let declared = |pieces: &[Piece]| pieces.iter().filter(|piece| piece.declares).count();
        let (first, gone) = (declared(&self.pieces[..head]), declared(&self.pieces[changed.clone()]));
        let (pieces, declarations): (Vec<Piece>, Vec<Option<Declaration>>) = fresh.into_iter().unzip();
        let declarations: Vec<Declaration> = declarations.into_iter().flatten().collect();
        let mut edit = Edit { before: first, removed: Vec::new(), added: declarations.len(), broken: Vec::new() };
        let broken = self.pieces[changed.clone()].iter().chain(&pieces);
        edit.broken.extend(broken.filter_map(Piece::broken).map(|ident| ident.name.clone()));
        let fresh = pieces.len();
        self.pieces.splice(changed, pieces);
        let file = &mut self.syntax.file;
        edit.removed.extend(file.declarations.splice(first..first + gone, declarations));
        if by != 0 {
            self.pieces[head + fresh..].iter_mut().for_each(|piece| piece.shift(by));
            file.declarations[first + edit.added..].iter_mut().for_each(|declaration| declaration.shift(by));
        }
        edit
    }

    /// Parses all chunks, until there are too many findings.
    fn anew(&mut self, source: &Source, tokens: &[Token], laid: &[Laid]) -> Edit {
        let gone = std::mem::take(&mut self.syntax);
        self.pieces.clear();
        (self.reused, self.parsed) = (0, laid.len());
        let mut told = 0;
        let mut stopped = None;
        for (at, laid) in laid.iter().enumerate() {
            if told >= MOST_FINDINGS {
                stopped = Some(tokens[laid.chunk.first].span);
                break;
            }
            let (piece, declaration) = parse_chunk(source, tokens, laid);
            let edition = piece.rest.as_ref().is_some_and(|rest| rest.edition.is_some());
            told += piece.rest.as_ref().map_or(0, |rest| rest.findings.len()) + usize::from(edition && at > 0);
            self.pieces.push(piece);
            self.syntax.file.declarations.extend(declaration);
            // A declaration stops at one finding too many: that is how it is known that there are more.
            if told > MOST_FINDINGS {
                break;
            }
        }
        self.gather(source);
        if let Some(span) = stopped {
            self.add(too_many(source, span));
        } else if told > MOST_FINDINGS {
            self.cut(source);
        }
        self.text = (told < MOST_FINDINGS).then(|| source.text.clone());
        Edit::whole(gone, &self.syntax)
    }

    /// Leaves the first findings, and says that there are more.
    fn cut(&mut self, source: &Source) {
        let missing = self.syntax.findings.iter().position(|finding| finding.code == super::codes::MISSING_EDITION);
        let missing = missing.map(|at| self.syntax.findings.remove(at));
        let position = failure::position(&self.syntax.findings[MOST_FINDINGS]);
        self.syntax.findings.truncate(MOST_FINDINGS);
        self.add(too_many(source, Span { start: position, end: position }));
        if let Some(missing) = missing {
            self.syntax.findings.insert(0, missing);
            self.syntax.findings.sort_by_key(failure::position);
        }
    }

    fn add(&mut self, finding: Finding) {
        self.syntax.findings.push(finding);
        self.syntax.findings.sort_by_key(failure::position);
    }

    /// What the chunks say besides their declarations.
    fn gather(&mut self, source: &Source) {
        let Syntax { file, broken, findings } = &mut self.syntax;
        (file.edition, *broken, *findings) = (None, Vec::new(), Vec::new());
        for (at, piece) in self.pieces.iter().enumerate() {
            let Some(rest) = &piece.rest else { continue };
            findings.extend_from_slice(&rest.findings);
            broken.extend(rest.broken.clone());
            match &rest.edition {
                Some(edition) if at == 0 => file.edition = Some(edition.clone()),
                Some(edition) => {
                    let first = file.edition.as_ref().map(|edition| edition.span);
                    findings.push(misplaced_edition(source, edition.span, first));
                }
                None => {}
            }
        }
        if file.edition.is_none() && !tries_edition(&source.text) {
            findings.insert(0, missing_edition(source));
        }
        findings.sort_by_key(failure::position);
    }
}

impl Edit {
    /// Everything is another.
    fn whole(gone: Syntax, now: &Syntax) -> Edit {
        let broken = gone.broken.iter().chain(&now.broken).map(|ident| ident.name.clone()).collect();
        Edit { before: 0, removed: gone.file.declarations, added: now.file.declarations.len(), broken }
    }
}

impl Piece {
    fn is_at(&self, new: &Laid, by: usize) -> bool {
        self.start == new.chunk.start
            && self.text.start.wrapping_add(by) == new.text.start
            && self.text.end.wrapping_add(by) == new.text.end
    }

    fn broken(&self) -> Option<&Ident> {
        self.rest.as_ref()?.broken.as_ref()
    }

    /// At most how many findings there are about it.
    fn told(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.findings.len() + usize::from(rest.edition.is_some()))
    }

    fn shift(&mut self, by: usize) {
        self.text = self.text.start.wrapping_add(by)..self.text.end.wrapping_add(by);
        let Some(rest) = &mut self.rest else { return };
        rest.edition.shift(by);
        rest.broken.shift(by);
        rest.findings.iter_mut().for_each(|finding| {
            if let crate::finding::Place::Source { path, .. } = &finding.primary.place {
                let path = path.clone();
                place_finding(finding, &path, by);
            }
        });
    }
}

/// How many bytes are compared at once.
const BLOCK: usize = 256;

/// How many bytes two texts begin with that are the same.
fn same_start(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

/// How many bytes two texts end with that are the same.
fn same_end(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(BLOCK).zip(b.rchunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    let (a, b) = (&a[..a.len() - blocks], &b[..b.len() - blocks]);
    blocks + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

fn lay_out(text: &str, tokens: &[Token]) -> Vec<Laid> {
    let place = |chunk: splitter::Chunk| {
        let first = tokens[chunk.tokens.start].span.start as usize;
        let end = tokens[chunk.tokens.end - 1].span.end as usize;
        // The indentation before an indented declaration is part of what its fix removes.
        let line = text[..first].rfind('\n').map_or(0, |n| n + 1);
        let blank = text[line..first].bytes().all(|b| b == b' ' || b == b'\t');
        Laid { text: if blank { line } else { first }..end, chunk }
    };
    splitter::split(text, tokens).into_iter().filter(|chunk| !chunk.tokens.is_empty()).map(place).collect()
}

fn parse_chunk(source: &Source, tokens: &[Token], laid: &Laid) -> (Piece, Option<Declaration>) {
    let Laid { text, chunk } = laid;
    let base = text.start;
    let relative =
        |t: &Token| Token { span: Span::new(t.span.start as usize - base, t.span.end as usize - base), ..*t };
    let tokens: Vec<Token> = tokens[chunk.tokens.clone()].iter().map(relative).collect();
    let parsed = chunk::parse(&source.text[text.clone()], &tokens, chunk.first - chunk.tokens.start, chunk.start);
    let Parsed { mut declaration, mut edition, mut broken, mut findings } = parsed;
    findings.iter_mut().for_each(|finding| place_finding(finding, &source.path, base));
    declaration.shift(base);
    edition.shift(base);
    broken.shift(base);
    let rest = edition.is_some() || broken.is_some() || !findings.is_empty();
    let rest = rest.then(|| Box::new(Rest { edition, broken, findings }));
    (Piece { text: text.clone(), start: chunk.start, declares: declaration.is_some(), rest }, declaration)
}

/// Whether a line of a text begins like the edition.
fn tries_edition(text: &str) -> bool {
    let word = |line: &str| {
        let word = line.trim_start_matches('\u{feff}').split_whitespace().next();
        word.is_some_and(|word| word.eq_ignore_ascii_case("mlp"))
    };
    text.lines().any(word)
}
