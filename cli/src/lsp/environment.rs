//! What the documents' world knows, from the disk.

use crate::world::World;
use mlp_ide::Environment;
use mlp_lang::signature::Modules;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Modules by folder.
#[derive(Default)]
pub struct Disk {
    worlds: Mutex<HashMap<PathBuf, Arc<World>>>,
}

impl Disk {
    /// Forgets what was read: something on the disk is another.
    pub fn forget(&self) {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The world of the documents in a folder.
    fn world(&self, path: &str) -> Arc<World> {
        let folder = crate::files::base_of(Path::new(path));
        let mut worlds = self.worlds.lock().unwrap_or_else(PoisonError::into_inner);
        worlds.entry(folder).or_insert_with(|| Arc::new(World::around(Path::new(path)))).clone()
    }
}

impl Environment for Disk {
    fn modules(&self, path: &str, ask: &mut dyn FnMut(&dyn Modules)) {
        ask(self.world(path).modules());
    }
}
