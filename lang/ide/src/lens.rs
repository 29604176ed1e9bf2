//! What can be done with a declaration, shown above it.

use crate::workspace::Workspace;
use mlp_lang::check::inspect;
use mlp_lang::span::Span;

/// Something above a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// The declaration's first line.
    pub span: Span,
    /// What is shown.
    pub title: String,
    /// What it does.
    pub kind: LensKind,
}

/// What a lens does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LensKind {
    /// Runs the pipeline.
    Run,
    /// Tells what would run.
    Plan,
}

impl Workspace {
    /// What can be done with a document that has steps: above its `pipeline`, else above what stands first.
    pub fn lenses(&self, path: &str) -> Vec<Lens> {
        let Some(view) = self.view(path) else { return Vec::new() };
        let parts = view.outline().groups.first().map(|file| file.parts.as_slice()).unwrap_or_default();
        if !parts.iter().any(|part| matches!(view.head(*part), "step" | "data")) {
            return Vec::new();
        }
        let pipeline = parts.iter().find(|part| view.head(**part) == "pipeline").or_else(|| parts.first());
        let Some(span) = pipeline.and_then(|part| view.outline().toks.get(part.first)).map(|tok| tok.span) else {
            return Vec::new();
        };
        let mut lenses = vec![Lens { span, title: "run".to_owned(), kind: LensKind::Run }];
        if view.looked.analysis.compiles {
            lenses.push(Lens { span, title: "plan".to_owned(), kind: LensKind::Plan });
        }
        lenses
    }

    /// What running a document would do, in a few words. `None`: something is wrong with it, or nobody can tell.
    pub fn plan(&self, path: &str) -> Option<String> {
        let view = self.view(path)?;
        view.looked.analysis.compiles.then_some(())?;
        let mut pipeline = None;
        self.modules(path, &mut |modules| {
            pipeline = inspect(&view.looked.analysis.source, modules, &Default::default()).pipeline;
        });
        self.environment().plan(path, &pipeline?)
    }
}
