//! The pages of `spec/diagnostics/`: every example is given to the real binary. `spec/diagnostics/README.md` has the notation.

mod page;

use crate::space::{Space, repository};
use mlp_lang::finding::Code;
use page::{Case, Page, parse};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

/// Codes whose wrong example is told in words: no file can show them.
const TOLD_IN_WORDS: &[(&str, &str)] = &[
    ("D0003", "who runs the tests may be allowed to read everything"),
    ("D0004", "needs a failing disk"),
    ("D0005", "needs somebody who writes while we read"),
    ("D0050", "needs a full disk"),
    ("E0231", "needs hundreds of files"),
];

/// Codes that say which level a lint has when nobody sets one.
fn is_lint(code: &Code) -> bool {
    code.id.starts_with('W')
}

fn codes() -> Vec<(&'static Code, &'static str)> {
    let all = [mlp_lang::syntax::codes::ALL, mlp_lang::codes::ALL, mlp_data::codes::ALL];
    all.into_iter().flatten().map(|(code, meaning)| (code, *meaning)).collect()
}

fn folder() -> PathBuf {
    repository().join("spec/diagnostics")
}

/// The names of all pages.
fn on_disk() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).expect("the pages");
    let names = entries.map(|entry| entry.expect("a page").file_name().to_string_lossy().into_owned());
    let is_page = |name: &String| name.ends_with(".md") && !["README.md", "index.md"].contains(&name.as_str());
    names.filter(is_page).map(|name| name.trim_end_matches(".md").to_owned()).collect()
}

fn read(id: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{id}.md"))).expect("a page")
}

#[test]
fn every_example_yields_what_its_page_says() {
    let wanted = std::env::var("MLP_PAGES").ok();
    let wanted: Option<Vec<&str>> = wanted.as_deref().map(|ids| ids.split(',').map(str::trim).collect());
    let mut wrong = String::new();
    for (code, _) in codes() {
        let asked = wanted.as_ref().is_none_or(|ids| ids.iter().any(|id| *id == code.id || *id == code.name));
        if asked && on_disk().contains(&*code.id) {
            for complaint in complaints(code) {
                let _ = writeln!(wrong, "{}.md: {complaint}", code.id);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_page_in_another_form_or_with_another_finding_is_refused() {
    let good = "# E0301 type-mismatch\n\nWrong.\n\n## Wrong\n\n```mlp\nmlp 1\nparam _a: int = 10%\npipeline p { about = \"x\" }\n```\n\n## Right\n\n\
                ```mlp\nmlp 1\nparam _a: int = 1\npipeline p { about = \"x\" }\n```\n";
    let code = mlp_lang::codes::TYPE_MISMATCH;
    assert_eq!(complaints_of(&code, good), [""; 0]);
    for (from, to, complaint) in [
        ("E0301 type", "E0302 type", "the first line is not"),
        ("Wrong.\n", "", "nothing is said below the heading"),
        ("Wrong.", "Level: warn\n\nWrong.", "for lints, and only for them"),
        ("Wrong.", "| a | b |", "no tables"),
        ("## Right", "## Good", "the headings are"),
        ("```mlp", "```csv", "there is no `mlp` block"),
        ("```mlp", "```mlp fil=a.mlp", "the attribute `fil=a.mlp` is not known"),
        ("```mlp", "```mlp with=trained", "without a link to with/trained.mlp"),
        ("int = 10%", "int = 1", "## Wrong yields []"),
        ("int = 10%", "int = 10%\nparam _b: int = 10%", "## Wrong yields [\"E0301\", \"E0301\"]"),
        ("int = 10%", "int = b", "## Wrong yields [\"E0201\"]"),
        ("int = 1\n", "int = 1\nparam b: int = 1\n", "## Right yields [\"W0201\"]"),
    ] {
        assert!(good.contains(from), "{from}");
        let told = complaints_of(&code, &good.replace(from, to)).join("\n");
        assert!(told.contains(complaint), "{from:?} as {to:?} is told as: {told}");
    }
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<String> = codes().iter().map(|(code, _)| code.id.to_string()).collect();
    let pages = on_disk();
    let missing: Vec<_> = codes.difference(&pages).collect();
    let stray: Vec<_> = pages.difference(&codes).collect();
    assert!(missing.is_empty(), "codes without a page: {missing:?}");
    assert!(stray.is_empty(), "pages without a code: {stray:?}");
}

#[test]
fn no_code_and_no_name_is_given_twice() {
    let ids: BTreeSet<&str> = codes().iter().map(|(code, _)| &*code.id).collect();
    let names: BTreeSet<&str> = codes().iter().map(|(code, _)| &*code.name).collect();
    assert_eq!((ids.len(), names.len()), (codes().len(), codes().len()));
}

#[test]
fn the_index_lists_every_page() {
    let path = folder().join("index.md");
    let mut index =
        "# All findings\n\nWritten by the test that tries the pages; see [README.md](README.md).\n".to_owned();
    for (title, prefix) in [
        ("Syntax", "01"),
        ("Names", "02"),
        ("Types and units", "03"),
        ("Graph and declarations", "04"),
        ("Modules and components", "05"),
        ("Steps and resources", "06"),
        ("Life", "07"),
        ("Silencing, and what this version lacks", "09"),
        ("Data", "D"),
    ] {
        let of_chapter: Vec<_> = codes()
            .into_iter()
            .filter(|(code, _)| {
                code.id.starts_with(prefix) || code.id.get(1..).is_some_and(|id| id.starts_with(prefix))
            })
            .filter(|(code, _)| code.id.starts_with('D') == (prefix == "D"))
            .collect();
        if !of_chapter.is_empty() {
            let _ = write!(index, "\n## {title}\n\n| code | name | what is wrong |\n|---|---|---|\n");
        }
        for (code, meaning) in of_chapter {
            let _ = writeln!(index, "| [{0}]({0}.md) | `{1}` | {meaning} |", code.id, code.name);
        }
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &index).expect("the index is written");
    }
    for (code, _) in codes() {
        assert!(index.contains(&format!("]({}.md)", code.id)), "the index has no chapter for {}", code.id);
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, index, "write it anew with INSTA_UPDATE=always");
}

#[test]
fn a_page_is_printed_however_it_is_asked_for() {
    let space = Space::new();
    let page = space.mlp(&["explain", "E0203"]).exits(0).stdout();
    assert!(page.starts_with(&read("E0203")), "a page that is piped is its Markdown:\n{page}");
    assert!(page.contains("## with/trained.mlp\n"), "what the examples stand after is there too:\n{page}");
    for asked in ["e0203", "unknown-step", "Unknown-Step"] {
        assert_eq!(space.mlp(&["explain", asked]).exits(0).stdout(), page);
    }
    let document = space.mlp(&["explain", "E0203", "--output", "json"]).exits(0).json();
    assert_eq!(document["code"], "E0203");
    assert_eq!(document["name"], "unknown-step");
    assert_eq!(document["level"], "error");
    assert_eq!(document["page"], page.as_str());
}

#[test]
fn explain_lists_all_codes_and_suggests_the_nearest() {
    let space = Space::new();
    let list = space.mlp(&["explain"]).exits(0).stdout();
    for (code, meaning) in codes() {
        assert!(list.contains(&format!("{}  {}", code.id, code.name)), "{} is not listed", code.id);
        assert!(list.contains(meaning), "{meaning} is not listed");
    }
    let document = space.mlp(&["explain", "--output", "json"]).exits(0).json();
    assert_eq!(document["codes"].as_array().map(Vec::len), Some(codes().len()));
    space.mlp(&["explain", "unknown-stp"]).exits(2).says("did you mean unknown-step?");
    space.mlp(&["explain", "nonsense"]).exits(2).says("`mlp explain` lists all codes").never_says("did you mean");
}

/// What is wrong with the page of a code.
fn complaints(code: &Code) -> Vec<String> {
    complaints_of(code, &read(&code.id))
}

fn complaints_of(code: &Code, text: &str) -> Vec<String> {
    let (page, mut complaints) = parse(text, &code.id, &code.name);
    if page.level.as_deref() != is_lint(code).then_some("warn") {
        complaints.push(format!("the line `Level: warn` is for lints, and only for them; found {:?}", page.level));
    }
    let told = TOLD_IN_WORDS.iter().any(|(id, _)| *id == code.id);
    if complaints.is_empty() && !told {
        complaints.extend(tried(code, &page));
    }
    complaints
}

/// What the examples yield that they should not.
fn tried(code: &Code, page: &Page) -> Vec<String> {
    let command = if code.id.starts_with('D') { "run" } else { "check" };
    let with = folder().join("with");
    let wrong = match Case::of(&page.wrong, None, command, &with) {
        Ok(case) => case,
        Err(complaint) => return vec![format!("## Wrong: {complaint}")],
    };
    let right = match Case::of(&page.right, Some(&wrong), command, &with) {
        Ok(case) => case,
        Err(complaint) => return vec![format!("## Right: {complaint}")],
    };
    let mut complaints = Vec::new();
    let (ran, told) = tell(&wrong);
    let sound = if wrong.among { ran.codes.contains(&code.id.to_string()) } else { ran.codes == [&*code.id] };
    if !sound {
        complaints.push(format!("## Wrong yields {:?}\n{told}", ran.codes));
    }
    let (ran, told) = tell(&right);
    if !ran.codes.is_empty() || ran.exit != Some(0) {
        complaints.push(format!("## Right yields {:?}, exit {:?}\n{told}", ran.codes, ran.exit));
    }
    complaints
}

/// What the binary made of an example.
struct Told {
    codes: Vec<String>,
    exit: Option<i32>,
}

/// Gives an example to the binary. The second part is for people who have to mend the page.
fn tell(case: &Case) -> (Told, String) {
    let space = Space::new();
    for (path, bytes) in &case.files {
        space.write(path, bytes);
    }
    let mut arguments = vec![case.command.as_str(), case.main.as_str(), "--output", "json"];
    for param in &case.params {
        arguments.extend(["-p", param]);
    }
    let output = space.command(&arguments).output().expect("mlp starts");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    // `run` writes a document a line; the last one has everything.
    let document = serde_json::from_str::<Value>(&stdout)
        .or_else(|_| serde_json::from_str(stdout.lines().last().unwrap_or_default()))
        .unwrap_or_default();
    let mut findings = Vec::new();
    gather(&document, &mut findings);
    let told = match findings.is_empty() {
        true => format!("{stdout}{}", String::from_utf8_lossy(&output.stderr)),
        false => {
            findings.iter().map(|one| format!("    {} {} {}\n", one["code"], one["message"], one["place"])).collect()
        }
    };
    let codes = findings.iter().filter_map(|finding| finding["code"].as_str()).map(str::to_owned).collect();
    (Told { codes, exit: output.status.code() }, told)
}

/// Every finding in a document, however deep, each once.
fn gather(value: &Value, findings: &mut Vec<Value>) {
    match value {
        Value::Object(fields) if fields.contains_key("code") && fields.contains_key("severity") => {
            let known = findings.contains(value);
            findings.extend((!known).then(|| value.clone()));
        }
        Value::Object(fields) => fields.values().for_each(|value| gather(value, findings)),
        Value::Array(values) => values.iter().for_each(|value| gather(value, findings)),
        _ => {}
    }
}
