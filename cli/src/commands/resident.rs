//! The resident engine of a project (`mlp serve`), as other commands meet it.

use mlp_core::project::Project;

/// Tells the resident engine that a run requested deployments. Its process id if there is one and it heard; without one the
/// requests wait in the runs' journals for the next.
pub fn resident(_project: &Project) -> Option<u32> {
    None
}
