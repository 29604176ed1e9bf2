//! Where the text of each file begins among the spans of a whole.

use super::load::{FileId, World};
use crate::finding::{Finding, Place};
use crate::span::{Source, Span};

/// Files end to end, the checked one first.
#[derive(Clone)]
pub(crate) struct SourceMap {
    /// By file: where it begins.
    bases: Vec<u32>,
    /// In ascending order of their bases.
    sorted: Vec<(u32, FileId)>,
    sources: Vec<Source>,
}

impl SourceMap {
    pub(crate) fn new(world: &World<'_>, own: FileId) -> SourceMap {
        let mut map = SourceMap { bases: vec![0; world.files.len()], sorted: vec![(0, own)], sources: Vec::new() };
        let mut next = world.files[own].source.text.len() as u32 + 1;
        for (id, file) in world.files.iter().enumerate() {
            map.sources.push(file.source.clone());
            if id != own {
                map.bases[id] = next;
                map.sorted.push((next, id));
                next += file.source.text.len() as u32 + 1;
            }
        }
        map
    }

    /// The checked file.
    pub(crate) fn own(&self) -> FileId {
        self.sorted[0].1
    }

    pub(crate) fn base(&self, file: FileId) -> u32 {
        self.bases.get(file).copied().unwrap_or(0)
    }

    /// The file that a span lies in, and the span in it.
    pub(crate) fn find(&self, span: Span) -> (FileId, &Source, Span) {
        let at = self.sorted.partition_point(|(base, _)| *base <= span.start).saturating_sub(1);
        let (base, id) = self.sorted[at];
        let relative = Span { start: span.start - base, end: span.end.saturating_sub(base).max(span.start - base) };
        (id, &self.sources[id], relative)
    }

    /// The text at a span.
    pub(crate) fn text(&self, span: Span) -> &str {
        let (_, source, span) = self.find(span);
        source.text.get(span.range()).unwrap_or_default()
    }

    /// The finding with each place in its own file. A fix that lies in another file than the mistake is left out.
    pub(crate) fn localize(&self, mut finding: Finding) -> Finding {
        let mut home = None;
        let labels = std::iter::once(&mut finding.primary).chain(&mut finding.secondary);
        for label in labels {
            if let Place::Source { path, span } = &mut label.place {
                let (id, source, relative) = self.find(*span);
                (*path, *span) = (source.path.clone(), relative);
                home = home.or(Some(id));
            }
        }
        if let Some(fix) = &mut finding.fix {
            let mut at_home = true;
            for edit in &mut fix.edits {
                let (id, _, relative) = self.find(edit.span);
                at_home &= Some(id) == home;
                edit.span = relative;
            }
            if !at_home {
                finding.fix = None;
            }
        }
        finding
    }
}
