//! Asking a run of another process to stop.
//!
//! The request is a file in the run's folder, durable before anybody is told that it was made: it is there whether the
//! engine looks now or in a moment, and the journal then says when the engine heard it. A run has a number of its own, so
//! a request can never stop another one.

use crate::disk::{At, DiskError, make_folders, sync_folder};
use crate::executor::Cancel;
use crate::project::Project;
use crate::record::Millis;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

/// How often a live run looks whether somebody asked it to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// Asks a run to stop. Asking twice is asking once.
pub fn request(project: &Project, run: u64, at: Millis) -> Result<(), DiskError> {
    let folder = project.run(run);
    // A run that has only just begun may not have its folder yet.
    make_folders(&folder)?;
    let path = project.cancel(run);
    let text = format!("{} by process {}\n", crate::clock::rfc3339(at), std::process::id());
    let mut file = File::create(&path).at("write", &path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).at("write", &path)?;
    sync_folder(&folder)
}

/// Whether somebody asked this run to stop.
pub fn is_requested(project: &Project, run: u64) -> bool {
    project.cancel(run).exists()
}

/// Looks until somebody asks, and passes it on.
pub(crate) async fn watch(project: Project, run: u64, cancel: Cancel) {
    while !cancel.is_set() {
        tokio::time::sleep(GLANCE).await;
        if is_requested(&project, run) {
            cancel.set();
        }
    }
}
