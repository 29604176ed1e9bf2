//! Builds the evil guest, and runs one attempt at one deed.

use mlp_core::digest::Digest;
use mlp_core::executor::{Began, Cancel, Executor, Job, Produced, StepError, StepLog, Task};
use mlp_exec::{Library, WasmExecutor, WasmOptions};
use mlp_lang::pipeline::{Limits, StepNode};
use mlp_lang::signature::Modules;
use mlp_lang::types::Type;
use mlp_lang::value::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

/// The guest's component, built once.
pub fn component() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests");
        let world = folder.path().join("world.bin");
        std::fs::write(&world, world_section(&guests)).unwrap();
        let wasm = folder.path().join("evil.wasm");
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
        let built = Command::new(rustc)
            .args([
                "--edition=2024",
                "--target=wasm32-wasip2",
                "--crate-type=cdylib",
                "-Copt-level=1",
                "-Cstrip=debuginfo",
            ])
            .arg(guests.join("evil.rs"))
            .arg("-o")
            .arg(&wasm)
            .env("EVIL_WORLD", &world)
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        std::fs::read(wasm).unwrap()
    })
}

/// What a binding generator would embed: the world's type, for the linker that makes the component.
fn world_section(guests: &Path) -> Vec<u8> {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/wit/step.wit");
    let mut resolve = wit_parser::Resolve::default();
    for path in [contract, guests.join("world.wit")] {
        resolve.push_str(&path, &std::fs::read_to_string(&path).unwrap()).unwrap();
    }
    let (package, _) = resolve.packages.iter().next_back().unwrap();
    let world = resolve.select_world(&[package], Some("evil")).unwrap();
    wit_component::metadata::encode(&resolve, world, wit_component::StringEncoding::UTF8, None).unwrap()
}

/// The component with one text of the same length in place of another.
pub fn altered(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = component().to_vec();
    // All of them: the linker keeps the section's text among the data too.
    let found: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from.as_bytes())).collect();
    assert!(!found.is_empty());
    found.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to.as_bytes()));
    bytes
}

/// A library over a folder with one file.
pub fn library_with(name: &str, bytes: &[u8]) -> Library {
    let folder = tempfile::tempdir().unwrap().keep();
    std::fs::write(folder.join(name), bytes).unwrap();
    Library::new(&[], folder)
}

/// The one file with this extension below a folder.
pub fn only_file(folder: &Path, extension: &str) -> PathBuf {
    let inner = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut files: Vec<_> = std::fs::read_dir(inner).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == extension));
    assert_eq!(files.len(), 1);
    files.remove(0)
}

/// What an attempt left behind.
pub struct Attempt {
    pub result: Result<BTreeMap<String, Produced>, StepError>,
    pub lines: Vec<(String, String)>,
    pub compiled: Vec<String>,
    text: Option<String>,
}

impl Attempt {
    /// What it wrote into its output.
    pub fn said(self) -> String {
        self.result.unwrap();
        self.text.unwrap()
    }
}

/// An attempt to be made.
pub struct Plan {
    deed: String,
    limits: Limits,
    cancel: Cancel,
    fingerprint: Digest,
    cache: Option<PathBuf>,
}

/// At this deed.
pub fn attempt(deed: &str) -> Plan {
    let limits = Limits::default();
    Plan { deed: deed.into(), limits, cancel: Cancel::default(), fingerprint: Digest::of(b"one"), cache: None }
}

#[derive(Default)]
struct Log(Mutex<Vec<(String, String)>>);

impl StepLog for Log {
    fn line(&self, level: &str, message: &str) {
        self.0.lock().unwrap().push((level.into(), message.into()));
    }
    fn progress(&self, _: f64) {}
    fn metric(&self, _: &str, _: f64, _: Option<u64>) {}
}

impl Plan {
    pub fn memory(mut self, bytes: u64) -> Plan {
        self.limits.memory = Some(bytes);
        self
    }

    pub fn cancel(mut self, cancel: Cancel) -> Plan {
        self.cancel = cancel;
        self
    }

    pub fn fingerprint(mut self, text: &str) -> Plan {
        self.fingerprint = Digest::of(text.as_bytes());
        self
    }

    pub fn cache(mut self, folder: &Path) -> Plan {
        self.cache = Some(folder.into());
        self
    }

    /// Makes it. Without a cache of its own, all attempts share one executor.
    pub fn run(self) -> Attempt {
        let compiled = Arc::new(Mutex::new(vec![]));
        let own;
        let executor = match &self.cache {
            None => shared(),
            Some(cache) => {
                let names = compiled.clone();
                own = executor(WasmOptions {
                    cache: Some(cache.clone()),
                    on_compile: Some(Arc::new(move |name| names.lock().unwrap().push(name.to_owned()))),
                });
                &own
            }
        };
        let work = tempfile::tempdir().unwrap();
        let out = work.path().join("out");
        std::fs::create_dir(&out).unwrap();
        let log = Arc::new(Log::default());
        let job = Job {
            task: Task::Step(Arc::new(self.step())),
            node: "evil".into(),
            attempt: 1,
            inputs: BTreeMap::new(),
            work: work.path().into(),
            out,
            fingerprint: self.fingerprint,
            log: log.clone(),
            began: Began::default(),
            cancel: self.cancel,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let result = runtime.block_on(executor.run(job));
        let text = result.as_ref().ok().map(|outputs| std::fs::read_to_string(&outputs["said"].path).unwrap());
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        let compiled = compiled.lock().unwrap().clone();
        Attempt { result, lines, compiled, text }
    }

    fn step(&self) -> StepNode {
        StepNode {
            module: "evil.wasm".into(),
            version: "1.0.0".into(),
            digest: Digest::of(component()).to_string(),
            step: "act".into(),
            params: [("deed".to_owned(), Value::String(self.deed.clone()))].into_iter().collect(),
            inputs: Default::default(),
            outputs: [("said".to_owned(), Type::Metrics(vec![]))].into_iter().collect(),
            limits: self.limits,
            conduct: Default::default(),
        }
    }
}

fn executor(options: WasmOptions) -> WasmExecutor {
    let library = Arc::new(library_with("evil.wasm", component()));
    library.module("evil.wasm").unwrap();
    WasmExecutor::new(library, options)
}

fn shared() -> &'static WasmExecutor {
    static EXECUTOR: OnceLock<WasmExecutor> = OnceLock::new();
    EXECUTOR.get_or_init(|| executor(WasmOptions::default()))
}
