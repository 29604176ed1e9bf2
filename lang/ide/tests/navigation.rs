//! Hover, definitions, references, renaming.

mod support;

use mlp_ide::Workspace;
use std::fmt::Write;

#[test]
fn hover_tells_what_is_known_about_a_word() {
    let seen =
        support::cases(include_str!("cases/hover.txt"), |workspace, at| match workspace.hover(support::PATH, at) {
            Some(hover) => {
                let text = workspace.document(support::PATH).expect("the document").text().clone();
                format!("on `{}`\n{}", &text[hover.span.range()], hover.text)
            }
            None => "nothing".to_owned(),
        });
    insta::assert_snapshot!(seen);
}

#[test]
fn a_name_is_found_wherever_it_is_meant_and_nowhere_else() {
    let seen = support::cases(include_str!("cases/references.txt"), |workspace, at| {
        let mut out = String::new();
        let text = workspace.document(support::PATH).expect("the document").text().clone();
        match workspace.definition(support::PATH, at) {
            Some(definition) => {
                let _ = writeln!(out, "declared {}", support::shown(&text, definition.span));
            }
            None => out.push_str("declared nowhere\n"),
        }
        for found in workspace.references(support::PATH, at, false) {
            let _ = writeln!(out, "{}", support::shown(&text, found.span));
        }
        out
    });
    insta::assert_snapshot!(seen);
}

/// The document after renaming what is marked.
fn renamed(text: &str, name: &str) -> String {
    let (text, at) = support::marked(&format!("{}{text}", support::PRELUDE));
    let workspace = support::workspace(&text);
    match workspace.rename(support::PATH, at, name) {
        Ok(files) => {
            let mut text = text.clone();
            for edit in files.iter().flat_map(|file| file.edits.iter().rev()) {
                text.replace_range(edit.span.range(), &edit.text);
            }
            text
        }
        Err(refused) => format!("refused: {}", refused.0),
    }
}

#[test]
fn what_is_renamed_means_the_same_under_another_name() {
    let more =
        "step s = tabular.split(split.train, stratify: age, seed: seed)\ngate h after s { require eval.auc >= 0.5 }\n";
    for (from, to) in [("split.train, stratify", "parts"), ("age", "years"), ("seed)", "start"), ("eval.auc", "judged")]
    {
        let marked = more.replacen(from, &format!("$0{from}"), 1);
        let text = renamed(&marked, to);
        let before = support::workspace(&format!("{}{more}", support::PRELUDE));
        let after = support::workspace(&text);
        let told = |workspace: &Workspace| workspace.findings(support::PATH).len();
        assert_eq!(told(&after), told(&before), "{text}");
        assert!(text.contains(to), "{text}");
        let word = from.split(['.', ')', ',']).next().expect("a word");
        let left = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|found| *found == word).count();
        // `split` and `seed` are words of the module too.
        let kept = match word {
            "split" => 2,
            "seed" => 2,
            _ => 0,
        };
        assert_eq!(left, kept, "{word} in {text}");
    }
}

#[test]
fn a_column_may_be_called_anything_and_is_put_into_quotes() {
    let text = renamed("step s = tabular.split(split.train, stratify: ag$0e)\n", "full years");
    assert!(text.contains("  \"full years\":     int"), "{text}");
    assert!(text.contains("stratify: \"full years\")"), "{text}");
    let text = renamed("step s = tabular.split(split.train, stratify: \"days$0 since login\")\n", "idle");
    assert!(text.contains("stratify: \"idle\")"), "{text}");
}

#[test]
fn what_cannot_be_renamed_says_why() {
    let mut seen = String::new();
    for (text, name) in [
        ("step s = tabular.sp$0lit(customers)\n", "cut"),
        ("step s = tabular.split(customers, te$0st: 10%)\n", "part"),
        ("gate g { require eval.au$0c >= 0.5 }\n", "area"),
        ("ga$0te g { require eval.auc >= 0.5 }\n", "door"),
        ("step s = tab$0ular.split(customers)\n", "tables"),
        ("step s = tabular.split(cust$0omers)\n", "split"),
        ("step s = tabular.split(cust$0omers)\n", "1st"),
        ("step s = tabular.split(cust$0omers)\n", "when"),
        ("step s = tabular.split(cust$0omers)\n", "csv"),
        ("step s = tabular.split(customers, stratify: ag$0e)\n", "plan"),
        ("step s = tabular.split(nobo$0dy)\n", "somebody"),
        ("# no$0thing\n", "x"),
    ] {
        let _ = writeln!(seen, "{}   -> {name}\n  {}", text.trim_end(), renamed(text, name));
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn another_file_is_read_through_its_name() {
    let mut workspace = support::workspace("mlp 1\n");
    let common =
        "mlp 1\n## Who buys.\nschema Customer {\n  id: string unique\n  age: int\n}\nparam share: fraction = 10%\n";
    let main = "mlp 1\nuse \"./lib/common.mlp\" as common\nuse std/tabular\ndata customers: common.Customer { source = csv(\"x.csv\") }\n\
                step s = tabular.split(customers, test: common.share)\n";
    workspace.set("/work/lib/common.mlp", common, None);
    workspace.set("/work/main.mlp", main, Some(1));
    let at = main.find("Customer").expect("a schema") as u32 + 3;
    let definition = workspace.definition("/work/main.mlp", at).expect("a definition");
    assert_eq!((&*definition.path, &common[definition.span.range()]), ("/work/lib/common.mlp", "Customer"));
    let found = workspace.references("/work/lib/common.mlp", common.find("Customer").expect("a schema") as u32, true);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(workspace.hover("/work/main.mlp", at).is_some_and(|hover| hover.text.contains("Who buys.")));
    let at = main.find("share").expect("a parameter") as u32;
    let files = workspace.rename("/work/main.mlp", at, "part").expect("can be renamed");
    assert_eq!(
        files.iter().map(|file| (&*file.path, file.edits.len())).collect::<Vec<_>>(),
        [("/work/lib/common.mlp", 1), ("/work/main.mlp", 1)]
    );
    let labels: Vec<_> = workspace.complete("/work/main.mlp", at).into_iter().map(|item| item.label).collect();
    assert_eq!(labels, ["Customer", "share"]);
    let links: Vec<_> = workspace.links("/work/main.mlp").into_iter().map(|link| link.target).collect();
    assert_eq!(links, ["/work/lib/common.mlp", "/work/x.csv"]);
}

#[test]
fn what_is_wrong_depends_on_the_newest_text_of_the_files_that_are_used() {
    let mut workspace = support::workspace("mlp 1\n");
    let common = "mlp 1\nschema Customer {\n  id: string unique\n  age: int\n}\n";
    let main = "mlp 1\nuse \"./common.mlp\" as common\nuse std/tabular\ndata customers: common.Customer { source = csv(\"x.csv\") }\n\
                step s = tabular.split(customers, test: 20%, stratify: age)\n";
    workspace.set("/work/common.mlp", common, Some(1));
    workspace.set("/work/main.mlp", main, Some(1));
    let errors = |workspace: &Workspace| -> Vec<String> {
        let findings = workspace.findings("/work/main.mlp");
        findings.iter().filter(|finding| finding.is_error()).map(|finding| finding.code.name.to_string()).collect()
    };
    assert_eq!(errors(&workspace), [""; 0]);
    // A column of the other file, completed, found and renamed from here.
    let at = main.find("age)").expect("a column") as u32;
    let items = workspace.complete("/work/main.mlp", at + 1);
    assert_eq!(items.iter().map(|item| item.label.as_str()).collect::<Vec<_>>(), ["id", "age"]);
    let definition = workspace.definition("/work/main.mlp", at).expect("a definition");
    assert_eq!((&*definition.path, &common[definition.span.range()]), ("/work/common.mlp", "age"));
    let files = workspace.rename("/work/main.mlp", at, "years").expect("can be renamed");
    assert_eq!(files.len(), 2, "{files:?}");
    // The other file says something else, and so does this one.
    workspace.set("/work/common.mlp", &common.replace("age", "years"), Some(2));
    assert_eq!(errors(&workspace), ["unknown-column"]);
    workspace.remove("/work/common.mlp");
    assert_eq!(errors(&workspace).len(), 1);
    assert!(workspace.uses("/work/main.mlp", "/work/common.mlp").is_none(), "nothing is used that is not there");
}
