//! Findings as a JUnit report: a suite for each file, a failed case for each error, a passed one for each warning, and one
//! that passed for a file without errors.

use super::report::{Report, words};
use crate::render::text::clean;
use indexmap::IndexMap;
use mlp_lang::finding::Finding;

/// An XML document.
pub fn junit(report: &Report<'_>) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures) = (0, 0);
    let mut suites_of: IndexMap<String, Vec<(&Finding, usize)>> =
        report.sources.iter().map(|source| (report.path(&source.path), Vec::new())).collect();
    for finding in report.findings {
        let (path, region) = report.place(&finding.primary.place);
        suites_of.entry(path).or_default().push((finding, region.map_or(1, |region| region.line)));
    }
    for (path, here) in suites_of {
        let failed = here.iter().filter(|(finding, _)| finding.is_error()).count();
        let count = here.len() + usize::from(failed == 0);
        (tests, failures) = (tests + count, failures + failed);
        suites.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{count}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"0\">\n",
            escaped(&path)
        ));
        if failed == 0 {
            suites.push_str(&format!("    <testcase name=\"check\" classname=\"{}\" time=\"0\"/>\n", escaped(&path)));
        }
        here.iter().for_each(|(finding, line)| suites.push_str(&case(finding, &path, *line)));
        suites.push_str("  </testsuite>\n");
    }
    let errors = report.unreadable.len();
    if errors > 0 {
        tests += errors;
        suites.push_str(&format!(
            "  <testsuite name=\"unreadable\" tests=\"{errors}\" failures=\"0\" errors=\"{errors}\" skipped=\"0\" time=\"0\">\n"
        ));
        for fault in report.unreadable {
            suites.push_str(&format!(
                "    <testcase name=\"{0}\" classname=\"unreadable\" time=\"0\">\n      <error type=\"unreadable\" \
                 message=\"{0}\">{1}</error>\n    </testcase>\n",
                escaped(&fault.error),
                escaped(&fault.text())
            ));
        }
        suites.push_str("  </testsuite>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mlp check\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"{errors}\" time=\"0\">\n{suites}</testsuites>\n"
    )
}

fn case(finding: &Finding, path: &str, line: usize) -> String {
    let name = format!("{} {}, line {line}", finding.code.id, finding.code.name);
    let told = escaped(&format!("{path}:{line}: {}", words(finding)));
    let inside = match finding.is_error() {
        true => format!(
            "<failure type=\"{}\" message=\"{}\">{told}</failure>",
            escaped(&finding.code.name),
            attribute(&finding.message)
        ),
        false => format!("<system-out>{told}</system-out>"),
    };
    let (name, path) = (escaped(&name), escaped(path));
    format!("    <testcase name=\"{name}\" classname=\"{path}\" time=\"0\">\n      {inside}\n    </testcase>\n")
}

/// The text as XML. Characters that XML has no way to write are written out.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in clean(text).chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            _ => xml.push(character),
        }
    }
    xml
}

/// The same, with newlines that an attribute keeps.
fn attribute(text: &str) -> String {
    escaped(text).replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_file_holds_breaks_the_document() {
        assert_eq!(
            escaped("a<b> & \"c\" \u{1b}[0m\u{ffff}é\n"),
            "a&lt;b&gt; &amp; &quot;c&quot; \\u{1b}[0m\u{fffd}é\n"
        );
        assert_eq!(attribute("a\nb"), "a&#10;b");
    }
}
