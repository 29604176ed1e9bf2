//! What can be folded, and what is selected when the selection grows.

use crate::outline::GroupKind;
use crate::view::View;
use crate::workspace::Workspace;
use mlp_lang::span::Span;
use mlp_lang::syntax::lexer::{self, TokenKind};

/// Lines that can be hidden behind the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// From a byte of the line that stays to one of the last that goes.
    pub span: Span,
    /// What is folded.
    pub kind: FoldKind,
}

/// What is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldKind {
    /// A block, a list, a long string.
    Region,
    /// Comments.
    Comment,
    /// `use` lines.
    Imports,
}

impl Workspace {
    /// Everything that can be folded, in order.
    pub fn folds(&self, path: &str) -> Vec<Fold> {
        let Some(view) = self.view(path) else { return Vec::new() };
        let mut folds = view.brackets();
        folds.extend(view.texts_over_lines());
        folds.extend(view.imports());
        folds.extend(view.comments());
        folds.retain(|fold| view.text().get(fold.span.range()).is_some_and(|text| text.contains('\n')));
        folds.sort_by_key(|fold| (fold.span.start, std::cmp::Reverse(fold.span.end)));
        folds
    }

    /// Ranges around a byte, each within the next.
    pub fn selections(&self, path: &str, offset: u32) -> Vec<Span> {
        let Some(view) = self.view(path) else { return Vec::new() };
        let whole = Span::new(0, view.text().len());
        let Some(tok) = view.outline().at(offset).or_else(|| view.outline().before(offset)) else { return vec![whole] };
        let mut ranges = Vec::new();
        let toks = &view.outline().toks;
        let span = toks[tok].span;
        if span.start <= offset && offset <= span.end {
            ranges.push(span);
            // The path that the word belongs to.
            let first = view.outline().path_start(view.text(), tok);
            ranges.push(toks[first].span.to(span));
            let mut last = tok;
            while view.word(last + 1) == "." && toks.get(last + 2).is_some() {
                last += 2;
            }
            ranges.push(toks[first].span.to(toks[last].span));
        }
        if let Some(part) = view.outline().part(tok) {
            if let Some(name) = part.name {
                ranges.extend(
                    toks.get(name + 2).zip(toks.get(part.end - 1)).map(|(first, last)| first.span.to(last.span)),
                );
            }
            ranges.extend(view.part_span(part));
        }
        for group in view.outline().around(toks[tok].group) {
            let Some(found) = view.outline().groups.get(group) else { break };
            let open = toks[found.open].span;
            if let Some(close) = found.close.and_then(|close| toks.get(close)) {
                ranges.push(Span { start: open.end, end: close.span.start });
                ranges.push(open.to(close.span));
            }
            ranges.extend(view.outline().part_around(group).and_then(|part| view.part_span(part)));
        }
        ranges.push(whole);
        // Each must hold the one before, and the place itself.
        let mut nested: Vec<Span> = Vec::new();
        ranges.sort_by_key(|range| range.end - range.start);
        for range in ranges {
            let holds = nested.last().is_none_or(|last| range.start <= last.start && last.end <= range.end);
            let inside = range.start <= offset && offset <= range.end;
            if holds && inside && nested.last() != Some(&range) {
                nested.push(range);
            }
        }
        nested
    }
}

impl View<'_> {
    fn brackets(&self) -> Vec<Fold> {
        let toks = &self.outline().toks;
        let groups = self.outline().groups.iter().skip(1).filter(|group| group.kind != GroupKind::Hole);
        groups
            .filter_map(|group| {
                let (open, close) = (toks.get(group.open)?.span, toks.get(group.close?)?.span);
                // The line of the closing bracket stays.
                let end = self.text().get(..close.start as usize)?.rfind('\n')?;
                let span = Span { start: open.start, end: end as u32 };
                (span.start < span.end).then_some(Fold { span, kind: FoldKind::Region })
            })
            .collect()
    }

    fn texts_over_lines(&self) -> Vec<Fold> {
        let long = |span: &Span| self.text().get(span.range()).is_some_and(|text| text.contains('\n'));
        let toks = self.outline().toks.iter().map(|tok| tok.span).filter(long);
        toks.map(|span| Fold { span, kind: FoldKind::Region }).collect()
    }

    fn imports(&self) -> Vec<Fold> {
        let parts = self.outline().groups.first().map(|file| file.parts.as_slice()).unwrap_or_default();
        let runs = parts.chunk_by(|a, b| (self.head(*a) == "use") == (self.head(*b) == "use"));
        runs.filter(|run| run.first().is_some_and(|part| self.head(*part) == "use"))
            .filter_map(|run| Some(self.part_span(*run.first()?)?.to(self.part_span(*run.last()?)?)))
            .map(|span| Fold { span, kind: FoldKind::Imports })
            .collect()
    }

    fn comments(&self) -> Vec<Fold> {
        let mut folds: Vec<Fold> = Vec::new();
        let mut run: Option<Span> = None;
        let mut newlines = 0;
        for token in lexer::lex(self.text()) {
            match token.kind {
                TokenKind::Newline => newlines += 1,
                TokenKind::Whitespace => {}
                TokenKind::Comment | TokenKind::Doc => {
                    run = match run {
                        Some(so_far) if newlines == 1 => Some(so_far.to(token.span)),
                        other => {
                            folds.extend(other.map(|span| Fold { span, kind: FoldKind::Comment }));
                            Some(token.span)
                        }
                    };
                    newlines = 0;
                }
                _ => {
                    folds.extend(run.take().map(|span| Fold { span, kind: FoldKind::Comment }));
                    // A comment behind code starts no run.
                    newlines = 0;
                }
            }
        }
        folds.extend(run.map(|span| Fold { span, kind: FoldKind::Comment }));
        folds
    }
}
