//! Registered models.

use super::table::{Cell, Table};
use super::text::{DIM, STRONG, clean, indented, styled};
use super::{time, verdicts};
use mlp_core::record::{Millis, ModelVersion};
use std::path::Path;

/// The latest version of each model.
pub fn latest(models: &[ModelVersion]) -> Vec<&ModelVersion> {
    let mut latest: Vec<&ModelVersion> = Vec::new();
    for model in models {
        match latest.iter_mut().find(|known| known.name == model.name) {
            Some(known) if known.version < model.version => *known = model,
            Some(_) => {}
            None => latest.push(model),
        }
    }
    latest
}

/// A line a model.
pub fn table(models: &[&ModelVersion], now: Millis, width: Option<usize>) -> String {
    let mut table = Table::new(&["model", "version", "flavor", "digest", "from", "registered"]).right(&[1]);
    for model in models {
        table.row([
            Cell::styled(STRONG, &model.name),
            model.version.to_string().into(),
            model.flavor.as_str().into(),
            model.digest.short().into(),
            format!("run {} of {}, {}", model.run, model.pipeline, model.source).into(),
            Cell::styled(DIM, &time::ago(model.at, now)),
        ]);
    }
    table.render("", width)
}

/// Everything that is known of one version.
pub fn text(
    model: &ModelVersion,
    versions: &[&ModelVersion],
    file: Option<&Path>,
    now: Millis,
    width: Option<usize>,
) -> String {
    let mut text = format!(
        "{} version {}, {}\n",
        styled(STRONG, format!("model {}", clean(&model.name))),
        model.version,
        clean(&model.flavor)
    );
    let mut facts = Table::new(&[]);
    let file = file.map_or("no longer there".to_owned(), |file| file.display().to_string());
    for (name, value) in [
        ("registered", format!("{} ({})", time::absolute(model.at), time::ago(model.at, now))),
        ("made by", format!("run {} of {}, {}", model.run, model.pipeline, model.source)),
        ("digest", format!("blake3:{}", model.digest)),
        ("file", file),
        ("component", format!("{}, blake3:{}", model.module, model.component)),
        ("features", format!("{}: {}", model.features.len(), model.features.join(", "))),
    ] {
        facts.row([Cell::styled(DIM, name), value.into()]);
    }
    text.push_str(&facts.render("  ", None));
    for (gate, judged) in &model.gates {
        text.push_str(&format!("\n  passed gate {}\n", styled(STRONG, clean(gate))));
        text.push_str(&verdicts::table(judged, "    ", width));
    }
    if !model.card.is_empty() {
        text.push_str("\n  card\n");
        let mut card = Table::new(&[]);
        for (key, value) in &model.card {
            card.row([Cell::styled(DIM, key), value.as_str().into()]);
        }
        text.push_str(&card.render("    ", None));
    }
    let others: Vec<String> = versions
        .iter()
        .filter(|other| other.version != model.version)
        .map(|other| format!("{}@{}", clean(&other.name), other.version))
        .collect();
    if !others.is_empty() {
        text.push_str(&format!("\n  other versions: {}\n", others.join(", ")));
    }
    text.push_str(&indented(&format!("\nhow it came about: mlp show {}", model.run), "  "));
    text
}
