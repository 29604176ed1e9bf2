//! `mlp label import`: what really happened, joined to what was predicted.

use super::deploy::{names, read};
use super::project_here;
use crate::args::Label;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::living::pick_deployment;
use crate::render::findings;
use crate::screen::Screen;
use mlp_live::control::{Answer, Client, NotAsked, Request};
use mlp_live::evidence::{Evidence, EvidenceError, LabelImport};
use mlp_live::home::Home;
use std::path::Path;

/// Hands labels over.
pub fn label(screen: &Screen, command: &Label) -> Result<Exit, Fault> {
    let Label::Import { file, deployment } = command;
    let home = Home::of(&project_here(&screen.options)?);
    let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
    let shown = file.display().to_string();
    let request = Request::ImportLabels { deployment: deployment.clone(), file: path.clone(), shown: shown.clone() };
    let answer = match Client::connect(&home).and_then(|mut client| client.ask(&request)) {
        // Nobody writes there now, so this process may.
        Err(NotAsked::Nobody) => import(&home, deployment, &path, shown)?,
        Ok(answer) => answer,
        Err(error) => Answer::Refused(error.to_string()),
    };
    let why = match answer {
        Answer::Labels(report) => {
            screen.print(&format!("{report}\n"))?;
            return Ok(Exit::Done);
        }
        Answer::Findings(found) => {
            screen.say(&findings::full(&found, &[], screen.width()));
            findings::counts(&found, 1)
        }
        Answer::Refused(why) => why,
        other => format!("the resident engine answered {other:?}"),
    };
    Err(Fault::new(format!("no label of {} was taken", file.display()))
        .cause(why)
        .safe("labels that were imported before are kept")
        .next("mend the file and import it again"))
}

fn import(home: &Home, name: &str, file: &Path, shown: String) -> Result<Answer, Fault> {
    let (_, live) = read(home)?;
    pick_deployment(names(&live), Some(name))?;
    let _lock = home.take_lock().map_err(mlp_live::resident::ResidentError::from)?;
    let Some(node) = live.deployment(name).map(|it| it.node()) else {
        return Ok(Answer::Refused(format!("`{name}` is not declared any more")));
    };
    let evidence = Evidence::open(&home.deployment(name), &node.row, node.label.as_ref())
        .map_err(|error| Fault::new(format!("the prediction log of `{name}`: {error}")))?;
    let options = LabelImport { shown, delimiter: b',', missing: vec![String::new()], at: super::now() };
    Ok(match evidence.import_labels(file, &options) {
        Ok(report) => Answer::Labels(report),
        Err(EvidenceError::Findings(found)) => Answer::Findings(found),
        Err(error) => Answer::Refused(error.to_string()),
    })
}
