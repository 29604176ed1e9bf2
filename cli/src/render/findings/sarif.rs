//! Findings as SARIF 2.1.0, which code hosts and editors read (OASIS, "Static Analysis Results Interchange Format").
//!
//! Paths are relative to the working directory, columns count UTF-16 code units, a lint that a comment silences is there as
//! a suppressed result. The rules are those that have a result.

use super::report::{Region, Report, words};
use crate::pages::{self, Explained};
use crate::render::explain;
use mlp_lang::finding::{Finding, Fix, Label, Place, Safety};
use mlp_lang::silence::Silenced;
use serde::Serialize;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// The name of the folder that paths are relative to.
const ROOT: &str = "%SRCROOT%";

/// The whole document.
pub fn sarif(report: &Report<'_>) -> String {
    let told = report.findings.iter().map(|finding| (finding, None));
    let silenced = report.silenced.iter().map(|silenced| (&silenced.finding, Some(silenced)));
    let all: Vec<(&Finding, Option<&Silenced>)> = told.chain(silenced).collect();
    let prints = report.prints(all.iter().map(|(finding, _)| *finding));
    let mut rules: Vec<Rule> = Vec::new();
    let mut results = Vec::new();
    for ((finding, silenced), print) in all.into_iter().zip(prints) {
        let known = rules.iter().position(|rule| rule.id == finding.code.id);
        let index = known.unwrap_or_else(|| {
            rules.push(Rule::of(finding));
            rules.len() - 1
        });
        results.push(result(report, finding, silenced, index, print));
    }
    let notifications: Vec<Notification> =
        report.unreadable.iter().map(|fault| Notification::of(&fault.text())).collect();
    super::pretty(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver: Driver { name: "mlp", semantic_version: env!("CARGO_PKG_VERSION"), rules } },
            invocations: [Invocation {
                execution_successful: notifications.is_empty(),
                tool_execution_notifications: notifications,
            }],
            original_uri_base_ids: Bases { root: Base { description: Message::text("the working directory") } },
            artifacts: (report.sources.iter())
                .map(|source| Artifact {
                    location: ArtifactLocation::of(&report.path(&source.path)),
                    roles: ["analysisTarget"],
                })
                .collect(),
            column_kind: "utf16CodeUnits",
            results,
        }],
    })
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    original_uri_base_ids: Bases,
    artifacts: Vec<Artifact>,
    column_kind: &'static str,
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    name: String,
    short_description: Message,
    full_description: Message,
    help: Message,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

#[derive(Serialize)]
struct Bases {
    #[serde(rename = "%SRCROOT%")]
    root: Base,
}

#[derive(Serialize)]
struct Base {
    description: Message,
}

#[derive(Serialize)]
struct Artifact {
    location: ArtifactLocation,
    roles: [&'static str; 1],
}

#[derive(Serialize)]
struct Message {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Prints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Mending>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
}

#[derive(Serialize)]
struct Prints {
    #[serde(rename = "mlp/v1")]
    print: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Lines>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lines {
    start_line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<usize>,
    end_line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mending {
    description: Message,
    artifact_changes: [ArtifactChange; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Lines,
    inserted_content: Message,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<String>,
}

impl Message {
    fn text(text: impl Into<String>) -> Message {
        Message { text: text.into(), markdown: None }
    }
}

impl Rule {
    fn of(finding: &Finding) -> Rule {
        let code = &finding.code;
        let explained = pages::find(&code.id);
        let name = format!("{} {}", code.id, code.name);
        let meaning = explained.map_or_else(|| name.clone(), |one| one.meaning.to_owned());
        let plain = |one| anstream::adapter::strip_str(&explain::page(one, usize::MAX)).to_string();
        Rule {
            id: code.id.to_string(),
            name: code.name.to_string(),
            full_description: Message::text(explained.and_then(summary).unwrap_or_else(|| meaning.clone())),
            short_description: Message::text(meaning),
            help: Message { text: explained.map(plain).unwrap_or(name), markdown: explained.map(explain::markdown) },
            // What it is when nobody sets a level: a result has its own.
            default_configuration: Configuration { level: if code.is_lint() { "warning" } else { "error" } },
        }
    }
}

impl Notification {
    fn of(text: &str) -> Notification {
        Notification { level: "error", message: Message::text(text) }
    }
}

impl ArtifactLocation {
    /// A relative path is below the root; an absolute one is a URI of its own.
    fn of(path: &str) -> ArtifactLocation {
        match path.starts_with('/') {
            true => ArtifactLocation { uri: format!("file://{}", encoded(path)), uri_base_id: None },
            false => ArtifactLocation { uri: encoded(path), uri_base_id: Some(ROOT) },
        }
    }
}

impl From<Region> for Lines {
    fn from(region: Region) -> Lines {
        Lines {
            start_line: region.line,
            start_column: region.column,
            end_line: region.end_line,
            end_column: region.end_column,
        }
    }
}

/// The first paragraph of a page, on one line.
fn summary(one: &Explained) -> Option<String> {
    let paragraphs = one.page?.split("\n\n").skip(1);
    let first = paragraphs.map(str::trim).find(|paragraph| !paragraph.starts_with("Level: "))?;
    Some(first.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn result(
    report: &Report<'_>,
    finding: &Finding,
    silenced: Option<&Silenced>,
    rule_index: usize,
    print: String,
) -> Outcome {
    let related = finding.secondary.iter().enumerate();
    let because = |silenced: &Silenced| Suppression { kind: "inSource", justification: silenced.because.clone() };
    Outcome {
        rule_id: finding.code.id.to_string(),
        rule_index,
        level: if finding.is_error() { "error" } else { "warning" },
        message: Message::text(words(finding)),
        locations: [Location { id: None, physical_location: physical(report, &finding.primary.place), message: None }],
        related_locations: related.map(|(index, label)| location(report, label, index + 1)).collect(),
        partial_fingerprints: Prints { print },
        fixes: finding.fix.iter().filter_map(|fix| mending(report, &finding.primary.place, fix)).collect(),
        suppressions: silenced.map(because).into_iter().collect(),
    }
}

fn location(report: &Report<'_>, label: &Label, id: usize) -> Location {
    let message = (!label.text.is_empty()).then(|| Message::text(label.text.clone()));
    Location { id: Some(id), physical_location: physical(report, &label.place), message }
}

fn physical(report: &Report<'_>, place: &Place) -> Physical {
    let (path, region) = report.place(place);
    Physical { artifact_location: ArtifactLocation::of(&path), region: region.map(Lines::from) }
}

fn mending(report: &Report<'_>, place: &Place, fix: &Fix) -> Option<Mending> {
    let Place::Source { path, .. } = place else { return None };
    let source = report.source(path)?;
    let title = match fix.safety {
        Safety::Safe => fix.title.clone(),
        Safety::Unsafe => format!("{}, if that is what is meant", fix.title),
    };
    let replacements = fix.edits.iter().map(|edit| Replacement {
        deleted_region: super::report::region(source, edit.span).into(),
        inserted_content: Message::text(edit.text.clone()),
    });
    Some(Mending {
        description: Message::text(title),
        artifact_changes: [ArtifactChange {
            artifact_location: ArtifactLocation::of(&report.path(path)),
            replacements: replacements.collect(),
        }],
    })
}

/// The path as part of a URI (RFC 3986).
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_relative_reference_whatever_it_holds() {
        assert_eq!(encoded("lib/a b#%é.mlp"), "lib/a%20b%23%25%C3%A9.mlp");
        assert_eq!(ArtifactLocation::of("/x/a.mlp").uri, "file:///x/a.mlp");
        assert_eq!(ArtifactLocation::of("<stdin>").uri, "%3Cstdin%3E");
    }
}
