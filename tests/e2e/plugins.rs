//! Custom steps: a WASM component used by its path.

use crate::space::Space;

fn project(pipeline: &str) -> Space {
    let space = Space::new();
    std::fs::copy(mlp_stdlib::PROBE, space.path("probe.wasm")).expect("the probe");
    space.write("probe.mlp", format!("mlp 1\nuse \"./probe.wasm\" as probe\n{pipeline}"));
    space
}

#[test]
fn a_plugin_is_used_by_its_path_and_checked_before_it_runs() {
    let space = project("step tick = probe.tick(number: 42)\ngate g { require tick.number == 42 }\n");
    space.mlp(&["run", "probe.mlp"]).exits(0);
    assert_eq!(space.metrics("tick")["metrics"]["number"], 42);
    space.mlp(&["run", "probe.mlp"]).exits(0).says("nothing to do");

    space.replace("probe.mlp", "number: 42)", "number: \"42\")");
    space.mlp(&["check", "probe.mlp"]).exits(2).says("number").says("int");
    space.write("probe.wasm", "not a component");
    space.mlp(&["check", "probe.mlp"]).exits(2).says("probe.wasm");
    std::fs::remove_file(space.path("probe.wasm")).expect("removed");
    space.mlp(&["check", "probe.mlp"]).exits(2).says("probe.wasm");
}

#[test]
fn a_step_sees_nothing_but_its_own() {
    let space = project("step look = probe.look()\n");
    space.mlp(&["run", "probe.mlp"]).exits(0);
    let seen = space.metrics("look")["metrics"].clone();
    for name in ["files", "variables", "arguments", "sockets"] {
        assert_eq!(seen[name], 0, "{seen:#}");
    }
    // The clock stands still and what looks random is drawn from the work's own identity: another project sees the same.
    let elsewhere = project("step look = probe.look()\n");
    elsewhere.mlp(&["run", "probe.mlp"]).exits(0);
    assert_eq!(elsewhere.metrics("look")["metrics"], seen);
}

/// What `misbehave` in this way leads to.
fn misbehaving(how: &str, settings: &str) -> String {
    let space = project(&format!("step bad = probe.misbehave(how: \"{how}\") {{\n{settings}\n}}\n"));
    let text = space.mlp(&["run", "probe.mlp"]).exits(1).text();
    assert!(text.contains("bad"), "names the step:\n{text}");
    let view = space.history().run("last").expect("a run");
    assert!(view.node("bad").is_some_and(|node| node.outputs.is_empty()), "nothing is published");
    assert_eq!(space.files(".mlp/work"), [""; 0]);
    text
}

#[test]
fn a_panic_is_told_in_its_own_words() {
    assert!(misbehaving("panic", "").contains("the step panics on purpose"));
}

#[test]
fn an_endless_loop_ends_at_its_time_limit() {
    assert!(misbehaving("spin", "timeout = 300ms").contains("time limit"));
}

#[test]
fn a_hoarder_ends_at_its_memory_limit() {
    assert!(misbehaving("grow", "memory = 256MiB").contains("memory limit"));
}

#[test]
fn a_number_that_is_not_finite_is_missing_and_satisfies_no_gate() {
    let space = project(
        "step bad = probe.misbehave(how: \"not-finite\")\ngate g { require bad.number >= -1e300 or bad.number < 0 }\n",
    );
    space.mlp(&["run", "probe.mlp"]).exits(3).says("missing");
}

#[test]
fn an_output_that_lacks_a_declared_number_is_refused() {
    assert!(misbehaving("nothing", "").contains("number"));
}

#[test]
fn a_step_that_asks_for_it_is_tried_again() {
    let text = misbehaving("retry", "retry = 1");
    assert!(text.contains("the step asks to be tried again"), "{text}");
}

#[test]
fn what_a_step_says_is_kept_and_bounded() {
    let space = project("step chatty = probe.misbehave(how: \"chat\")\n");
    space.mlp(&["run", "probe.mlp"]).exits(0);
    let text = space.mlp(&["logs", "last", "chatty"]).exits(0).text();
    assert!(text.contains("line 0 of a million"));
    assert!(text.len() < 20 << 20, "{} bytes of log", text.len());
}
