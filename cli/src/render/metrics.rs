//! The numbers that steps gave.

use super::table::{Cell, Table};
use super::text::{PLAIN, thousands};
use super::values::significant;
use mlp_core::metrics::{Group, Metrics};

/// A table of the numbers, then one for each column they were also taken by.
pub fn tables(metrics: &Metrics, indent: &str, width: Option<usize>) -> String {
    let mut table = Table::new(&[]).right(&[1]);
    for (name, value) in &metrics.metrics {
        table.row([Cell::styled(PLAIN, name), number(*value)]);
    }
    let mut text = table.render(indent, width);
    let mut columns: Vec<&str> = metrics.groups.iter().map(|group| group.by.as_str()).collect();
    columns.dedup();
    for by in columns {
        text.push('\n');
        let groups: Vec<&Group> = metrics.groups.iter().filter(|group| group.by == by).collect();
        // As many groups side by side as there is room for, the others below them.
        let fits = |count: &usize| {
            groups
                .chunks(*count)
                .all(|part| width.is_none_or(|width| indent.len() + by_group(part).natural_width() <= width))
        };
        let side_by_side = (1..=groups.len()).rev().find(fits).unwrap_or(1);
        let parts: Vec<String> = groups.chunks(side_by_side).map(|part| by_group(part).render(indent, width)).collect();
        text.push_str(&parts.join("\n"));
    }
    text
}

/// A line for each number, a column for each group: groups are few, numbers are many.
fn by_group(groups: &[&Group]) -> Table {
    let mut table = Table::new(&[]).right(&(1..=groups.len()).collect::<Vec<_>>());
    let by = groups.first().map_or("", |group| group.by.as_str());
    table.row(
        [Cell::styled(super::text::DIM, &format!("by {by}"))]
            .into_iter()
            .chain(groups.iter().map(|group| Cell::styled(super::text::DIM, &group.value))),
    );
    table.row([Cell::from("rows")].into_iter().chain(groups.iter().map(|group| Cell::from(thousands(group.rows)))));
    // The count stands above already.
    let names = groups.iter().flat_map(|group| group.metrics.keys()).filter(|name| *name != "rows");
    for name in names.collect::<std::collections::BTreeSet<_>>() {
        let cells = groups.iter().map(|group| number(group.metrics.get(name).copied().flatten()));
        table.row([Cell::styled(PLAIN, name)].into_iter().chain(cells));
    }
    table
}

fn number(value: Option<f64>) -> Cell {
    value.map_or_else(|| "missing".to_owned(), |value| significant(value, 6)).into()
}
