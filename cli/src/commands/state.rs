//! `mlp state`: looking after the state folder.

use super::project_here;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::screen::Screen;
use mlp_core::engine::Engine;
use serde_json::json;

/// Makes the store anew from the journals.
pub fn rebuild(screen: &Screen) -> Result<Exit, Fault> {
    let project = project_here(&screen.options)?;
    if !project.state.is_dir() {
        return Err(Fault::usage(format!("there is no state folder at {}", project.state.display()))
            .next("run this inside a project, or name its state folder with `--state DIR`"));
    }
    Engine::rebuild_state(&project)?;
    if screen.is_json() {
        let document = json!({"schema": "mlp.state/1", "rebuilt": project.state.display().to_string()});
        screen.print_json(&document, false)?;
    } else if !screen.options.quiet {
        screen.print(&format!("the store in {} was made anew from the journals\n", project.state.display()))?;
    }
    Ok(Exit::Done)
}
