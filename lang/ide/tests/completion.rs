//! What is offered at each place.

mod support;

use std::fmt::Write;

#[test]
fn what_can_be_written_depends_on_the_place() {
    let seen = support::cases(include_str!("cases/completion.txt"), |workspace, at| {
        let mut out = String::new();
        for item in workspace.complete(support::PATH, at) {
            let insert = if item.insert == item.label { String::new() } else { format!(" -> {:?}", item.insert) };
            let detail = if item.detail.is_empty() { String::new() } else { format!("   ({})", item.detail) };
            let _ = writeln!(out, "{:?} {}{insert}{detail}", item.kind, item.label);
        }
        if out.is_empty() { "nothing".to_owned() } else { out }
    });
    insta::assert_snapshot!(seen);
}

#[test]
fn what_is_written_replaces_the_word_at_the_cursor() {
    let (text, at) =
        support::marked(&format!("{}step s = tabular.split(customers, stratify: pl$0an)\n", support::PRELUDE));
    let workspace = support::workspace(&text);
    let item = workspace.complete(support::PATH, at).into_iter().find(|item| item.label == "plan").expect("the column");
    assert_eq!(&text[item.span.range()], "plan");
    let item = workspace.complete(support::PATH, at).into_iter().find(|item| item.label == "\"days since login\"");
    assert!(item.is_some(), "a column whose name is no identifier is offered in quotes");
}

/// Whatever is offered as a column can be written: with it the file has no finding that it did not have.
#[test]
fn a_column_that_is_offered_fits() {
    let base = format!(
        "{}step s = tabular.split(customers, stratify: $0)\ngate h after s {{ require eval.auc >= 0.5 }}\n",
        support::PRELUDE
    );
    let (text, at) = support::marked(&base);
    let items = support::workspace(&text).complete(support::PATH, at);
    let columns: Vec<_> = items.iter().filter(|item| item.kind == mlp_ide::ItemKind::Column).collect();
    assert_eq!(columns.len(), 6);
    for column in columns {
        let mut written = text.clone();
        written.replace_range(column.span.range(), &column.insert);
        let findings = support::workspace(&written).findings(support::PATH);
        assert!(findings.iter().all(|finding| !finding.is_error()), "{}: {findings:?}", column.label);
    }
}
