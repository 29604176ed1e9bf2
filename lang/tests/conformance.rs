//! `spec/conformance/`: what any implementation of the language has to find in a file, or to make of it. Its README has the
//! notation. `INSTA_UPDATE=always` writes what this implementation makes; read the difference before it is kept.

use indexmap::IndexMap;
use mlp_lang::check::check;
use mlp_lang::finding::{Finding, Place};
use mlp_lang::pipeline::{NodeKind, Pipeline};
use mlp_lang::signature::{ModuleError, ModuleSignature, Modules};
use mlp_lang::span::Source;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The modules that the cases may use.
struct Signatures(Vec<Arc<ModuleSignature>>);

impl Modules for Signatures {
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
        let found = self.0.iter().find(|module| module.name == path);
        found.cloned().ok_or_else(|| ModuleError::NotFound(path.to_owned()))
    }

    fn known(&self) -> Vec<String> {
        self.0.iter().map(|module| module.name.clone()).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/conformance")
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn every_case_has_the_outcome_that_is_written() {
    let text = std::fs::read_to_string(root().join("modules.json")).expect("the modules");
    let modules: Vec<ModuleSignature> = serde_json::from_str(&text).expect("signatures");
    let modules = Signatures(modules.into_iter().map(Arc::new).collect());
    let update = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    let (mut cases, mut differences) = (0, Vec::new());
    for folder in sorted(&root()).into_iter().filter(|path| path.is_dir()) {
        let file = folder.join("expected.json");
        let mut found = BTreeMap::new();
        for path in sorted(&folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "mlp")) {
            let text = std::fs::read_to_string(&path).expect("a case");
            found.insert(name(&path), outcome(&name(&path), &text, &modules));
        }
        if update {
            std::fs::write(&file, written(&found)).expect("the outcomes are written");
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_else(|_| "{}".to_owned());
        let expected: BTreeMap<String, Value> = serde_json::from_str(&expected).expect("outcomes");
        cases += found.len();
        let names = found.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>();
        for case in names.into_iter().filter(|case| found.get(*case) != expected.get(*case)) {
            let show = |outcome: Option<&Value>| outcome.map_or("nothing".to_owned(), Value::to_string);
            let (expected, found) = (show(expected.get(case)), show(found.get(case)));
            differences.push(format!("{}/{case}\n  expected {expected}\n  found    {found}", name(&folder)));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(cases >= 60, "only {cases} cases");
}

/// One case a block, so that a difference is read easily.
fn written(outcomes: &BTreeMap<String, Value>) -> String {
    let outcomes: Vec<String> = outcomes
        .iter()
        .map(|(case, outcome)| {
            let outcome = serde_json::to_string_pretty(outcome).expect("JSON").replace('\n', "\n  ");
            format!("  {}: {outcome}", json!(case))
        })
        .collect();
    format!("{{\n{}\n}}\n", outcomes.join(",\n"))
}

fn outcome(path: &str, text: &str, modules: &Signatures) -> Value {
    let source = Source::new(path, text);
    let checked = check(&source, modules, &IndexMap::new());
    let mut outcome = Map::new();
    let findings: Vec<Value> = checked.findings.iter().map(|finding| json!(shown(&source, finding))).collect();
    outcome.insert("findings".to_owned(), Value::Array(findings));
    if let Some(pipeline) = &checked.pipeline {
        if !pipeline.params.is_empty() {
            let values = pipeline.params.iter().map(|(name, param)| (name.clone(), json!(param.value.to_string())));
            outcome.insert("values".to_owned(), Value::Object(values.collect()));
        }
        if !pipeline.nodes.is_empty() {
            outcome.insert("graph".to_owned(), json!(graph(pipeline)));
        }
    }
    Value::Object(outcome)
}

/// `E0201 12:34`
fn shown(source: &Source, finding: &Finding) -> String {
    match &finding.primary.place {
        Place::Source { span, .. } => {
            let (line, column) = source.line_column(span.start);
            format!("{} {line}:{column}", finding.code.id)
        }
        Place::Data { .. } => finding.code.id.to_string(),
    }
}

/// `step eval <- split, train`, sorted.
fn graph(pipeline: &Pipeline) -> Vec<String> {
    let mut lines: Vec<String> = pipeline
        .nodes
        .iter()
        .map(|node| {
            let mut needs: Vec<&str> =
                node.needs.iter().filter_map(|id| Some(pipeline.nodes.get(id.index())?.name.as_str())).collect();
            needs.sort_unstable();
            let arrow = if needs.is_empty() { "" } else { " <- " };
            format!("{} {}{arrow}{}", keyword(&node.kind), node.name, needs.join(", "))
        })
        .collect();
    lines.sort();
    lines
}

/// The keyword that declares such a node. Kinds are told by their name in the pipeline's document.
fn keyword(kind: &NodeKind) -> String {
    let document = serde_json::to_value(kind).expect("a document");
    let name = document.as_object().and_then(|kind| kind.keys().next()).expect("a kind").clone();
    match name.as_str() {
        "program" | "query" | "fan" => "step".to_owned(),
        "search" => "tune".to_owned(),
        "trigger" => "on".to_owned(),
        _ => name,
    }
}
