//! Compiled code: made once per component, kept in memory, and on disk between processes.
//!
//! A file in the cache is machine code that will be run, so it is loaded only if we wrote it: it lies in a private folder
//! of this user, nobody else may write to it, and its digest stands in a file beside it. Anything else is compiled anew
//! and replaced. The folder is named by everything about the engine that decides whether code fits: version, settings,
//! processor.

use super::OnCompile;
use super::sandbox::{self, Guest};
use crate::library;
use mlp_core::digest::Digest;
use mlp_core::executor::StepError;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

/// A component ready to be started.
pub type Code = InstancePre<Guest>;

/// One cell per component: who comes second waits for the first to fill it.
type Cell = Arc<Mutex<Option<Code>>>;

/// All components compiled so far.
pub struct Codes {
    engine: Engine,
    linker: Linker<Guest>,
    folder: Option<PathBuf>,
    on_compile: Option<OnCompile>,
    cells: Mutex<HashMap<String, Cell>>,
}

impl Codes {
    /// None yet. Files go into a folder of `cache` that fits this engine.
    pub fn new(engine: Engine, cache: Option<PathBuf>, on_compile: Option<OnCompile>) -> Result<Codes, StepError> {
        let linker = sandbox::linker(&engine)
            .map_err(|error| StepError::Operational(format!("the sandbox cannot be set up: {error:#}")))?;
        let folder = cache.map(|cache| cache.join(compatibility(&engine)));
        Ok(Codes { engine, linker, folder, on_compile, cells: Mutex::default() })
    }

    /// The engine that runs it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The code of this component.
    pub fn get(&self, component: &library::Component) -> Result<Code, StepError> {
        let digest = &component.signature.digest;
        let cell = self.cells.lock().unwrap_or_else(PoisonError::into_inner).entry(digest.clone()).or_default().clone();
        let mut code = cell.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = &*code {
            return Ok(code.clone());
        }
        let loaded = match self.cached(digest) {
            Some(loaded) => loaded,
            None => self.compile(component)?,
        };
        let name = &component.signature.name;
        let made = self.linker.instantiate_pre(&loaded).map_err(|error| {
            StepError::Failed(format!("{name} asks for something that steps are not given: {error:#}"))
        })?;
        Ok(code.insert(made).clone())
    }

    fn compile(&self, component: &library::Component) -> Result<Component, StepError> {
        let signature = &component.signature;
        if let Some(tell) = &self.on_compile {
            tell(&signature.name);
        }
        let compiled = Component::new(&self.engine, &component.bytes)
            .map_err(|error| StepError::Failed(format!("{} cannot be compiled: {error:#}", signature.name)))?;
        if let Some(folder) = &self.folder {
            let kept =
                compiled.serialize().map_err(io::Error::other).and_then(|code| keep(folder, &signature.digest, &code));
            if let Err(error) = kept {
                let folder = folder.display();
                tracing::warn!(
                    "{} will be compiled again next time: cannot write to {folder}: {error}",
                    signature.name
                );
            }
        }
        Ok(compiled)
    }

    fn cached(&self, digest: &str) -> Option<Component> {
        let path = code_path(self.folder.as_ref()?, digest);
        match is_ours(&path) {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!("{} is not as it was written; compiling again", path.display());
                return None;
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!("cannot read {}: {error}; compiling again", path.display());
                }
                return None;
            }
        }
        // SAFETY: the file must be what `Component::serialize` gave. `is_ours` has just seen that its bytes have the
        // digest written beside it, and that no other user can change either file.
        #[allow(unsafe_code, reason = "loading compiled code cannot be checked by the compiler; see SAFETY")]
        let loaded = unsafe { Component::deserialize_file(&self.engine, &path) };
        loaded.inspect_err(|error| tracing::warn!("cannot load {}: {error:#}; compiling again", path.display())).ok()
    }
}

/// Names what code must fit.
fn compatibility(engine: &Engine) -> String {
    let mut hasher = Blake3(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Digest(*hasher.0.finalize().as_bytes()).to_string()[..16].to_owned()
}

/// The standard hasher may change between compilers; this one does not.
struct Blake3(blake3::Hasher);

impl Hasher for Blake3 {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.finalize();
        digest.as_bytes()[..8].iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }
}

fn code_path(folder: &Path, digest: &str) -> PathBuf {
    folder.join(format!("{digest}.cwasm"))
}

fn seal_path(code: &Path) -> PathBuf {
    code.with_extension("blake3")
}

/// Whether the file is whole, unchanged and nobody else's.
fn is_ours(path: &Path) -> io::Result<bool> {
    let user = rustix::process::geteuid().as_raw();
    for path in [path, &seal_path(path), path.parent().unwrap_or(path)] {
        let about = std::fs::symlink_metadata(path)?;
        if about.uid() != user || about.mode() & 0o022 != 0 || about.is_symlink() {
            return Ok(false);
        }
    }
    let seal = std::fs::read_to_string(seal_path(path))?;
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    Ok(seal == Digest(*hasher.finalize().as_bytes()).to_string())
}

/// Code first, then its seal: whoever looks in between finds a seal that does not fit, and compiles.
fn keep(folder: &Path, digest: &str, code: &[u8]) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    remove_abandoned(folder);
    let path = code_path(folder, digest);
    replace(&path, code)?;
    replace(&seal_path(&path), Digest::of(code).to_string().as_bytes())
}

/// Removes what processes that were killed left half written: nobody writes for an hour.
fn remove_abandoned(folder: &Path) {
    const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_part = entry.path().extension().is_some_and(|extension| extension == "part");
        let modified = entry.metadata().and_then(|about| about.modified()).ok();
        let is_old = modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > HOUR);
        if is_part && is_old {
            // Whoever comes next tries again.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let aside = path.with_extension(format!("{}-{count}.part", std::process::id()));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&aside, path));
    if written.is_err() {
        // The first error is the one worth telling.
        let _ = std::fs::remove_file(&aside);
    }
    written
}
