//! How requirements and expectations came out, with the numbers behind them.

use super::table::{Cell, Table};
use super::text::{BAD, DIM, GOOD, PLAIN};
use super::values;
use mlp_core::record::Verdict;

/// A line for each comparison: what was asked, what was measured, how far off, and why it was asked.
pub fn table(verdicts: &[Verdict], indent: &str, width: Option<usize>) -> String {
    let mut table = Table::new(&[]);
    for verdict in verdicts {
        let (mark, style) = if verdict.held { ("ok", GOOD) } else { ("no", BAD) };
        let because = verdict.because.as_deref().map_or(String::new(), |because| format!("because {because}"));
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
        let (measured, _) = values::pair(only.value.as_ref(), only.threshold.as_ref());
        table.row([
            Cell::styled(style, mark),
            Cell::styled(PLAIN, &verdict.text),
            Cell::styled(if verdict.held { PLAIN } else { BAD }, &measured),
            margin(only.margin, only.threshold.as_ref()),
            Cell::styled(DIM, &because),
        ]);
    }
    table.render(indent, width)
}

fn margin(margin: Option<f64>, threshold: Option<&mlp_lang::value::Value>) -> Cell {
    match margin {
        Some(margin) => Cell::styled(PLAIN, &format!("margin {}", values::margin(margin, threshold))),
        None => "".into(),
    }
}
