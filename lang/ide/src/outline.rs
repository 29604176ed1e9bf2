//! The outline of a text: its tokens with the brackets, members, entries and arguments they stand in.
//!
//! An editor asks about files that are being written, so that half of what it asks about is in no syntax tree. The outline
//! is made from tokens alone, and is there for every text: a question about a place starts here, and the checker's facts
//! answer it. It follows the rules of the parser's layout: a member ends with its line unless the line goes on, and a
//! declaration starts at a keyword in the first column, whatever is left open above it.

use mlp_lang::span::Span;
use mlp_lang::syntax::keywords;
use mlp_lang::syntax::lexer::{self, Bracket, LexError, Token, TokenKind};
use mlp_lang::syntax::splitter;

/// A token that is not trivia. A string without holes is one of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tok {
    pub(crate) kind: TokKind,
    pub(crate) span: Span,
    /// The innermost group it stands in. Brackets stand in the group around their own.
    pub(crate) group: usize,
    /// Which part of the group.
    pub(crate) part: usize,
    /// The last word or mark before it, in its part, that says what comes: `when`, `after`, `=`, ...
    pub(crate) clause: Option<usize>,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokKind {
    Word,
    Number,
    /// A string without holes, closed or not.
    Text,
    /// A piece of a string with holes.
    Piece,
    Open,
    Close,
    Operator,
    Punctuation,
    Error,
}

/// What brackets hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupKind {
    /// The whole file: its parts are declarations.
    File,
    /// `{ ... }` with members.
    Block,
    /// `{ key: value }`
    Map,
    /// `( ... )` behind a name: arguments.
    Call,
    /// `( ... )`
    Round,
    /// `[ ... ]`
    List,
    /// A string with holes.
    Quote,
    /// `${ ... }`
    Hole,
}

/// What stands between two brackets.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) kind: GroupKind,
    /// The opening bracket; of the file, 0.
    pub(crate) open: usize,
    pub(crate) close: Option<usize>,
    /// The group around it; of the file, itself.
    pub(crate) parent: usize,
    /// In which part of that one.
    pub(crate) slot: usize,
    /// Members, entries or arguments.
    pub(crate) parts: Vec<Part>,
}

/// A declaration, a member, an entry or an argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) first: usize,
    /// One past its last token, those of inner groups included.
    pub(crate) end: usize,
    /// `name` of `name: value`, in maps and calls.
    pub(crate) name: Option<usize>,
}

/// The outline of one text.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    pub(crate) toks: Vec<Tok>,
    pub(crate) groups: Vec<Group>,
}

/// Blocks that hold entries, `name: value`, though they look like members.
const MAPS: [&str; 4] = ["card", "with", "in", "out"];

/// Words that say what comes after them in a header or a member.
const MARKERS: [&str; 22] = [
    "when",
    "after",
    "for",
    "in",
    "of",
    "as",
    "because",
    "unless",
    "min_support",
    "every",
    "over",
    "within",
    "fails",
    "until",
    "by",
    "end",
    "schedule",
    "change",
    "webhook",
    "commit",
    "breach",
    "rollback",
];

impl Outline {
    pub(crate) fn new(text: &str) -> Outline {
        let tokens = lexer::lex(text);
        let starts = splitter::split(text, &tokens).into_iter().map(|chunk| chunk.first).collect();
        let file = Group { kind: GroupKind::File, open: 0, close: None, parent: 0, slot: 0, parts: Vec::new() };
        let outline = Outline { toks: Vec::with_capacity(tokens.len() / 2), groups: vec![file] };
        Builder { text, tokens: &tokens, starts, outline, stack: vec![0], newline: false, clause: Vec::new() }.build()
    }

    /// The words of a token.
    pub(crate) fn word<'t>(&self, text: &'t str, tok: usize) -> &'t str {
        self.toks.get(tok).and_then(|tok| text.get(tok.span.range())).unwrap_or_default()
    }

    /// The part that a token stands in.
    pub(crate) fn part(&self, tok: usize) -> Option<Part> {
        let tok = self.toks.get(tok)?;
        self.groups.get(tok.group)?.parts.get(tok.part).copied()
    }

    /// The part that a group stands in.
    pub(crate) fn part_around(&self, group: usize) -> Option<Part> {
        let group = self.groups.get(group)?;
        self.groups.get(group.parent)?.parts.get(group.slot).copied()
    }

    /// The word that a block belongs to: of `canary { ... }` and `canary` in it. Of the file, nothing.
    pub(crate) fn owner<'t>(&self, text: &'t str, group: usize) -> &'t str {
        match self.groups.get(group) {
            Some(found) if found.kind != GroupKind::File => {
                self.part_around(group).map_or("", |part| self.word(text, part.first))
            }
            _ => "",
        }
    }

    /// The groups around a group, itself first, without the file.
    pub(crate) fn around(&self, group: usize) -> impl Iterator<Item = usize> {
        let mut at = group;
        std::iter::from_fn(move || {
            let found = self.groups.get(at).filter(|found| found.kind != GroupKind::File)?;
            let here = at;
            at = found.parent;
            Some(here)
        })
    }

    /// The declaration around a group, or around a token of the file itself: its part.
    pub(crate) fn declaration(&self, group: usize, part: usize) -> Option<(usize, Part)> {
        let (mut group, mut part) = (group, part);
        while let Some(found) = self.groups.get(group).filter(|found| found.kind != GroupKind::File) {
            (group, part) = (found.parent, found.slot);
        }
        self.groups.first()?.parts.get(part).map(|found| (part, *found))
    }

    /// The last token that starts before this byte.
    pub(crate) fn before(&self, offset: u32) -> Option<usize> {
        self.toks.partition_point(|tok| tok.span.start < offset).checked_sub(1)
    }

    /// The word, number or string at a byte: the one that it is inside of, or that ends or starts there.
    pub(crate) fn at(&self, offset: u32) -> Option<usize> {
        let last = self.toks.partition_point(|tok| tok.span.start <= offset).checked_sub(1)?;
        let touches = |tok: &Tok| tok.span.start <= offset && offset <= tok.span.end;
        let solid = |tok: &Tok| matches!(tok.kind, TokKind::Word | TokKind::Number | TokKind::Text | TokKind::Piece);
        let found = [Some(last), last.checked_sub(1)].into_iter().flatten();
        let mut found = found.filter(|at| touches(&self.toks[*at]));
        let first = found.next()?;
        if solid(&self.toks[first]) { Some(first) } else { found.find(|at| solid(&self.toks[*at])).or(Some(first)) }
    }

    /// The first token of the path that a word belongs to: `a` of `a.b.c`.
    pub(crate) fn path_start(&self, text: &str, word: usize) -> usize {
        let mut at = word;
        while at >= 2 && self.word(text, at - 1) == "." && self.toks[at - 2].kind == TokKind::Word {
            at -= 2;
        }
        at
    }

    /// The path that ends before a call's bracket: its tokens.
    pub(crate) fn callee(&self, text: &str, group: usize) -> Option<(usize, usize)> {
        let group = self.groups.get(group).filter(|group| group.kind == GroupKind::Call)?;
        let last = group.open.checked_sub(1)?;
        Some((self.path_start(text, last), last))
    }
}

struct Builder<'t> {
    text: &'t str,
    tokens: &'t [Token],
    /// Tokens that declarations start at.
    starts: Vec<usize>,
    outline: Outline,
    /// Open groups, the file first.
    stack: Vec<usize>,
    newline: bool,
    /// For each open group: the last marker in its current part.
    clause: Vec<Option<usize>>,
}

impl Builder<'_> {
    fn build(mut self) -> Outline {
        self.clause.push(None);
        let mut starts = std::mem::take(&mut self.starts).into_iter().peekable();
        let mut at = 0;
        while at < self.tokens.len() {
            let token = self.tokens[at];
            if starts.next_if_eq(&at).is_some() {
                self.unwind(0, None);
                self.begin_part();
            }
            match token.kind {
                TokenKind::Newline => self.newline = true,
                kind if kind.is_trivia() => {}
                kind => {
                    at = self.token(kind, token.span, at);
                    self.newline = false;
                    continue;
                }
            }
            at += 1;
        }
        self.unwind(0, None);
        self.end_part();
        self.outline
    }

    /// Takes one token, or a string; gives the next one's index.
    fn token(&mut self, kind: TokenKind, span: Span, at: usize) -> usize {
        match kind {
            TokenKind::StringStart => return self.string(at),
            TokenKind::StringText => self.push(TokKind::Piece, span),
            TokenKind::StringEnd => {
                let open = self.stack.iter().rposition(|group| self.kind(*group) == GroupKind::Quote);
                if let Some(open) = open {
                    self.unwind(open, Some(self.outline.toks.len()));
                }
                self.push(TokKind::Close, span);
            }
            TokenKind::Open(bracket) => self.open(bracket, span),
            TokenKind::Close(bracket) => self.close(bracket, span),
            TokenKind::Word => self.word(span),
            TokenKind::Number => self.push(TokKind::Number, span),
            TokenKind::Operator => self.push(TokKind::Operator, span),
            TokenKind::Punctuation => self.punctuation(span),
            TokenKind::Error(error) => self.error(error, span),
            _ => {}
        }
        at + 1
    }

    /// The end of a string or a hole that was not closed is a token without a width.
    fn error(&mut self, error: LexError, span: Span) {
        let quote = self.stack.iter().position(|group| self.kind(*group) == GroupKind::Quote);
        match (error, quote) {
            (LexError::UnclosedString | LexError::UnclosedTriple | LexError::UnclosedHole, Some(quote)) => {
                let open = self.outline.groups[self.stack[quote]].open;
                let goes_on = error == LexError::UnclosedHole && self.outline.word(self.text, open).len() > 1;
                self.unwind(if goes_on { quote + 1 } else { quote }, None);
            }
            (LexError::Character | LexError::Name, _) => self.push(TokKind::Error, span),
            _ => {}
        }
    }

    fn kind(&self, group: usize) -> GroupKind {
        self.outline.groups[group].kind
    }

    fn innermost(&self) -> usize {
        self.stack.last().copied().unwrap_or(0)
    }

    /// A string without holes becomes one token, one with holes a group.
    fn string(&mut self, start: usize) -> usize {
        let ends =
            |token: &Token| matches!(token.kind, TokenKind::StringEnd | TokenKind::Error(_) | TokenKind::Open(_));
        let end = (start + 1..self.tokens.len()).find(|at| ends(&self.tokens[*at])).unwrap_or(self.tokens.len() - 1);
        let (first, last) = (self.tokens[start], self.tokens[end]);
        if !matches!(last.kind, TokenKind::Open(_)) {
            self.member_start(first.span);
            self.push(TokKind::Text, Span { start: first.span.start, end: last.span.end });
            return end + 1;
        }
        self.member_start(first.span);
        self.push(TokKind::Open, first.span);
        self.enter(GroupKind::Quote);
        start + 1
    }

    fn word(&mut self, span: Span) {
        self.member_start(span);
        let here = self.outline.toks.len();
        self.push(TokKind::Word, span);
        let word = &self.text[span.range()];
        let head = self.current().is_some_and(|part| part.first == here);
        let after_dot = here > 0 && self.outline.word(self.text, here - 1) == ".";
        if (head || MARKERS.contains(&word)) && !after_dot {
            self.mark(here);
        }
    }

    fn punctuation(&mut self, span: Span) {
        let here = self.outline.toks.len();
        let group = self.innermost();
        match &self.text[span.range()] {
            "," => match self.kind(group) {
                GroupKind::File | GroupKind::Quote | GroupKind::Hole => self.push(TokKind::Punctuation, span),
                GroupKind::Block if self.lists() => self.push(TokKind::Punctuation, span),
                _ => {
                    self.push(TokKind::Punctuation, span);
                    // The comma is no part of what it ends.
                    if let Some(part) = self.outline.groups[group].parts.last_mut() {
                        part.end = here;
                    }
                    self.begin_part();
                }
            },
            ":" => {
                self.push(TokKind::Punctuation, span);
                let first = self.current().map(|part| part.first);
                if matches!(self.kind(group), GroupKind::Call | GroupKind::Map)
                    && first.is_some_and(|first| first + 1 == here)
                    && let Some(part) = self.outline.groups[group].parts.last_mut()
                {
                    part.name = Some(here - 1);
                }
                self.mark(here);
            }
            "=" => {
                self.push(TokKind::Punctuation, span);
                self.mark(here);
            }
            _ => self.push(TokKind::Punctuation, span),
        }
    }

    /// Whether the member goes on after a comma: `after a, b`, `tolerate = 2 failures, 1 errors`.
    fn lists(&self) -> bool {
        let clause = self.clause.last().copied().flatten().map(|at| self.outline.word(self.text, at));
        let head = self.current().map(|part| self.outline.word(self.text, part.first));
        clause == Some("after") || head == Some("tolerate")
    }

    fn open(&mut self, bracket: Bracket, span: Span) {
        let last = self.outline.toks.len().checked_sub(1);
        let previous = last.map(|last| (self.outline.toks[last], self.outline.word(self.text, last)));
        let joined = !self.newline;
        self.member_start(span);
        let kind = match (bracket, previous) {
            (Bracket::Square, _) => GroupKind::List,
            (Bracket::Hole, _) => GroupKind::Hole,
            (Bracket::Round, Some((tok, word)))
                if joined
                    && tok.kind == TokKind::Word
                    && !matches!(word, "and" | "or" | "not" | "in" | "when" | "else") =>
            {
                GroupKind::Call
            }
            (Bracket::Round, _) => GroupKind::Round,
            (Bracket::Curly, Some((tok, word))) => {
                let head = self.current().is_some_and(|part| Some(part.first) == last);
                let value = matches!(tok.kind, TokKind::Operator | TokKind::Open)
                    || matches!(word, "=" | ":" | "," | "and" | "or" | "not" | "else");
                let around = self.kind(self.innermost());
                let nested = !matches!(around, GroupKind::File | GroupKind::Block);
                if value || nested || head && MAPS.contains(&word) { GroupKind::Map } else { GroupKind::Block }
            }
            (Bracket::Curly, None) => GroupKind::Block,
        };
        self.push(TokKind::Open, span);
        self.enter(kind);
    }

    fn close(&mut self, bracket: Bracket, span: Span) {
        let here = self.outline.toks.len();
        let closes = |kind: GroupKind| match bracket {
            Bracket::Round => matches!(kind, GroupKind::Call | GroupKind::Round),
            Bracket::Square => kind == GroupKind::List,
            Bracket::Curly => matches!(kind, GroupKind::Block | GroupKind::Map),
            Bracket::Hole => kind == GroupKind::Hole,
        };
        let barrier = |kind: GroupKind| matches!(kind, GroupKind::Block | GroupKind::Map | GroupKind::Quote);
        let mut open = None;
        for (at, group) in self.stack.iter().enumerate().rev() {
            let kind = self.kind(*group);
            if closes(kind) {
                open = Some(at);
                break;
            }
            if matches!(bracket, Bracket::Round | Bracket::Square) && barrier(kind) {
                break;
            }
        }
        // A `}` in the first column closes the declaration's own block.
        let first_column = span.start == 0 || self.text.as_bytes().get(span.start as usize - 1) == Some(&b'\n');
        if bracket == Bracket::Curly && first_column && open.is_some() {
            open = self.stack.iter().position(|group| closes(self.kind(*group)));
        }
        if let Some(open) = open {
            self.unwind(open, Some(here));
        }
        self.push(TokKind::Close, span);
    }

    /// A token that may be the first of a member or an entry.
    fn member_start(&mut self, span: Span) {
        if !self.newline {
            return;
        }
        let word = &self.text[span.range()];
        let group = self.innermost();
        if matches!(self.kind(group), GroupKind::Call | GroupKind::Round | GroupKind::List)
            && let Some(block) = self.stack.iter().rposition(|open| self.kind(*open) == GroupKind::Block)
            && self.starts_member(span)
        {
            // A bracket that was forgotten ends where the next member starts.
            self.unwind(block + 1, None);
            return self.begin_part();
        }
        match self.kind(group) {
            GroupKind::Block if !self.goes_on(word) => self.begin_part(),
            GroupKind::Map => self.begin_part(),
            _ => {}
        }
    }

    /// Whether a line that starts here is surely a member: `require ...`, `name = ...`.
    fn starts_member(&self, span: Span) -> bool {
        let word = &self.text[span.range()];
        let rest = self.text[span.end as usize..].trim_start_matches([' ', '\t']);
        keywords::CLAUSES.contains(&word) || rest.starts_with('=') && !rest.starts_with("==")
    }

    /// Whether a line of a block that starts with this word belongs to the member above it.
    fn goes_on(&self, word: &str) -> bool {
        if matches!(word, "because" | "min_support" | "unless" | "fails" | "when" | "else" | "and" | "or") {
            return true;
        }
        let Some(last) = self.outline.toks.len().checked_sub(1) else { return false };
        let tok = self.outline.toks[last];
        let before = self.outline.word(self.text, last);
        tok.kind == TokKind::Operator && before != ">"
            || matches!(before, "and" | "or" | "not" | "in" | "|" | "=" | ".")
    }

    fn push(&mut self, kind: TokKind, span: Span) {
        let group = self.innermost();
        if self.outline.groups[group].parts.is_empty() {
            self.begin_part();
        }
        let here = self.outline.toks.len();
        let parts = &mut self.outline.groups[group].parts;
        let part = parts.len().saturating_sub(1);
        if let Some(current) = parts.last_mut() {
            current.end = here + 1;
        }
        let clause = self.clause.last().copied().flatten();
        self.outline.toks.push(Tok { kind, span, group, part, clause });
    }

    fn enter(&mut self, kind: GroupKind) {
        let parent = self.innermost();
        let open = self.outline.toks.len().saturating_sub(1);
        let slot = self.outline.groups[parent].parts.len().saturating_sub(1);
        let group = self.outline.groups.len();
        self.outline.groups.push(Group { kind, open, close: None, parent, slot, parts: Vec::new() });
        self.stack.push(group);
        self.clause.push(None);
        self.begin_part();
    }

    fn mark(&mut self, at: usize) {
        if let Some(clause) = self.clause.last_mut() {
            *clause = Some(at);
        }
    }

    fn current(&self) -> Option<Part> {
        self.outline.groups[self.innermost()].parts.last().copied()
    }

    fn begin_part(&mut self) {
        let group = self.innermost();
        self.end_part();
        let first = self.outline.toks.len();
        self.outline.groups[group].parts.push(Part { first, end: first, name: None });
        if let Some(clause) = self.clause.last_mut() {
            *clause = None;
        }
    }

    /// Drops a part in which nothing stands, as after a comma at the end of a line.
    fn end_part(&mut self) {
        let group = self.innermost();
        let here = self.outline.toks.len();
        let parts = &mut self.outline.groups[group].parts;
        if parts.last().is_some_and(|part| part.first == here) {
            parts.pop();
        }
    }

    /// Closes all groups from this place of the stack on; the first of them with the bracket `close`.
    fn unwind(&mut self, from: usize, close: Option<usize>) {
        let from = from.max(1);
        while self.stack.len() > from {
            self.end_part();
            let group = self.innermost();
            self.stack.pop();
            self.clause.pop();
            if self.stack.len() == from {
                self.outline.groups[group].close = close;
            }
            let here = self.outline.toks.len();
            let around = self.innermost();
            if let Some(part) = self.outline.groups[around].parts.last_mut() {
                part.end = here.max(part.end);
            }
        }
    }
}
