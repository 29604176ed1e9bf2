//! `mlp label import`: what really happened, joined to what was predicted.

use super::deploy::read;
use super::project_here;
use crate::args::Label;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::living::pick_deployment;
use crate::screen::Screen;
use mlp_live::control::{Answer, Client, NotAsked, Request};
use mlp_live::evidence::Evidence;
use mlp_live::home::Home;
use std::path::Path;

/// Hands labels over.
pub fn label(screen: &Screen, command: &Label) -> Result<Exit, Fault> {
    let Label::Import { file, deployment } = command;
    let home = Home::of(&project_here(&screen.options)?);
    let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
    let request = Request::ImportLabels { deployment: deployment.clone(), file: path.clone() };
    let done = match Client::connect(&home).and_then(|mut client| client.ask(&request)) {
        Ok(Answer::Refused(why)) => Err(why),
        Ok(Answer::Done(words)) => Ok(words),
        // Nobody writes there now, so this process may.
        Err(NotAsked::Nobody) => import(&home, deployment, &path)?,
        Ok(other) => Err(format!("the resident engine answered {other:?}")),
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(words) => {
            screen.print(&format!("{words}\n"))?;
            Ok(Exit::Done)
        }
        Err(why) => {
            screen.say(&format!("{}\n", why.trim_end()));
            let fault = Fault::new(format!("no label of {} was taken", file.display()));
            Err(fault.safe("labels that were imported before are kept").next("mend the file and import it again"))
        }
    }
}

fn import(home: &Home, name: &str, file: &Path) -> Result<Result<String, String>, Fault> {
    let (_, live) = read(home)?;
    pick_deployment(live.deployments(), Some(name))?;
    let _lock = home.take_lock().map_err(Fault::from)?;
    let Some(node) = live.declared(name) else { return Ok(Err(format!("`{name}` is not declared any more"))) };
    let evidence = Evidence::open(&home.deployment(name), &node.row, node.label.as_ref())
        .map_err(|error| Fault::new(format!("the prediction log of `{name}`: {error}")))?;
    let imported = evidence.import_labels(file, super::now());
    Ok(imported.map(|report| report.to_string()).map_err(|findings| findings.to_string()))
}
