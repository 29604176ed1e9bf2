//! `mlp deploy`: looking at deployments, and steering them.

use super::project_here;
use crate::args::Deploy;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::living::{journal_fault, pick_deployment};
use crate::render::live as render;
use crate::screen::Screen;
use mlp_live::control::{Answer, Client, NotAsked, Request};
use mlp_live::home::Home;
use mlp_live::machine::{Asked, Entry, Live};

/// Looks, or asks the resident engine.
pub fn deploy(screen: &Screen, command: &Deploy) -> Result<Exit, Fault> {
    let home = Home::of(&project_here(&screen.options)?);
    let (deployment, what) = match command {
        Deploy::Status { deployment } => return status(screen, &home, deployment.as_deref()),
        Deploy::History { deployment } => return history(screen, &home, deployment),
        Deploy::Promote { deployment } => (deployment, Asked::Promote),
        Deploy::Pause { deployment } => (deployment, Asked::Pause),
        Deploy::Resume { deployment } => (deployment, Asked::Resume),
        Deploy::Abort { deployment } => (deployment, Asked::Abort),
        Deploy::Rollback { deployment, to } => (deployment, Asked::Rollback { to: *to }),
        Deploy::Retry { deployment } => (deployment, Asked::Retry),
    };
    let request = Request::Ask { deployment: deployment.clone(), what };
    match ask(&home, &request)? {
        Answer::Refused(why) => Err(Fault::new(format!("not done: {why}"))
            .safe("nothing was changed; the request is in the audit log")
            .next(format!("`mlp deploy status {deployment}` tells how it stands"))),
        _ => {
            let (_, live) = read(&home)?;
            if screen.is_json() {
                screen.print_json(&render::status_json(&live, Some(deployment)), false)?;
            } else {
                screen.print(&render::status(&live, Some(deployment), super::now(), screen.width()))?;
            }
            Ok(Exit::Done)
        }
    }
}

/// Asks the resident engine, or says that there is none.
pub fn ask(home: &Home, request: &Request) -> Result<Answer, Fault> {
    let answer = Client::connect(home).and_then(|mut client| client.ask(request));
    answer.map_err(|error| match error {
        NotAsked::Nobody => nobody(),
        other => Fault::new(other.to_string()).safe("what is live goes on").next("see what `mlp serve` says"),
    })
}

fn nobody() -> Fault {
    Fault::new("no resident engine is at work in this project")
        .safe("what was live is written down and goes on when it is served again")
        .next("`mlp serve` lets it live")
}

/// Everything that was written down, and what it comes to.
pub fn read(home: &Home) -> Result<(Vec<Entry>, Live), Fault> {
    let entries = home.entries().map_err(journal_fault)?;
    let live = Live::fold(&entries).map_err(|error| {
        Fault::new(format!("the live journal contradicts itself: {error}")).safe("runs and models are untouched")
    })?;
    Ok((entries, live))
}

/// Deployments that were ever declared.
pub fn names(live: &Live) -> impl Iterator<Item = &str> {
    live.deployments().map(|(name, _)| name)
}

fn status(screen: &Screen, home: &Home, wanted: Option<&str>) -> Result<Exit, Fault> {
    let (_, live) = read(home)?;
    if let Some(wanted) = wanted {
        pick_deployment(names(&live), Some(wanted))?;
    }
    let hello = Client::connect(home).and_then(|mut client| client.ask(&Request::Hello)).ok();
    let now = match &hello {
        Some(Answer::Hello { now, .. }) => *now,
        _ => super::now(),
    };
    if screen.is_json() {
        screen.print_json(&render::status_json(&live, wanted), false)?;
        return Ok(Exit::Done);
    }
    let mut text = match &hello {
        Some(Answer::Hello { pid, listening, .. }) => render::served_by(*pid, listening),
        _ => "nobody serves now; `mlp serve` goes on where it stopped\n".to_owned(),
    };
    text.push_str(&render::status(&live, wanted, now, screen.width()));
    screen.print(&text)?;
    Ok(Exit::Done)
}

fn history(screen: &Screen, home: &Home, wanted: &str) -> Result<Exit, Fault> {
    let (_, live) = read(home)?;
    pick_deployment(names(&live), Some(wanted))?;
    let about = render::about(&live, wanted);
    for told in live.story().iter().filter(|told| about.contains(&told.about)) {
        match screen.is_json() {
            true => screen.print(&format!("{}\n", render::json_line(told.at, &told.about, &told.words)))?,
            false => screen.print(&render::line(told.at, &told.about, &told.words))?,
        }
    }
    Ok(Exit::Done)
}
