//! Findings as workflow commands of GitHub Actions, which become annotations of a pull request.

use super::report::{Report, words};

/// One command a line.
pub fn github(report: &Report<'_>) -> String {
    let mut text = String::new();
    for finding in report.findings {
        let (path, region) = report.place(&finding.primary.place);
        let command = if finding.is_error() { "error" } else { "warning" };
        let mut properties = vec![("file", path)];
        if let Some(region) = region {
            properties.push(("line", region.line.to_string()));
            // Columns are refused where a place goes over several lines.
            let columns = (region.line == region.end_line).then_some(region.column.zip(region.end_column)).flatten();
            properties.extend(columns.map(|(column, _)| ("col", column.to_string())));
            properties.push(("endLine", region.end_line.to_string()));
            properties.extend(columns.map(|(_, end)| ("endColumn", end.to_string())));
        }
        properties.push(("title", format!("{} {}", finding.code.id, finding.code.name)));
        text.push_str(&line(command, &properties, &words(finding)));
    }
    for fault in report.unreadable {
        text.push_str(&line("error", &[("title", "unreadable".to_owned())], &fault.text()));
    }
    text
}

fn line(command: &str, properties: &[(&str, String)], message: &str) -> String {
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    format!("::{command} {}::{}\n", properties.join(","), data(message))
}

/// What a message may not hold: it would end the line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What a property may not hold: it would end the property, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_or_a_path_ends_the_command() {
        let written = line("error", &[("file", "a,b:c\n.mlp".to_owned())], "100%, a: b\r\n::warning::c");
        assert_eq!(written, "::error file=a%2Cb%3Ac%0A.mlp::100%25, a: b%0D%0A::warning::c\n");
        assert_eq!(written.lines().count(), 1);
    }
}
