//! How tests came out: for people, as JSON, and as a JUnit report.

use super::text::{BAD, DIM, GOOD, clean, one_line, plural, styled};
use super::{time, values};
use mlp_core::record::Millis;
use mlp_core::view::{NodeState, NodeView};
use serde_json::{Value, json};

/// How one test came out.
pub struct Told {
    pub file: String,
    pub name: String,
    /// Where it stands, one-based.
    pub line: usize,
    pub took: Millis,
    pub lines: Vec<Line>,
}

/// How one expectation came out.
pub struct Line {
    pub text: String,
    pub because: Option<String>,
    /// Where it stands, one-based.
    pub line: usize,
    /// Why it did not come true.
    pub why: Option<String>,
}

impl Told {
    /// Whether everything came true.
    pub fn passed(&self) -> bool {
        self.lines.iter().all(|line| line.why.is_none())
    }
}

/// The file whose tests follow.
pub fn heading(file: &str) -> String {
    format!("{}\n", clean(file))
}

/// A test, and below it what did not come true.
pub fn told(test: &Told) -> String {
    let mark = if test.passed() { styled(GOOD, "pass") } else { styled(BAD, "FAIL") };
    let mut text = format!("  {mark}  {}  {}\n", one_line(&test.name), styled(DIM, time::took(test.took)));
    for line in &test.lines {
        let Some(why) = &line.why else { continue };
        text.push_str(&format!("        expect {}: {}\n", one_line(&line.text), one_line(why)));
        if let Some(because) = &line.because {
            text.push_str(&format!("          {}\n", styled(DIM, format!("because {}", one_line(because)))));
        }
        let place = format!("{}:{}", clean(&test.file), line.line);
        text.push_str(&format!("          {}\n", styled(DIM, place)));
    }
    text
}

/// How many passed.
pub fn summary(told: &[Told]) -> String {
    let failed = told.iter().filter(|test| !test.passed()).count();
    let passed = told.len() - failed;
    let counts = match failed {
        0 => styled(GOOD, format!("{} passed", plural(passed, "test"))),
        _ => styled(BAD, format!("{} of {} failed", failed, plural(told.len(), "test"))),
    };
    format!("{counts}\n")
}

/// What a node that did not end as expected did instead.
pub fn ended(node: &NodeView) -> String {
    let reason = || node.reason.clone().unwrap_or_else(|| "nobody said why".to_owned());
    match node.state {
        NodeState::Done | NodeState::Reused | NodeState::Requested | NodeState::Passed => "it passed".to_owned(),
        NodeState::Asking => "all that it measures holds, and it waits for people".to_owned(),
        NodeState::Failed => {
            let why = node.failure().map_or_else(reason, |failure| failure.message.clone());
            format!("it failed: {why}")
        }
        NodeState::Blocked => match broken(node) {
            broken if broken.is_empty() => "it said no".to_owned(),
            broken => broken.join("; "),
        },
        NodeState::Skipped => format!("it was skipped: {}", reason()),
        NodeState::Waiting | NodeState::Running | NodeState::Retrying => "it did not end".to_owned(),
    }
}

/// What was measured where a condition did not hold.
fn broken(node: &NodeView) -> Vec<String> {
    let mut broken = Vec::new();
    for verdict in node.verdicts.iter().filter(|verdict| !verdict.passes()) {
        for part in verdict.measured.iter().filter(|part| !part.held) {
            let (measured, threshold) = values::pair(part.value.as_ref(), part.threshold.as_ref());
            broken.push(format!(
                "{} is {measured}, not {} {threshold}",
                part.text,
                values::comparison(part.comparison)
            ));
        }
        if verdict.measured.iter().all(|part| part.held) {
            broken.push(format!("{} does not hold", verdict.text));
        }
    }
    broken
}

/// `mlp.test/1`
pub fn json(told: &[Told]) -> Value {
    let failed = told.iter().filter(|test| !test.passed()).count();
    json!({
        "schema": "mlp.test/1",
        "passed": told.len() - failed,
        "failed": failed,
        "tests": told.iter().map(|test| json!({
            "file": test.file,
            "line": test.line,
            "name": test.name,
            "passed": test.passed(),
            "seconds": seconds(test.took),
            "expectations": test.lines.iter().map(|line| json!({
                "text": line.text,
                "line": line.line,
                "because": line.because,
                "passed": line.why.is_none(),
                "why": line.why,
            })).collect::<Value>(),
        })).collect::<Value>(),
    })
}

/// A JUnit report: a suite for each file.
pub fn junit(told: &[Told]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let mut files: Vec<&str> = told.iter().map(|test| test.file.as_str()).collect();
    files.dedup();
    for file in files {
        let tests: Vec<&Told> = told.iter().filter(|test| test.file == file).collect();
        let failed = tests.iter().filter(|test| !test.passed()).count();
        let took: Millis = tests.iter().map(|test| test.took).sum();
        text.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{}\">\n",
            escaped(file),
            tests.len(),
            seconds(took)
        ));
        for test in tests {
            let (name, time) = (escaped(&test.name), seconds(test.took));
            let open = format!(
                "    <testcase name=\"{name}\" classname=\"{}\" file=\"{0}\" line=\"{1}\" time=\"{time}\"",
                escaped(file),
                test.line
            );
            text.push_str(&open);
            if test.passed() {
                text.push_str("/>\n");
                continue;
            }
            text.push_str(">\n");
            for line in &test.lines {
                let Some(why) = &line.why else { continue };
                let because = line.because.as_ref().map(|because| format!("\nbecause {because}")).unwrap_or_default();
                text.push_str(&format!(
                    "      <failure message=\"{}\">{}</failure>\n",
                    escaped(&format!("expect {}: {why}", line.text)),
                    escaped(&format!("{}:{}{because}", test.file, line.line))
                ));
            }
            text.push_str("    </testcase>\n");
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// Text as it may stand in XML 1.0; what may not stand there at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' | '\r' => escaped.push(' '),
            control if (control as u32) < 0x20 || matches!(control, '\u{FFFE}' | '\u{FFFF}') => {}
            other => escaped.push(other),
        }
    }
    escaped
}

fn seconds(took: Millis) -> f64 {
    took as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<Told> {
        let line = |text: &str, why: Option<&str>| Line {
            text: text.to_owned(),
            because: why.map(|_| "it \"matters\" & counts".to_owned()),
            line: 7,
            why: why.map(str::to_owned),
        };
        let told = |name: &str, lines| Told { file: "churn.mlp".into(), name: name.into(), line: 5, took: 1234, lines };
        vec![
            told("good", vec![line("customers fails", None)]),
            told(
                "bad <one>",
                vec![line("eval.auc >= 0.7", Some("eval.auc is 0.62, not >= 0.7")), line("g passes", None)],
            ),
        ]
    }

    #[test]
    fn people_see_what_did_not_come_true() {
        let text: String = two().iter().map(told).collect();
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(plain + &anstream::adapter::strip_str(&summary(&two())).to_string());
    }

    #[test]
    fn reports_are_well_formed() {
        insta::assert_snapshot!(junit(&two()));
        assert_eq!(escaped("a\u{1}\u{1b}[31m<&\n"), "a[31m&lt;&amp;&#10;");
        let json = json(&two());
        assert_eq!((&json["passed"], &json["failed"]), (&1.into(), &1.into()));
    }
}
