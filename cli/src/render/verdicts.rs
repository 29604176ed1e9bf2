//! How requirements and expectations came out, with the numbers behind them.

use super::table::{Cell, Table, wrapped};
use super::text::{BAD, DIM, GOOD, PLAIN};
use super::values;
use mlp_core::record::Verdict;

/// A line for each comparison: what was asked, what was measured, how far off, and why it was asked. Nothing of it is ever
/// cut: where a line has no room for the reason, the reason stands below it.
pub fn table(verdicts: &[Verdict], indent: &str, width: Option<usize>) -> String {
    let whole = numbers(verdicts, true);
    if width.is_none_or(|width| indent.len() + whole.natural_width() <= width) {
        return whole.render(indent, None);
    }
    let mut text = String::new();
    let bare = numbers(verdicts, false).render(indent, None);
    let mut lines = bare.lines();
    for verdict in verdicts {
        let parts = if verdict.measured.len() == 1 || verdict.waived.is_some() { 0 } else { verdict.measured.len() };
        lines.by_ref().take(1 + parts).for_each(|line| text.push_str(&format!("{line}\n")));
        let because = verdict.because.as_deref().map(|because| format!("because {}", super::text::one_line(because)));
        let room = width.unwrap_or(usize::MAX).saturating_sub(indent.len() + 4).max(20);
        for line in because.iter().flat_map(|because| wrapped(because, room)) {
            text.push_str(&format!("{indent}    {}\n", super::text::styled(DIM, line)));
        }
    }
    text
}

fn numbers(verdicts: &[Verdict], with_reasons: bool) -> Table {
    let mut table = Table::new(&[]);
    for verdict in verdicts {
        let (mark, style) = if verdict.held { ("ok", GOOD) } else { ("no", BAD) };
        let because = verdict.because.as_deref().filter(|_| with_reasons);
        let because = because.map_or(String::new(), |because| format!("because {because}"));
        if let Some(why) = &verdict.waived {
            table.row([
                Cell::styled(DIM, "--"),
                Cell::styled(PLAIN, &verdict.text),
                Cell::styled(DIM, &format!("waived, {why}")),
                "".into(),
                Cell::styled(DIM, &because),
            ]);
            continue;
        }
        let [only] = verdict.measured.as_slice() else {
            // Several comparisons, or none: the whole sentence first, its parts below it.
            table.row([
                Cell::styled(style, mark),
                Cell::styled(PLAIN, &verdict.text),
                "".into(),
                "".into(),
                Cell::styled(DIM, &because),
            ]);
            for part in &verdict.measured {
                let (measured, threshold) = values::pair(part.value.as_ref(), part.threshold.as_ref());
                let asked = format!("  {} {} {threshold}", part.text, values::comparison(part.comparison));
                table.row([
                    "".into(),
                    Cell::styled(DIM, &format!("· {}", asked.trim_start())),
                    measured.into(),
                    margin(part.margin, part.threshold.as_ref()),
                ]);
            }
            continue;
        };
        let (mut measured, threshold) = values::pair(only.value.as_ref(), only.threshold.as_ref());
        // `rmse <= 0.75 * other.rmse` does not show what it came to.
        if only.threshold.as_ref().is_some_and(|value| !verdict.text.contains(&value.to_string()))
            && !verdict.text.contains(&threshold)
        {
            measured.push_str(&format!(" against {threshold}"));
        }
        table.row([
            Cell::styled(style, mark),
            Cell::styled(PLAIN, &verdict.text),
            Cell::styled(if verdict.held { PLAIN } else { BAD }, &measured),
            margin(only.margin, only.threshold.as_ref()),
            Cell::styled(DIM, &because),
        ]);
    }
    table
}

fn margin(margin: Option<f64>, threshold: Option<&mlp_lang::value::Value>) -> Cell {
    match margin {
        Some(margin) => Cell::styled(PLAIN, &format!("margin {}", values::margin(margin, threshold))),
        None => "".into(),
    }
}

/// A verdict on part of a line: `eval.rmse 38.1 <= 77.2`.
pub fn short(verdict: &Verdict) -> String {
    let part = |part: &mlp_core::record::Measured| {
        let (measured, threshold) = values::pair(part.value.as_ref(), part.threshold.as_ref());
        let mark = if part.held { "" } else { "not " };
        format!("{} {measured} {mark}{} {threshold}", part.text, values::comparison(part.comparison))
    };
    match (&verdict.waived, verdict.measured.as_slice()) {
        (Some(why), _) => format!("{} waived ({why})", verdict.text),
        (None, []) => verdict.text.clone(),
        (None, parts) => parts.iter().map(part).collect::<Vec<_>>().join(" and "),
    }
}
