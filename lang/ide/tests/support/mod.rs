//! Documents with marks, a world with the standard library's signatures, and answers as text.

#![allow(dead_code, reason = "each suite uses its part")]

use mlp_ide::{Environment, LastValue, Workspace};
use mlp_lang::pipeline::Pipeline;
use mlp_lang::signature::{ModuleError, ModuleSignature, Modules};
use mlp_lang::span::Span;
use mlp_lang::types::MetricField;
use std::fmt::Write;
use std::sync::Arc;

/// The standard library's signatures, and what a run measured.
pub struct World(Vec<Arc<ModuleSignature>>);

impl World {
    pub fn shared() -> Arc<World> {
        static WORLD: std::sync::OnceLock<Arc<World>> = std::sync::OnceLock::new();
        let read = || {
            let signatures = include_str!("../../../src/check/tests/std.json");
            let modules: Vec<ModuleSignature> = serde_json::from_str(signatures).expect("signatures");
            Arc::new(World(modules.into_iter().map(Arc::new).collect()))
        };
        WORLD.get_or_init(read).clone()
    }
}

impl Modules for World {
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
        let found = self.0.iter().find(|module| module.name == path);
        found.cloned().ok_or_else(|| ModuleError::NotFound(path.to_owned()))
    }

    fn known(&self) -> Vec<String> {
        self.0.iter().map(|module| module.name.clone()).filter(|name| name.starts_with("std/")).collect()
    }
}

impl Environment for World {
    fn modules(&self, _path: &str, ask: &mut dyn FnMut(&dyn Modules)) {
        ask(self);
    }

    fn last_value(&self, _path: &str, node: &str, _output: &str, metric: &MetricField) -> Option<LastValue> {
        (node == "eval" && metric.name == "auc")
            .then(|| LastValue { value: "0.912".to_owned(), run: "run 7".to_owned() })
    }

    fn plan(&self, _path: &str, pipeline: &Pipeline) -> Option<String> {
        Some(format!("{} nodes", pipeline.nodes.len()))
    }
}

pub const PATH: &str = "/work/a.mlp";

/// What stands above each case, unless it begins with `mlp`.
pub const PRELUDE: &str = include_str!("prelude.mlp");

/// A text without its mark `$0`, and where that stood.
pub fn marked(text: &str) -> (String, u32) {
    let at = text.find("$0").unwrap_or(text.len());
    (text.replacen("$0", "", 1), at as u32)
}

/// A workspace with one document.
pub fn workspace(text: &str) -> Workspace {
    let mut workspace = Workspace::new(World::shared());
    workspace.set(PATH, text, Some(1));
    workspace
}

/// Runs each case of a file, `== title` above it, and gives cases and answers as one text.
pub fn cases(text: &str, answer: impl Fn(&Workspace, u32) -> String) -> String {
    let mut out = String::new();
    for case in text.split("== ").skip(1) {
        let (title, body) = case.split_once('\n').unwrap_or((case, ""));
        let whole = if body.starts_with("mlp") { body.to_owned() } else { format!("{PRELUDE}{body}") };
        let (clean, at) = marked(&whole);
        let answer = answer(&workspace(&clean), at);
        let _ = write!(out, "== {title}\n{}\n-->\n{}\n\n", body.trim_end(), answer.trim_end());
    }
    out
}

/// The line of a place with the place marked.
pub fn shown(text: &str, span: Span) -> String {
    let start = text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let end = text[span.end as usize..].find('\n').map_or(text.len(), |at| span.end as usize + at);
    let line = text[..span.start as usize].matches('\n').count() + 1;
    format!("{line}: {}<{}>{}", &text[start..span.start as usize], &text[span.range()], &text[span.end as usize..end])
}
