//! What looking after the state folder came to.

use super::text::{BAD, GOOD, clean, plural, styled};
use super::values::size;
use mlp_core::transfer::{Exported, Imported};
use mlp_core::upkeep::{Compacted, Swept, Tally, Verified};
use serde_json::{Value, json};
use std::path::Path;

/// `mlp state verify`
pub fn verified(verified: &Verified, fast: bool) -> String {
    let mut text = String::new();
    for problem in &verified.problems {
        text.push_str(&format!("{} {}\n", styled(BAD, "wrong:"), clean(&problem.what)));
        text.push_str(&format!("  means: {}\n  next:  {}\n", clean(&problem.means), clean(&problem.todo)));
    }
    for note in &verified.notes {
        text.push_str(&format!("note: {}\n", clean(note)));
    }
    let looked = format!(
        "{}, {} and {} ({}{})",
        plural(verified.runs, "run"),
        plural(verified.models, "registered version"),
        plural(count(verified.artifacts.files), "artifact"),
        size(verified.artifacts.bytes),
        if fast { ", not read" } else { "" },
    );
    text.push_str(&match verified.problems.len() {
        0 => format!("{} {looked}\n", styled(GOOD, "sound:")),
        some => format!("{} in {looked}\n", plural(some, "problem")),
    });
    text
}

/// `mlp.state.verify/1`
pub fn verified_json(verified: &Verified, fast: bool) -> Value {
    let problems = verified.problems.iter();
    let problems = problems
        .map(|it| json!({"kind": it.kind, "what": it.what, "means": it.means, "next": it.todo}))
        .collect::<Value>();
    json!({
        "schema": "mlp.state.verify/1",
        "sound": verified.problems.is_empty(),
        "fast": fast,
        "problems": problems,
        "notes": verified.notes,
        "runs": verified.runs,
        "models": verified.models,
        "artifacts": tally_json(verified.artifacts),
        "store_compared": verified.store_compared,
    })
}

/// `mlp state gc`
pub fn swept(swept: &Swept, dry_run: bool) -> String {
    let verb = if dry_run { "would remove" } else { "removed" };
    let mut text = format!("{verb} {} of runs that are not kept\n", tally(swept.removed, "result"));
    if swept.strays.files > 0 {
        text.push_str(&format!("{verb} {} that no run ever named\n", tally(swept.strays, "file")));
    }
    if swept.logs.files > 0 {
        text.push_str(&format!("{verb} {} of detached runs that are not kept\n", tally(swept.logs, "log")));
    }
    if swept.spared.files > 0 {
        text.push_str(&format!("spared {} that are too young\n", tally(swept.spared, "file")));
    }
    text.push_str(&format!(
        "kept {} of {} of {} and the registry\n",
        tally(swept.kept, "result"),
        swept.runs_kept,
        plural(swept.runs, "run")
    ));
    text
}

/// `mlp.state.gc/1`
pub fn swept_json(swept: &Swept, dry_run: bool) -> Value {
    json!({
        "schema": "mlp.state.gc/1",
        "dry_run": dry_run,
        "removed": tally_json(swept.removed),
        "strays": tally_json(swept.strays),
        "logs": tally_json(swept.logs),
        "spared": tally_json(swept.spared),
        "kept": tally_json(swept.kept),
        "runs": swept.runs,
        "runs_kept": swept.runs_kept,
    })
}

/// `mlp state compact`
pub fn compacted(compacted: &Compacted, dry_run: bool) -> String {
    match (compacted.runs.as_slice(), dry_run) {
        ([], _) => "nothing to fold: no run is old enough\n".to_owned(),
        (runs, true) => format!(
            "would fold {} ({} in {}) into one file\n",
            plural(runs.len(), "run"),
            size(compacted.before),
            plural(count(compacted.files), "file"),
        ),
        (runs, false) => format!(
            "folded {} ({} in {}) into one file of {}\n",
            plural(runs.len(), "run"),
            size(compacted.before),
            plural(count(compacted.files), "file"),
            size(compacted.after),
        ),
    }
}

/// `mlp.state.compact/1`
pub fn compacted_json(compacted: &Compacted, dry_run: bool) -> Value {
    json!({
        "schema": "mlp.state.compact/1",
        "dry_run": dry_run,
        "runs": compacted.runs,
        "files": compacted.files,
        "before": compacted.before,
        "after": compacted.after,
    })
}

/// `mlp state export`
pub fn exported(exported: &Exported, file: &Path) -> String {
    let mut text = format!(
        "wrote {} and {} to {} ({})\n",
        plural(exported.runs.len(), "run"),
        plural(exported.artifacts, "result"),
        clean(&file.display().to_string()),
        size(exported.bytes),
    );
    if exported.left_out > 0 {
        let what = plural(exported.left_out, "result");
        text.push_str(&format!("left out {what} that earlier runs gave and that are not kept any more\n"));
    }
    if !exported.unended.is_empty() {
        text.push_str(&format!("left out {}, not over yet\n", runs(&exported.unended)));
    }
    text
}

/// `mlp.state.export/1`
pub fn exported_json(exported: &Exported, file: &Path) -> Value {
    json!({
        "schema": "mlp.state.export/1",
        "file": file.display().to_string(),
        "bytes": exported.bytes,
        "runs": exported.runs,
        "unended": exported.unended,
        "artifacts": exported.artifacts,
        "left_out": exported.left_out,
    })
}

/// `mlp state import`
pub fn imported(imported: &Imported, file: &Path) -> String {
    let mut text = match (imported.runs.len(), imported.artifacts) {
        (0, 0) => "everything in it is here already\n".to_owned(),
        (runs, artifacts) => format!(
            "took in {} and {} from {}\n",
            plural(runs, "run"),
            plural(artifacts, "result"),
            clean(&file.display().to_string())
        ),
    };
    for (there, here) in imported.runs.iter().filter(|(there, here)| there != here) {
        text.push_str(&format!("run {there} there is run {here} here\n"));
    }
    for (model, there, here) in &imported.renumbered {
        text.push_str(&format!("version {there} of `{}` there is version {here} here\n", clean(model)));
    }
    if !imported.known.is_empty() && !imported.runs.is_empty() {
        text.push_str(&format!(
            "{} here already\n",
            match imported.known.len() {
                1 => "1 run was".to_owned(),
                many => format!("{many} runs were"),
            }
        ));
    }
    text
}

/// `mlp.state.import/1`
pub fn imported_json(imported: &Imported, file: &Path) -> Value {
    let pairs =
        |pairs: &[(u64, u64)]| pairs.iter().map(|(there, here)| json!({"there": there, "here": here})).collect();
    let (new, known): (Value, Value) = (pairs(&imported.runs), pairs(&imported.known));
    let versions = imported.renumbered.iter();
    let versions: Value =
        versions.map(|(model, there, here)| json!({"model": model, "there": there, "here": here})).collect();
    json!({
        "schema": "mlp.state.import/1",
        "file": file.display().to_string(),
        "runs": new,
        "known": known,
        "versions": versions,
        "artifacts": imported.artifacts,
    })
}

/// `run 3`, `runs 3, 5`
fn runs(runs: &[u64]) -> String {
    let numbers: Vec<String> = runs.iter().map(u64::to_string).collect();
    format!("{} {}", if runs.len() == 1 { "run" } else { "runs" }, numbers.join(", "))
}

fn tally(tally: Tally, noun: &str) -> String {
    format!("{} ({})", plural(count(tally.files), noun), size(tally.bytes))
}

fn tally_json(tally: Tally) -> Value {
    json!({"files": tally.files, "bytes": tally.bytes})
}

fn count(files: u64) -> usize {
    usize::try_from(files).unwrap_or(usize::MAX)
}
