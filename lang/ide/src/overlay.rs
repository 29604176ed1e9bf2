//! Files that files use, as they are in the editor; what is not a document is asked of the world.

use crate::workspace::Workspace;
use mlp_lang::import::{Files, ImportError, Imported, identity, resolve};
use mlp_lang::signature::{ModuleError, ModuleSignature, Modules};
use mlp_lang::span::Source;
use std::sync::Arc;

/// The modules of the world, and the documents of a workspace over the files of the world.
pub(crate) struct Overlay<'w> {
    pub(crate) workspace: &'w Workspace,
    pub(crate) world: &'w dyn Modules,
}

impl Modules for Overlay<'_> {
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
        self.world.module(path)
    }

    fn known(&self) -> Vec<String> {
        self.world.known()
    }

    fn files(&self) -> &dyn Files {
        self
    }
}

impl Overlay<'_> {
    /// The document at a path, or the source as it is on the disk.
    fn newest(&self, source: Source) -> Source {
        match self.workspace.document(&identity(&source.path)).or_else(|| self.workspace.document(&source.path)) {
            Some(document) => Source::new(&source.path, document.text()),
            None => source,
        }
    }
}

impl Files for Overlay<'_> {
    fn import(&self, importer: &str, path: &str) -> Result<Imported, ImportError> {
        let wanted = resolve(importer, path);
        if let Some(document) = self.workspace.document(&wanted) {
            return Ok(Imported::File(Source::new(document.path(), document.text())));
        }
        match self.world.files().import(importer, path) {
            Ok(Imported::File(source)) => Ok(Imported::File(self.newest(source))),
            Ok(Imported::Folder(sources)) => {
                Ok(Imported::Folder(sources.into_iter().map(|source| self.newest(source)).collect()))
            }
            Err(error) => {
                // A folder whose files were never saved.
                let inside = self.workspace.inside(&wanted);
                if inside.is_empty() {
                    return Err(error);
                }
                Ok(Imported::Folder(
                    inside.iter().map(|document| Source::new(document.path(), document.text())).collect(),
                ))
            }
        }
    }
}
