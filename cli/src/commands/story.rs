//! `mlp story`: what happened to deployments, as text or as a page.

use super::{deploy::read, project_here};
use crate::args::Story;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::{live, page};
use crate::screen::Screen;
use mlp_live::home::Home;
use std::path::PathBuf;

/// Tells the story.
pub fn story(screen: &Screen, args: &Story) -> Result<Exit, Fault> {
    let home = Home::of(&project_here(&screen.options)?);
    let (entries, state) = read(&home)?;
    let wanted = args.name.as_deref();
    let about = match wanted {
        Some(name) => live::about(&state, name),
        None => state.deployments().flat_map(|(name, _)| live::about(&state, name)).collect(),
    };
    if about.is_empty() {
        return Err(match wanted {
            Some(name) => Fault::usage(format!("nothing named `{name}` was ever deployed here")),
            None => Fault::usage("nothing was ever deployed here"),
        }
        .next("`mlp serve FILE` lets a file's deployments live"));
    }
    let told: Vec<_> = state.story().iter().filter(|told| about.contains(&told.about)).cloned().collect();
    if !args.html {
        for told in &told {
            match screen.is_json() {
                true => screen.print(&format!("{}\n", live::json_line(told.at, &told.about, &told.words)))?,
                false => screen.print(&live::line(told.at, &told.about, &told.words))?,
            }
        }
        return Ok(Exit::Done);
    }
    let title = wanted.unwrap_or("story");
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{title}-story.html")));
    let page = page::story(title, &entries, &told);
    std::fs::write(&out, page).map_err(|error| Fault::new(format!("cannot write {}", out.display())).cause(error))?;
    screen.print(&format!("{}\n", out.display()))?;
    Ok(Exit::Done)
}
