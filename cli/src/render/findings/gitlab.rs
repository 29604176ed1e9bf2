//! Findings as GitLab's code quality report.

use super::report::{Report, words};
use serde::Serialize;

/// One entry of the report.
#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// A JSON array. What could not be read is told on standard error: it has no place in a file.
pub fn gitlab(report: &Report<'_>) -> String {
    let prints = report.prints(report.findings);
    let issues: Vec<Issue<'_>> = (report.findings.iter().zip(prints))
        .map(|(finding, fingerprint)| {
            let (path, region) = report.place(&finding.primary.place);
            let (begin, end) = region.map_or((1, 1), |region| (region.line, region.end_line));
            Issue {
                description: format!("{} {}: {}", finding.code.id, finding.code.name, words(finding)),
                check_name: &finding.code.name,
                fingerprint,
                severity: if finding.is_error() { "major" } else { "minor" },
                location: Location { path, lines: Lines { begin, end } },
            }
        })
        .collect();
    super::pretty(&issues)
}
