//! Components by name and by path: the standard library's table, and plugins on disk.
//!
//! A component is read once. Its bytes stay in memory under their digest, so that what was checked is what runs, even if
//! the file changes in between.

use crate::signature;
use mlp_lang::signature::{ModuleError, ModuleSignature, Modules};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A component, read and understood.
#[derive(Debug)]
pub struct Component {
    /// What it offers; the digest is filled.
    pub signature: Arc<ModuleSignature>,
    /// The component.
    pub bytes: Cow<'static, [u8]>,
}

/// All components that a pipeline can name.
#[derive(Debug)]
pub struct Library {
    standard: Vec<(String, &'static [u8])>,
    digests: &'static [(&'static str, &'static str)],
    replacement: Option<PathBuf>,
    base: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_path: HashMap<String, Arc<Component>>,
    by_digest: HashMap<String, Arc<Component>>,
}

/// A plugin larger than this is refused: wasm32 code of that size is a mistake (a data file under a wrong name).
const MAX_BYTES: u64 = 512 << 20;

impl Library {
    /// `standard`: name and bytes of components that need no path (`std/classify`). Plugins' relative paths start at
    /// `base`, the pipeline file's folder.
    pub fn new(standard: &[(&str, &'static [u8])], base: impl Into<PathBuf>) -> Library {
        Library {
            standard: standard.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect(),
            digests: &[],
            replacement: None,
            base: base.into(),
            known: Mutex::default(),
        }
    }

    /// Believes these digests of standard components, instead of hashing them anew: whoever embedded the components knows
    /// them.
    pub fn with_digests(mut self, digests: &'static [(&'static str, &'static str)]) -> Library {
        self.digests = digests;
        self
    }

    /// Takes the standard components from a folder: `std/classify` from `<folder>/classify.wasm`. One that is not there
    /// is as if it did not exist; nothing falls back silently.
    pub fn with_standard_from(mut self, folder: impl Into<PathBuf>) -> Library {
        self.replacement = Some(folder.into());
        self
    }

    /// The component with this digest, among those that [`Modules::module`] gave.
    pub fn component(&self, digest: &str) -> Option<Arc<Component>> {
        self.lock().by_digest.get(digest).cloned()
    }

    /// The component under this name or path, read at most once.
    pub fn load(&self, path: &str) -> Result<Arc<Component>, ModuleError> {
        if let Some(component) = self.lock().by_path.get(path) {
            return Ok(component.clone());
        }
        // Read without the lock: two threads may read the same file, which is harmless.
        let component = Arc::new(self.read(path)?);
        let mut known = self.lock();
        let component = known.by_digest.entry(component.signature.digest.clone()).or_insert(component).clone();
        Ok(known.by_path.entry(path.to_owned()).or_insert(component).clone())
    }

    fn read(&self, path: &str) -> Result<Component, ModuleError> {
        let unusable = |reason: String| ModuleError::Unusable { path: path.to_owned(), reason };
        let (bytes, signature) = match self.standard.iter().find(|(name, _)| name == path) {
            Some((name, embedded)) => match &self.replacement {
                Some(folder) => {
                    let file = name.strip_prefix("std/").unwrap_or(name);
                    let bytes = read_file(&folder.join(format!("{file}.wasm"))).map_err(unusable)?;
                    let signature = signature::of_plugin(&bytes).map_err(unusable)?;
                    (Cow::Owned(bytes), signature)
                }
                None => {
                    let digest = self.digests.iter().find(|(known, _)| known == name).map(|(_, digest)| *digest);
                    (Cow::Borrowed(*embedded), signature::of_trusted(embedded, digest).map_err(unusable)?)
                }
            },
            None if is_path(path) => {
                let file = self.base.join(path);
                if !file.exists() {
                    return Err(ModuleError::NotFound(path.to_owned()));
                }
                let bytes = read_file(&file).map_err(unusable)?;
                let signature = signature::of_plugin(&bytes).map_err(unusable)?;
                (Cow::Owned(bytes), signature)
            }
            None => return Err(ModuleError::NotFound(path.to_owned())),
        };
        Ok(Component { signature: Arc::new(signature), bytes })
    }

    /// A panic elsewhere leaves these maps whole: entries are only ever added.
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Modules for Library {
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
        self.load(path).map(|component| component.signature.clone())
    }

    fn known(&self) -> Vec<String> {
        self.standard.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Names of standard modules and paths cannot be confused: a plugin's path ends in `.wasm`.
fn is_path(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "wasm")
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let about = std::fs::metadata(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    if !about.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    if about.len() > MAX_BYTES {
        return Err(format!("{shown} is {} bytes; a component may have {MAX_BYTES}", about.len()));
    }
    std::fs::read(path).map_err(|error| format!("cannot read {shown}: {error}"))
}
