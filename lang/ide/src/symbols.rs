//! What a document declares, as an outline and for searches.

use crate::navigate::Location;
use crate::outline::{GroupKind, Part, TokKind};
use crate::view::View;
use crate::workspace::Workspace;
use mlp_lang::span::Span;

/// A declaration, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlined {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: OutlinedKind,
    /// A few words beside it.
    pub detail: String,
    /// All of it.
    pub span: Span,
    /// Its name.
    pub name_span: Span,
    /// What is in it.
    pub children: Vec<Outlined>,
}

/// What is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutlinedKind {
    /// `pipeline`
    Pipeline,
    /// `use`
    Module,
    /// `param`, `secret`
    Param,
    /// `schema`
    Schema,
    /// A column.
    Column,
    /// `data`
    Data,
    /// `step`, `tune`
    Step,
    /// `component`
    Component,
    /// `gate`
    Gate,
    /// `model`
    Model,
    /// `deploy`
    Deploy,
    /// `monitor`
    Monitor,
    /// `on`
    Trigger,
    /// `test`
    Test,
    /// A member of a block.
    Member,
}

/// How many answers a search gives.
const MOST: usize = 400;

impl Workspace {
    /// The outline of a document.
    pub fn outline(&self, path: &str) -> Vec<Outlined> {
        let Some(view) = self.view(path) else { return Vec::new() };
        let parts = view.outline().groups.first().map(|file| file.parts.clone()).unwrap_or_default();
        parts.into_iter().filter_map(|part| view.outlined(part)).collect()
    }

    /// Declarations of all documents whose names have the letters of `query` in this order, the shortest first.
    pub fn search(&self, query: &str) -> Vec<(Location, Outlined)> {
        let mut found = Vec::new();
        for document in self.documents() {
            for declaration in self.outline(document.path()) {
                if matches!(declaration.kind, OutlinedKind::Module) || !has_letters(&declaration.name, query) {
                    continue;
                }
                let location = Location { path: document.path().clone(), span: declaration.name_span };
                found.push((location, Outlined { children: Vec::new(), ..declaration }));
            }
        }
        found
            .sort_by(|(a, left), (b, right)| (left.name.len(), &left.name, a).cmp(&(right.name.len(), &right.name, b)));
        found.truncate(MOST);
        found
    }
}

/// Whether a name has the letters of a query, in this order.
fn has_letters(name: &str, query: &str) -> bool {
    let mut letters = name.chars().map(|c| c.to_ascii_lowercase());
    query.chars().map(|c| c.to_ascii_lowercase()).all(|wanted| letters.any(|letter| letter == wanted))
}

impl View<'_> {
    fn outlined(&self, part: Part) -> Option<Outlined> {
        let head = self.head(part);
        let kind = match head {
            "pipeline" => OutlinedKind::Pipeline,
            "use" => OutlinedKind::Module,
            "param" | "secret" | "output" => OutlinedKind::Param,
            "schema" => OutlinedKind::Schema,
            "data" => OutlinedKind::Data,
            "step" | "tune" => OutlinedKind::Step,
            "component" => OutlinedKind::Component,
            "gate" => OutlinedKind::Gate,
            "model" => OutlinedKind::Model,
            "deploy" => OutlinedKind::Deploy,
            "monitor" => OutlinedKind::Monitor,
            "on" => OutlinedKind::Trigger,
            "test" => OutlinedKind::Test,
            _ => return None,
        };
        let span = self.part_span(part)?;
        let declared = self.declared_by(part);
        let (name, name_span) = match declared {
            Some(declared) => (self.word(declared.name).to_owned(), self.outline().toks.get(declared.name)?.span),
            None if matches!(head, "on" | "test") => {
                let block =
                    self.block_of(part).and_then(|block| self.outline().groups.get(block)).map(|group| group.open);
                (self.slice(part.first, block.unwrap_or(part.end)), self.outline().toks.get(part.first)?.span)
            }
            None => return None,
        };
        let detail = match head {
            "param" => declared.map(|declared| self.slice(declared.name + 2, part.end)),
            "data" => declared.map(|declared| self.word(declared.name + 2).to_owned()),
            "step" => declared.and_then(|declared| self.called_in(declared.name + 2, part)),
            "deploy" | "monitor" => declared.map(|declared| self.word(declared.name + 2).to_owned()),
            _ => None,
        };
        let detail = detail.unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        let children = self.children(part, kind);
        Some(Outlined { name, kind, detail, span, name_span, children })
    }

    /// What a step calls, as written.
    fn called_in(&self, first: usize, part: Part) -> Option<String> {
        let end = (first..part.end).find(|at| self.kind(*at) != Some(TokKind::Word) && self.word(*at) != ".")?;
        Some(self.slice(first, end))
    }

    fn children(&self, part: Part, kind: OutlinedKind) -> Vec<Outlined> {
        let Some(block) = self.block_of(part) else { return Vec::new() };
        let Some(group) = self.outline().groups.get(block) else { return Vec::new() };
        let members = group.parts.iter().filter_map(|member| {
            if kind == OutlinedKind::Component {
                return self.outlined(*member);
            }
            let span = self.part_span(*member)?;
            let first = self.outline().toks.get(member.first)?.span;
            let word = self.word(member.first).trim_matches('"').to_owned();
            let (name, kind, detail) = match kind {
                OutlinedKind::Schema => {
                    let ty = self.slice(member.first + 2, member.end);
                    (word, OutlinedKind::Column, ty.lines().next().unwrap_or_default().to_owned())
                }
                _ => (line(&self.slice(member.first, member.end)), OutlinedKind::Member, String::new()),
            };
            Some(Outlined { name, kind, detail, span, name_span: first, children: Vec::new() })
        });
        let fits = matches!(group.kind, GroupKind::Block);
        if fits { members.collect() } else { Vec::new() }
    }

    /// The bytes of a part.
    pub(crate) fn part_span(&self, part: Part) -> Option<Span> {
        let toks = &self.outline().toks;
        Some(toks.get(part.first)?.span.to(toks.get(part.end.checked_sub(1)?)?.span))
    }
}

/// The first line of a member, without the block that it opens.
fn line(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default().trim_end_matches('{').trim_end();
    first.chars().take(80).collect()
}
