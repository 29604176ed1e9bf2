//! Which column of the file is which of the schema's: by name, in any order, one to one.

use crate::codes;
use crate::report::{At, Report, is_unseen, nearest, quoted, thousands};
use mlp_lang::types::Column;
use std::collections::{HashMap, HashSet};

/// Names listed in one message.
const LISTED: usize = 5;
/// Names looked through for a likely slip of the pen.
const LOOKED_AT: usize = 2_000;

/// For each declared column its place in the file. `None`: something is wrong and was reported.
pub(crate) fn match_columns(declared: &[Column], found: &[&str], line: u64, report: &mut Report) -> Option<Vec<usize>> {
    let at = At { row: 0, line };
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(found.len());
    let (mut doubles, mut doubled) = (Vec::new(), HashSet::new());
    for (place, name) in found.iter().enumerate() {
        if let Some(first) = places.get(name) {
            if doubled.insert(*name) {
                doubles.push((*name, *first, place));
            }
        } else {
            places.insert(name, place);
        }
    }
    let known: HashSet<&str> = declared.iter().map(|c| c.name.as_str()).collect();
    let mut extra: Vec<&str> = found.iter().copied().filter(|n| !known.contains(n)).collect();
    let missing: Vec<&Column> = declared.iter().filter(|c| !places.contains_key(c.name.as_str())).collect();
    if !missing.is_empty() && missing.len() == declared.len() && line > 0 && found.iter().any(|n| is_number(n)) {
        let message = || "the file has no header: its first line looks like a row of values".to_owned();
        report.add(codes::COLUMN_MISSING, at, None, message, |f| {
            f.note(format!("the first line holds {}", listed(found)))
                .help(format!("put a line above the rows that names the columns: {}", listed(&names_of(&missing))))
        });
        return None;
    }
    for (name, first, second) in &doubles {
        let message = || format!("the column {} is there more than once", quoted(name));
        report.add(codes::HEADER_DUPLICATE, at, None, message, |f| {
            f.note(format!("the first two are columns {} and {} of the file", first + 1, second + 1))
                .help("give each column a name of its own, or remove the copies")
        });
    }
    // A misspelt name is one mistake, not a missing column and an extra one.
    let mut strange = Vec::new();
    for column in missing {
        match nearest(&column.name, extra.iter().copied().take(LOOKED_AT)) {
            Some(near) => {
                extra.retain(|n| *n != near);
                misspelt(column, near, at, report);
            }
            None => strange.push(column),
        }
    }
    if strange.len() > 1 && strange.len() == declared.len() {
        let message = || format!("not one declared column is in the file: {}", listed(&names_of(&strange)));
        report.add(codes::COLUMN_MISSING, at, None, message, |f| {
            f.note(format!("the file has {}", listed(found))).help("see whether this is the right file and schema")
        });
        return None;
    }
    for column in &strange {
        let message = || format!("the column {} is not in the file", quoted(&column.name));
        report.add(codes::COLUMN_MISSING, at, Some(&column.name), message, |f| {
            f.note(format!("the file has {}", listed(found)))
                .help("add the column to the file, or remove it from the schema")
        });
    }
    // When every declared column is missing too, the extra ones are the same mistake seen from the other side.
    if !extra.is_empty() && (strange.len() < declared.len() || declared.is_empty()) {
        let message = || match extra.as_slice() {
            [one] => format!("the column {} is not declared", quoted(one)),
            more => format!("{} columns are not declared: {}", thousands(more.len() as u64), listed(more)),
        };
        let first = extra.first().copied().unwrap_or_default();
        let column = (extra.len() == 1).then_some(first);
        let example: String = first.chars().take(60).collect();
        let help =
            || format!("declare it in the schema, for example `{example:?}: string`, or leave it out of the file");
        report.add(codes::COLUMN_EXTRA, at, column, message, |f| f.help(help()));
    }
    if !report.is_clean() {
        return None;
    }
    declared.iter().map(|c| places.get(c.name.as_str()).copied()).collect()
}

fn misspelt(column: &Column, near: &str, at: At, report: &mut Report) {
    let message = || format!("the column {} is not in the file, which has {}", quoted(&column.name), quoted(near));
    report.add(codes::COLUMN_MISSING, at, Some(&column.name), message, |f| {
        f.help(if near.chars().any(is_unseen) {
            "remove the characters that cannot be seen: they are written as `\\u{...}` above"
        } else {
            "rename one of them, in the file or in the schema"
        })
    });
}

fn is_number(name: &str) -> bool {
    name.trim().parse::<f64>().is_ok()
}

fn names_of<'a>(columns: &[&'a Column]) -> Vec<&'a str> {
    columns.iter().map(|c| c.name.as_str()).collect()
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|n| quoted(n)).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), thousands(more as u64)),
    }
}
