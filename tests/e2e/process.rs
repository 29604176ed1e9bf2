//! Steps that are programs of this machine.

use crate::space::Space;
use std::time::{Duration, Instant};

/// A project that allows processes, with these steps.
fn project(steps: &str) -> Space {
    let space = Space::new();
    write(&space, steps);
    space
}

fn write(space: &Space, steps: &str) {
    space.write("p.mlp", format!("mlp 1\npipeline p {{ allow = [\"process\"] }}\n{steps}"));
}

/// One step that a shell does.
fn shell(line: &str, rest: &str) -> String {
    format!("step s = process([\"sh\", \"-c\", {line:?}]) {{\n{rest}\n}}\n")
}

/// The bytes of an output of the last run.
fn output(space: &Space, step: &str, name: &str) -> Vec<u8> {
    let view = space.history().run("last").expect("a run");
    let outputs = &view.node(step).expect("a step of the last run").outputs;
    let artifact = outputs.iter().find(|output| output.output == name).expect("the output");
    space.history().artifact_bytes(artifact).expect("its bytes")
}

/// What a run that fails says.
fn failing(steps: &str) -> String {
    let space = project(steps);
    let text = space.mlp(&["run", "p.mlp"]).exits(1).text();
    assert_eq!(space.files(".mlp/work"), [""; 0], "nothing is left behind");
    let view = space.history().run("last").expect("a run");
    assert!(view.node("s").is_some_and(|node| node.outputs.is_empty()), "nothing is published");
    text
}

#[test]
fn a_program_reads_files_and_writes_files_and_is_not_run_twice() {
    let space = project(
        "step copy = process([\"cp\", \"in/text\", \"out/copy\"]) { in { text: file(\"a.txt\") }\nout { copy: file } }\n\
         step count = process([\"sh\", \"-c\", \"echo {\\\\\\\"lines\\\\\\\": $(wc -l < in/copy)} > out/lines.json\"]) {\n\
           in { copy: copy.copy }\nout { lines: metrics { lines: int } }\n}\n\
         gate enough { require count.lines.lines == 2 }\n",
    );
    space.write("a.txt", "one\ntwo\n");
    space.mlp(&["plan", "p.mlp"]).exits(0).says("process cp in/text out/copy").says("not sandboxed").says("never ran");
    space.mlp(&["run", "p.mlp"]).exits(0);
    assert_eq!(output(&space, "copy", "copy"), b"one\ntwo\n");
    space.mlp(&["run", "p.mlp"]).exits(0).says("nothing to do");
    assert_eq!(space.files(".mlp/work"), [""; 0]);

    // Another content is another result, and the plan says why.
    space.write("a.txt", "one\ntwo!\n");
    space.mlp(&["plan", "p.mlp"]).exits(0).says("a.txt changed").says("`copy`, which re-runs");
    space.mlp(&["run", "p.mlp"]).exits(0);
    // The same content under another date is not.
    space.write("a.txt", "one\ntwo!\n");
    space.mlp(&["run", "p.mlp"]).exits(0).says("nothing to do");
    // Limits and labels decide nothing about the result.
    space.replace("p.mlp", "out { copy: file }", "out { copy: file }\n timeout = 5m\n tags = { team: \"a\" }\n");
    space.mlp(&["run", "p.mlp"]).exits(0).says("nothing to do");
    space.replace("p.mlp", "[\"cp\", ", "[\"cp\", \"-p\", ");
    space.mlp(&["plan", "p.mlp"]).exits(0).says("command changed");
}

#[test]
fn folders_go_in_and_out_whole() {
    let step = |name: &str, from: &str| {
        format!(
            "step {name} = process([\"cp\", \"-r\", \"in/tree\", \"out/tree\"]) {{\n\
             in {{ tree: {from} }}\nout {{ tree: folder }} }}\n"
        )
    };
    let list = "cd in/tree && find . -type f -exec sh -c 'echo $1 $(cat \"$1\")' _ {} \\; | sort > ../../out/list";
    let listing = format!(
        "step listing = process([\"sh\", \"-c\", {list:?}]) {{ in {{ tree: second.tree }}\nout {{ list: file }} }}\n"
    );
    let space = project(&[step("first", "folder(\"src\")"), step("second", "first.tree"), listing].concat());
    space.write("src/a.txt", "1");
    space.write("src/deep/ü b.txt", "2");
    space.mlp(&["run", "p.mlp"]).exits(0);
    assert_eq!(String::from_utf8_lossy(&output(&space, "listing", "list")), "./a.txt 1\n./deep/ü b.txt 2\n");
    space.mlp(&["run", "p.mlp"]).exits(0).says("nothing to do");
    for (path, content) in [("src/deep/ü b.txt", "3"), ("src/new.txt", "")] {
        space.write(path, content);
        space.mlp(&["plan", "p.mlp"]).exits(0).says("src changed");
        space.mlp(&["run", "p.mlp"]).exits(0);
    }
}

#[test]
fn a_script_of_the_project_is_run_again_when_it_changes() {
    let space = project("step s = process([\"./make it.sh\", \"x\"]) { out { made: file } }\n");
    space.write("make it.sh", "#!/bin/sh\necho $1 > out/made\n");
    space.mlp(&["run", "p.mlp"]).exits(1).says("chmod +x");
    use std::os::unix::fs::PermissionsExt;
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(space.path("make it.sh"), executable.clone()).expect("chmod");
    space.mlp(&["run", "p.mlp"]).exits(0);
    space.mlp(&["run", "p.mlp"]).exits(0).says("nothing to do");
    space.write("make it.sh", "#!/bin/sh\necho $1 $1 > out/made\n");
    space.mlp(&["plan", "p.mlp"]).exits(0).says("make it.sh changed");
    space.mlp(&["run", "p.mlp"]).exits(0);
    assert_eq!(output(&space, "s", "made"), b"x x\n");
}

#[test]
fn a_program_sees_its_own_environment_and_nothing_else() {
    let space = project(&shell(
        "env | sort > out/env; cat params.json >> out/env",
        "with { lr: 0.5 }\nenv = { GREETING: \"grüß dich\" }\nout { env: file }",
    ));
    let mut command = space.command(&["run", "p.mlp"]);
    assert!(command.env("LEAK", "leaked").output().expect("it starts").status.success());
    let seen = String::from_utf8(output(&space, "s", "env")).expect("text");
    let names: Vec<&str> = seen.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let ours = ["GREETING", "HOME", "LANG", "MLP_ENGINE", "MLP_OUT_ENV", "MLP_PARAMS", "PATH", "PWD", "TMPDIR", "TZ"];
    let of_shell = |name: &&&str| !["_", "SHLVL", "OLDPWD"].contains(*name);
    assert_eq!(names.iter().filter(of_shell).copied().collect::<Vec<_>>(), ours, "{seen}");
    assert!(seen.contains("GREETING=grüß dich") && seen.ends_with("{\"lr\":0.5}"), "{seen}");
}

#[test]
fn a_failure_tells_what_happened_and_what_was_said() {
    let of_exit =
        failing(&shell("echo to the log; echo first >&2; echo no such column >&2; exit 3", "out { a: file }"));
    for part in ["exit code 3", "no such column", "mlp logs 1 s"] {
        assert!(of_exit.contains(part), "{part}:\n{of_exit}");
    }
    let cases = [
        (shell("kill -SEGV $$", "out { a: file }"), "SIGSEGV (signal 11)"),
        ("step s = process([\"no-such-tool\"]) { out { a: file } }\n".to_owned(), "no program `no-such-tool` in PATH"),
        ("step s = process([\"./gone.sh\"]) { out { a: file } }\n".to_owned(), "gone.sh"),
        (shell("true", "in { rows: file(\"gone.csv\") }\nout { a: file }"), "gone.csv"),
        (shell("echo x > out/b", "out { a: file }"), "in out/ there is: b"),
        (shell("true", "out { a: file }"), "out/a, which MLP_OUT_A names"),
        (shell("touch out/a", "out { a: file }"), "empty file"),
        (shell("mkdir out/a", "out { a: file }"), "not a plain file"),
        (shell("echo x > out/a", "out { a: folder }"), "not a folder"),
        (shell("ln -s /etc/passwd out/a", "out { a: file }"), "symbolic link"),
        (shell("echo '{' > out/a.json", "out { a: metrics { auc: float } }"), "not a metrics file"),
        (
            shell("echo '{\"acc\": 1}' > out/a.json", "out { a: metrics { auc: float } }"),
            "`auc` is declared but not given",
        ),
        (shell("true", "secrets = { TOKEN: env(\"NOBODY_HAS_THIS\") }\nout { a: file }"), "NOBODY_HAS_THIS is not set"),
    ];
    for (steps, part) in cases {
        let steps = steps.replace("env(\"NOBODY_HAS_THIS\")", "secret(\"NOBODY_HAS_THIS\")");
        let said = failing(&steps);
        assert!(said.replace('\n', " ").contains(part), "{part}:\n{steps}\n{said}");
    }
}

#[test]
fn a_file_of_the_project_that_is_no_input_is_pointed_out() {
    let space = project("step s = process([\"sh\", \"report.sh\"]) { out { a: file } }\n");
    space.write("report.sh", "echo x > out/a\n");
    space.mlp(&["run", "p.mlp"]).exits(1).says("file(\"report.sh\")");
    write(&space, "step s = process([\"sh\", \"in/code\"]) { in { code: file(\"report.sh\") }\nout { a: file } }\n");
    space.mlp(&["run", "p.mlp"]).exits(0);
    // An input can be the program itself.
    space.write("report.sh", "#!/bin/sh\necho x > out/a\n");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(space.path("report.sh"), std::fs::Permissions::from_mode(0o755)).expect("chmod");
    write(&space, "step s = process([\"in/code\"]) { in { code: file(\"report.sh\") }\nout { a: file } }\n");
    space.mlp(&["run", "p.mlp"]).exits(0);
    space.mlp(&["run", "p.mlp"]).exits(0).says("nothing to do");
}

#[test]
fn processes_must_be_allowed_by_the_file() {
    let space = Space::new();
    space.write("p.mlp", "mlp 1\nstep s = process([\"true\"]) { out { a: file } }\n");
    space.mlp(&["run", "p.mlp"]).exits(2).says("E0442");
}

/// Whether any process has this text in its command line.
fn is_alive(text: &str) -> bool {
    let commands = std::fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path().join("cmdline"));
    commands.into_iter().any(|path| {
        let line = std::fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&line).split('\0').any(|word| word == text)
    })
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "not in a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A step whose child and grandchild sleep for this unusual number of seconds, and do not listen to anybody.
fn stubborn(seconds: &str, rest: &str) -> String {
    let line = format!("trap '' TERM; (trap '' TERM; sleep {seconds}; true) & sleep {seconds}; true");
    shell(&line, &format!("{rest}\nout {{ a: file }}"))
}

#[test]
fn a_program_ends_at_its_time_limit_with_all_that_it_started() {
    let said = failing(&stubborn("7301.25", "timeout = 300ms"));
    assert!(said.contains("time limit"), "{said}");
    assert!(!is_alive("7301.25"));
}

#[test]
fn ctrl_c_ends_programs_with_all_that_they_started() {
    let space = project(&stubborn("7302.25", ""));
    let mut engine = space.start(&["run", "p.mlp"]);
    until("it sleeps", || is_alive("7302.25"));
    let pid = rustix::process::Pid::from_child(&engine);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("SIGINT");
    assert_eq!(engine.wait().expect("an end").code(), Some(130));
    assert!(!is_alive("7302.25"));
    assert_eq!(space.files(".mlp/work"), [""; 0]);
}

#[test]
fn an_engine_that_is_killed_takes_its_programs_with_it() {
    let space = project(&stubborn("7303.25", ""));
    let mut engine = space.start(&["run", "p.mlp"]);
    until("it sleeps", || is_alive("7303.25"));
    engine.kill().expect("SIGKILL");
    engine.wait().expect("a dead child");
    until("nobody sleeps", || !is_alive("7303.25"));
}

#[test]
fn what_a_program_leaves_running_does_not_outlive_its_step() {
    let space = project(&shell("sleep 7304.25 & echo x > out/a", "out { a: file }"));
    space.mlp(&["run", "p.mlp"]).exits(0);
    assert!(!is_alive("7304.25"));
}

#[test]
fn a_program_ends_at_its_memory_limit() {
    let said = failing(&shell("head -c 400000000 /dev/zero | tail | wc -c > out/a", "memory = 64MiB\nout { a: file }"));
    assert!(said.contains("memory limit"), "{said}");
}

#[test]
fn a_program_that_fails_is_started_again_as_often_as_it_may() {
    let space = project(&shell(
        "test -e /tmp/\"$MARK\" || { touch /tmp/\"$MARK\"; exit 1; }; echo x > out/a",
        "retry = 1\nenv = { MARK: \"MARKER\" }\nout { a: file }",
    ));
    let mark = format!("mlp-e2e-{}", std::process::id());
    space.replace("p.mlp", "MARKER", &mark);
    space.mlp(&["run", "p.mlp"]).exits(0);
    std::fs::remove_file(format!("/tmp/{mark}")).expect("it was there");
}

#[test]
fn a_step_without_a_cache_runs_each_time() {
    let space = project(&shell("date +%N > out/a", "cache = false\nout { a: file }"));
    space.mlp(&["run", "p.mlp"]).exits(0);
    space.mlp(&["plan", "p.mlp"]).exits(0).says("it runs each time");
    space.mlp(&["run", "p.mlp"]).exits(0).never_says("nothing to do");
}

#[test]
fn a_secret_is_in_no_log_and_in_no_file() {
    let secret = "tr0ub4dor&3/\"x\"";
    let line = "printf %s \"$TOKEN\" | head -c 5; sleep 0.1; printf '%s\\n' \"$TOKEN\" | tail -c +6; \
                printf '%s' \"$TOKEN\" | base64 >&2; printf 'u:%s' \"$TOKEN\" | base64; \
                test -n \"$TOKEN\" && echo given > out/a; echo last words: \"$TOKEN\" >&2; exit $FAILS";
    for (fails, ends) in [("0", 0), ("1", 1)] {
        let space = project(&shell(
            line,
            &format!("env = {{ FAILS: \"{fails}\" }}\nsecrets = {{ TOKEN: secret(\"THE_TOKEN\") }}\nout {{ a: file }}"),
        ));
        let output = space.command(&["run", "-v", "p.mlp"]).env("THE_TOKEN", secret).output().expect("it starts");
        assert_eq!(output.status.code(), Some(ends));
        let mut everything = vec![("the terminal".to_owned(), [output.stdout, output.stderr].concat())];
        for file in space.files(".mlp") {
            everything.push((file.clone(), std::fs::read(space.path(".mlp").join(file)).expect("a file")));
        }
        let hidden = [secret, "tr0ub", "dHIwdWI0ZG9y", "OnRyMHViNGRv"];
        for (place, bytes) in &everything {
            for text in hidden {
                let found = bytes.windows(text.len()).any(|part| part == text.as_bytes());
                assert!(!found, "{text:?} is in {place}");
            }
        }
        assert!(everything.iter().any(|(_, bytes)| bytes.windows(3).any(|part| part == b"***")));
    }
}

#[test]
fn names_of_secrets_count_and_their_texts_do_not() {
    let space = project(&shell("echo x > out/a", "secrets = { TOKEN: secret(\"THE_TOKEN\") }\nout { a: file }"));
    let run = |value: &str| {
        let output = space.command(&["run", "p.mlp"]).env("THE_TOKEN", value).output().expect("it starts");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    run("first secret");
    assert!(run("another secret").contains("nothing to do"));
}

#[test]
fn the_log_has_every_line_once_in_its_order() {
    let line = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; printf 'no end'; echo x > out/a";
    let space = project(&shell(line, "out { a: file }"));
    space.mlp(&["run", "p.mlp"]).exits(0);
    let log = space.mlp(&["logs", "last", "s"]).exits(0).stdout();
    let said: Vec<&str> = log.lines().filter_map(|line| line.find("line ").map(|at| &line[at..])).collect();
    assert_eq!(said, (0..3000).map(|n| format!("line {n}")).collect::<Vec<_>>());
    assert!(log.contains("no end"));
}

#[test]
fn spaces_and_other_letters_in_paths_are_no_matter() {
    let space = Space::new();
    space.write("mein Ordner/p q.mlp", "mlp 1\npipeline p { allow = [\"process\"] }\nstep s = process([\"cp\", \"in/text\", \"out/copy\"]) { in { text: file(\"größe $x/a b.txt\") }\nout { copy: file } }\n");
    space.write("mein Ordner/größe $x/a b.txt", "x");
    space.mlp(&["run", "mein Ordner/p q.mlp"]).exits(0);
    assert_eq!(output(&space, "s", "copy"), b"x");
}

#[test]
fn a_program_cannot_write_through_to_its_inputs() {
    let line = "chmod u+w in/text 2>/dev/null; echo more >> in/text; cat in/text > out/a";
    let space = project(&shell(line, "in { text: file(\"a.txt\") }\nout { a: file }"));
    space.write("a.txt", "one\n");
    space.mlp(&["run", "p.mlp"]).exits(0);
    assert_eq!(space.read("a.txt"), "one\n");
}
