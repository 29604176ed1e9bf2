//! `mlp export`, `mlp graph`, `mlp doc`: the checked pipeline for other programs and for people.

use crate::space::Space;
use std::io::Write;
use std::process::{Command, Stdio};

const EXAMPLES: [&str; 2] = ["bikeshare", "breast_cancer"];

/// Everything that the language of a pipeline's live half has, in one file.
const WHOLE: &str = include_str!("cases/export.mlp");

fn exports() -> Vec<(String, String)> {
    let mut exports: Vec<(String, String)> = EXAMPLES
        .iter()
        .map(|example| {
            let space = Space::with_example(example);
            ((*example).to_owned(), space.mlp(&["export", "--json", &format!("{example}.mlp")]).exits(0).stdout())
        })
        .collect();
    let space = Space::new();
    space.write("whole.mlp", WHOLE);
    exports.push(("whole".to_owned(), space.mlp(&["export", "whole.mlp", "-p", "holdout=30%"]).exits(0).stdout()));
    exports
}

#[test]
fn every_export_is_of_the_published_schema() {
    let Some(python) = std::env::var_os("MLP_TEST_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "CI must set MLP_TEST_PYTHON");
        eprintln!("\n!!! SKIPPED: set MLP_TEST_PYTHON to a Python that has jsonschema\n");
        return;
    };
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/pipeline.schema.json");
    let script = "import json, sys, jsonschema\n\
         schema = json.load(open(sys.argv[1]))\n\
         jsonschema.Draft202012Validator.check_schema(schema)\n\
         validator = jsonschema.Draft202012Validator(schema)\n\
         document = json.load(sys.stdin)\n\
         errors = [f'{e.json_path}: {e.message}' for e in validator.iter_errors(document)]\n\
         document['surprise'] = 1\n\
         document['nodes'][0]['surprise'] = 1\n\
         assert len(list(validator.iter_errors(document))) >= 2, 'the schema lets anything through'\n\
         sys.exit('\\n'.join(errors) or 0)\n";
    for (name, export) in exports() {
        let mut child = Command::new(&python)
            .args(["-c", script, schema])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python");
        child.stdin.take().expect("stdin").write_all(export.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("ended");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_document_tells_values_for_programs_and_as_written() {
    let space = Space::new();
    space.write("whole.mlp", WHOLE);
    let document = space.mlp(&["export", "whole.mlp", "-p", "holdout=30%"]).exits(0).json();
    assert_eq!(document["schema"], "mlp.pipeline/1");
    let holdout = &document["parameters"][1];
    assert_eq!((&holdout["value"], &holdout["written"]), (&0.3.into(), &"30%".into()));
    assert_eq!(holdout["overridden"], true);
    let edges: Vec<String> = document["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .map(|edge| format!("{} -> {}: {}", edge["from"], edge["to"], edge["kind"]).replace('"', ""))
        .collect();
    insta::assert_snapshot!("edges", edges.join("\n"));
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_written() {
    let space = Space::new();
    space.write("wrong.mlp", "mlp 1\n\nparam a: int = \"x\"\n");
    for command in
        [&["export", "wrong.mlp", "-o", "out"][..], &["graph", "wrong.mlp", "-o", "out"], &["doc", ".", "-o", "out"]]
    {
        space.mlp(command).exits(2).says("E0301");
        assert!(!space.path("out").exists(), "{command:?}");
    }
}

#[test]
fn a_graph_is_written_in_each_form() {
    let space = Space::new();
    space.write("whole.mlp", WHOLE);
    insta::assert_snapshot!("mermaid", space.mlp(&["graph", "whole.mlp"]).exits(0).stdout());
    insta::assert_snapshot!("dot", space.mlp(&["graph", "whole.mlp", "--format", "dot"]).exits(0).stdout());
    space.mlp(&["graph", "whole.mlp", "-o", "whole.svg"]).exits(0).says("whole.svg");
    insta::assert_snapshot!("svg", space.read("whole.svg"));
    let json = space.mlp(&["graph", "whole.mlp", "--output", "json"]).exits(0).json();
    assert_eq!(json["schema"], "mlp.graph/1");
}

#[test]
fn a_page_tells_all_that_is_declared_and_every_link_leads_somewhere() {
    let space = Space::new();
    space.write("whole.mlp", WHOLE);
    space.write(
        "lib/small.mlp",
        "mlp 1\n\n## Of `small` things, <not> markup.\nparam a: string = \"</code><script>\"\n",
    );
    space.mlp(&["doc", ".", "-o", "out"]).exits(0).says("index.html");
    let page = space.read("out/index.html");
    for wanted in [
        "Nightly export",
        "of <code>small</code> things".replace("of", "Of").as_str(),
        "&lt;not&gt;",
        "below this",
        "p95(latency) &lt;= 250ms",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    assert!(!page.contains("<script"), "markup of a file became markup of the page");
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let links: Vec<&str> = page.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        let target = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads out of the page"));
        assert!(ids.contains(&target), "{link} leads nowhere");
    }
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "an id stands twice");
}
