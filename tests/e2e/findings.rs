//! `mlp check` beyond telling: levels, silencers, the baseline, fixes, and what other tools read.

use crate::space::{Space, repository};
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;

/// Two lints, one of which a comment silences, and no error.
const LINTS: &str = r#"mlp 1

param spare: int = 1
param kept: int = 2   # mlp: allow(unused-param) because "read by the next version"

schema Row {
  a: int
}
data rows_in: Row {
  source = csv("rows.csv")
}
pipeline lints {
  about = "Two lints."
}
"#;

/// Three safe fixes and one that a person must look at.
const FIXABLE: &str = r#"use std/tabular
use std/classify
param holdout: fraction = 0.2
schema Row {
  a: int
  b: bool label
}
data rows_in: Row {
  source = csv("rows.csv")
}
step split = tabular.spilt(rows_in, test: holdout)
"#;

fn codes(document: &Value) -> Vec<&str> {
    let findings = document["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["code"].as_str()).collect()
}

/// Gives a text to `mlp check -` with these arguments: exit code, standard output, standard error.
fn piped(space: &Space, text: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = space.command(&[&["check", "-", "--stdin-name", "a.mlp"], arguments].concat());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("mlp starts");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("read");
    let output = child.wait_with_output().expect("mlp ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn levels_decide_what_is_heard_and_how_a_check_ends() {
    let space = Space::new();
    space.write("a.mlp", LINTS);
    for (arguments, exit, heard) in [
        (&[][..], 0, "warning[W0201 unused-param]"),
        (&["--deny", "warnings"], 2, "error[W0201 unused-param]"),
        (&["--deny", "unused-param"], 2, "error[W0201 unused-param]"),
        (&["--deny", "unused-schema,W0201"], 2, "error[W0201 unused-param]"),
        (&["--deny", "warnings", "--warn", "unused-param"], 0, "warning[W0201 unused-param]"),
        (&["--deny", "warnings", "--allow", "unused-param"], 0, "1 file is sound"),
        (&["--allow", "warnings"], 0, "1 file is sound"),
        (&["--deny", "unused-pram"], 2, "did you mean unused-param?"),
        (&["--allow", "unknown-step"], 2, "errors have no level"),
        (&["--allow", "unused-param", "--deny", "unused-param"], 2, "two levels"),
    ] {
        space.mlp(&[&["check", "a.mlp"], arguments].concat()).exits(exit).says(heard);
    }
}

#[test]
fn a_silencer_is_heard_by_every_command() {
    let space = Space::new();
    space.write("a.mlp", LINTS);
    space.mlp(&["check", "a.mlp"]).exits(0).says("spare").never_says("kept");
    space.mlp(&["plan", "a.mlp"]).exits(0).says("spare").never_says("`kept`");
    let document = space.mlp(&["check", "a.mlp", "--output", "json"]).exits(0).json();
    assert_eq!((codes(&document), &document["silenced"]), (vec!["W0201"], &Value::from(1)));
}

#[test]
fn a_baseline_admits_what_was_there_and_tells_when_it_can_shrink() {
    let space = Space::new();
    space.write("lib/a.mlp", LINTS);
    let check =
        |arguments: &[&str]| space.mlp(&[&["check", "lib", "--baseline", "mlp-baseline.json"], arguments].concat());
    check(&[]).exits(2).says("--write-baseline");
    check(&["--write-baseline"]).exits(0).says("wrote mlp-baseline.json: 1 finding");
    insta::assert_snapshot!("baseline", space.read("mlp-baseline.json"));
    check(&["--deny", "warnings"]).exits(0).says("1 finding admitted").says("1 file is sound");

    space.write("lib/a.mlp", LINTS.replace("\nparam spare", "\n# moved\n\n\nparam  spare"));
    check(&["--deny", "warnings"]).exits(0);
    space.write("lib/a.mlp", format!("{LINTS}param more: int = 1\n"));
    check(&["--deny", "warnings"]).exits(2).says("`more`").never_says("`spare`");
    space.write("lib/a.mlp", format!("{LINTS}step x = nowhere.at_all(rows_in)\n"));
    check(&["--write-baseline"]).exits(2).says("error[").says("wrote mlp-baseline.json: 1 finding");
    space.write("lib/a.mlp", LINTS.replace("spare", "_spare"));
    check(&[]).exits(0).says("1 finding of mlp-baseline.json no longer there");
    check(&["--write-baseline"]).exits(0).says("wrote mlp-baseline.json: 0 findings");
    // From another folder the same file is the same file.
    space.write("lib/a.mlp", LINTS);
    check(&["--write-baseline"]).exits(0);
    let mut command = space.command(&["check", "a.mlp", "--baseline", "../mlp-baseline.json", "--deny", "warnings"]);
    let status = command.current_dir(space.path("lib")).status().expect("mlp starts");
    assert!(status.success());
    space.write("mlp-baseline.json", "{");
    check(&[]).exits(2).says("cannot read the baseline");
}

#[test]
fn safe_fixes_are_applied_until_none_is_left() {
    let space = Space::new();
    space.write("a.mlp", FIXABLE);
    let ran = space.mlp(&["check", "a.mlp", "--fix"]).exits(2);
    assert!(ran.stderr().contains("mended 3 findings in a.mlp: "), "{}", ran.text());
    insta::assert_snapshot!("fixed", space.read("a.mlp"));
    let ran = ran.says("E0203");
    assert!(!ran.stdout().contains("E0302"), "what was mended is not told:\n{}", ran.stdout());
    let before = space.read("a.mlp");
    space.mlp(&["check", "a.mlp", "--fix"]).exits(2).never_says("mended");
    assert_eq!(space.read("a.mlp"), before);
    space.mlp(&["check", "a.mlp", "--fix", "--unsafe-fixes"]).exits(0).says("mended 1 finding in a.mlp: unknown-step");
    assert!(space.read("a.mlp").contains("tabular.split("));
    assert_eq!(space.files("."), ["a.mlp"], "nothing is left beside it");
}

#[test]
fn a_diff_shows_what_would_be_mended_and_writes_nothing() {
    let space = Space::new();
    space.write("a.mlp", FIXABLE);
    let ran = space.mlp(&["check", "a.mlp", "--fix", "--diff"]).exits(2);
    insta::assert_snapshot!("fix_diff", ran.stdout());
    assert!(ran.stderr().contains("would mend 3 findings in a.mlp"), "{}", ran.stderr());
    assert_eq!(space.read("a.mlp"), FIXABLE);
    // What it shows is what `--fix` does.
    space.write("a.patch", ran.stdout());
    let patched =
        std::process::Command::new("patch").arg("-s").args(["a.mlp", "a.patch"]).current_dir(space.path(".")).status();
    if patched.is_ok_and(|status| status.success()) {
        let by_hand = space.read("a.mlp");
        space.write("a.mlp", FIXABLE);
        space.mlp(&["check", "a.mlp", "--fix"]).exits(2);
        assert_eq!(space.read("a.mlp"), by_hand);
    }
}

#[test]
fn what_comes_by_a_pipe_goes_by_a_pipe() {
    let space = Space::new();
    let (exit, stdout, stderr) = piped(&space, FIXABLE, &["--fix", "--unsafe-fixes"]);
    space.write("a.mlp", FIXABLE);
    space.mlp(&["check", "a.mlp", "--fix", "--unsafe-fixes"]).exits(0);
    assert_eq!((exit, stdout), (Some(0), space.read("a.mlp")), "{stderr}");
    let (exit, stdout, stderr) = piped(&space, FIXABLE, &["--fix"]);
    assert_eq!(exit, Some(2));
    assert!(stdout.starts_with("mlp 1\n") && !stdout.contains("error"), "only the text:\n{stdout}");
    assert!(stderr.contains("E0203"), "what is left is told beside it:\n{stderr}");
    assert_eq!(piped(&space, "mlp 1\n", &["--fix"]).1, "mlp 1\n", "also when nothing was mended");
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    // Nobody can make a file in this folder, whoever runs the tests.
    if !std::path::Path::new("/proc/version").exists() {
        return;
    }
    let space = Space::new();
    std::os::unix::fs::symlink("/proc/version", space.path("link.mlp")).expect("a link");
    space.mlp(&["check", "link.mlp"]).exits(2).says("missing-edition");
    space.mlp(&["check", "link.mlp", "--fix"]).exits(2).says("cannot write link.mlp").says("the file is as it was");
}

/// A project with an error, a warning, a silenced lint and a sound file; a name that each format has to escape.
fn project() -> Space {
    let space = Space::new();
    space.write(
        "lib/a,b & é.mlp",
        "mlp 1\n# 😀\nparam 😀x: int = 1\nparam a: int = 10%  # mlp: allow(unused-param) because \"soon\"\npipeline p { about = \"x\" }\n",
    );
    space.write("ten.mlp", std::fs::read(repository().join("tests/e2e/cases/ten_mistakes.mlp")).expect("the case"));
    space.write("sound.mlp", "mlp 1\nparam _a: int = 1\n");
    space.write("lint.mlp", LINTS);
    space
}

#[test]
fn full_is_another_name_for_text() {
    let space = project();
    let text = space.mlp(&["check", ".", "--output", "text"]).exits(2).stdout();
    assert_eq!(space.mlp(&["check", ".", "--output", "full"]).exits(2).stdout(), text);
    assert_eq!(space.mlp(&["check", "."]).exits(2).stdout(), text);
}

#[test]
fn formats_for_machines() {
    let space = project();
    for format in ["concise", "github", "gitlab", "junit"] {
        let ran = space.mlp(&["check", ".", "--output", format]).exits(2);
        assert_eq!(ran.stderr(), "", "{format}");
        insta::assert_snapshot!(format!("output_{format}"), ran.stdout());
    }
    let mut sarif = space.mlp(&["check", ".", "--output", "sarif"]).exits(2).json();
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("rules") {
        let heading = format!("{} ", rule["id"].as_str().expect("an id"));
        for (text, start) in [("text", heading.clone()), ("markdown", format!("# {heading}"))] {
            let page = rule["help"][text].as_str().expect("a page").to_owned();
            assert!(page.starts_with(&start), "{page}");
            rule["help"][text] = "(the page)".into();
        }
        rule["fullDescription"]["text"] = "(its first paragraph)".into();
    }
    insta::assert_snapshot!("output_sarif", format!("{sarif:#}"));
}

#[test]
fn other_commands_know_text_and_json_only() {
    let space = Space::new();
    for format in ["concise", "sarif", "github", "gitlab", "junit"] {
        space.mlp(&["runs", "--output", format]).exits(2).says("only `mlp check`");
    }
}

#[test]
fn what_could_not_be_read_is_in_every_format() {
    let space = Space::new();
    space.write("latin.mlp", b"mlp 1\n# caf\xe9\n");
    for (format, told) in
        [("sarif", "toolExecutionNotifications"), ("github", "::error title=unreadable::"), ("junit", "<error")]
    {
        let ran = space.mlp(&["check", "latin.mlp", "--output", format]).exits(2);
        assert!(ran.stdout().contains(told) && ran.stdout().contains("UTF-8"), "{format}: {}", ran.stdout());
    }
    let ran = space.mlp(&["check", "latin.mlp", "--output", "gitlab"]).exits(2).says("UTF-8");
    assert_eq!(ran.stdout(), "[]\n");
}

#[test]
fn a_print_in_a_report_stays_when_lines_move() {
    let space = project();
    let prints = |space: &Space| {
        let document = space.mlp(&["check", "ten.mlp", "--output", "gitlab"]).exits(2).json();
        let issues = document.as_array().expect("issues").clone();
        issues.iter().map(|issue| issue["fingerprint"].as_str().expect("a print").to_owned()).collect::<Vec<_>>()
    };
    let before = prints(&space);
    space.replace("ten.mlp", "mlp 1\n", "mlp 1\n\n# a line more\n\n");
    assert_eq!(prints(&space), before);
    let unlike: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(unlike.len(), before.len());
}

/// The schema that OASIS publishes comes with a package from npm, and Python has a validator; CI has both.
#[test]
fn sarif_is_what_its_schema_says() {
    let (Some(python), Some(schema)) = (std::env::var_os("MLP_TEST_PYTHON"), std::env::var_os("MLP_TEST_SARIF_SCHEMA"))
    else {
        assert!(std::env::var_os("CI").is_none(), "CI must set MLP_TEST_PYTHON and MLP_TEST_SARIF_SCHEMA");
        eprintln!(
            "\n!!! SKIPPED: SARIF was not held against its schema. Set MLP_TEST_PYTHON and MLP_TEST_SARIF_SCHEMA\n"
        );
        return;
    };
    let space = project();
    space.write("latin.mlp", b"mlp 1\n# caf\xe9\n");
    let validate = "import json, sys, jsonschema\n\
        schema, document = (json.load(open(path, encoding='utf-8')) for path in sys.argv[1:])\n\
        kind = jsonschema.validators.validator_for(schema)\n\
        checker = jsonschema.FormatChecker()\n\
        errors = list(kind(schema, format_checker=checker).iter_errors(document))\n\
        print(*(f'{list(error.absolute_path)}: {error.message[:300]}' for error in errors), sep='\\n')\n\
        sys.exit(bool(errors))";
    for arguments in [&["."][..], &["sound.mlp"], &["lint.mlp"]] {
        let sarif = space.mlp(&[&["check", "--output", "sarif"], arguments].concat()).stdout();
        space.write("out.sarif", sarif);
        let mut command = std::process::Command::new(&python);
        let output =
            command.args(["-c", validate]).arg(&schema).arg(space.path("out.sarif")).output().expect("python starts");
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
