//! Several files and components: what is found, and what comes out.

use super::{PRELUDE, Std, render};
use crate::check::{Checked, check, inspect};
use crate::import::{Files, ImportError, Imported, identity, resolve};
use crate::pipeline::{NodeKind, Pipeline};
use crate::signature::{ModuleError, ModuleSignature, Modules};
use crate::span::Source;
use indexmap::IndexMap;
use std::sync::Arc;

/// The standard library, and files in memory.
pub(super) struct Memory {
    std: Std,
    files: Vec<(String, String)>,
}

impl Modules for Memory {
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
        self.std.module(path)
    }

    fn known(&self) -> Vec<String> {
        self.std.known()
    }

    fn files(&self) -> &dyn Files {
        self
    }
}

impl Files for Memory {
    fn import(&self, importer: &str, path: &str) -> Result<Imported, ImportError> {
        let path = identity(&resolve(importer, path));
        let source = |(path, text): &(String, String)| Source::new(path, text);
        if let Some(file) = self.files.iter().find(|(name, _)| *name == path) {
            return match path.ends_with(".mlp") {
                true if file.1.contains("unreadable") => Err(ImportError::Unreadable("it is not text".to_owned())),
                true => Ok(Imported::File(source(file))),
                false => Err(ImportError::NotMlp),
            };
        }
        let folder = format!("{path}/");
        let inside = |name: &str| name.strip_prefix(&folder).is_some_and(|rest| !rest.contains('/'));
        let inside: Vec<&(String, String)> = self.files.iter().filter(|(name, _)| inside(name)).collect();
        if inside.is_empty() && path != "." {
            let near = crate::names::nearest(&path, self.files.iter().map(|(name, _)| name.as_str()));
            return Err(ImportError::NotFound { near: near.map(|near| format!("./{near}")) });
        }
        Ok(Imported::Folder(inside.into_iter().filter(|(name, _)| name.ends_with(".mlp")).map(source).collect()))
    }
}

/// The files of a case: the first is `test.mlp`, behind the prelude unless it begins with its edition; others follow lines
/// `--- path`.
pub(super) fn files_of(case: &str) -> (String, Memory) {
    let mut parts = case.split("--- ");
    let first = parts.next().unwrap_or_default();
    let main = if first.starts_with("mlp 1") { first.to_owned() } else { format!("{PRELUDE}{first}") };
    let files = parts.map(|part| part.split_once('\n').unwrap_or((part, "")));
    let mut files: Vec<(String, String)> =
        files.map(|(path, text)| (path.trim().to_owned(), text.to_owned())).collect();
    files.push(("test.mlp".to_owned(), main.clone()));
    (main, Memory { std: Std::new(), files })
}

pub(super) fn checked(case: &str) -> Checked {
    let (main, memory) = files_of(case);
    check(&Source::new("test.mlp", &main), &memory, &IndexMap::new())
}

fn cases(text: &str) -> String {
    let mut out = String::new();
    for case in text.split("\n----\n") {
        let checked = checked(case);
        let errors = checked.findings.iter().any(|finding| finding.is_error());
        assert_eq!(checked.pipeline.is_none(), errors, "a pipeline comes out exactly when nothing is wrong:\n{case}");
        out.push_str(case.trim_end());
        out.push_str("\n\n");
        out.push_str(&render::findings_in(&checked.sources, &checked.findings));
        out.push_str("----\n");
    }
    out
}

#[test]
fn files() {
    insta::assert_snapshot!("files", cases(include_str!("files.txt")));
}

#[test]
fn components() {
    insta::assert_snapshot!("components", cases(include_str!("components.txt")));
}

#[test]
fn reuse_lints() {
    insta::assert_snapshot!("reuse_lints", cases(include_str!("reuse_lints.txt")));
}

/// What a pipeline does, names aside: for each node its content, with references by position.
fn shape(pipeline: &Pipeline) -> Vec<String> {
    let content = |kind: &NodeKind| match kind {
        NodeKind::Step(step) => {
            format!("{}.{} {:?} {:?} {:?}", step.module, step.step, step.params, step.inputs, step.outputs)
        }
        NodeKind::Gate(gate) => gate.requirements.iter().map(|it| format!("{:?}", it.condition)).collect(),
        NodeKind::Data(data) => format!("{:?} {:?}", data.schema.columns, data.source),
        NodeKind::Model(model) => format!("{:?} {:?}", model.source, model.gates),
        _ => String::new(),
    };
    pipeline.nodes.iter().map(|node| format!("{:?} {:?} {}", node.needs, node.when, content(&node.kind))).collect()
}

/// Without what people read: the text of a metric, the name of a schema.
fn without_texts(shape: Vec<String>) -> Vec<String> {
    let texts = |line: String| {
        let mut out = String::new();
        let mut rest = line.as_str();
        while let Some(at) = rest.find("text: \"") {
            out.push_str(&rest[..at]);
            rest = rest[at + 7..].split_once('"').map_or("", |(_, rest)| rest);
        }
        out.push_str(rest);
        out.replace("name: Some(\"common.Customer\")", "").replace("name: Some(\"Customer\")", "")
    };
    shape.into_iter().map(texts).collect()
}

const SCHEMA: &str =
    "schema Customer {\n  id: string unique\n  age: int\n  charges: float?\n  churned: bool label\n}\n";

#[test]
fn a_component_gives_what_its_body_gives_written_out_by_hand() {
    let component = format!(
        r#"mlp 1
use "./lib/common.mlp" as common
data customers: common.Customer {{
  source = csv("customers.csv")
}}
step churn_model = common.trained(customers, seed: 3) when common.big
step report = common.measured(churn_model.clf, churn_model.test)
model churn = churn_model.clf after churn_model
gate last after report {{
  require churn_model.scores.auc >= 0.6
  require report.found.accuracy >= 0.5
}}
model again = churn_model.clf after last
--- lib/common.mlp
mlp 1
use std/tabular
use std/classify
param share: fraction = 20%
param big: bool = true
{SCHEMA}
component trained(rows: dataset<Customer>, seed: int = 7, least: float = 0.5) {{
  step split = tabular.split(rows, test: share, seed: seed)
  step fit   = classify.logistic(split.train)
  step eval  = measured(fit.model, split.test)
  gate sane {{
    require eval.found.auc >= least
  }}
  output clf: model<classifier> = fit.model
  output scores = eval.found
  output test: dataset<Customer> = split.test
}}
component measured(clf: model<classifier>, rows: dataset<Customer>) {{
  step all = classify.evaluate(clf, rows)
  output found = all.metrics
}}
"#
    );
    let by_hand = format!(
        r#"mlp 1
use std/tabular
use std/classify
param share: fraction = 20%
param big: bool = true
{SCHEMA}
data customers: Customer {{
  source = csv("customers.csv")
}}
step split = tabular.split(customers, test: share, seed: 3) when big
step fit   = classify.logistic(split.train) when big
step eval  = classify.evaluate(fit.model, split.test) when big
gate sane {{
  require eval.auc >= 0.5
}}
step report = classify.evaluate(fit.model, split.test)
model churn = fit.model after sane
gate last after report {{
  require eval.metrics.auc >= 0.6
  require report.accuracy >= 0.5
}}
model again = fit.model after last
"#
    );
    let (first, second) = (checked(&component), checked(&by_hand));
    assert_eq!(render::findings_in(&first.sources, &first.findings), "no findings\n");
    assert_eq!(render::findings_in(&second.sources, &second.findings), "no findings\n");
    let (first, second) = (first.pipeline.unwrap(), second.pipeline.unwrap());
    let names: Vec<&str> = first.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "customers",
            "churn_model.split",
            "churn_model.fit",
            "churn_model.eval.all",
            "churn_model.sane",
            "report.all",
            "churn",
            "last",
            "again"
        ]
    );
    assert_eq!(without_texts(shape(&first)), without_texts(shape(&second)));
    assert!(first.params.is_empty(), "parameters of other files are constants");
}

#[test]
fn paths_start_at_the_folder_of_the_file_that_writes_them() {
    let case = r#"mlp 1
use "./lib/common.mlp" as common
step here = common.loaded(path: "here.csv")
step there = common.loaded()
step direct = common.tabular_split(common.customers)
--- lib/common.mlp
mlp 1
use std/tabular
schema Customer {
  age: int
}
data customers: Customer {
  source = csv("own.csv")
}
component loaded(path: string = "default.csv") {
  data rows_in: Customer {
    source = csv(path)
  }
  step split = tabular.split(rows_in)
}
component tabular_split(rows: dataset<Customer>) {
  step split = tabular.split(rows)
}
"#;
    let checked = checked(case);
    assert_eq!(render::findings_in(&checked.sources, &checked.findings), "no findings\n");
    let mut paths: Vec<String> = Vec::new();
    for node in &checked.pipeline.unwrap().nodes {
        if let NodeKind::Data(data) = &node.kind {
            paths.push(format!("{} {}", node.name, data.source.path()));
        }
    }
    assert_eq!(paths, ["common.customers lib/own.csv", "here.rows_in here.csv", "there.rows_in lib/default.csv"]);
}

#[test]
fn a_parameter_of_another_file_is_not_set_from_the_command_line() {
    let case = "mlp 1\nuse \"./common.mlp\" as common\nparam _a: int = common.seed\n--- common.mlp\nmlp 1\nparam seed: int = 7\n";
    let (main, memory) = files_of(case);
    let overrides = [("common.seed".to_owned(), "8".to_owned())].into_iter().collect();
    let checked = check(&Source::new("test.mlp", &main), &memory, &overrides);
    let told: Vec<_> = checked.findings.iter().map(|finding| (&*finding.code.name, finding.help.clone())).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "unknown-param");
    assert!(told[0].1.as_deref().is_some_and(|help| help.contains("constants")), "{told:?}");
}

#[test]
fn a_library_by_itself_is_sound() {
    let text = format!(
        "mlp 1\nparam seed: int = 7\nparam given: int\n{SCHEMA}component nothing(rows: dataset<Customer>) {{\n  output same = rows\n}}\n"
    );
    let findings = inspect(&Source::new("lib.mlp", &text), &Std::new(), &IndexMap::new()).findings;
    assert_eq!(findings, []);
}

#[test]
fn a_chain_of_many_files_ends() {
    let mut case = String::from("mlp 1\nuse \"./f0.mlp\" as f\nparam _a: int = f.x\n");
    for n in 0..700 {
        let next = n + 1;
        case.push_str(&format!("--- f{n}.mlp\nmlp 1\nuse \"./f{next}.mlp\" as f\nparam x: int = f.x\n"));
    }
    let checked = checked(&case);
    assert_eq!(checked.findings.len(), 1, "{}", render::findings_in(&checked.sources, &checked.findings));
    assert_eq!(&*checked.findings[0].code.name, "too-many-files");
}

#[test]
fn instances_of_instances_of_instances_end() {
    let mut case = String::from("mlp 1\nuse std/tabular\n");
    for n in 0..30 {
        let next = n + 1;
        case.push_str(&format!("component c{n}() {{\n  step a = c{next}()\n  step b = c{next}()\n}}\n"));
    }
    case.push_str("component c30() {\n}\nstep all = c0()\n");
    let codes: Vec<_> = checked(&case).findings.iter().map(|finding| finding.code.name.to_string()).collect();
    assert!(codes.contains(&"too-many-nodes".to_owned()), "{codes:?}");
}
