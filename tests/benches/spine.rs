//! Speed of the spine, as ratios within one run: machines differ and are noisy, ratios less so.
//!
//! `cargo bench --bench spine` prints one line a measurement: the median, what it is held against, and the ratio. It judges
//! nothing and never fails on a slow machine.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

/// How many steps the wide pipeline has.
const STEPS: usize = 1_000;

fn main() {
    let folder = TempDir::new().expect("a temporary folder");
    let root = folder.path();
    std::fs::create_dir(root.join(".mlp")).expect("a project");

    let spawn = median(41, || run(Command::new("/bin/true")));
    let version = median(41, || run(mlp(root, &["--version"])));
    report("mlp --version", version, "spawn of /bin/true", spawn);

    let lines = long_file(root);
    let check = median(21, || run(mlp(root, &["check", "long.mlp"])));
    report(&format!("mlp check, {lines} lines"), check, "mlp --version", version);

    example(root);
    run(mlp(root, &["run", "breast_cancer.mlp"]));
    let example_check = median(21, || run(mlp(root, &["check", "breast_cancer.mlp"])));
    let noop = median(21, || run(mlp(root, &["run", "breast_cancer.mlp"])));
    report("mlp run, nothing to do", noop, "mlp check of the same file", example_check);

    let bare = bare_instantiation();
    wide(root);
    // The compiled component is warm after this. Each run has a state folder of its own, so that every step runs; none is
    // removed in between, because ext4 makes files slowly for seconds after many were removed.
    run(mlp(root, &["run", "wide.mlp"]));
    let mut count = 0;
    let cold = median(5, || {
        count += 1;
        run(mlp(root, &["--state", &format!("cold-{count}"), "run", "wide.mlp"]))
    });
    report(&format!("mlp run, {STEPS} WASM steps, durable"), cold, "their bare instantiation", bare);
    println!(
        "{:>44}  {:.0} steps/s, {:.0} us each",
        "",
        STEPS as f64 / cold.as_secs_f64(),
        cold.as_micros() as f64 / STEPS as f64
    );
    let warm = median(11, || run(mlp(root, &["run", "wide.mlp"])));
    report(&format!("mlp run, {STEPS} steps, nothing to do"), warm, "mlp --version", version);
}

fn mlp(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
    command.args(arguments).current_dir(root);
    command
}

/// Runs a command to its end, which must be a good one.
fn run(mut command: Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = command.status().expect("it starts");
    let took = begin.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

/// The median of `count` measurements, after one that is not counted.
fn median(count: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    measure();
    let mut all: Vec<Duration> = (0..count).map(|_| measure()).collect();
    all.sort();
    all[count / 2]
}

fn report(what: &str, took: Duration, against: &str, floor: Duration) {
    let ratio = took.as_secs_f64() / floor.as_secs_f64();
    println!("{what:>44}  {:>9.2} ms  {ratio:>6.2} x {against}", took.as_secs_f64() * 1e3);
}

/// The time to instantiate the near-empty component as often as the wide pipeline has steps, and nothing else: pooled
/// slots, code already compiled, imports that trap if called.
fn bare_instantiation() -> Duration {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(PoolingAllocationConfig::default()));
    let engine = Engine::new(&config).expect("an engine");
    let component = Component::from_file(&engine, mlp_stdlib::PROBE).expect("the probe");
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).expect("traps");
    let prepared = linker.instantiate_pre(&component).expect("linked");
    median(5, || {
        let begin = Instant::now();
        for _ in 0..STEPS {
            prepared.instantiate(&mut Store::new(&engine, ())).expect("an instance");
        }
        begin.elapsed()
    })
}

/// A pipeline of steps that do next to nothing.
fn wide(root: &Path) {
    std::fs::copy(mlp_stdlib::PROBE, root.join("probe.wasm")).expect("a copy");
    let mut text = String::from("mlp 1\nuse \"./probe.wasm\" as probe\n");
    for step in 0..STEPS {
        writeln!(text, "step s{step} = probe.tick(number: {step})").expect("text");
    }
    std::fs::write(root.join("wide.mlp"), text).expect("written");
}

/// A thousand lines of everything the checker does.
fn long_file(root: &Path) -> usize {
    let mut text = String::from("mlp 1\n\nuse std/tabular\nuse std/classify\n");
    for part in 0..43 {
        write!(
            text,
            r#"
param share_{part}: fraction = 20%

## Customers of region {part}.
schema Customer_{part} {{
  id:      string  unique
  age:     int     in 18..=120
  plan:    "free" | "pro" | "team"
  charges: float?  >= 0.0
  churned: bool    label
}}

data customers_{part}: Customer_{part} {{
  source = csv("data/customers_{part}.csv")
  expect rows >= 1_000 and missing(charges) <= 2%
}}

step split_{part} = tabular.split(customers_{part}, test: share_{part}, seed: {part}, stratify: churned)
step train_{part} = classify.gradient_boosting(split_{part}.train)
step eval_{part} = classify.evaluate(train_{part}.model, split_{part}.test, by: [plan])
gate quality_{part} {{
  require eval_{part}.auc >= 0.85 - 0.5% because "below this it loses money"
}}
model churn_{part} = train_{part}.model after quality_{part}
"#
        )
        .expect("text");
    }
    std::fs::write(root.join("long.mlp"), &text).expect("written");
    text.lines().count()
}

fn example(root: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/breast_cancer");
    std::fs::create_dir_all(root.join("data")).expect("a folder");
    for file in ["breast_cancer.mlp", "data/breast_cancer.csv"] {
        std::fs::copy(from.join(file), root.join(file)).expect("a copy");
    }
}
