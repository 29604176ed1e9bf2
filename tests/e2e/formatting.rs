//! `mlp fmt`: files in the one style, and never at the cost of what they say.

use crate::space::Space;
use std::io::Write;
use std::process::Stdio;

const LOOSE: &str = "mlp 1\nuse std/tabular\nparam holdout:fraction=20%   # of all rows\nschema Row{a:int}\n";

const STRICT: &str = "\
mlp 1

use std/tabular

param holdout: fraction = 20%  # of all rows

schema Row { a: int }
";

/// A brace is missing: nobody knows what the second line belongs to.
const BROKEN: &str = "mlp 1\nschema Row{\na:int\nparam   x:int=1\n";

#[test]
fn files_are_brought_into_the_style_and_a_second_time_changes_nothing() {
    let space = Space::new();
    space.write("a.mlp", LOOSE);
    space.write("deep/b.mlp", STRICT);
    let first = space.mlp(&["fmt", "."]).exits(0);
    assert_eq!(first.stderr(), "1 file formatted, 1 file formatted already\n");
    assert_eq!(space.read("a.mlp"), STRICT);
    let second = space.mlp(&["fmt", "."]).exits(0);
    assert_eq!(second.stderr(), "2 files formatted already\n");
}

#[test]
fn asking_writes_nothing_and_answers_by_the_exit_code() {
    let space = Space::new();
    space.write("a.mlp", LOOSE);
    space.write("b.mlp", STRICT);
    let check = space.mlp(&["fmt", "--check", "."]).exits(1);
    assert_eq!(check.stdout(), "./a.mlp\n");
    let diff = space.mlp(&["fmt", "--diff", "a.mlp"]).exits(1);
    for line in ["--- a.mlp", "+++ a.mlp", "-schema Row{a:int}", "+schema Row { a: int }"] {
        assert!(diff.stdout().lines().any(|told| told == line), "{}", diff.stdout());
    }
    assert_eq!(space.read("a.mlp"), LOOSE);
    space.mlp(&["fmt", "--check", "b.mlp"]).exits(0);
}

#[test]
fn a_broken_file_stays_as_it_is_and_the_others_are_formatted() {
    let space = Space::new();
    space.write("a.mlp", BROKEN);
    space.write("b.mlp", LOOSE);
    let ran = space.mlp(&["fmt", "a.mlp", "b.mlp"]).exits(2);
    assert!(ran.stderr().contains("error[E01"), "{}", ran.stderr());
    assert!(ran.stderr().contains("1 file left with mistakes of syntax"), "{}", ran.stderr());
    assert_eq!(space.read("a.mlp"), BROKEN);
    assert_eq!(space.read("b.mlp"), STRICT);
}

#[test]
fn an_editor_may_pipe_its_text_through() {
    let space = Space::new();
    for (text, exit, out) in [(LOOSE, 0, STRICT), (STRICT, 0, STRICT), (BROKEN, 2, "")] {
        let mut command = space.command(&["fmt", "-", "--stdin-name", "a.mlp"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("mlp starts");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("read");
        let output = child.wait_with_output().expect("mlp ends");
        assert_eq!(output.status.code(), Some(exit));
        assert_eq!(String::from_utf8_lossy(&output.stdout), out);
        assert_eq!(output.stderr.is_empty(), exit == 0);
    }
}
