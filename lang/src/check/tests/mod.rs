//! What users see: source and findings, side by side; and the pipelines that come out.

mod files;
mod laws;
mod render;

use crate::check::{Checked, check, inspect};
use crate::pipeline::NodeKind;
use crate::signature::{ModuleError, ModuleSignature, Modules};
use crate::span::Source;
use indexmap::IndexMap;
use std::sync::Arc;

/// The standard library's signatures, and `test/settings` for kinds of settings that it does not have.
struct Std(Vec<Arc<ModuleSignature>>);

impl Std {
    fn new() -> Std {
        Std(serde_json::from_str::<Vec<ModuleSignature>>(include_str!("std.json"))
            .unwrap()
            .into_iter()
            .map(Arc::new)
            .collect())
    }
}

impl Modules for Std {
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
        match self.0.iter().find(|module| module.name == path) {
            Some(module) => Ok(module.clone()),
            None if path.ends_with(".wasm") => {
                Err(ModuleError::Unusable { path: path.to_owned(), reason: "it is no component".to_owned() })
            }
            None => Err(ModuleError::NotFound(path.to_owned())),
        }
    }

    fn known(&self) -> Vec<String> {
        self.0.iter().map(|module| module.name.clone()).filter(|name| name.starts_with("std/")).collect()
    }
}

const PRELUDE: &str = include_str!("prelude.mlp");

fn checked(text: &str) -> Checked {
    checked_with(text, &[])
}

fn checked_with(text: &str, overrides: &[(&str, &str)]) -> Checked {
    let overrides: IndexMap<String, String> =
        overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    check(&Source::new("test.mlp", text), &Std::new(), &overrides)
}

/// Each snippet of a file of cases, behind the prelude unless it brings its own first line, with what is found in it.
fn cases(text: &str) -> String {
    let mut out = String::new();
    for case in text.split("\n----\n") {
        let whole = if case.starts_with("mlp 1") { case.to_owned() } else { format!("{PRELUDE}{case}") };
        let source = Source::new("test.mlp", &whole);
        out.push_str(case.trim_end());
        out.push_str("\n\n");
        out.push_str(&render::findings(&source, &checked(&whole).findings));
        out.push_str("----\n");
    }
    out
}

macro_rules! case_files {
    ($($name:ident: $file:literal;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), cases(include_str!($file)));
        })*
    };
}

case_files! {
    names: "names.txt";
    expressions: "expressions.txt";
    calls: "calls.txt";
    data: "data.txt";
    gates: "gates.txt";
    params: "params.txt";
    later: "later.txt";
    registry: "registry.txt";
    deploy: "deploy.txt";
    monitor: "monitor.txt";
    trigger: "trigger.txt";
    tune: "tune.txt";
    testing: "testing.txt";
    people: "people.txt";
    certainty: "certainty.txt";
    serving: "serving.txt";
    ab: "ab.txt";
    events: "events.txt";
    programs: "programs.txt";
    secrets: "secrets.txt";
    sources: "sources.txt";
    queries: "queries.txt";
    fans: "fans.txt";
    silence: "silence.txt";
    constants: "constants.txt";
    tables: "tables.txt";
    wiring: "wiring.txt";
    leaks: "leaks.txt";
    rules: "rules.txt";
}

#[test]
fn the_prelude_is_sound() {
    let checked = checked(PRELUDE);
    assert_eq!(render::findings(&Source::new("test.mlp", PRELUDE), &checked.findings), "no findings\n");
    insta::assert_snapshot!(serde_json::to_string_pretty(&checked.pipeline).unwrap());
}

#[test]
fn a_silencer_tells_its_reason_and_what_it_silences() {
    let checked = checked(&format!("{PRELUDE}param a: int = 1   # mlp: allow(unused-param) because \"soon\"\n"));
    let silenced: Vec<_> = checked.silenced.iter().map(|one| (&*one.finding.code.id, one.because.as_deref())).collect();
    assert_eq!(silenced, [("W0201", Some("soon"))]);
    assert!(checked.pipeline.is_some());
}

#[test]
fn a_file_without_its_edition_can_say_that_it_means_to() {
    assert_eq!(checked("# mlp: allow(missing-edition)\nparam _a: int = 1\n").findings, []);
}

#[test]
fn what_is_silent_for_one_value_may_speak_for_another() {
    let text = format!(
        "{PRELUDE}param a: fraction = 50%\ngate g {{\n  require (eval.auc ?? 0%) >= a   # mlp: allow(always-holds)\n}}\n"
    );
    let names = |checked: Checked| checked.findings.iter().map(|one| one.code.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(checked_with(&text, &[])), ["unused-silencer"]);
    assert_eq!(names(checked_with(&text, &[("a", "0%")])), [""; 0]);
    assert_eq!(names(checked_with(&text, &[("a", "60%")])), [""; 0]);
}

const LIVE: &str = include_str!("live.mlp");

#[test]
fn what_is_live_becomes_nodes_of_the_same_graph() {
    let checked = checked(LIVE);
    assert_eq!(render::findings(&Source::new("test.mlp", LIVE), &checked.findings), "no findings\n");
    let pipeline = checked.pipeline.unwrap();
    let live = pipeline.nodes.iter().filter(|node| {
        matches!(node.kind, NodeKind::Registry(_) | NodeKind::Deploy(_) | NodeKind::Monitor(_) | NodeKind::Trigger(_))
    });
    let mut out = String::new();
    for node in &pipeline.nodes {
        out.push_str(&format!("{} {} needs {:?} when {:?}\n", node.id.0, node.name, node.needs, node.when));
    }
    for node in live {
        out.push_str(&format!("{} {:?} {:#?}\n", node.name, node.doc, node.kind));
    }
    insta::assert_snapshot!(out);
    assert!(pipeline.batch().iter().all(|node| !node.kind.is_resident()));
    assert_eq!(pipeline.nodes.len() - pipeline.batch().len(), 4);
    assert!(pipeline.nodes.iter().enumerate().all(|(at, node)| node.id.index() == at));
    let text = serde_json::to_string(&pipeline).unwrap();
    assert_eq!(serde_json::from_str::<crate::pipeline::Pipeline>(&text).unwrap(), pipeline);
}

const WHOLE: &str = include_str!("whole.mlp");

#[test]
fn searches_tests_and_everything_that_lives_become_a_document() {
    let source = Source::new("test.mlp", WHOLE);
    let checked = checked(WHOLE);
    assert_eq!(render::findings(&source, &checked.findings), "no findings\n");
    let pipeline = checked.pipeline.unwrap();
    let mut out = String::new();
    for node in &pipeline.nodes {
        out.push_str(&format!("{} {} needs {:?}\n", node.id.0, node.name, node.needs));
        match &node.kind {
            NodeKind::Tune(it) => out.push_str(&format!("{it:#?}\n")),
            NodeKind::Gate(it) => out.push_str(&format!("{:#?} {:#?}\n", it.policies, it.approvals)),
            NodeKind::Deploy(it) => out.push_str(&format!("{:#?} {:#?}\n", it.form, it.strategy)),
            NodeKind::Trigger(it) => out.push_str(&format!("{it:#?}\n")),
            _ => {}
        }
    }
    out.push_str(&format!("{:#?}\n", pipeline.tests));
    insta::assert_snapshot!(out);
    let text = serde_json::to_string(&pipeline).unwrap();
    assert_eq!(serde_json::from_str::<crate::pipeline::Pipeline>(&text).unwrap(), pipeline);
}

#[test]
fn a_test_runs_what_it_asks_about_and_nothing_else() {
    let pipeline = checked(WHOLE).pipeline.unwrap();
    let mut out = String::new();
    for test in &pipeline.tests {
        let run = pipeline.for_test(test);
        out.push_str(&format!("{}: told by {:?}\n", test.name, run.told_by));
        for node in &run.pipeline.nodes {
            let source = match &node.kind {
                NodeKind::Data(data) => format!(" reads {}", data.source.path()),
                NodeKind::Step(step) => format!(" from {:?}", step.inputs.values().collect::<Vec<_>>()),
                NodeKind::Gate(gate) => format!(" requires {:?}", gate.requirements[0].condition),
                _ => String::new(),
            };
            out.push_str(&format!("  {} {} needs {:?}{source}\n", node.id.0, node.name, node.needs));
        }
        assert!(run.told_by.iter().all(|told| run.pipeline.nodes.iter().any(|node| node.name == *told)));
        assert!(run.pipeline.nodes.iter().enumerate().all(|(at, node)| node.id.index() == at));
        assert!(run.pipeline.nodes.iter().all(|node| node.needs.iter().all(|need| need.0 < node.id.0)));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_cannot_be_carried_out_is_said_at_its_place() {
    use crate::capability::{Capability, missing};
    let source = Source::new("test.mlp", WHOLE);
    let pipeline = checked(WHOLE).pipeline.unwrap();
    let run = missing(&source, &pipeline, Capability::is_resident);
    let serve = missing(&source, &pipeline, |_| false);
    insta::assert_snapshot!(render::findings(&source, &serve));
    assert_eq!((run.len(), serve.len()), (5, 8));
    let live = checked(LIVE).pipeline.unwrap();
    assert_eq!(missing(&Source::new("live.mlp", LIVE), &live, |_| false), []);
}

#[test]
fn a_pipeline_written_by_an_earlier_version_is_read() {
    let pipeline = checked(LIVE).pipeline.unwrap();
    let mut document = serde_json::to_value(&pipeline).unwrap();
    document.as_object_mut().unwrap().remove("tests").unwrap();
    document["from_the_future"] = 1.into();
    assert_eq!(serde_json::from_value::<crate::pipeline::Pipeline>(document).unwrap(), pipeline);
}

#[test]
fn ten_planted_mistakes_are_ten_findings() {
    let text = include_str!("ten.mlp");
    let findings = checked(text).findings;
    insta::assert_snapshot!(render::findings(&Source::new("ten.mlp", text), &findings));
    assert_eq!(findings.len(), 10);
}

#[test]
fn overrides_are_read_in_the_syntax_of_their_type() {
    let params = "mlp 1\nparam _a: int = 1\nparam _b: fraction?\nparam _c: string = \"x\"\nparam _d: \"on\" | \"off\" = \"on\"\nparam _e: list<float> = []\nparam _f: date = 2020-01-01\n";
    let good =
        [("_a", "-3"), ("_b", "null"), ("_c", "plain words"), ("_d", "off"), ("_e", "[1, 2.5]"), ("_f", "2024-02-29")];
    let good = checked_with(params, &good);
    assert_eq!(good.findings, []);
    let mut out = String::new();
    for (name, param) in good.pipeline.unwrap().params {
        out.push_str(&format!("{name} = {} ({}, overridden: {})\n", param.value, param.ty, param.overridden));
    }
    let bad = [
        ("_a", "1.5"),
        ("_b", "0.2"),
        ("_c", "\"${x}\""),
        ("_d", "of"),
        ("_e", "[1, \"a\"]"),
        ("_f", "2024-02-30\nparam g: int = 1"),
        ("seed", "1"),
    ];
    out.push_str(&render::findings(&Source::new("test.mlp", params), &checked_with(params, &bad).findings));
    insta::assert_snapshot!(out);
}

/// Codes that need more than one file or no file to come about, each with the test that gives it.
const GIVEN_ELSEWHERE: &[&str] = &["E0213", "E0309", "E0411", "E0216", "E0231", "E0433"];

#[test]
fn every_code_has_a_wrong_example() {
    let snapshots: String = [
        include_str!("snapshots/mlp_lang__check__tests__names.snap"),
        include_str!("snapshots/mlp_lang__check__tests__expressions.snap"),
        include_str!("snapshots/mlp_lang__check__tests__calls.snap"),
        include_str!("snapshots/mlp_lang__check__tests__data.snap"),
        include_str!("snapshots/mlp_lang__check__tests__gates.snap"),
        include_str!("snapshots/mlp_lang__check__tests__params.snap"),
        include_str!("snapshots/mlp_lang__check__tests__later.snap"),
        include_str!("snapshots/mlp_lang__check__tests__registry.snap"),
        include_str!("snapshots/mlp_lang__check__tests__deploy.snap"),
        include_str!("snapshots/mlp_lang__check__tests__monitor.snap"),
        include_str!("snapshots/mlp_lang__check__tests__trigger.snap"),
        include_str!("snapshots/mlp_lang__check__tests__files__files.snap"),
        include_str!("snapshots/mlp_lang__check__tests__files__components.snap"),
        include_str!("snapshots/mlp_lang__check__tests__files__reuse_lints.snap"),
        include_str!("snapshots/mlp_lang__check__tests__programs.snap"),
        include_str!("snapshots/mlp_lang__check__tests__secrets.snap"),
        include_str!("snapshots/mlp_lang__check__tests__sources.snap"),
        include_str!("snapshots/mlp_lang__check__tests__what_an_engine_cannot_do_is_said_before_anything_runs.snap"),
        include_str!(
            "snapshots/mlp_lang__check__tests__what_a_machine_does_not_have_is_said_before_anything_runs.snap"
        ),
        include_str!("snapshots/mlp_lang__check__tests__tune.snap"),
        include_str!("snapshots/mlp_lang__check__tests__testing.snap"),
        include_str!("snapshots/mlp_lang__check__tests__people.snap"),
        include_str!("snapshots/mlp_lang__check__tests__certainty.snap"),
        include_str!("snapshots/mlp_lang__check__tests__serving.snap"),
        include_str!("snapshots/mlp_lang__check__tests__ab.snap"),
        include_str!("snapshots/mlp_lang__check__tests__events.snap"),
        include_str!("snapshots/mlp_lang__check__tests__queries.snap"),
        include_str!("snapshots/mlp_lang__check__tests__fans.snap"),
        include_str!("snapshots/mlp_lang__check__tests__silence.snap"),
        include_str!("snapshots/mlp_lang__check__tests__leaks.snap"),
        include_str!("snapshots/mlp_lang__check__tests__rules.snap"),
        include_str!("snapshots/mlp_lang__check__tests__ten_planted_mistakes_are_ten_findings.snap"),
    ]
    .concat();
    for (code, _) in crate::codes::ALL.iter().filter(|(code, _)| !GIVEN_ELSEWHERE.contains(&&*code.id)) {
        assert!(snapshots.contains(&format!("[{} {}]", code.id, code.name)), "no example of {} {}", code.id, code.name);
    }
}

#[test]
fn the_spec_lists_every_code() {
    let spec = include_str!("../../../../spec/06-findings.md");
    for (code, meaning) in crate::codes::ALL {
        let line = format!("| `{}` | `{}` | {meaning} |", code.id, code.name);
        assert!(spec.contains(&line), "spec/06-findings.md lacks {line}");
    }
}

#[test]
fn a_flood_of_mistakes_in_meaning_is_cut_off() {
    let steps: String = (0..2_000).map(|n| format!("step s{n} = tabular.split(gone{n})\n")).collect();
    let findings = checked(&format!("{PRELUDE}{steps}")).findings;
    assert_eq!(findings.len(), crate::syntax::MOST_FINDINGS + 1);
    assert_eq!(findings.last().map(|finding| &*finding.code.name), Some("too-many-findings"));
}

#[test]
fn a_parameter_without_a_value_is_no_mistake_before_a_run() {
    let text = format!("{PRELUDE}param a: int\nstep b = tabular.split(customers, seed: a)\n");
    let source = Source::new("test.mlp", &text);
    let seen = inspect(&source, &Std::new(), &IndexMap::new());
    assert_eq!(seen.findings, []);
    assert!(seen.pipeline.is_none());
    let given = [("a".to_owned(), "1".to_owned())].into_iter().collect();
    assert!(inspect(&source, &Std::new(), &given).pipeline.is_some());
}

#[test]
fn the_ten_mistakes_of_the_whole_tool_are_ten_findings() {
    let text = include_str!("../../../../tests/e2e/cases/ten_mistakes.mlp");
    let findings = checked(text).findings;
    let names: Vec<&str> = findings.iter().map(|finding| &*finding.code.name).collect();
    assert_eq!(names.len(), 10, "{}", render::findings(&Source::new("ten_mistakes.mlp", text), &findings));
}

/// What a pipeline asks for beyond what every engine does, said at the place that asks.
#[test]
fn what_an_engine_cannot_do_is_said_before_anything_runs() {
    let text = format!(
        "{PRELUDE}pipeline p {{ allow = [\"process\"] }}\nstep a = docker(\"x:1\") {{ out {{ x: file }} }}\n\
         step b = process([\"make\"])\n\
         step c = tabular.split(customers, test: 10%) {{ retry = 2, backoff = 1s, cache = false }}\n\
         step q = sql \"select id, age, churned from customers\"\n\
         step r = tabular.split(customers, test: 10%, seed: s) for s in [1, 2]\n\
         data d: Customer {{ source = csv(\"https://example.com/rows.csv\"), pii mask }}\n\
         data e: Customer {{ source = split.train, pii allow }}\n\
         data f: Customer {{ source = json_lines(\"s3://bucket/rows.jsonl\") }}\n\
         data g: Customer {{ source = sql(\"postgres://db/shop\", query: \"select 1\") }}\n"
    );
    let source = Source::new("test.mlp", &text);
    let checked = checked(&text);
    assert_eq!(render::findings(&source, &checked.findings), "no findings\n");
    let pipeline = checked.pipeline.unwrap();
    assert_eq!(crate::capability::missing(&source, &pipeline, |_| true), []);
    insta::assert_snapshot!(render::findings(&source, &crate::capability::missing(&source, &pipeline, |_| false)));
}

#[test]
fn what_a_machine_does_not_have_is_said_before_anything_runs() {
    let text = format!(
        "{PRELUDE}pipeline p {{ allow = [\"process\"] }}\n\
         step a = process([\"make\"]) {{\n  cpu = 4\n  gpu = 2\n  out {{ x: file }}\n}}\n\
         step b = tabular.split(customers, test: 10%) {{ memory = 64MiB }}\n\
         step c = tabular.split(customers, test: 10%, seed: s) for s in [1, 2] {{ memory = 3GiB }}\n"
    );
    let source = Source::new("test.mlp", &text);
    let checked = checked(&text);
    let pipeline = checked.pipeline.unwrap();
    let present = crate::capability::Present { cpu: 2_000, memory: 1 << 30, gpus: 0 };
    let findings = crate::capability::beyond(&source, &pipeline, &present);
    insta::assert_snapshot!(render::findings(&source, &findings));
    let large = crate::capability::Present { cpu: 4_000, memory: 3 << 30, gpus: 2 };
    assert_eq!(crate::capability::beyond(&source, &pipeline, &large), []);
}
