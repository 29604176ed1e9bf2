//! What a hostile step can do: nothing but fail, in words.
//!
//! The guest (`guests/evil.rs`) is built here with the toolchain's own compiler; its setting names the deed.

mod evil;

use evil::{Attempt, attempt};
use mlp_core::executor::{Cancel, StepError};
use mlp_lang::signature::{ModuleError, Modules};
use std::time::Duration;

fn failed(attempt: &Attempt) -> &str {
    match &attempt.result {
        Err(StepError::Failed(message)) => message,
        other => panic!("expected a failure of the step, got {other:?}"),
    }
}

#[test]
fn a_cancelled_step_stops() {
    let cancel = Cancel::default();
    let later = cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        later.set();
    });
    let attempt = attempt("spin").cancel(cancel).run();
    canceller.join().unwrap();
    assert!(matches!(attempt.result, Err(StepError::Cancelled)), "{:?}", attempt.result);
}

#[test]
fn sleeping_takes_no_time() {
    // An hour's sleep: the virtual clock advances.
    assert_eq!(attempt("sleep").run().said(), "slept");
}

#[test]
fn memory_past_the_limit_is_named_in_bytes() {
    let attempt = attempt("eat memory").memory(256 << 20).run();
    match attempt.result {
        Err(error @ StepError::OutOfMemory { limit: 268_435_456, .. }) => {
            let words = error.to_string();
            assert!(words.starts_with("ran into its memory limit of 268435456 bytes: it holds "), "{words}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_memory_is_fine_below_the_limit() {
    assert_eq!(attempt("eat memory").memory(512 << 20).run().said(), "400");
}

#[test]
fn endless_recursion_is_a_failure_of_the_step() {
    let attempt = attempt("recurse").run();
    assert!(failed(&attempt).contains("stack") || failed(&attempt).contains("crashed"), "{}", failed(&attempt));
}

#[test]
fn a_panic_is_told_with_its_message_and_place() {
    let attempt = attempt("panic").run();
    let message = failed(&attempt);
    assert!(message.starts_with("the step panicked: the dataset is cursed ("), "{message}");
    assert!(message.contains("evil.rs:"), "{message}");
}

#[test]
fn exiting_is_a_failure_with_the_code() {
    let attempt = attempt("exit").run();
    assert!(failed(&attempt).starts_with("the step ended itself with exit code "), "{}", failed(&attempt));
}

#[test]
fn nothing_is_seen_but_the_steps_own_files() {
    assert_eq!(
        attempt("look around").run().said(),
        "/etc/passwd: denied\n\
         /proc/self/environ: denied\n\
         /mlp/../etc/passwd: denied\n\
         /mlp/out/../../etc/passwd: denied\n\
         ..: denied\n\
         /: denied\n\
         /mlp: [\"out\", \"params.json\"]\n\
         params: {\"deed\":\"look around\"}\n\
         environment: 0\n\
         arguments: 0\n\
         tcp: true\n\
         listen: true\n\
         udp: true\n\
         names: true"
    );
}

#[test]
fn time_stands_still_and_chance_repeats() {
    let first = attempt("time and chance").run().said();
    assert!(first.starts_with("1577836800s true "), "{first}");
    assert_eq!(first, attempt("time and chance").run().said());
    assert_ne!(first, attempt("time and chance").fingerprint("another").run().said());
}

#[test]
fn inputs_cannot_be_written_to_nor_linked_from() {
    assert_eq!(attempt("write to inputs").run().said(), "true true true");
}

#[test]
fn open_files_are_bounded() {
    assert_eq!(
        failed(&attempt("open many").run()),
        "the step holds too many files, folders or streams open at once: 256 at most"
    );
}

#[test]
fn a_flood_of_lines_is_cut_and_counted() {
    let attempt = attempt("flood").run();
    attempt.result.as_ref().unwrap();
    assert_eq!(attempt.lines.len(), 10_001);
    assert_eq!(
        attempt.lines.last().unwrap(),
        &("warn".to_owned(), "990000 more lines were left out: a step may say 10000".to_owned())
    );
}

#[test]
fn an_endless_line_is_cut() {
    let attempt = attempt("flood stdout").run();
    attempt.result.as_ref().unwrap();
    assert_eq!(attempt.lines.len(), 1);
    assert_eq!(attempt.lines[0].0, "stdout");
    assert_eq!(attempt.lines[0].1.len(), 8 << 10);
}

#[test]
fn an_output_must_be_a_plain_file_in_its_folder() {
    let why = |deed| failed(&attempt(deed).run()).to_owned();
    assert_eq!(why("answer outside"), "the output `said` is said to be in \"/etc/passwd\", which is not in /mlp/out");
    assert_eq!(
        why("answer upwards"),
        "the output `said` is said to be in \"/mlp/out/../params.json\", which leaves /mlp/out"
    );
    assert_eq!(
        why("answer nothing"),
        "the output `said` is said to be in \"/mlp/out/missing\", but there is no such file"
    );
    assert_eq!(why("answer folder"), "the output `said` is said to be in \"/mlp/out\", which is not a file");
    assert_eq!(
        why("answer link"),
        "the output `said` is said to be in \"/mlp/out/said\", which is a symbolic link; write a plain file"
    );
}

#[test]
fn what_is_no_plugin_says_how_to_make_one() {
    let reason = |bytes: &[u8]| match evil::library_with("p.wasm", bytes).module("p.wasm") {
        Err(ModuleError::Unusable { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let core_module = b"\0asm\x01\0\0\0";
    let empty_component = b"\0asm\x0d\0\x01\0";
    assert!(reason(core_module).starts_with("this is a core module, not a component; build it with `cargo build"));
    assert!(reason(b"PK\x03\x04").starts_with("this is not WebAssembly; build it with"));
    assert!(reason(empty_component).starts_with("it has no `mlp-signature` section, so it is no mlp plugin"));
    let evil = evil::component();
    assert!(reason(&evil[..evil.len() / 2]).starts_with("the file is damaged: "));
    assert_eq!(
        reason(&evil::altered(
            "\"name\":\"deed\",\"ty\":{\"plain\":\"string\"}",
            "\"name\":\"dead\",\"ty\":{\"plain\":\"string\"}"
        )),
        "step `act`, params: the signature has `dead`, the interface does not"
    );
    assert_eq!(
        reason(&evil::altered("{\"plain\":\"string\"}", "{\"plain\":\"float\"} ")),
        "step `act`, params: `deed` is string in the interface and f64 by the signature"
    );
    assert_eq!(
        reason(&evil::altered("\"mlp:step@1.0.0\"", "\"mlp:step@2.0.0\"")),
        "it was built for mlp:step@2.0.0; this mlp speaks mlp:step@1.0.0: update mlp"
    );
    assert_eq!(
        reason(&evil::altered("\"steps\":[{\"name\":\"act\"", "\"steps\":[{\"name\":\"art\"")),
        "its signature offers the step `art`, but it does not export `test:evil/art@1.0.0`; it exports `test:evil/act@1.0.0`"
    );
}

#[test]
fn compiled_code_is_kept_and_never_trusted_once_touched() {
    let cache = tempfile::tempdir().unwrap();
    let compiled = || {
        let attempt = attempt("nothing").cache(cache.path()).run();
        attempt.result.unwrap();
        attempt.compiled
    };
    assert_eq!(compiled(), ["test/evil"]);
    assert_eq!(compiled(), [""; 0]);
    let code = evil::only_file(cache.path(), "cwasm");
    let whole = std::fs::read(&code).unwrap();
    for damage in [&whole[..whole.len() / 2], b"".as_slice(), &[whole.as_slice(), b"x"].concat()] {
        std::fs::write(&code, damage).unwrap();
        assert_eq!(compiled(), ["test/evil"]);
        assert_eq!(compiled(), [""; 0]);
    }
    std::fs::remove_file(evil::only_file(cache.path(), "blake3")).unwrap();
    assert_eq!(compiled(), ["test/evil"]);
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&code, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(compiled(), ["test/evil"]);
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let attempt = attempt("nothing").cache(file.path()).run();
    attempt.result.unwrap();
}
