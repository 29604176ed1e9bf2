//! Whole files: what is right parses clean, what is wrong is told once.

use super::print;
use crate::finding::Finding;
use crate::span::Source;
use crate::syntax::parse;

const GOOD: &str = include_str!("good.mlp");

fn shown(text: &str) -> String {
    let source = Source::new("test.mlp", text);
    print::findings(&source, &parse(&source))
}

#[test]
fn the_example_parses_clean() {
    let syntax = parse(&Source::new("good.mlp", GOOD));
    assert!(syntax.findings.is_empty(), "{}", shown(GOOD));
    insta::assert_snapshot!(print::tree(&syntax.file));
}

#[test]
fn every_layout_that_is_allowed_parses_clean() {
    let source = Source::new("layouts.mlp", include_str!("layouts.mlp"));
    let syntax = parse(&source);
    assert!(syntax.findings.is_empty(), "{}", print::findings(&source, &syntax));
    insta::assert_snapshot!(print::tree(&syntax.file));
}

#[test]
fn nine_mistakes_are_nine_findings() {
    let source = Source::new("nine.mlp", include_str!("nine.mlp"));
    let syntax = parse(&source);
    insta::assert_snapshot!(print::findings(&source, &syntax));
    assert_eq!(syntax.findings.len(), 9);
    // What is whole in the broken declarations is still there, and so is what stands between them.
    insta::assert_snapshot!(print::tree(&syntax.file));
}

#[test]
fn every_declaration_there_is_parses_clean() {
    let source = Source::new("whole.mlp", include_str!("whole.mlp"));
    let syntax = parse(&source);
    assert!(syntax.findings.is_empty(), "{}", print::findings(&source, &syntax));
    insta::assert_snapshot!(print::tree(&syntax.file));
}

/// Each mistake alone, as a user makes it.
#[test]
fn single_mistakes() {
    let cases = include_str!("mistakes.txt").split("\n----\n");
    let shown: Vec<String> = cases.map(|case| shown(&format!("mlp 1\n{case}\n"))).collect();
    insta::assert_snapshot!(shown.join("\n=====\n\n"));
}

/// The fenced examples of a chapter, with what stands after the backticks.
fn fences(chapter: &str) -> Vec<(&str, String)> {
    let mut fences = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in chapter.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => fences.extend(open.take()),
            (Some(info), None) => open = Some((info, String::new())),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    fences
}

#[test]
fn the_specifications_examples_are_true() {
    let chapters = [
        include_str!("../../../../spec/01-lexical.md"),
        include_str!("../../../../spec/02-grammar.md"),
        include_str!("../../../../spec/10-live.md"),
    ];
    let mut seen = 0;
    for (info, text) in chapters.iter().flat_map(|c| fences(c)) {
        let text = if text.starts_with("mlp ") { text } else { format!("mlp 1\n{text}") };
        let findings = parse(&Source::new("spec.mlp", &text)).findings.len();
        match info {
            "mlp" => assert_eq!(findings, 0, "{}", shown(&text)),
            "mlp,bad" => assert_eq!(findings, 1, "{}", shown(&text)),
            _ => continue,
        }
        seen += 1;
    }
    assert!(seen > 20, "only {seen} examples");
}

/// Expressions with their shape, one a line; what could not be read is `ERROR`.
#[test]
fn expressions_have_the_shape_that_precedence_gives() {
    let shaped: Vec<String> = include_str!("expressions.txt")
        .lines()
        .map(|line| {
            let syntax = parse(&Source::new("e.mlp", &format!("mlp 1\nparam x: int = {line}\n")));
            let tree = print::tree(&syntax.file);
            let shape = tree.trim_end().strip_prefix("mlp 1\nparam x: int = ").unwrap_or("nothing").to_owned();
            let findings: Vec<&str> = syntax.findings.iter().map(|f| &*f.code.name).collect();
            format!("{line}\n    {shape} {}", findings.join(" "))
        })
        .collect();
    insta::assert_snapshot!(shaped.join("\n"));
}

#[test]
fn long_texts_lose_their_layout_and_keep_their_lines() {
    let texts = [
        "\"\"\"\n    select *\n      from t\n    where a\n  \"\"\"",
        "\"\"\"one line\"\"\"",
        "\"\"\"first\n    second\n    third\"\"\"",
        "\"\"\"\n  ${a}\n  b ${c} d\n\n    e\n\"\"\"",
        "\"\"\"\r\n  crlf\r\n  \\u{e9}\\n\r\n\"\"\"",
        "\"\"\"\"\"\"",
        "\"\"\"\n\n\"\"\"",
        "\"\"\"\n  \\\"\\\"\\\" \"quoted\" $ \\${no hole}\n\"\"\"",
    ];
    let read = texts.map(|text| {
        let syntax = parse(&Source::new("t.mlp", &format!("mlp 1\nparam x: string = {text}\n")));
        assert!(syntax.findings.is_empty(), "{:?}", syntax.findings);
        format!("{text:?}\n    {}", print::tree(&syntax.file).lines().nth(1).unwrap_or(""))
    });
    insta::assert_snapshot!(read.join("\n"));
}

#[test]
fn byte_order_marks_and_windows_newlines_are_fine() {
    let text = format!("\u{feff}{}", include_str!("good.mlp").replace('\n', "\r\n"));
    let syntax = parse(&Source::new("windows.mlp", &text));
    assert!(syntax.findings.is_empty(), "{:?}", syntax.findings);
    assert_eq!(print::tree(&syntax.file), print::tree(&parse(&Source::new("unix.mlp", GOOD)).file));
}

#[test]
fn a_missing_edition_is_a_warning_with_a_safe_fix_and_a_wrong_one_an_error() {
    insta::assert_snapshot!(
        [
            "",
            "param x: int = 1\n",
            "mlp 2\n",
            "mlp\n",
            "mlp one\n",
            "param x: int = 1\nmlp 1\n",
            "# only a comment",
            "MLP 1\n"
        ]
        .map(shown)
        .join("\n=====\n")
    );
}

#[test]
fn the_names_of_broken_declarations_are_kept() {
    let text = "mlp 1\ntune search on x {}\ndata d S {}\nstpe a = f()\nstep s = f(\nparam p: int = (\nschema T\n";
    let syntax = parse(&Source::new("b.mlp", text));
    let names: Vec<&str> = syntax.broken.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["search", "d", "a"]);
    assert_eq!(print::tree(&syntax.file), "mlp 1\nstep s = ERROR\nparam p: int = ERROR\nschema T\n");
}

const NESTED: &str = "\
deploy production of churn {
  serve = online(port: 8080)
  canary {
    5%  for 10m
    25% until promoted
    100%
    check every 30s {
      error_rate <= 1% fails when error_rate > 5%
      p95(latency) <= 250ms
      on_no_data = wait
      tolerate = 2 failures, 1 inconclusive
    }
  }
  rollback within 30s
}
monitor health of production {
  every 1h over 24h
  reference = split.train
  watch drift(age) <= 0.1
  on breach for 2 windows {
    alert webhook(\"http://localhost\")
    retrain(until: now)
  }
  on_no_data = wait
}
on change customers {
  run(until: now)
}
";

/// Each line of each block, nested or not, replaced by one that means nothing.
#[test]
fn a_wrong_line_in_a_nested_block_is_one_finding_and_leaves_the_others_whole() {
    let good = print::tree(&parse(&Source::new("n.mlp", &format!("mlp 1\n{NESTED}"))).file);
    let lines: Vec<&str> = NESTED.lines().collect();
    let members = lines.iter().enumerate().filter(|(_, l)| l.starts_with(' ') && !l.contains(['{', '}']));
    for (at, member) in members {
        let mut broken = lines.clone();
        broken[at] = "      1 1";
        let source = Source::new("n.mlp", &format!("mlp 1\n{}\n", broken.join("\n")));
        let syntax = parse(&source);
        let places: Vec<usize> = print::spans(&syntax).iter().map(|s| source.line_column(s.start).0).collect();
        assert_eq!((syntax.findings.len(), places.first()), (1, Some(&(at + 2))), "{member}: {:?}", syntax.findings);
        let tree = print::tree(&syntax.file);
        let missing = good.lines().filter(|line| !tree.lines().any(|kept| kept == *line)).count();
        let of_its_own = if member.contains("tolerate") { 2 } else { 1 };
        assert!(missing <= of_its_own, "{member}: {tree}");
        assert!(good.lines().count() - tree.lines().count() <= of_its_own, "{member}: {tree}");
    }
}

/// Every fix that is offered takes its finding away and brings no other.
#[test]
fn every_fix_mends_its_finding() {
    let mut fixes = 0;
    for case in include_str!("mistakes.txt").split("\n----\n") {
        let text = format!("mlp 1\n{case}\n");
        let before = parse(&Source::new("fix.mlp", &text)).findings;
        for fix in before.iter().filter_map(|f| f.fix.as_ref()) {
            let mut mended = text.clone();
            for edit in fix.edits.iter().rev() {
                mended.replace_range(edit.span.range(), &edit.text);
            }
            let after = parse(&Source::new("fix.mlp", &mended)).findings.len();
            assert_eq!(after, before.len() - 1, "{}\n{mended}", fix.title);
            fixes += 1;
        }
    }
    assert!(fixes > 15, "only {fixes} fixes");
}

#[test]
fn a_flood_of_mistakes_is_cut_off() {
    let lines = "  a b\n".repeat(5_000);
    let syntax = parse(&Source::new("flood.mlp", &format!("mlp 1\nschema S {{\n{lines}}}\nparam x: int = 1\n")));
    assert_eq!(syntax.findings.len(), crate::syntax::MOST_FINDINGS + 1);
    assert_eq!(syntax.findings.last().map(|f| &*f.code.name), Some("too-many-findings"));
}

/// Also where the flood is in the last declaration, with nothing behind it that would show that something is left out.
#[test]
fn a_flood_in_the_last_declaration_is_cut_off_and_told() {
    let flood = |lines: usize| {
        let text = format!("mlp 1\nschema S {{\n{}}}\n", "  a b\n".repeat(lines));
        parse(&Source::new("flood.mlp", &text)).findings
    };
    let told = |findings: &[Finding]| findings.iter().any(|f| f.code.name == "too-many-findings");
    let most = crate::syntax::MOST_FINDINGS;
    assert_eq!((flood(most).len(), told(&flood(most))), (most, false));
    assert_eq!((flood(most + 1).len(), told(&flood(most + 1))), (most + 1, true));
    assert_eq!((flood(5_000).len(), told(&flood(5_000))), (most + 1, true));
}
