//! Speed of the engine on steps that are programs, beside the machine's own floor and beside other tools, in one run.
//!
//! `cargo bench --bench engine` prints a line a measurement: the median, and its ratio to the floor. The floor is the same
//! commands, started and waited for by two threads, without folders, records or anything else. `W1`, `W2` and `W3` narrow it
//! down. Other tools are measured if they are there: make and ninja in `PATH`, and whatever of ninja, doit, luigi, snakemake and
//! dvc is in the virtual environment that `MLP_BENCH_VENV` names. It judges nothing and never fails on a slow machine.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How often each thing is measured.
const ROUNDS: usize = 5;
/// How much runs at once.
const JOBS: usize = 2;

/// A graph of steps; each copies its first parent's file. A parent that is `None` is an input file of the step's own.
struct Workload {
    name: &'static str,
    about: &'static str,
    steps: Vec<[Option<usize>; 2]>,
}

fn workloads() -> Vec<Workload> {
    let chain = (0..100).map(|step| [usize::checked_sub(step, 1), None]).collect();
    let wide = (0..1000).map(|_| [None, None]).collect();
    let mut layers: Vec<[Option<usize>; 2]> = Vec::new();
    let mut random = 7u64;
    for step in 0..1000 {
        let above = step / 100 * 100;
        let mut parent = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (above >= 100).then(|| above - 100 + (random >> 33) as usize % 100)
        };
        let first = parent();
        let second = parent().filter(|second| first != Some(*second));
        layers.push([first, second]);
    }
    vec![
        Workload { name: "W1", about: "a chain of 100", steps: chain },
        Workload { name: "W2", about: "1,000 side by side", steps: wide },
        Workload { name: "W3", about: "ten layers of 100", steps: layers },
    ]
}

/// A tool, as it is given a workload and started.
struct Tool {
    name: &'static str,
    write: fn(&Workload, &Path),
    command: Vec<String>,
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| argument.starts_with('W')).collect();
    let top = TempDir::new().expect("a temporary folder");
    let tools = tools();
    for workload in workloads().iter().filter(|it| wanted.is_empty() || wanted.iter().any(|name| name == it.name)) {
        println!("{} {}", workload.name, workload.about);
        let mut floor = Vec::new();
        let mut times: Vec<[Vec<Duration>; 3]> = tools.iter().map(|_| Default::default()).collect();
        for round in 0..ROUNDS {
            // Folders stay until the end: ext4 makes files slowly for seconds after many were removed.
            let place = top.path().join(format!("{}-{round}", workload.name));
            floor.push(raw(workload, &folder(workload, &place.join("floor"))));
            for (tool, [cold, warm, leaf]) in tools.iter().zip(&mut times) {
                let here = folder(workload, &place.join(tool.name));
                (tool.write)(workload, &here);
                // The slow ones are measured once.
                if round > 0 && cold[0] > Duration::from_secs(10) {
                    continue;
                }
                cold.push(run(tool, &here));
                settle();
                run(tool, &here);
                warm.push(run(tool, &here));
                fs::write(here.join("i0"), format!("other {round}\n")).expect("written");
                settle();
                leaf.push(run(tool, &here));
            }
        }
        let floor = median(floor);
        println!("{:>12}  {:>9.1} ms", "floor", milliseconds(floor));
        for (tool, [cold, warm, leaf]) in tools.iter().zip(times) {
            let (cold, warm, leaf) = (median(cold), median(warm), median(leaf));
            println!(
                "{:>12}  {:>9.1} ms  {:>7.2} x floor   nothing to do {:>8.1} ms   one input changed {:>8.1} ms",
                tool.name,
                milliseconds(cold),
                cold.as_secs_f64() / floor.as_secs_f64(),
                milliseconds(warm),
                milliseconds(leaf),
            );
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

/// A file that was touched a moment ago is read again: that is no part of what is measured.
fn settle() {
    std::thread::sleep(Duration::from_millis(80));
}

/// A folder with the input files.
fn folder(workload: &Workload, here: &Path) -> PathBuf {
    fs::create_dir_all(here).expect("a folder");
    for (step, parents) in workload.steps.iter().enumerate() {
        if parents[0].is_none() {
            fs::write(here.join(format!("i{step}")), format!("input {step}\n")).expect("an input");
        }
    }
    here.to_owned()
}

fn run(tool: &Tool, here: &Path) -> Duration {
    let mut command = Command::new(&tool.command[0]);
    command.args(&tool.command[1..]).current_dir(here);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = command.status().expect("it starts");
    let took = begin.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

/// What a step reads and writes, as files beside each other.
fn files(workload: &Workload, step: usize) -> (Vec<String>, String) {
    let parents = workload.steps[step];
    let mut reads: Vec<String> = parents.iter().flatten().map(|parent| format!("o{parent}")).collect();
    if parents[0].is_none() {
        reads.insert(0, format!("i{step}"));
    }
    (reads, format!("o{step}"))
}

/// The same commands and nothing else. A chain is done by one thread; of others each thread takes the next, layer by layer.
fn raw(workload: &Workload, here: &Path) -> Duration {
    let begin = Instant::now();
    let layers: Vec<Vec<usize>> = match workload.name {
        "W1" => (0..workload.steps.len()).map(|step| vec![step]).collect(),
        "W3" => (0..10).map(|layer| (layer * 100..layer * 100 + 100).collect()).collect(),
        _ => vec![(0..workload.steps.len()).collect()],
    };
    for layer in layers {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(step) = layer.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (reads, writes) = files(workload, *step);
                let mut command = Command::new("/bin/cp");
                command.args([&reads[0], &writes]).current_dir(here).stdin(Stdio::null());
                assert!(command.status().expect("it starts").success());
            }
        };
        std::thread::scope(|scope| {
            let others = JOBS.min(layer.len()) - 1;
            (0..others).for_each(|_| {
                scope.spawn(work);
            });
            work();
        });
    }
    begin.elapsed()
}

/// Another tool: its name, what writes its files, and what runs them.
type Peer = (&'static str, fn(&Workload, &Path), &'static [&'static str]);

fn tools() -> Vec<Tool> {
    let jobs = JOBS.to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mlp = words(&[env!("CARGO_BIN_EXE_mlp"), "run", "w.mlp", "--jobs", &jobs]);
    let mut tools = vec![Tool { name: "mlp", write: write_mlp, command: mlp }];
    let found = |name: &str| {
        let venv = std::env::var_os("MLP_BENCH_VENV").map(|venv| PathBuf::from(venv).join("bin"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = venv.into_iter().chain(std::env::split_paths(&path));
        let mut there = folders.map(|folder| folder.join(name)).filter(|path| path.is_file());
        // What lies in PATH as a shim of some version manager need not work.
        there.find(|path| Command::new(path).arg("--version").output().is_ok_and(|output| output.status.success()))
    };
    let peers: [Peer; 6] = [
        ("make", write_make, &["-j2", "-s"]),
        ("ninja", write_ninja, &["-j2", "--quiet"]),
        ("doit", write_doit, &["-n", "2"]),
        ("luigi", write_luigi, &["--module", "w", "All", "--local-scheduler", "--workers", "2"]),
        ("snakemake", write_snakemake, &["--cores", "2", "--quiet", "all"]),
        ("dvc", write_dvc, &["repro", "--quiet"]),
    ];
    for (name, write, arguments) in peers {
        if let Some(program) = found(name) {
            let command = std::iter::once(program.display().to_string()).chain(words(arguments)).collect();
            tools.push(Tool { name, write, command });
        }
    }
    tools
}

fn write_mlp(workload: &Workload, here: &Path) {
    fs::create_dir(here.join(".mlp")).expect("a project");
    let mut text = String::from("mlp 1\npipeline w { allow = [\"process\"] }\n");
    for (step, parents) in workload.steps.iter().enumerate() {
        let mut inputs: Vec<String> = Vec::new();
        for (name, parent) in ["a", "b"].iter().zip(parents) {
            match parent {
                Some(parent) => inputs.push(format!("{name}: s{parent}.o")),
                None if *name == "a" => inputs.push(format!("a: file(\"i{step}\")")),
                None => {}
            }
        }
        let inputs = inputs.join(", ");
        // The setting tells steps apart that would otherwise be the same work, which is done once.
        writeln!(
            text,
            "step s{step} = process([\"cp\", \"in/a\", \"out/o\"]) {{\n  with {{ n: {step} }}\n  in {{ {inputs} }}\n  out {{ o: file }}\n}}"
        )
        .expect("text");
    }
    fs::write(here.join("w.mlp"), text).expect("written");
}

fn all(workload: &Workload) -> String {
    (0..workload.steps.len()).map(|step| format!("o{step}")).collect::<Vec<_>>().join(" ")
}

fn write_make(workload: &Workload, here: &Path) {
    let mut text = format!("all: {}\n", all(workload));
    for step in 0..workload.steps.len() {
        let (reads, writes) = files(workload, step);
        writeln!(text, "{writes}: {}\n\tcp {} {writes}", reads.join(" "), reads[0]).expect("text");
    }
    fs::write(here.join("Makefile"), text).expect("written");
}

fn write_ninja(workload: &Workload, here: &Path) {
    let mut text = String::from("rule cp\n  command = cp $from $out\n");
    for step in 0..workload.steps.len() {
        let (reads, writes) = files(workload, step);
        writeln!(text, "build {writes}: cp {}\n  from = {}", reads.join(" "), reads[0]).expect("text");
    }
    fs::write(here.join("build.ninja"), text).expect("written");
}

fn write_doit(workload: &Workload, here: &Path) {
    let mut text = String::from("def task_w():\n");
    for step in 0..workload.steps.len() {
        let (reads, writes) = files(workload, step);
        writeln!(
            text,
            "    yield dict(name='{writes}', actions=['cp {} {writes}'], file_dep={reads:?}, targets=['{writes}'])",
            reads[0]
        )
        .expect("text");
    }
    fs::write(here.join("dodo.py"), text).expect("written");
}

fn write_luigi(workload: &Workload, here: &Path) {
    let mut text = String::from("import luigi, subprocess\nSTEPS = {\n");
    for step in 0..workload.steps.len() {
        writeln!(text, "  'o{step}': {:?},", files(workload, step).0).expect("text");
    }
    text.push_str(
        "}\nclass Given(luigi.ExternalTask):\n  name = luigi.Parameter()\n  def output(self):\n    return luigi.LocalTarget(self.name)\n\
         class S(luigi.Task):\n  name = luigi.Parameter()\n  def requires(self):\n    \
         return [S(n) if n in STEPS else Given(n) for n in STEPS[self.name]]\n  def output(self):\n    \
         return luigi.LocalTarget(self.name)\n  def run(self):\n    subprocess.check_call(['cp', STEPS[self.name][0], self.name])\n\
         class All(luigi.WrapperTask):\n  def requires(self):\n    return [S(n) for n in STEPS]\n",
    );
    fs::write(here.join("w.py"), text).expect("written");
}

fn write_snakemake(workload: &Workload, here: &Path) {
    let names: Vec<String> = (0..workload.steps.len()).map(|step| format!("o{step}")).collect();
    let mut text = format!("rule all:\n    input: {names:?}\n");
    for step in 0..workload.steps.len() {
        let (reads, writes) = files(workload, step);
        writeln!(
            text,
            "rule r{step}:\n    input: {reads:?}\n    output: '{writes}'\n    shell: 'cp {} {writes}'",
            reads[0]
        )
        .expect("text");
    }
    fs::write(here.join("Snakefile"), text).expect("written");
}

fn write_dvc(workload: &Workload, here: &Path) {
    let mut text = String::from("stages:\n");
    for step in 0..workload.steps.len() {
        let (reads, writes) = files(workload, step);
        writeln!(text, "  s{step}:\n    cmd: cp {} {writes}\n    deps: {reads:?}\n    outs: ['{writes}']", reads[0])
            .expect("text");
    }
    fs::write(here.join("dvc.yaml"), text).expect("written");
    fs::create_dir_all(here.join(".dvc")).expect("a folder");
    fs::write(here.join(".dvc/config"), "[core]\n    no_scm = true\n    analytics = false\n").expect("written");
}
