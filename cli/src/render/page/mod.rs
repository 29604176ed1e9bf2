//! The story of deployments as one HTML page: what was watched over time, with the versions marked, and what happened.
//!
//! The page needs nothing but itself: no script, no font, no network.

mod chart;
mod series;

use super::time;
use mlp_live::machine::{Entry, Told};
use series::Series;
use std::sync::Arc;

pub const STYLE: &str = include_str!("page.css");

/// The page.
pub fn story(title: &str, entries: &[Entry], told: &[Arc<Told>]) -> String {
    let about: Vec<&str> = told.iter().map(|told| told.about.as_str()).collect();
    let series = Series::of(entries, &about);
    let mut body = format!("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escape(title), escape(&summary(&series, told)));
    for chart in &series.charts {
        body.push_str(&chart::figure(chart, &series));
    }
    body.push_str("<h2>What happened</h2>\n<table>\n");
    for told in told {
        body.push_str(&format!(
            "<tr><td class=\"when\">{}</td><td class=\"about\">{}</td><td>{}</td></tr>\n",
            escape(&time::absolute(told.at)),
            escape(&told.about),
            escape(&told.words)
        ));
    }
    body.push_str("</table>\n");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

fn summary(series: &Series, told: &[Arc<Told>]) -> String {
    let (Some(first), Some(last)) = (told.first(), told.last()) else { return "Nothing happened yet.".to_owned() };
    let versions = series.versions.len();
    format!(
        "{} to {}: {} served, {} of {} windows in breach.",
        time::day(first.at),
        time::day(last.at),
        if versions == 1 { "one version".to_owned() } else { format!("{versions} versions, one after the other,") },
        series.breached,
        series.windows,
    )
}

/// Text in HTML and in SVG.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_data_becomes_markup() {
        assert_eq!(escape("<script>\"&\u{7}"), "&lt;script&gt;&quot;&amp;\u{fffd}");
    }
}
