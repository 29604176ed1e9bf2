//! Bad data: each a coded finding that names file, row and column; nothing is cached; the earlier state is intact.

use crate::space::Space;

const PIPELINE: &str = r#"mlp 1
use std/tabular
schema Person {
  name: string
  age:  int    in 0..=120
  paid: float?
}
data people: Person { source = csv("people.csv") }
step split = tabular.split(people, test: 50%)
"#;

const GOOD: &str = "name,age,paid\nann,31,1.5\nbob,42,\n";

/// A project whose first run on good data is behind it.
fn project() -> Space {
    let space = Space::new();
    space.write("people.mlp", PIPELINE);
    space.write("people.csv", GOOD);
    space.mlp(&["run", "people.mlp"]).exits(0);
    space
}

/// Runs on this data; gives what was said. Afterwards the good data must still be known.
fn refused(data: impl AsRef<[u8]>) -> String {
    let space = project();
    space.write("people.csv", data);
    let text = space.mlp(&["run", "people.mlp"]).exits(1).text();
    nothing_cached(&space);
    text
}

/// The last run cached nothing, and the state from before it is intact: the good data runs without work.
fn nothing_cached(space: &Space) {
    let view = space.history().run("last").expect("a run");
    assert!(view.nodes.iter().all(|node| node.outputs.is_empty()), "the bad run published something");
    assert_eq!(space.files(".mlp/work"), [""; 0]);
    space.write("people.csv", GOOD);
    space.mlp(&["run", "people.mlp"]).exits(0).says("nothing to do");
}

/// Each must be said.
#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "does not say {word:?}:\n{text}");
    }
}

#[test]
fn a_word_in_a_number_column() {
    says(&refused("name,age,paid\nann,31,1.5\nbob,old,\n"), &["D0", "people.csv", "row 2", "age", "old"]);
}

#[test]
fn a_value_out_of_bounds() {
    says(&refused("name,age,paid\nann,31,1.5\nbob,130,\n"), &["D0", "people.csv", "row 2", "age", "130"]);
}

#[test]
fn a_missing_value() {
    says(&refused("name,age,paid\nann,,1.5\n"), &["D0", "people.csv", "row 1", "age"]);
}

#[test]
fn a_missing_column() {
    says(&refused("name,agee,paid\nann,31,1.5\n"), &["D0", "people.csv", "age", "agee"]);
}

#[test]
fn an_extra_column() {
    says(&refused("name,age,paid,shoe\nann,31,1.5,44\n"), &["D0", "people.csv", "shoe"]);
}

#[test]
fn duplicate_headers() {
    says(&refused("name,age,paid,age\nann,31,1.5,31\n"), &["D0", "people.csv", "age"]);
}

#[test]
fn bom_crlf_and_quoted_newlines_are_fine() {
    let space = project();
    space.write("people.csv", "\u{feff}name,age,paid\r\n\"ann\r\nlee\",31,1.5\r\nbob,42,\r\n");
    space.mlp(&["run", "people.mlp"]).exits(0);
}

#[test]
fn an_unclosed_quote() {
    says(&refused("name,age,paid\nann,31,1.5\n\"bob,42,\ncarl,3,\n"), &["D0", "people.csv", "row 2", "quote"]);
}

#[test]
fn an_empty_file() {
    says(&refused(""), &["D0", "people.csv", "empty"]);
}

#[test]
fn a_header_without_rows() {
    says(&refused("name,age,paid\n"), &["D0", "people.csv", "row"]);
}

#[test]
fn non_utf8_bytes() {
    says(&refused(b"name,age,paid\nann,31,1.5\nbj\xf6rn,42,\n"), &["D0", "people.csv", "row 2", "name", "UTF-8"]);
}

#[test]
fn a_ragged_row() {
    says(&refused("name,age,paid\nann,31,1.5\nbob,42\n"), &["D0", "people.csv", "row 2"]);
}

#[test]
fn a_header_of_200_000_columns() {
    let columns: Vec<String> = (0..200_000).map(|i| format!("c{i}")).collect();
    let text = refused(format!("{}\n", columns.join(",")));
    says(&text, &["D0", "people.csv", "name"]);
    assert!(text.len() < 10_000, "a bounded message: {} bytes", text.len());
}

#[test]
fn a_missing_file() {
    let space = project();
    std::fs::rename(space.path("people.csv"), space.path("people2.csv")).expect("renamed");
    let text = space.mlp(&["run", "people.mlp"]).exits(1).text();
    says(&text, &["D0", "people.csv", "people2.csv"]);
    nothing_cached(&space);
}

#[test]
fn a_folder_in_its_place() {
    let space = project();
    std::fs::remove_file(space.path("people.csv")).expect("removed");
    std::fs::create_dir(space.path("people.csv")).expect("a folder");
    says(&space.mlp(&["run", "people.mlp"]).exits(1).text(), &["D0", "people.csv", "folder"]);
    std::fs::remove_dir(space.path("people.csv")).expect("removed");
    nothing_cached(&space);
}

#[test]
fn no_permission() {
    use std::os::unix::fs::PermissionsExt;
    let space = project();
    space.write("people.csv", "name,age,paid\nann,1,1.0\n");
    let permissions = |mode| std::fs::set_permissions(space.path("people.csv"), PermissionsExt::from_mode(mode));
    permissions(0o000).expect("chmod");
    if std::fs::File::open(space.path("people.csv")).is_ok() {
        // The superuser may read anything. As `nobody` it may not, but then the project must be nobody's too.
        let ran = as_nobody(&space, &["run", "people.mlp"]);
        says(&ran, &["D0", "people.csv", "permi"]);
    } else {
        says(&space.mlp(&["run", "people.mlp"]).exits(1).text(), &["D0", "people.csv", "permi"]);
    }
    permissions(0o644).expect("chmod");
    nothing_cached(&space);
}

/// Runs `mlp` as the user `nobody`, to whom the project is given first.
fn as_nobody(space: &Space, arguments: &[&str]) -> String {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let give = |owner: u32| {
        let owner = format!("{owner}");
        let given = std::process::Command::new("chown").args(["-R", &owner]).arg(space.path(".")).status();
        assert!(given.is_ok_and(|status| status.success()), "chown");
    };
    give(NOBODY);
    // The binary may lie in a folder that nobody may not enter.
    let binary = space.path("mlp-for-nobody");
    std::fs::copy(env!("CARGO_BIN_EXE_mlp"), &binary).expect("a copy of the binary");
    let output = std::process::Command::new(&binary)
        .args(arguments)
        .current_dir(space.path("."))
        .env("HOME", space.path("."))
        .env("XDG_CACHE_HOME", space.path("cache"))
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .expect("mlp starts");
    give(0);
    assert_eq!(output.status.code(), Some(1));
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
