//! The resident engine of a project (`mlp serve`), as other commands meet it.

use crate::fault::Fault;
use mlp_core::aliases::Aliases;
use mlp_core::project::Project;
use mlp_live::control::{Answer, Client, Request};
use mlp_live::home::Home;

/// Tells the resident engine that a run requested deployments. Its process id if there is one and it heard; without one the
/// requests wait in the runs' journals for the next.
pub fn resident(project: &Project) -> Option<u32> {
    let mut client = Client::connect(&Home::of(project)).ok()?;
    client.ask(&Request::RunEnded).ok()?;
    match client.ask(&Request::Hello) {
        Ok(Answer::Hello { pid, .. }) => Some(pid),
        _ => None,
    }
}

/// What each deployment of the project serves to everybody.
pub fn aliases(project: &Project) -> Result<Aliases, Fault> {
    Home::of(project).aliases().map_err(|why| {
        Fault::new("what is deployed in this project cannot be read")
            .cause(why)
            .safe("nothing was run")
            .next("bring the live journal back from a copy")
    })
}
