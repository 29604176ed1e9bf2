//! The wiring: what the language and the engine ask for, filled from the other crates.

use crate::files;
use crate::imports::Disk;
use mlp_core::predictor::Predictors;
use mlp_core::request::Parts;
use mlp_data::TableReader;
use mlp_exec::wasm::{OnCompile, default_cache};
use mlp_exec::{
    Library, LocalExecutor, PredictorOptions, ProcessExecutor, ProcessOptions, WasmExecutor, WasmOptions,
    WasmPredictors,
};
use mlp_lang::import::Files;
use mlp_lang::signature::{ModuleError, ModuleSignature, Modules};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What surrounds one pipeline file.
pub struct World {
    asked: Asked,
    library: Arc<Library>,
    base: PathBuf,
}

impl World {
    /// The world of the file at this path, which need not exist.
    pub fn around(file: &Path) -> World {
        let base = files::base_of(file);
        let mut library = Library::new(mlp_stdlib::components(), base.clone()).with_digests(mlp_stdlib::digests());
        if let Some(folder) = std::env::var_os("MLP_STDLIB").filter(|folder| !folder.is_empty()) {
            library = library.with_standard_from(folder);
        }
        let library = Arc::new(library);
        World { asked: Asked(library.clone()), library, base }
    }

    /// The folder that relative paths in the file start from.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// What the checker asks.
    pub fn modules(&self) -> &dyn Modules {
        &self.asked
    }

    /// What the engine works with. `on_compile` is told before a module is compiled, which takes a
    /// moment and happens once per machine.
    pub fn parts(&self, on_compile: Option<OnCompile>) -> Parts {
        let options = WasmOptions { cache: default_cache(), on_compile };
        let modules = WasmExecutor::new(self.library.clone(), options);
        let watcher = std::env::current_exe().ok();
        let processes = ProcessExecutor::new(ProcessOptions { base: self.base.clone(), watcher });
        Parts { executor: Arc::new(LocalExecutor::new(modules, processes)), tables: Arc::new(TableReader) }
    }
}

/// What the checker asks: steps of the library, files of the disk.
struct Asked(Arc<Library>);

impl Modules for Asked {
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
        self.0.module(path)
    }

    fn known(&self) -> Vec<String> {
        self.0.known()
    }

    fn files(&self) -> &dyn Files {
        &Disk
    }
}

/// What loads the models that pipelines in these worlds make.
pub fn predictors(worlds: &[&World]) -> Arc<dyn Predictors> {
    let options = PredictorOptions { cache: default_cache(), ..PredictorOptions::default() };
    let mut libraries = worlds.iter().map(|world| world.library.clone());
    let first = libraries.next().unwrap_or_else(|| World::around(Path::new("")).library);
    let predictors = WasmPredictors::new(first, options);
    libraries.for_each(|library| predictors.add(library));
    Arc::new(predictors)
}
